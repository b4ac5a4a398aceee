"""Job preparation and release tasks over HTTP."""

from pathlib import Path
from typing import Any

import pytest
from azure.batch import models

from tests.engine.served import Process, Served, wait_for

PREPARE = "/bin/sh -c 'echo $AZ_BATCH_TASK_ID >> $AZ_BATCH_NODE_SHARED_DIR/log; echo data > data'"
RELEASE = (
    "/bin/sh -c 'cat $AZ_BATCH_JOB_PREP_WORKING_DIR/data; echo $AZ_BATCH_TASK_ID >> $AZ_BATCH_NODE_SHARED_DIR/log'"
)


def preparing(command_line: str = PREPARE, **properties: Any) -> dict[str, Any]:
    return {"jobPreparationTask": {"commandLine": command_line, **properties}}


def statuses(served: Served, query: str = "") -> list[Any]:
    answer = served.request("GET", "/jobs/job/jobpreparationandreleasetaskstatus", query=query)
    assert answer.status == 200, answer
    return list(answer.json["value"])


def log(served: Served) -> list[str]:
    (path,) = served.settings.state_dir.glob("nodes/pool/*/shared/log")
    return path.read_text().split()


def test_a_job_prepares_a_node_once_and_releases_it_at_its_end(served: Served) -> None:
    served.add_pool(taskSlotsPerNode=2)
    served.add_job(**preparing(), jobReleaseTask={"commandLine": RELEASE})
    command = "/bin/sh -c 'cat $AZ_BATCH_JOB_PREP_WORKING_DIR/data'"
    for name in ("a", "b", "c"):
        served.add_task(name, command)
    for name in ("a", "b", "c"):
        assert served.completed(name)["executionInfo"]["exitCode"] == 0
        assert served.output(name) == "data\n"
    assert log(served) == ["jobpreparation"]
    (node,) = served.nodes()
    (status,) = statuses(served)
    info = status["jobPreparationTaskExecutionInfo"]
    assert (status["poolId"], status["nodeId"], "jobReleaseTaskExecutionInfo" in status) == ("pool", node["id"], False)
    assert {name: info[name] for name in ("state", "exitCode", "result", "retryCount", "taskRootDirectory")} == {
        "state": "completed",
        "exitCode": 0,
        "result": "success",
        "retryCount": 0,
        "taskRootDirectory": "workitems/job/job-1/jobpreparation",
    }
    assert served.request("POST", "/jobs/job/terminate").status == 202
    wait_for(lambda: served.request("GET", "/jobs/job").json["state"], lambda state: state == "completed")
    assert log(served) == ["jobpreparation", "jobrelease"]
    (status,) = statuses(served)
    info = status["jobReleaseTaskExecutionInfo"]
    assert (info["state"], info["exitCode"], info["result"]) == ("completed", 0, "success")
    name = "workitems/job/job-1/jobrelease/stdout.txt"
    assert served.request("GET", f"/pools/pool/nodes/{node['id']}/files/{name}").content == b"data\n"


def test_a_task_is_preparing_while_its_node_is(served: Served, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    served.add_pool()
    served.add_job(**preparing(f"/bin/sh -c 'while [ ! -e {gate} ]; do sleep 0.01; done'"))
    served.add_task("t", "true")
    task = wait_for(lambda: served.task("t"), lambda task: task["state"] == "preparing")
    assert ("startTime" in task["executionInfo"], "nodeInfo" in task) == (False, True)
    assert served.request("GET", "/jobs/job/taskcounts").json["taskCounts"]["running"] == 1
    (status,) = statuses(served)
    assert status["jobPreparationTaskExecutionInfo"]["state"] == "running"
    gate.touch()
    assert served.completed("t")["previousState"] == "running"


def test_a_node_whose_preparation_failed_takes_no_task_of_the_job(served: Served) -> None:
    served.add_pool()
    served.add_job(**preparing("/bin/sh -c 'exit 3'", constraints={"maxTaskRetryCount": 1}))
    served.add_task("t", "true")
    (status,) = wait_for(
        lambda: statuses(served),
        lambda found: bool(found) and found[0]["jobPreparationTaskExecutionInfo"]["state"] == "completed",
    )
    info = status["jobPreparationTaskExecutionInfo"]
    assert (info["exitCode"], info["retryCount"], info["failureInfo"]["code"]) == (3, 1, "FailureExitCode")
    task = wait_for(lambda: served.task("t"), lambda task: task["state"] == "active")
    assert task["executionInfo"]["requeueCount"] == 0
    served.add_job("other")
    served.add_task("u", "true", job="other")
    served.completed("u", "other")
    assert served.task("t")["state"] == "active"
    wanted = "$filter=jobPreparationTaskExecutionInfo/result%20eq%20%27success%27"
    assert statuses(served, wanted) == []


def test_a_preparation_that_is_not_waited_for_keeps_no_task(served: Served) -> None:
    served.add_pool()
    served.add_job(**preparing("/bin/sh -c 'exit 3'", waitForSuccess=False))
    served.add_task("t", "true")
    assert served.completed("t")["executionInfo"]["exitCode"] == 0


@pytest.mark.parametrize(("reruns", "expected"), [(True, 2), (False, 1)])
def test_a_reboot_runs_the_preparation_again_if_the_job_says_so(served: Served, reruns: bool, expected: int) -> None:
    served.add_pool()
    served.add_job(**preparing(rerunOnNodeRebootAfterSuccess=reruns))
    served.add_task("a", "true")
    served.completed("a")
    (node,) = served.nodes_in("idle")
    assert served.request("POST", f"/pools/pool/nodes/{node['id']}/reboot").status == 202
    served.add_task("b", "true")
    served.completed("b")
    assert log(served) == ["jobpreparation"] * expected


def test_a_terminated_job_ends_its_preparation(served: Served) -> None:
    served.add_pool()
    served.add_job(**preparing("sleep 1000"), jobReleaseTask={"commandLine": RELEASE})
    served.add_task("t", "true")
    wait_for(lambda: served.task("t")["state"], lambda state: state == "preparing")
    assert served.request("POST", "/jobs/job/terminate").status == 202
    wait_for(lambda: served.request("GET", "/jobs/job").json["state"], lambda state: state == "completed")
    task = served.task("t")
    assert (task["state"], task["executionInfo"]["failureInfo"]["code"]) == ("completed", "TaskEnded")
    assert "jobReleaseTaskExecutionInfo" not in statuses(served)[0]


def test_a_deleted_job_releases_its_nodes_first(served: Served) -> None:
    served.add_pool()
    served.add_job(**preparing(), jobReleaseTask={"commandLine": RELEASE})
    served.add_task("t", "true")
    served.completed("t")
    assert served.request("DELETE", "/jobs/job").status == 202
    wait_for(lambda: served.request("GET", "/jobs/job").status, lambda status: status == 404)
    assert log(served) == ["jobpreparation", "jobrelease"]


@pytest.mark.parametrize(("method", "path"), [("POST", "/jobs/job/terminate"), ("DELETE", "/jobs/job")])
def test_a_forced_end_does_not_wait_for_releases(served: Served, method: str, path: str) -> None:
    served.add_pool()
    served.add_job(**preparing("true"), jobReleaseTask={"commandLine": "sleep 1000"})
    served.add_task("t", "true")
    served.completed("t")
    assert served.request("POST", "/jobs/job/terminate").status == 202
    wait_for(lambda: statuses(served), lambda found: "jobReleaseTaskExecutionInfo" in found[0])
    assert served.request("GET", "/jobs/job").json["state"] == "terminating"
    assert served.request(method, path, query="force=true").status == 202
    wait_for(
        lambda: served.request("GET", "/jobs/job").json.get("state", "gone"),
        lambda state: state in ("completed", "gone"),
    )


def test_the_sdk_lists_the_status_and_jobs_without_preparation_have_none(served: Served) -> None:
    served.add_pool()
    served.add_job(**preparing())
    served.add_task("t", "true")
    served.completed("t")
    (status,) = served.client().list_job_preparation_and_release_task_status("job")
    assert status.job_preparation_task_execution_info is not None
    assert status.job_preparation_task_execution_info.state == models.BatchJobPreparationTaskState.COMPLETED
    served.add_job("plain")
    answer = served.request("GET", "/jobs/plain/jobpreparationandreleasetaskstatus")
    assert (answer.status, answer.code) == (409, "JobPreparationTaskNotSpecified")


def test_defaults_are_shown_and_ids_are_kept_apart(served: Served) -> None:
    served.add_job(**preparing("true"), jobReleaseTask={"commandLine": "true"})
    job = served.request("GET", "/jobs/job").json
    user = {"autoUser": {"scope": "pool", "elevationLevel": "nonadmin"}}
    assert job["jobPreparationTask"] == {
        "id": "jobpreparation",
        "commandLine": "true",
        "constraints": {
            "maxWallClockTime": "P10675199DT2H48M5.4775807S",
            "maxTaskRetryCount": 0,
            "retentionTime": "P7D",
        },
        "waitForSuccess": True,
        "userIdentity": user,
        "rerunOnNodeRebootAfterSuccess": True,
    }
    assert job["jobReleaseTask"] == {
        "id": "jobrelease",
        "commandLine": "true",
        "maxWallClockTime": "PT15M",
        "retentionTime": "P7D",
        "userIdentity": user,
    }
    for task_id, code in (
        ("jobpreparation", "TaskIdSameAsJobPreparationTask"),
        ("JobRelease", "TaskIdSameAsJobReleaseTask"),
    ):
        answer = served.request("POST", "/jobs/job/tasks", {"id": task_id, "commandLine": "true"})
        assert (answer.status, answer.code) == (409, code)


def test_a_killed_engine_prepares_again_what_it_had_not_prepared(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    first = Process(tmp_path / "state")
    second = None
    try:
        first.served.add_pool()
        first.served.add_job(**preparing(f"/bin/sh -c 'while [ ! -e {gate} ]; do sleep 0.01; done'"))
        first.served.add_task("t", "true")
        wait_for(lambda: first.served.task("t")["state"], lambda state: state == "preparing")
        first.kill()
        gate.touch()
        second = Process(tmp_path / "state")
        assert second.served.completed("t")["executionInfo"]["exitCode"] == 0
    finally:
        (second or first).kill()
