"""Jobs, through the official clients."""

from datetime import timedelta
from typing import Any

import pytest
from azure.batch import BatchClient, models
from azure.core.exceptions import ResourceNotFoundError

from tests.conformance.account import new_id
from tests.conformance.refusals import refusal
from tests.conformance.things import Things, wait_for
from tests.conformance.wire import Wire


@pytest.fixture
def pool(things: Things) -> str:
    """An empty pool: no task runs."""
    return things.pool()


def test_a_job_is_created_read_and_deleted(client: BatchClient, things: Things, wire: Wire, pool: str) -> None:
    job_id = new_id("job")
    things.also_delete(f"/jobs/{job_id}")

    client.create_job(models.BatchJobCreateOptions(id=job_id, pool_info=models.BatchPoolInfo(pool_id=pool)))
    created = wire.last
    job = client.get_job(job_id)

    # Recorded: the real service names another job there.
    assert created.headers["dataserviceid"].endswith("/jobs/job-1")
    assert (job.id, job.state, job.priority, job.max_parallel_tasks) == (job_id, "active", 0, -1)
    assert (job.all_tasks_complete_mode, job.task_failure_mode) == ("noaction", "noaction")
    assert (job.uses_task_dependencies, job.allow_task_preemption) == (False, False)
    assert job.execution_info is not None
    assert (job.execution_info.pool_id, job.execution_info.end_time) == (pool, None)
    assert wire.last.body["constraints"] == {
        "maxWallClockTime": "P10675199DT2H48M5.4775807S",
        "maxTaskRetryCount": 0,
    }

    client.begin_delete_job(job_id, force=True, polling_interval=1).result()
    with pytest.raises(ResourceNotFoundError):
        client.get_job(job_id)
    assert refusal(client.get_job, job_id) == (404, "JobNotFound")


def test_jobs_are_listed_filtered_selected_and_paged(
    client: BatchClient, things: Things, wire: Wire, pool: str
) -> None:
    ids = sorted(things.job(pool) for _ in range(3))
    chosen = f"executionInfo/poolId eq '{pool}'"

    whole = list(client.list_jobs(filter=chosen))
    brief = list(client.list_jobs(filter=f"{chosen} and state eq 'active'", select=["id"], max_results=1))

    assert [job.id for job in whole] == ids
    assert [dict(job) for job in brief] == [{"id": item} for item in ids]
    assert [len(exchange.body["value"]) for exchange in wire.exchanges[-3:]] == [1, 1, 1]
    assert list(client.list_jobs(filter=f"{chosen} and state ne 'active'", expand=["stats"])) == []


def test_a_job_is_changed(client: BatchClient, things: Things, pool: str) -> None:
    job_id = things.job(pool, metadata=[{"name": "a", "value": "b"}], priority=5)

    client.update_job(job_id, models.BatchJobUpdateOptions(max_parallel_tasks=3))
    updated = client.get_job(job_id)
    updated.metadata = None
    updated.priority = 7
    client.replace_job(job_id, updated)
    replaced = client.get_job(job_id)

    assert (updated.max_parallel_tasks, updated.priority) == (3, 7)
    assert (replaced.priority, replaced.metadata or []) == (7, [])
    assert refusal(client.update_job, job_id, models.BatchJobUpdateOptions(priority=2000))[0] == 400


def test_a_job_is_disabled_enabled_and_terminated(client: BatchClient, things: Things, pool: str) -> None:
    job_id = things.job(pool)
    task = things.task(job_id)

    client.begin_disable_job(
        job_id, models.BatchJobDisableOptions(disable_tasks="requeue"), polling_interval=1
    ).result()
    disabled = client.get_job(job_id)
    client.begin_enable_job(job_id, polling_interval=1).result()
    enabled = client.get_job(job_id)
    reason: Any = {"terminateReason": "enough"}
    client.begin_terminate_job(job_id, reason, polling_interval=1).result()
    ended = wait_for(lambda: client.get_job(job_id), lambda job: job.state == "completed")

    assert (disabled.state, enabled.state) == ("disabled", "active")
    assert ended.previous_state in ("terminating", "active")
    assert ended.execution_info is not None
    assert ended.execution_info.termination_reason == "enough"
    assert ended.execution_info.end_time is not None
    # The documentation: active tasks stay active.
    assert client.get_task(job_id, task).state == "active"
    new_task = models.BatchTaskCreateOptions(id="late", command_line="true")
    assert refusal(client.create_task, job_id, new_task) == (409, "JobCompleted")
    assert refusal(client.begin_enable_job, job_id)[0] == 409


def test_a_job_ends_with_its_last_task(client: BatchClient, things: Things, pool_with_nodes: str) -> None:
    job_id = things.job(pool_with_nodes)
    things.completed(job_id, things.task(job_id))

    client.update_job(job_id, models.BatchJobUpdateOptions(all_tasks_complete_mode="terminatejob"))
    ended = wait_for(lambda: client.get_job(job_id), lambda job: job.state == "completed")

    assert ended.execution_info is not None
    assert ended.execution_info.termination_reason == "AllTasksComplete"


def test_tasks_are_counted(client: BatchClient, things: Things, pool_with_nodes: str) -> None:
    job_id = things.job(pool_with_nodes)
    things.completed(job_id, things.task(job_id))
    things.completed(job_id, things.task(job_id, "/bin/false"))

    counted = wait_for(lambda: client.get_job_task_counts(job_id), lambda found: found.task_counts.completed == 2)

    assert dict(counted.task_counts) == {"active": 0, "running": 0, "completed": 2, "succeeded": 1, "failed": 1}
    assert dict(counted.task_slot_counts) == {"active": 0, "running": 0, "completed": 2, "succeeded": 1, "failed": 1}


def test_a_job_is_limited_in_time(client: BatchClient, things: Things, pool_with_nodes: str) -> None:
    job_id = things.job(pool_with_nodes, constraints={"maxWallClockTime": "PT2S"})
    task = things.task(job_id, "/bin/sleep 600")

    ended = wait_for(lambda: client.get_job(job_id), lambda job: job.state == "completed")

    assert ended.constraints is not None
    assert ended.constraints.max_wall_clock_time == timedelta(seconds=2)
    assert ended.execution_info is not None
    assert ended.execution_info.termination_reason == "MaxWallClockTimeExpiry"
    assert things.completed(job_id, task)["executionInfo"]["failureInfo"]["code"] == "TaskEnded"
