"""Statistics, through the official clients."""

from azure.batch import BatchClient

from tests.conformance.refusals import refusal
from tests.conformance.things import Things


def test_statistics_are_told_to_who_asks_for_them(client: BatchClient, things: Things, pool_with_nodes: str) -> None:
    job = things.job(pool_with_nodes)
    good, bad = things.task(job, "/bin/sleep 0.1"), things.task(job, "/bin/false")
    things.completed(job, good)
    things.completed(job, bad)

    of_task = client.get_task(job, good, expand=["stats"]).task_statistics
    of_job = client.get_job(job, expand=["stats"]).job_statistics
    of_pool = client.get_pool(pool_with_nodes, expand=["stats"]).pool_statistics
    listed = list(client.list_tasks(job, select=["id", "stats"], expand=["stats"]))

    assert of_task is not None
    assert of_task.wall_clock_time.total_seconds() > 0.05
    assert of_job is not None
    assert (of_job.succeeded_tasks_count, of_job.failed_tasks_count, of_job.task_retries_count) == (1, 1, 0)
    assert of_pool is not None
    assert of_pool.usage_statistics is not None
    assert of_pool.usage_statistics.dedicated_core_time.total_seconds() > 0
    assert all(task.task_statistics is not None for task in listed)
    assert client.get_job(job).job_statistics is None
    assert refusal(client.get_job, job, expand=["colour"]) == (400, "InvalidQueryParameterValue")


def test_a_schedule_sums_its_jobs(client: BatchClient, things: Things, pool_with_nodes: str) -> None:
    schedule = things.schedule(pool_with_nodes)

    read = client.get_job_schedule(schedule, expand=["stats"]).job_schedule_statistics
    listed = list(client.list_job_schedules(filter=f"id eq '{schedule}'", expand=["stats"]))

    assert read is not None
    assert read.succeeded_tasks_count == 0
    assert all(item.job_schedule_statistics is not None for item in listed)
