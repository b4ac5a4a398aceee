"""Pools over HTTP."""

from typing import Any

import pytest

from tests.engine.served import UBUNTU, Served, wait_for

BODY = {"id": "p", "vmSize": "standard_d2s_v3", "virtualMachineConfiguration": UBUNTU}
WINDOWS = {
    "imageReference": {"publisher": "microsoftwindowsserver", "offer": "windowsserver", "sku": "2022-datacenter"},
    "nodeAgentSKUId": "batch.node.windows amd64",
}


def image(publisher: str, offer: str, sku: str) -> dict[str, Any]:
    return {**UBUNTU, "imageReference": {"publisher": publisher, "offer": offer, "sku": sku}}


MANAGED = {**UBUNTU, "imageReference": {"virtualMachineImageId": "/subscriptions/s/images/i"}}


def test_a_new_pool_has_the_defaults_of_the_service(served: Served) -> None:
    assert served.request("POST", "/pools", {**BODY, "targetLowPriorityNodes": 0}).status == 201
    pool = served.request("GET", "/pools/p").json
    for name in ("eTag", "lastModified", "creationTime", "stateTransitionTime", "allocationStateTransitionTime"):
        assert pool.pop(name)
    assert pool == {
        "odata.metadata": f"{served.endpoint}/$metadata#pools/@Element",
        "id": "p",
        "url": f"{served.endpoint}/pools/p",
        "state": "active",
        "allocationState": "steady",
        "vmSize": "standard_d2s_v3",
        "virtualMachineConfiguration": UBUNTU,
        "resizeTimeout": "PT15M",
        "targetDedicatedNodes": 0,
        "targetLowPriorityNodes": 0,
        "currentDedicatedNodes": 0,
        "currentLowPriorityNodes": 0,
        "enableAutoScale": False,
        "enableInterNodeCommunication": False,
        "taskSlotsPerNode": 1,
        "taskSchedulingPolicy": {"nodeFillType": "Spread", "jobDefaultOrder": "none"},
    }


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"vmSize": None}, 400, "MissingRequiredProperty"),
        ({"virtualMachineConfiguration": None}, 400, "MissingRequiredProperty"),
        ({"id": "a b"}, 400, "InvalidPropertyValue"),
        ({"id": "x" * 65}, 400, "InvalidPropertyValue"),
        ({"targetDedicatedNodes": -1}, 400, "InvalidPropertyValue"),
        ({"resizeTimeout": "PT1M"}, 400, "InvalidPropertyValue"),
        ({"taskSlotsPerNode": 0}, 400, "InvalidPropertyValue"),
        (
            {"virtualMachineConfiguration": {**UBUNTU, "nodeAgentSKUId": "batch.node.amiga"}},
            404,
            "NodeAgentSKUNotFound",
        ),
        ({"virtualMachineConfiguration": {**UBUNTU, "imageReference": {}}}, 400, "MissingRequiredProperty"),
        ({"virtualMachineConfiguration": image("canonical", "ubuntu-24_04-lts", "99")}, 400, "InvalidPropertyValue"),
        ({"virtualMachineConfiguration": image("debian", "debian-12", "12")}, 400, "InvalidPropertyValue"),
        ({"virtualMachineConfiguration": MANAGED}, 400, "InvalidPropertyValue"),
        ({"networkConfiguration": {"subnetId": "/subscriptions/s"}}, 400, "InvalidPropertyValue"),
        ({"applicationPackageReferences": [{"applicationId": "a"}]}, 409, "InvalidApplicationPackageReferences"),
        ({"startTask": {"commandLine": ""}}, 400, "InvalidPropertyValue"),
        ({"startTask": {"commandLine": "x", "resourceFiles": [{"filePath": "x"}]}}, 400, "InvalidPropertyValue"),
        ({"colour": "red"}, 400, "InvalidRequestBody"),
    ],
)
def test_a_pool_that_cannot_be_is_refused(served: Served, change: dict[str, Any], status: int, code: str) -> None:
    answer = served.request("POST", "/pools", {**BODY, **change})
    assert (answer.status, answer.code) == (status, code)
    assert served.request("GET", "/pools").json["value"] == []


def test_an_id_is_taken_whatever_its_case(served: Served) -> None:
    served.add_pool("p", 0)
    answer = served.request("POST", "/pools", {**BODY, "id": "P"})
    assert (answer.status, answer.code) == (409, "PoolExists")
    assert served.request("GET", "/pools/P").json["id"] == "p"


def test_passwords_are_never_given_back(served: Served) -> None:
    account = {"name": "u", "password": "secret", "elevationLevel": "admin"}
    served.add_pool("p", 0, userAccounts=[account])
    assert served.request("GET", "/pools/p").json["userAccounts"] == [{"name": "u", "elevationLevel": "admin"}]


def test_nodes_are_listed_when_the_create_returns_and_become_idle(served: Served) -> None:
    served.add_pool("p", 2, targetLowPriorityNodes=1)
    assert len(served.nodes("p")) == 3
    nodes = served.nodes_in("idle", pool="p")
    assert sorted((node["isDedicated"], node["id"][-2:]) for node in nodes) == [
        (False, "_p"),
        (True, "_d"),
        (True, "_d"),
    ]
    pool = served.request("GET", "/pools/p").json
    assert (pool["currentDedicatedNodes"], pool["currentLowPriorityNodes"], pool["allocationState"]) == (2, 1, "steady")
    counts = served.request("GET", "/nodecounts").json["value"][0]
    assert (counts["poolId"], counts["dedicated"]["idle"], counts["lowPriority"]["total"]) == ("p", 2, 1)


def test_a_pool_grows_and_shrinks(served: Served) -> None:
    served.add_pool("p", 1)
    for target in (3, 1, 0):
        answer = served.request("POST", "/pools/p/resize", {"targetDedicatedNodes": target})
        assert answer.status == 202
        pool = wait_for(
            lambda: served.request("GET", "/pools/p").json, lambda pool: pool["allocationState"] == "steady"
        )
        found = (pool["targetDedicatedNodes"], pool["currentDedicatedNodes"], len(served.nodes("p")))
        assert found == (target, target, target)
    assert list((served.settings.state_dir / "nodes" / "p").iterdir()) == []


def test_a_resize_needs_a_target(served: Served) -> None:
    served.add_pool("p", 0)
    answer = served.request("POST", "/pools/p/resize", {"nodeDeallocationOption": "requeue"})
    expected = [{"key": "PropertyName", "value": "targetDedicatedNodes and/or targetLowPriorityNodes"}]
    assert (answer.status, answer.code, answer.json["values"]) == (400, "MissingRequiredProperty", expected)


def test_more_nodes_than_the_quota_are_a_resize_error(served: Served) -> None:
    served.add_pool("p", 5_000)
    pool = served.request("GET", "/pools/p").json
    assert (pool["currentDedicatedNodes"], pool["resizeErrors"][0]["code"]) == (0, "AccountCoreQuotaReached")
    assert served.request("POST", "/pools/p/resize", {"targetDedicatedNodes": 1}).status == 202
    assert "resizeErrors" not in served.request("GET", "/pools/p").json


def test_shrinking_requeues_running_tasks_and_counts_that(served: Served) -> None:
    served.add_pool("pool", 1)
    served.add_job()
    served.add_task("t", "sleep 1000")
    wait_for(lambda: served.task("t")["state"], lambda state: state == "running")
    assert served.request("POST", "/pools/pool/resize", {"targetDedicatedNodes": 0}).status == 202
    task = wait_for(lambda: served.task("t"), lambda task: task["state"] == "active")
    assert (task["executionInfo"]["requeueCount"], "nodeInfo" in task, served.nodes()) == (1, False, [])


def test_shrinking_for_task_completion_waits_and_can_be_stopped(served: Served) -> None:
    served.add_pool("pool", 1)
    served.add_job()
    served.add_task("t", "sleep 1000")
    wait_for(lambda: served.task("t")["state"], lambda state: state == "running")
    body = {"targetDedicatedNodes": 0, "nodeDeallocationOption": "taskcompletion"}
    assert served.request("POST", "/pools/pool/resize", body).status == 202
    assert [node["state"] for node in served.nodes()] == ["leavingpool"]
    assert served.request("POST", "/pools/pool/resize", body).code == "PoolBeingResized"
    assert served.request("POST", "/pools/pool/stopresize").status == 202
    pool = wait_for(lambda: served.request("GET", "/pools/pool").json, lambda pool: pool["allocationState"] == "steady")
    assert (pool["resizeErrors"][0]["code"], served.task("t")["state"]) == ("ResizeStopped", "running")
    assert [node["state"] for node in served.nodes()] == ["running"]


def test_chosen_nodes_are_removed_and_the_target_follows(served: Served) -> None:
    served.add_pool("p", 3)
    gone, *stay = [node["id"] for node in served.nodes_in("idle", pool="p")]
    assert served.request("POST", "/pools/p/removenodes", {"nodeList": ["tvmps_x"]}).code == "NodeNotFound"
    assert served.request("POST", "/pools/p/removenodes", {"nodeList": [gone]}).status == 202
    nodes = wait_for(lambda: served.nodes("p"), lambda nodes: len(nodes) == 2)
    assert [node["id"] for node in nodes] == stay
    assert served.request("GET", "/pools/p").json["targetDedicatedNodes"] == 2


def test_a_patch_changes_what_it_names(served: Served) -> None:
    served.add_pool("p", 1, metadata=[{"name": "a", "value": "1"}])
    change = {"startTask": {"commandLine": "true", "waitForSuccess": False}}
    assert served.request("PATCH", "/pools/p", change).status == 200
    pool = served.request("GET", "/pools/p").json
    assert (pool["startTask"]["waitForSuccess"], pool["metadata"]) == (False, [{"name": "a", "value": "1"}])


def test_other_properties_change_only_while_the_pool_is_empty(served: Served) -> None:
    served.add_pool("p", 1)
    answer = served.request("PATCH", "/pools/p", {"vmSize": "standard_d4s_v3"})
    assert (answer.status, answer.code) == (409, "OperationInvalidForCurrentState")
    served.request("POST", "/pools/p/resize", {"targetDedicatedNodes": 0})
    wait_for(lambda: served.nodes("p"), lambda nodes: nodes == [])
    assert served.request("PATCH", "/pools/p", {"vmSize": "standard_d4s_v3"}).status == 200
    assert served.request("GET", "/pools/p").json["vmSize"] == "standard_d4s_v3"


def test_updateproperties_replaces_all_and_drops_the_start_task(served: Served) -> None:
    served.add_pool("p", 0, startTask={"commandLine": "true"}, metadata=[{"name": "a", "value": "1"}])
    assert served.request("POST", "/pools/p/updateproperties", {"metadata": []}).code == "MissingRequiredProperty"
    body: dict[str, Any] = {"metadata": [{"name": "b", "value": "2"}], "applicationPackageReferences": []}
    assert served.request("POST", "/pools/p/updateproperties", body).status == 204
    pool = served.request("GET", "/pools/p").json
    assert ("startTask" in pool, pool["metadata"]) == (False, [{"name": "b", "value": "2"}])


def test_a_deleted_pool_is_gone_with_its_folders_and_its_tasks_wait(served: Served) -> None:
    served.add_pool("pool", 2)
    served.add_job()
    served.add_task("t", "sleep 1000")
    wait_for(lambda: served.task("t")["state"], lambda state: state == "running")
    assert served.request("DELETE", "/pools/pool").status == 202
    wait_for(lambda: served.request("GET", "/pools/pool").status, lambda status: status == 404)
    assert (served.task("t")["state"], list((served.settings.state_dir / "nodes").iterdir())) == ("active", [])
    served.add_pool("pool", 1)
    wait_for(lambda: served.task("t")["state"], lambda state: state == "running")


def test_nodes_of_a_windows_pool_are_unusable_and_say_whose_limit_it_is(served: Served) -> None:
    served.add_pool("p", 1, virtualMachineConfiguration=WINDOWS)
    (node,) = served.nodes_in("unusable", pool="p")
    assert [(error["code"], "local engine" in error["message"]) for error in node["errors"]] == [
        ("UnsupportedImage", True)
    ]


def test_supported_images_can_be_filtered(served: Served) -> None:
    query = "$filter=osType%20eq%20%27windows%27&maxresults=1"
    page = served.request("GET", "/supportedimages", query=query).json
    assert [image["nodeAgentSKUId"] for image in page["value"]] == ["batch.node.windows amd64"]
    assert "odata.nextLink" in page
    assert len(served.request("GET", "/supportedimages").json["value"]) > 20


def test_images_that_published_samples_use_are_listed_with_their_end_of_support(served: Served) -> None:
    listed = served.request("GET", "/supportedimages").json["value"]
    ends = {image["imageReference"]["sku"]: image.get("batchSupportEndOfLife") for image in listed}
    assert (ends["18.04-lts"], ends["2022-datacenter"]) == ("2023-05-31T00:00:00Z", None)
    retired = {**image("Canonical", "UbuntuServer", "18.04-LTS"), "nodeAgentSKUId": "batch.node.ubuntu 18.04"}
    served.add_pool("p", 1, virtualMachineConfiguration=retired)
    served.nodes_in("idle", pool="p")


def test_an_api_version_shows_the_properties_it_knows(served: Served) -> None:
    old = "2024-02-01.19.0"
    body = {**BODY, "resourceTags": {"a": "b"}, "targetNodeCommunicationMode": "Classic"}
    assert served.request("POST", "/pools", body).code == "InvalidRequestBody"
    assert served.request("POST", "/pools", body, version=old).status == 201
    shown = served.request("GET", "/pools/p", version=old).json
    assert (shown["resourceTags"], shown["currentNodeCommunicationMode"]) == ({"a": "b"}, "classic")
    assert shown["taskSchedulingPolicy"] == {"nodeFillType": "Spread"}
    (newer,) = served.request("GET", "/pools").json["value"]
    assert (newer.keys() & {"resourceTags", "targetNodeCommunicationMode"}, len(newer["taskSchedulingPolicy"])) == (
        set(),
        2,
    )


@pytest.mark.parametrize("version", ["2021-06-01.14.0", "2022-10-01.16.0", "2023-11-01.18.0", "2024-07-01.20.0"])
def test_every_api_version_is_answered(served: Served, version: str) -> None:
    assert served.request("GET", "/pools", version=version).status == 200
    assert served.request("GET", "/lifetimepoolstats", version=version).status == (200 if version < "2022-10" else 404)


def test_an_unknown_api_version_is_refused(served: Served) -> None:
    answer = served.request("GET", "/pools", version="2020-01-01.1.0")
    assert (answer.status, answer.code) == (400, "UnsupportedRequestVersion")
