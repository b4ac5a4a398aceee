"""Pools that jobs bring along."""

from typing import Any

import pytest

from tests.engine.served import UBUNTU, Served, wait_for

POOL = {"vmSize": "standard_d2s_v3", "virtualMachineConfiguration": UBUNTU, "targetDedicatedNodes": 1}


def auto(pool: dict[str, Any] | None = None, **properties: Any) -> dict[str, Any]:
    specification = {"poolLifetimeOption": "job", "pool": {**POOL, **(pool or {})}, **properties}
    return {"id": "job", "poolInfo": {"autoPoolSpecification": specification}}


def add(served: Served, body: dict[str, Any]) -> Any:
    answer = served.request("POST", "/jobs", body)
    assert answer.status == 201, answer
    return served.request("GET", "/jobs/job").json


def pool_exists(served: Served, pool_id: str) -> bool:
    return served.request("HEAD", f"/pools/{pool_id}").status == 200


@pytest.mark.parametrize("end", ["terminate", "delete"])
def test_a_job_gets_a_pool_that_ends_with_it(served: Served, end: str) -> None:
    pool_id = add(served, auto(autoPoolIdPrefix="mine"))["executionInfo"]["poolId"]
    assert pool_id.startswith("mine_")
    assert pool_id[5:] == pool_id[5:].upper()
    served.add_task("t", "true")
    served.completed("t")
    method, path = ("DELETE", "/jobs/job") if end == "delete" else ("POST", "/jobs/job/terminate")
    assert served.request(method, path).status == 202
    wait_for(lambda: pool_exists(served, pool_id), lambda exists: not exists)


def test_a_pool_that_is_kept_alive_stays(served: Served) -> None:
    pool_id = add(served, auto())["executionInfo"]["poolId"]
    change = auto(keepAlive=True)
    assert served.request("PATCH", "/jobs/job", {"poolInfo": change["poolInfo"]}).status == 200
    assert served.request("DELETE", "/jobs/job").status == 202
    wait_for(lambda: served.request("GET", "/jobs/job").status, lambda status: status == 404)
    assert pool_exists(served, pool_id)


def test_a_pool_that_cannot_be_made_completes_the_job_with_an_error(served: Served) -> None:
    machine = {**UBUNTU, "nodeAgentSKUId": "batch.node.nothing"}
    job = add(served, auto({"virtualMachineConfiguration": machine}))
    error = job["executionInfo"]["schedulingError"]
    assert (job["state"], error["category"], error["code"]) == ("completed", "usererror", "InvalidAutoPoolSettings")
    assert {"name": "Code", "value": "NodeAgentSKUNotFound"} in error["details"]
    assert "poolId" not in job["executionInfo"]
    answer = served.request("POST", "/jobs/job/tasks", {"id": "t", "commandLine": "true"})
    assert (answer.status, answer.code) == (409, "JobCompleted")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (auto(poolLifetimeOption="jobschedule"), "InvalidPropertyValue"),
        (auto(autoPoolIdPrefix="x" * 21), "InvalidPropertyValue"),
        ({**auto(), "poolInfo": {**auto()["poolInfo"], "poolId": "pool"}}, "InvalidPropertyValue"),
    ],
)
def test_an_auto_pool_that_breaks_a_rule_is_refused(served: Served, body: dict[str, Any], code: str) -> None:
    answer = served.request("POST", "/jobs", body)
    assert (answer.status, answer.code) == (400, code)
