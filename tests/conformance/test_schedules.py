"""Job schedules, through the official clients."""

from datetime import UTC, datetime, timedelta

import pytest
from azure.batch import BatchClient, models
from azure.core.exceptions import ResourceNotFoundError

from tests.conformance.account import new_id
from tests.conformance.refusals import refusal
from tests.conformance.things import Things, wait_for


@pytest.fixture
def pool(things: Things) -> str:
    """An empty pool: no task runs."""
    return things.pool()


def test_a_schedule_is_created_read_and_deleted(client: BatchClient, things: Things, pool: str) -> None:
    schedule_id = new_id("schedule")
    things.also_delete(f"/jobschedules/{schedule_id}")
    start = datetime(2099, 1, 1, tzinfo=UTC)

    client.create_job_schedule(
        models.BatchJobScheduleCreateOptions(
            id=schedule_id,
            schedule=models.BatchJobScheduleConfiguration(do_not_run_until=start),
            job_specification=models.BatchJobSpecification(pool_info=models.BatchPoolInfo(pool_id=pool), priority=3),
        )
    )
    read = client.get_job_schedule(schedule_id)

    assert (read.id, read.state, read.job_specification.priority) == (schedule_id, "active", 3)
    assert read.schedule is not None
    assert read.schedule.do_not_run_until == start
    assert read.execution_info is not None
    assert read.execution_info.next_run_time == start
    assert client.job_schedule_exists(schedule_id) is True

    client.begin_delete_job_schedule(schedule_id, polling_interval=1).result()
    with pytest.raises(ResourceNotFoundError):
        client.job_schedule_exists(schedule_id)
    assert refusal(client.get_job_schedule, schedule_id) == (404, "JobScheduleNotFound")


def test_schedules_are_listed(client: BatchClient, things: Things, pool: str) -> None:
    ids = sorted(things.schedule(pool) for _ in range(3))
    chosen = " or ".join(f"id eq '{item}'" for item in ids)

    found = list(client.list_job_schedules(filter=f"({chosen}) and state eq 'active'", max_results=2, select=["id"]))

    assert [dict(item) for item in found] == [{"id": item} for item in ids]


def test_a_schedule_starts_its_job(client: BatchClient, things: Things, pool: str) -> None:
    schedule = things.schedule(pool, schedule={})

    jobs = wait_for(lambda: list(client.list_jobs_from_schedule(schedule, max_results=5)), lambda found: found != [])
    read = client.get_job_schedule(schedule)

    assert [job.id for job in jobs] == [f"{schedule}:job-1"]
    assert read.execution_info is not None
    assert read.execution_info.recent_job is not None
    assert read.execution_info.recent_job.id == f"{schedule}:job-1"


def test_a_schedule_is_changed(client: BatchClient, things: Things, pool: str) -> None:
    schedule = things.schedule(pool, metadata=[{"name": "a", "value": "b"}])
    later = models.BatchJobScheduleConfiguration(
        do_not_run_until=datetime(2099, 2, 2, tzinfo=UTC), recurrence_interval=timedelta(minutes=5)
    )

    client.update_job_schedule(schedule, models.BatchJobScheduleUpdateOptions(schedule=later))
    updated = client.get_job_schedule(schedule)
    updated.metadata = None
    client.replace_job_schedule(schedule, updated)
    replaced = client.get_job_schedule(schedule)

    assert updated.schedule is not None
    assert replaced.schedule is not None
    assert replaced.schedule.recurrence_interval == timedelta(minutes=5)
    assert replaced.metadata in (None, [])


def test_a_schedule_is_disabled_enabled_and_terminated(client: BatchClient, things: Things, pool: str) -> None:
    schedule = things.schedule(pool)

    client.disable_job_schedule(schedule)
    disabled = client.get_job_schedule(schedule).state
    client.enable_job_schedule(schedule)
    enabled = client.get_job_schedule(schedule).state
    client.begin_terminate_job_schedule(schedule, force=True, polling_interval=1).result()
    ended = wait_for(lambda: client.get_job_schedule(schedule), lambda found: found.state == "completed")

    assert (disabled, enabled, ended.state) == ("disabled", "active", "completed")
    assert refusal(client.enable_job_schedule, schedule) == (409, "JobScheduleCompleted")
