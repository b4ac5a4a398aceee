"""Tasks, through the official clients."""

from datetime import timedelta

import pytest
from azure.batch import BatchClient, models
from azure.core.exceptions import ResourceNotFoundError

from tests.conformance.account import new_id
from tests.conformance.refusals import refusal
from tests.conformance.things import Things
from tests.conformance.wire import Wire


@pytest.fixture
def job(things: Things, pool_with_nodes: str) -> str:
    """A job whose tasks run."""
    return things.job(pool_with_nodes)


@pytest.fixture
def still_job(things: Things) -> str:
    """A job whose tasks do not run."""
    return things.job(things.pool())


def test_a_task_is_created_run_read_and_deleted(client: BatchClient, things: Things, wire: Wire, job: str) -> None:
    task_id = new_id("task")

    client.create_task(job, models.BatchTaskCreateOptions(id=task_id, command_line="/bin/sh -c 'exit 3'"))
    created = wire.last
    body = things.completed(job, task_id)
    task = client.get_task(job, task_id)

    assert created.headers["location"] == task.url
    assert (task.state, task.previous_state, task.required_slots) == ("completed", "running", 1)
    assert task.constraints is not None
    assert task.constraints.retention_time == timedelta(days=7)
    assert body["userIdentity"] == {"autoUser": {"scope": "pool", "elevationLevel": "nonadmin"}}
    assert task.execution_info is not None
    assert (task.execution_info.exit_code, task.execution_info.result) == (3, "failure")
    assert (task.execution_info.retry_count, task.execution_info.requeue_count) == (0, 0)
    assert task.execution_info.failure_info is not None
    assert task.execution_info.failure_info.code == "FailureExitCode"
    assert task.execution_info.failure_info.category == models.BatchErrorSourceCategory.USER_ERROR

    client.delete_task(job, task_id)
    with pytest.raises(ResourceNotFoundError):
        client.get_task(job, task_id)
    assert refusal(client.delete_task, job, task_id) == (404, "TaskNotFound")


def test_tasks_are_added_together(client: BatchClient, wire: Wire, still_job: str) -> None:
    group = models.BatchTaskGroup(
        task_values=[models.BatchTaskCreateOptions(id=f"t{number}", command_line="true") for number in (1, 2)]
    )

    first = client.create_task_collection(still_job, group)
    second = client.create_task_collection(still_job, group)

    assert [(item.task_id, item.status) for item in first.result_values or []] == [
        ("t1", "success"),
        ("t2", "success"),
    ]
    assert [item.error.code for item in second.result_values or [] if item.error] == ["TaskExists"] * 2
    many = [models.BatchTaskCreateOptions(id=f"m{number}", command_line="true") for number in range(250)]
    client.create_tasks(still_job, many, max_concurrency=1)
    assert len(list(client.list_tasks(still_job, max_results=100))) == 252
    assert [len(exchange.body["value"]) for exchange in wire.exchanges[-3:]] == [100, 100, 52]


def test_tasks_are_listed_filtered_and_selected(client: BatchClient, things: Things, job: str) -> None:
    good, bad = things.task(job), things.task(job, "/bin/false")
    things.completed(job, good)
    things.completed(job, bad)

    failed = list(client.list_tasks(job, filter="executionInfo/result eq 'failure' and executionInfo/exitCode ge 1"))
    brief = list(client.list_tasks(job, select=["id", "executionInfo"], expand=["stats"]))

    assert [task.id for task in failed] == [bad]
    assert {task.id for task in brief} == {good, bad}
    assert all(set(task) == {"id", "executionInfo"} for task in brief)


def test_a_task_is_changed(client: BatchClient, things: Things, still_job: str) -> None:
    task_id = things.task(still_job)
    task = client.get_task(still_job, task_id)
    task.constraints = models.BatchTaskConstraints(max_task_retry_count=2)

    client.replace_task(still_job, task_id, task)

    changed = client.get_task(still_job, task_id).constraints
    assert changed is not None
    assert (changed.max_task_retry_count, changed.retention_time) == (2, timedelta(days=7))


def test_a_task_is_terminated_and_reactivated(client: BatchClient, things: Things, job: str) -> None:
    task_id = things.task(job, "/bin/sleep 600")
    things.task_in("running", job, task_id)

    early = refusal(client.reactivate_task, job, task_id)
    client.terminate_task(job, task_id)
    ended = things.completed(job, task_id)
    again = refusal(client.terminate_task, job, task_id)
    client.reactivate_task(job, task_id)
    back = client.get_task(job, task_id)

    assert ended["executionInfo"]["failureInfo"]["code"] == "TaskEnded"
    assert ended["executionInfo"]["failureInfo"]["category"] == "usererror"
    assert (early, again) == ((409, "TaskNotCompleted"), (409, "TaskCompleted"))
    assert back.state in ("active", "preparing", "running")
    assert back.execution_info is not None
    assert back.execution_info.failure_info is None
    client.terminate_task(job, task_id)
    done = things.task(job)
    things.completed(job, done)
    assert refusal(client.reactivate_task, job, done) == (409, "TaskSucceeded")


def test_a_task_has_files(client: BatchClient, things: Things, wire: Wire, job: str) -> None:
    task_id = things.task(job, "/bin/sh -c 'echo hello; mkdir d; printf 0123456789 > d/x.txt'")
    things.completed(job, task_id)

    names = [file.name for file in client.list_task_files(job, task_id)]
    deep = [file.name for file in client.list_task_files(job, task_id, recursive=True, filter="startswith(name,'wd/')")]
    paged = [file.name for file in client.list_task_files(job, task_id, recursive=True, max_results=2)]
    whole = b"".join(client.download_task_file(job, task_id, "stdout.txt"))
    part = b"".join(client.download_task_file(job, task_id, "wd/d/x.txt", ocp_range="bytes=7-"))
    properties = client.get_task_file_properties(job, task_id, "wd/d/x.txt")
    client.delete_task_file(job, task_id, "wd/d", recursive=True)

    assert names == ["stderr.txt", "stdout.txt", "wd"]
    assert deep == ["wd/d", "wd/d/x.txt"]
    assert paged == ["stderr.txt", "stdout.txt", "wd", "wd/d", "wd/d/x.txt"]
    assert (whole, part) == (b"hello\n", b"789")
    assert (properties.content_length, properties.is_directory) == (10, False)
    assert properties.file_mode is not None
    assert refusal(client.delete_task_file, job, task_id, "wd/d/x.txt") == (404, "FileNotFound")
    head = next(item for item in wire.exchanges if item.method == "HEAD").headers
    assert head["ocp-batch-file-isdirectory"] == "False"
    assert head["ocp-batch-file-url"].startswith("http%3A") or head["ocp-batch-file-url"].startswith("https%3A")


def test_what_a_task_needs_runs_before_it(client: BatchClient, things: Things, pool_with_nodes: str) -> None:
    job = things.job(pool_with_nodes, usesTaskDependencies=True)
    last = things.task(job, dependsOn={"taskIds": ["first"], "taskIdRanges": [{"start": 1, "end": 2}]})
    for task_id in ("first", "1", "2"):
        assert client.get_task(job, last).state == "active"
        client.create_task(job, models.BatchTaskCreateOptions(id=task_id, command_line="/bin/true"))

    assert things.completed(job, last)["executionInfo"]["result"] == "success"


def test_a_failing_task_is_retried(client: BatchClient, things: Things, job: str) -> None:
    task_id = things.task(job, "/bin/false", constraints={"maxTaskRetryCount": 2})
    things.completed(job, task_id)

    info = client.get_task(job, task_id).execution_info

    assert info is not None
    assert (info.retry_count, info.exit_code) == (2, 1)
    assert info.last_retry_time is not None


def test_a_program_that_is_not_there_is_told(client: BatchClient, things: Things, job: str) -> None:
    task_id = things.task(job, "no-such-program --really")
    things.completed(job, task_id)

    info = client.get_task(job, task_id).execution_info

    assert info is not None
    assert info.failure_info is not None
    assert (info.failure_info.code, info.exit_code, info.result) == ("CommandProgramNotFound", None, "failure")
    assert [file.name for file in client.list_task_files(job, task_id)] == ["stderr.txt", "stdout.txt", "wd"]
