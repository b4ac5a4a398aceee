"""Faults on demand, preemption and quotas over HTTP."""

import http.client
import time
from typing import Any

import pytest

from tests.engine.served import UBUNTU, Answer, Served, wait_for

FAULTS = "/.batchspec/faults"
POOL = {"id": "p", "vmSize": "standard_d2s_v3", "virtualMachineConfiguration": UBUNTU}


def ask(served: Served, **fault: Any) -> Any:
    answer = served.request("POST", FAULTS, fault)
    assert answer.status == 201, answer
    return answer.json


def statuses(served: Served, count: int) -> list[int]:
    return [served.request("GET", "/pools").status for _ in range(count)]


def code(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.code


def test_there_is_no_fault_until_one_is_asked_for(served: Served) -> None:
    found = served.request("GET", FAULTS).json
    assert (found["value"], found["changedQuotas"]) == ([], False)


def test_the_next_matching_request_is_answered_with_the_fault_and_has_no_effect(served: Served) -> None:
    ask(served, kind="answer", status=503, retryAfter=2, method="post", path="/pools*")
    assert served.request("GET", "/pools").status == 200
    answer = served.request("POST", "/pools", POOL)
    assert (*code(answer), answer.headers["retry-after"]) == (503, "ServerBusy", "2")
    assert served.request("GET", "/pools").json["value"] == []
    assert served.request("POST", "/pools", POOL).status == 201


def test_a_fault_after_the_effect_leaves_the_effect(served: Served) -> None:
    ask(served, kind="answer", status=500, operation="create_pool", when="after")
    assert code(served.request("POST", "/pools", POOL)) == (500, "InternalError")
    assert code(served.request("POST", "/pools", POOL)) == (409, "PoolExists")


def test_the_next_two_or_every_third_request_fails(served: Served) -> None:
    ask(served, kind="answer", status=429, next=2)
    assert statuses(served, 3) == [429, 429, 200]
    ask(served, kind="answer", status=429, code="Mine", every=3)
    assert statuses(served, 7) == [200, 200, 429, 200, 200, 429, 200]
    assert [(fault["seen"], fault["fired"]) for fault in served.request("GET", FAULTS).json["value"]] == [
        (10, 2),
        (7, 2),
    ]


@pytest.mark.parametrize(("when", "left"), [("before", 0), ("after", 1)])
def test_a_connection_is_dropped_before_or_after_the_effect(served: Served, when: str, left: int) -> None:
    ask(served, kind="drop", operation="create_pool", when=when)
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        served.request("POST", "/pools", POOL)
    assert len(served.request("GET", "/pools").json["value"]) == left


def test_a_delayed_request_is_answered_later(served: Served) -> None:
    ask(served, kind="delay", delay=0.2)
    begun = time.monotonic()
    assert served.request("GET", "/pools").status == 200
    assert time.monotonic() - begun >= 0.2


def test_uploads_fail_with_the_wanted_code(served: Served) -> None:
    served.add_pool()
    served.add_job()
    ask(served, kind="upload", code="FileUploadAccessDenied")
    output = {
        "filePattern": "*.txt",
        "destination": {"container": {"containerUrl": "http://127.0.0.1:9/c?sig=x"}},
        "uploadOptions": {"uploadCondition": "taskcompletion"},
    }
    served.add_task("t", "true", outputFiles=[output])
    info = served.completed("t")["executionInfo"]
    assert (info["exitCode"], info["failureInfo"]["code"]) == (0, "FileUploadAccessDenied")


def test_downloads_fail(served: Served) -> None:
    served.add_pool()
    served.add_job()
    ask(served, kind="download")
    served.add_task("t", "true", resourceFiles=[{"httpUrl": "http://127.0.0.1:9/x", "filePath": "x"}])
    assert served.completed("t")["executionInfo"]["failureInfo"]["code"] == "BlobDownloadMiscError"


def test_a_node_that_does_not_start_is_unusable_and_can_be_replaced(served: Served) -> None:
    ask(served, kind="nodestart", pool="p")
    served.add_pool("q", 1)
    served.nodes_in("idle", pool="q")
    served.add_pool("p", 1)
    (node,) = served.nodes_in("unusable", pool="p")
    assert node["errors"][0]["code"] == "NodePreparationError"
    assert served.request("POST", "/pools/p/removenodes", {"nodeList": [node["id"]]}).status == 202
    wait_for(lambda: served.nodes("p"), lambda nodes: nodes == [])
    assert served.request("POST", "/pools/p/resize", {"targetDedicatedNodes": 1}).status == 202
    served.nodes_in("idle", pool="p")


def test_faults_are_reset_one_by_one_and_all(served: Served) -> None:
    first, second = ask(served, kind="answer", status=500), ask(served, kind="delay", delay=0, every=2)
    assert served.request("DELETE", f"{FAULTS}/{first['id']}").status == 200
    assert code(served.request("DELETE", f"{FAULTS}/{first['id']}")) == (404, "ResourceNotFound")
    assert [fault["id"] for fault in served.request("GET", FAULTS).json["value"]] == [second["id"]]
    assert served.request("DELETE", FAULTS).status == 200
    assert served.request("GET", FAULTS).json["value"] == []


@pytest.mark.parametrize(
    ("fault", "wrong"),
    [
        ({"kind": "answer"}, "MissingRequiredProperty"),
        ({"kind": "answer", "status": 200}, "InvalidPropertyValue"),
        ({"kind": "delay"}, "MissingRequiredProperty"),
        ({"kind": "drop", "next": 0}, "InvalidPropertyValue"),
        ({"kind": "drop", "operation": "make_tea"}, "InvalidPropertyValue"),
        ({"kind": "upload", "code": "Nonsense"}, "InvalidPropertyValue"),
        ({"kind": "explode"}, "InvalidPropertyValue"),
    ],
)
def test_a_fault_that_cannot_be_is_refused(served: Served, fault: dict[str, Any], wrong: str) -> None:
    assert code(served.request("POST", FAULTS, fault)) == (400, wrong)


def test_faults_need_the_key(served: Served) -> None:
    answer = served.request("POST", FAULTS, {"kind": "drop"}, key="b3RoZXI=")
    assert code(answer) == (403, "AuthenticationFailed")


def test_a_preempted_node_gives_its_task_back_and_returns(served: Served) -> None:
    served.add_pool("pool", 0, targetLowPriorityNodes=1)
    served.add_job()
    served.add_task("t", "sleep 1000")
    wait_for(lambda: served.task("t")["state"], lambda state: state == "running")
    (node,) = served.nodes()
    answer = served.request("POST", "/.batchspec/preempt", {"pool": "pool", "absent": 0.5})
    assert (answer.status, answer.json["nodes"]) == (200, [node["id"]])
    assert served.nodes()[0]["state"] == "preempted"
    assert served.request("GET", "/pools/pool").json["currentLowPriorityNodes"] == 1
    wait_for(lambda: served.task("t")["state"], lambda state: state == "active")
    task = wait_for(lambda: served.task("t"), lambda task: task["state"] == "running")
    info = task["executionInfo"]
    assert (info["requeueCount"], info["retryCount"]) == (0, 0)


def test_a_node_that_was_away_when_the_engine_stopped_returns_with_it(served: Served) -> None:
    served.add_pool("p", 1, targetLowPriorityNodes=1)
    nodes = served.nodes_in("idle", pool="p")
    (kept,) = [node["id"] for node in nodes if node["isDedicated"]]
    assert served.request("POST", f"/pools/p/nodes/{kept}/deallocate", {}).status == 202
    (lost,) = served.request("POST", "/.batchspec/preempt", {"pool": "p", "absent": 3600}).json["nodes"]
    assert [node["state"] for node in served.nodes("p") if node["id"] == lost] == ["preempted"]
    wait_for(lambda: {node["state"] for node in served.nodes("p")}, lambda states: "deallocated" in states)
    served.stop()
    served.start()
    found = wait_for(lambda: {node["id"]: node["state"] for node in served.nodes("p")}, lambda f: f[lost] == "idle")
    assert found == {kept: "deallocated", lost: "idle"}


def test_a_pool_shrinks_though_its_nodes_are_away(served: Served) -> None:
    served.add_pool("p", 0, targetLowPriorityNodes=2)
    served.nodes_in("idle", pool="p")
    assert len(served.request("POST", "/.batchspec/preempt", {"pool": "p", "absent": 3600}).json["nodes"]) == 2
    assert served.request("POST", "/pools/p/resize", {"targetLowPriorityNodes": 0}).status == 202
    wait_for(lambda: served.nodes("p"), lambda nodes: nodes == [])


def test_only_spot_nodes_are_preempted(served: Served) -> None:
    served.add_pool("p", 1)
    (node,) = served.nodes_in("idle", pool="p")
    assert served.request("POST", "/.batchspec/preempt", {"pool": "p"}).json["nodes"] == []
    refused = served.request("POST", "/.batchspec/preempt", {"pool": "p", "node": node["id"]})
    assert code(refused) == (409, "OperationNotValidOnNode")
    assert code(served.request("POST", "/.batchspec/preempt", {"pool": "none"})) == (404, "PoolNotFound")


def test_active_jobs_and_schedules_have_one_quota(served: Served) -> None:
    assert served.request("PATCH", "/.batchspec/quotas", {"activeJobs": 2}).json["activeJobs"] == 2
    served.add_job("a")
    schedule = {"id": "s", "schedule": {"doNotRunUntil": "2199-01-01T00:00:00Z"}}
    body = {**schedule, "jobSpecification": {"poolInfo": {"poolId": "p"}}}
    assert served.request("POST", "/jobschedules", body).status == 201
    reached = (409, "ActiveJobAndScheduleQuotaReached")
    assert code(served.request("POST", "/jobs", {"id": "b", "poolInfo": {"poolId": "p"}})) == reached
    assert code(served.request("POST", "/jobschedules", {**body, "id": "t"})) == reached
    assert served.request("POST", "/jobs/a/terminate", {}).status == 202
    wait_for(lambda: served.request("GET", "/jobs/a").json["state"], lambda state: state == "completed")
    served.add_job("b")


def test_quotas_can_be_lowered_and_are_restored_by_a_reset(served: Served) -> None:
    quotas = {"pools": 1, "dedicatedCores": 4, "lowPriorityCores": 1}
    assert served.request("PATCH", "/.batchspec/quotas", quotas).status == 200
    served.add_pool("p", 3, targetLowPriorityNodes=1)
    pool = served.request("GET", "/pools/p").json
    assert [error["code"] for error in pool["resizeErrors"]] == [
        "AccountCoreQuotaReached",
        "AccountLowPriorityCoreQuotaReached",
    ]
    assert served.nodes("p") == []
    assert served.request("POST", "/pools/p/resize", {"targetDedicatedNodes": 2}).status == 202
    assert len(served.nodes("p")) == 2
    assert code(served.request("POST", "/pools", {**POOL, "id": "q"})) == (409, "PoolQuotaReached")
    assert served.request("DELETE", FAULTS).status == 200
    assert served.request("POST", "/pools", {**POOL, "id": "q"}).status == 201
