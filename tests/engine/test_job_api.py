"""Jobs over HTTP."""

from typing import Any

import pytest

from tests.engine.served import Served, wait_for

INFINITE = "P10675199DT2H48M5.4775807S"


def job_in(served: Served, state: str, job: str = "job") -> Any:
    return wait_for(lambda: served.request("GET", f"/jobs/{job}").json, lambda found: found["state"] == state)


def test_a_new_job_has_the_defaults_of_the_service_and_needs_no_pool(served: Served) -> None:
    answer = served.request("POST", "/jobs", {"id": "j", "poolInfo": {"poolId": "later"}})
    assert (answer.status, answer.headers["dataserviceid"]) == (201, f"{served.endpoint}/jobs/job-1")
    job = served.request("GET", "/jobs/j").json
    created = job["creationTime"]
    for name in ("eTag", "lastModified", "creationTime", "stateTransitionTime"):
        assert job.pop(name)
    assert job == {
        "odata.metadata": f"{served.endpoint}/$metadata#jobs/@Element",
        "id": "j",
        "url": f"{served.endpoint}/jobs/j",
        "state": "active",
        "priority": 0,
        "maxParallelTasks": -1,
        "allowTaskPreemption": False,
        "usesTaskDependencies": False,
        "onAllTasksComplete": "noaction",
        "onTaskFailure": "noaction",
        "constraints": {"maxWallClockTime": INFINITE, "maxTaskRetryCount": 0},
        "poolInfo": {"poolId": "later"},
        "executionInfo": {"startTime": created, "poolId": "later"},
    }


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"poolInfo": None}, 400, "MissingRequiredProperty"),
        ({"poolInfo": {}}, 400, "MissingRequiredProperty"),
        ({"id": ""}, 400, "InvalidPropertyValue"),
        ({"priority": 1001}, 400, "InvalidPropertyValue"),
        ({"maxParallelTasks": 0}, 400, "InvalidPropertyValue"),
        ({"constraints": {"maxTaskRetryCount": -2}}, 400, "InvalidPropertyValue"),
        ({"onAllTasksComplete": "explode"}, 400, "InvalidPropertyValue"),
        ({"displayName": "x" * 1025}, 400, "InvalidPropertyValue"),
        ({"jobReleaseTask": {"commandLine": "x"}}, 400, "InvalidPropertyValue"),
        ({"poolInfo": {"autoPoolSpecification": {"poolLifetimeOption": "job"}}}, 400, "MissingRequiredProperty"),
    ],
)
def test_a_job_that_cannot_be_is_refused(served: Served, change: dict[str, Any], status: int, code: str) -> None:
    answer = served.request("POST", "/jobs", {"id": "j", "poolInfo": {"poolId": "p"}, **change})
    assert (answer.status, answer.code) == (status, code)


def test_an_id_is_taken_whatever_its_case(served: Served) -> None:
    served.add_job("job")
    assert served.request("POST", "/jobs", {"id": "JOB", "poolInfo": {"poolId": "p"}}).code == "JobExists"


def test_a_patch_changes_what_it_names_and_a_put_everything_it_can(served: Served) -> None:
    served.add_job(priority=5, metadata=[{"name": "a", "value": "1"}])
    change = {"maxParallelTasks": 3, "constraints": {"maxTaskRetryCount": 2}}
    assert served.request("PATCH", "/jobs/job", change).status == 200
    job = served.request("GET", "/jobs/job").json
    assert (job["priority"], job["maxParallelTasks"], job["constraints"], job["metadata"]) == (
        5,
        3,
        {"maxWallClockTime": INFINITE, "maxTaskRetryCount": 2},
        [{"name": "a", "value": "1"}],
    )
    assert served.request("PUT", "/jobs/job", {**job, "priority": None, "metadata": None}).status == 200
    job = served.request("GET", "/jobs/job").json
    assert (job["priority"], job["maxParallelTasks"], job["metadata"]) == (0, 3, [])
    assert served.request("PUT", "/jobs/job", {"priority": 1}).code == "MissingRequiredProperty"


def test_the_pool_changes_only_while_the_job_is_disabled(served: Served) -> None:
    served.add_pool("other", 1)
    served.add_job()
    served.add_task("t", "true")
    change = {"poolInfo": {"poolId": "other"}}
    assert served.request("PATCH", "/jobs/job", change).code == "OperationInvalidForCurrentState"
    assert served.request("PATCH", "/jobs/job", {"poolInfo": {"poolId": "pool"}}).status == 200
    assert served.request("POST", "/jobs/job/disable", {"disableTasks": "requeue"}).status == 202
    job_in(served, "disabled")
    assert served.request("PATCH", "/jobs/job", change).status == 200
    assert served.request("POST", "/jobs/job/enable").status == 202
    assert served.completed("t")["nodeInfo"]["poolId"] == "other"


@pytest.mark.parametrize(
    ("option", "expected"), [("requeue", "active"), ("terminate", "completed"), ("wait", "completed")]
)
def test_disabling_requeues_ends_or_waits_for_running_tasks(served: Served, option: str, expected: str) -> None:
    served.add_pool()
    served.add_job()
    served.add_task("t", "sleep 0.5")
    served.add_task("u", "true")
    wait_for(lambda: served.task("t")["state"], lambda state: state == "running")
    assert served.request("POST", "/jobs/job/disable", {"disableTasks": option}).status == 202
    job_in(served, "disabled")
    assert (served.task("t")["state"], served.task("u")["state"]) == (expected, "active")
    served.request("POST", "/jobs/job/enable")
    served.completed("u")


def test_terminating_ends_running_tasks_and_leaves_active_ones(served: Served) -> None:
    served.add_pool()
    served.add_job()
    served.add_task("t", "sleep 1000")
    served.add_task("u", "true")
    wait_for(lambda: served.task("t")["state"], lambda state: state == "running")
    assert served.request("POST", "/jobs/job/terminate", {"terminateReason": "enough"}).status == 202
    job = job_in(served, "completed")
    assert (job["executionInfo"]["terminateReason"], "endTime" in job["executionInfo"]) == ("enough", True)
    assert served.task("t")["executionInfo"]["failureInfo"]["code"] == "TaskEnded"
    assert served.task("u")["state"] == "active"
    refused = [
        served.request("POST", "/jobs/job/tasks", {"id": "v", "commandLine": "true"}),
        served.request("PATCH", "/jobs/job", {"priority": 1}),
        served.request("POST", "/jobs/job/disable", {"disableTasks": "wait"}),
        served.request("POST", "/jobs/job/terminate"),
    ]
    assert [(answer.status, answer.code) for answer in refused] == [(409, "JobCompleted")] * 4


def test_the_default_reason_is_the_user(served: Served) -> None:
    served.add_job()
    served.request("POST", "/jobs/job/terminate")
    assert job_in(served, "completed")["executionInfo"]["terminateReason"] == "UserTerminate"


def test_a_job_past_its_wall_clock_is_terminated(served: Served) -> None:
    served.add_pool()
    served.add_job(constraints={"maxWallClockTime": "PT0.3S"})
    served.add_task("t", "sleep 1000")
    assert job_in(served, "completed")["executionInfo"]["terminateReason"] == "MaxWallClockTimeExpiry"
    assert served.task("t")["executionInfo"]["failureInfo"]["code"] == "TaskEnded"


def test_a_job_that_ends_with_its_tasks_does_so_when_the_last_one_completes(served: Served) -> None:
    served.add_pool()
    served.add_job()
    for name in ("a", "b"):
        served.add_task(name, "false")
    served.completed("a")
    assert served.request("PATCH", "/jobs/job", {"onAllTasksComplete": "terminatejob"}).status == 200
    assert job_in(served, "completed")["executionInfo"]["terminateReason"] == "AllTasksComplete"
    assert served.task("b")["state"] == "completed"


def test_an_empty_job_that_ends_with_its_tasks_ends_at_once(served: Served) -> None:
    served.add_job(onAllTasksComplete="terminatejob")
    job_in(served, "completed")


def test_terminatejob_is_never_taken_back(served: Served) -> None:
    served.add_job()
    served.add_task("t", "true")
    served.request("PATCH", "/jobs/job", {"onAllTasksComplete": "terminatejob"})
    answer = served.request("PATCH", "/jobs/job", {"onAllTasksComplete": "noaction"})
    assert (answer.status, answer.code) == (400, "InvalidPropertyValue")


@pytest.mark.parametrize(("action", "state"), [("terminate", "completed"), ("disable", "disabled"), ("none", "active")])
def test_a_failed_task_can_end_or_disable_its_job(served: Served, action: str, state: str) -> None:
    served.add_pool()
    served.add_job(onTaskFailure="performexitoptionsjobaction")
    conditions = {"exitCodes": [{"code": 3, "exitOptions": {"jobAction": action}}]}
    served.add_task("t", "/bin/sh -c 'exit 3'", exitConditions=conditions)
    served.completed("t")
    job = job_in(served, state)
    assert job["executionInfo"].get("terminateReason") == ("TaskFailed" if state == "completed" else None)


def test_task_counts_add_up(served: Served) -> None:
    served.add_pool()
    served.add_job()
    served.add_task("a", "true")
    served.add_task("b", "false")
    served.completed("b")
    served.add_task("c", "true", requiredSlots=2)
    counts = served.request("GET", "/jobs/job/taskcounts").json
    assert (counts["taskCounts"], counts["taskSlotCounts"]) == (
        {"active": 1, "running": 0, "completed": 2, "succeeded": 1, "failed": 1},
        {"active": 2, "running": 0, "completed": 2, "succeeded": 1, "failed": 1},
    )
    assert counts["odata.metadata"].endswith("$metadata#taskcountsresult/@Element")


def test_a_deleted_job_is_gone_with_its_processes_and_folders(served: Served) -> None:
    served.add_pool()
    served.add_job()
    served.add_task("t", "sleep 1000")
    served.add_task("u", "true")
    wait_for(lambda: served.task("t")["state"], lambda state: state == "running")
    assert served.request("DELETE", "/jobs/job").status == 202
    wait_for(lambda: served.request("GET", "/jobs/job").status, lambda status: status == 404)
    assert list(served.settings.state_dir.glob("nodes/*/*/workitems/*")) == []
    served.nodes_in("idle")
    served.add_job()
    assert served.request("GET", "/jobs/job/tasks").json["value"] == []


def test_jobs_are_filtered_by_pool_state_and_name(served: Served) -> None:
    for name, pool in (("a-1", "p"), ("a-2", "q"), ("b-1", "p")):
        served.add_job(name, pool)
    served.request("POST", "/jobs/b-1/terminate")
    job_in(served, "completed", "b-1")

    def found(text: str) -> list[str]:
        query = f"$filter={text}&$select=id".replace(" ", "%20").replace("'", "%27")
        return [job["id"] for job in served.request("GET", "/jobs", query=query).json["value"]]

    assert found("executionInfo/poolId eq 'p'") == ["a-1", "b-1"]
    assert found("state eq 'completed'") == ["b-1"]
    assert found("startswith(id,'a-') and executionInfo/poolId ne 'p'") == ["a-2"]
