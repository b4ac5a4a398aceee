"""Tasks over HTTP."""

from typing import Any

import pytest

from tests.engine.served import Served, wait_for

INFINITE = "P10675199DT2H48M5.4775807S"


def test_a_new_task_has_the_defaults_of_the_service(served: Served) -> None:
    served.add_job()
    answer = served.request("POST", "/jobs/job/tasks", {"id": "t", "commandLine": "true"})
    url = f"{served.endpoint}/jobs/job/tasks/t"
    assert (answer.status, answer.headers["location"], answer.headers["dataserviceid"]) == (201, url, url)
    task = served.task("t")
    for name in ("eTag", "lastModified", "creationTime", "stateTransitionTime"):
        assert task.pop(name)
    assert task == {
        "odata.metadata": f"{served.endpoint}/$metadata#tasks/@Element",
        "id": "t",
        "url": url,
        "state": "active",
        "commandLine": "true",
        "userIdentity": {"autoUser": {"scope": "pool", "elevationLevel": "nonadmin"}},
        "requiredSlots": 1,
        "constraints": {"maxWallClockTime": INFINITE, "retentionTime": "P7D", "maxTaskRetryCount": 0},
        "executionInfo": {"retryCount": 0, "requeueCount": 0},
    }


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"commandLine": " "}, "InvalidPropertyValue"),
        ({"id": "a/b"}, "InvalidPropertyValue"),
        ({"requiredSlots": 0}, "InvalidPropertyValue"),
        ({"dependsOn": {"taskIds": ["x"]}}, "TaskDependenciesNotSpecifiedOnJob"),
        ({"exitConditions": {"default": {"jobAction": "terminate"}}}, "InvalidPropertyValue"),
        ({"resourceFiles": [{"httpUrl": "http://x"}]}, "MissingRequiredProperty"),
        ({"resourceFiles": [{"httpUrl": "http://x", "filePath": "a", "fileMode": "rwx"}]}, "InvalidPropertyValue"),
        ({"environmentSettings": [{"name": "A=B"}]}, "InvalidPropertyValue"),
        ({"outputFiles": [{"filePattern": "*"}]}, "MissingRequiredProperty"),
        ({"multiInstanceSettings": {"coordinationCommandLine": " "}}, "InvalidPropertyValue"),
        ({"multiInstanceSettings": {"coordinationCommandLine": "x"}, "requiredSlots": 2}, "InvalidPropertyValue"),
    ],
)
def test_a_task_that_cannot_be_is_refused(served: Served, change: dict[str, Any], code: str) -> None:
    served.add_job()
    answer = served.request("POST", "/jobs/job/tasks", {"id": "t", "commandLine": "true", **change})
    assert (answer.status, answer.code) == (400, code)


def test_a_collection_answers_for_each_task(served: Served) -> None:
    served.add_job()
    served.add_task("b", "true")
    tasks = [{"id": name, "commandLine": "true"} for name in ("a", "B", "c d", "e")]
    answer = served.request("POST", "/jobs/job/addtaskcollection", {"value": tasks})
    results = answer.json["value"]
    assert [(result["status"], result["taskId"]) for result in results] == [
        ("success", "a"),
        ("clienterror", "B"),
        ("clienterror", "c d"),
        ("success", "e"),
    ]
    assert [result["error"]["code"] for result in results[1:3]] == ["TaskExists", "InvalidPropertyValue"]
    assert results[0]["location"] == f"{served.endpoint}/jobs/job/tasks/a"
    assert results[0]["eTag"] == served.task("a")["eTag"]


def test_a_collection_of_more_than_100_tasks_is_refused_whole(served: Served) -> None:
    served.add_job()
    tasks = [{"id": f"t{i}", "commandLine": "true"} for i in range(101)]
    assert served.request("POST", "/jobs/job/addtaskcollection", {"value": tasks}).status == 400
    assert served.request("GET", "/jobs/job/tasks").json["value"] == []


def test_a_put_changes_the_constraints_and_nothing_else(served: Served) -> None:
    served.add_job(constraints={"maxTaskRetryCount": 4})
    served.add_task("t", "true")
    body = {**served.task("t"), "constraints": {"retentionTime": "P1D"}, "commandLine": "false"}
    assert served.request("PUT", "/jobs/job/tasks/t", body).status == 200
    task = served.task("t")
    assert (task["constraints"], task["commandLine"]) == (
        {"maxWallClockTime": INFINITE, "retentionTime": "P1D", "maxTaskRetryCount": 4},
        "true",
    )


def test_a_task_that_never_ran_can_be_terminated_and_reactivated(served: Served) -> None:
    served.add_job()
    served.add_task("t", "true")
    assert served.request("POST", "/jobs/job/tasks/t/reactivate").code == "TaskNotCompleted"
    assert served.request("POST", "/jobs/job/tasks/t/terminate").status == 204
    task = served.task("t")
    assert (task["state"], task["executionInfo"]["failureInfo"]["code"]) == ("completed", "TaskEnded")
    assert served.request("POST", "/jobs/job/tasks/t/terminate").code == "TaskCompleted"
    assert served.request("PUT", "/jobs/job/tasks/t", {}).code == "TaskCompleted"
    answer = served.request("POST", "/jobs/job/tasks/t/reactivate")
    assert (answer.status, "dataserviceid" in answer.headers) == (204, False)
    assert served.task("t")["executionInfo"] == {"retryCount": 0, "requeueCount": 0}


def test_a_failed_task_runs_again_when_reactivated_a_successful_one_does_not(served: Served) -> None:
    served.add_pool()
    served.add_job()
    served.add_task("ok", "true")
    served.add_task("bad", "/bin/sh -c 'test -e again || { touch again; exit 1; }'")
    served.completed("bad")
    assert served.request("POST", "/jobs/job/tasks/ok/reactivate").code == "TaskSucceeded"
    assert served.request("POST", "/jobs/job/tasks/bad/reactivate").status == 204
    assert served.completed("bad")["executionInfo"]["result"] == "success"


def test_tasks_are_listed_in_the_order_of_their_ids(served: Served) -> None:
    served.add_job()
    for name in ("mytaskasync", "b", "mytask1async", "A"):
        served.add_task(name, "true")
    page = served.request("GET", "/jobs/job/tasks", query="$select=id").json
    assert page["value"] == [{"id": name} for name in ("A", "b", "mytask1async", "mytaskasync")]


def test_tasks_are_filtered_by_result_and_time(served: Served) -> None:
    served.add_pool()
    served.add_job()
    served.add_task("a", "true")
    served.add_task("b", "/bin/sh -c 'exit 3'")
    ended = served.completed("a")["executionInfo"]["endTime"]
    served.completed("b")

    def found(text: str) -> list[str]:
        query = f"$filter={text}".replace(" ", "%20").replace("'", "%27")
        return [task["id"] for task in served.request("GET", "/jobs/job/tasks", query=query).json["value"]]

    assert found("executionInfo/result eq 'failure'") == ["b"]
    assert found("executionInfo/exitCode gt 2") == ["b"]
    assert found(f"state eq 'completed' and stateTransitionTime ge DateTime'{ended}'") == ["a", "b"]


def test_a_task_waits_for_those_it_depends_on(served: Served) -> None:
    served.add_pool(nodes=2)
    served.add_job(usesTaskDependencies=True)
    served.add_task("last", "true", dependsOn={"taskIds": ["A"], "taskIdRanges": [{"start": 1, "end": 2}]})
    for name in ("a", "1"):
        served.add_task(name, "true")
        served.completed(name)
    assert served.task("last")["state"] == "active"
    served.add_task("02", "true")
    assert served.completed("last")["executionInfo"]["result"] == "success"


def test_a_failed_dependency_blocks_until_it_is_run_again(served: Served) -> None:
    served.add_pool()
    served.add_job(usesTaskDependencies=True)
    served.add_task("1", "/bin/sh -c 'test -e again || { touch again; exit 1; }'")
    served.add_task("last", "true", dependsOn={"taskIds": ["1"], "taskIdRanges": [{"start": 1, "end": 1}]})
    served.completed("1")
    assert served.task("last")["state"] == "active"
    served.request("POST", "/jobs/job/tasks/1/reactivate")
    assert served.completed("last")["executionInfo"]["result"] == "success"


def test_a_deleted_dependency_must_be_fulfilled_anew(served: Served) -> None:
    served.add_pool()
    served.add_job(usesTaskDependencies=True)
    served.add_task("1", "true")
    served.completed("1")
    served.request("DELETE", "/jobs/job/tasks/1")
    served.add_task("last", "true", dependsOn={"taskIdRanges": [{"start": 1, "end": 1}]})
    served.add_task("other", "true")
    served.completed("other")
    assert served.task("last")["state"] == "active"
    served.add_task("1", "true")
    served.completed("last")


def test_a_deleted_task_makes_room_for_its_id(served: Served) -> None:
    served.add_pool()
    served.add_job()
    served.add_task("t", "false")
    served.completed("t")
    assert served.request("DELETE", "/jobs/job/tasks/t").status == 200
    assert served.request("DELETE", "/jobs/job/tasks/t").code == "TaskNotFound"
    served.add_task("t", "true")
    assert served.completed("t")["executionInfo"]["result"] == "success"


def test_the_folder_of_a_task_goes_when_its_retention_time_is_over(served: Served) -> None:
    served.add_pool()
    served.add_job()
    served.add_task("t", "true", constraints={"retentionTime": "PT0.2S"})
    served.completed("t")
    answer = wait_for(
        lambda: served.request("GET", "/jobs/job/tasks/t/files/stdout.txt"), lambda answer: answer.status != 200
    )
    assert (answer.status, answer.code) == (409, "TaskFilesCleanedup")
    assert served.task("t")["state"] == "completed"
