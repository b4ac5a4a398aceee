"""The main operations of `BatchServiceClient`, as programs for azure-batch 11 to 14 use it.

Run by the Python of another virtual environment, with the account in the environment: `python old_sdk.py`. It says each
step on stdout and ends with a traceback at the first answer that is not as expected. It imports nothing of this
repository.
"""

import datetime
import os
import sys
import time
import uuid
from importlib import import_module
from typing import Any

# Imported by name: a type checker knows only the SDK of its own environment.
BatchServiceClient: Any = import_module("azure.batch").BatchServiceClient
SharedKeyCredentials: Any = import_module("azure.batch.batch_auth").SharedKeyCredentials
models: Any = import_module("azure.batch.models")

DEADLINE_S = 60


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def wait_for(read: Any, is_done: Any) -> Any:
    end = time.monotonic() + DEADLINE_S
    while not is_done(value := read()):
        assert time.monotonic() < end, f"still not so: {value}"
        time.sleep(0.05)
    return value


def refusal(call: Any, *arguments: Any, **options: Any) -> str:
    try:
        call(*arguments, **options)
    except models.BatchErrorException as error:
        return str(error.error.code)
    raise AssertionError("not refused")


def pools(client: Any, pool_id: str) -> None:
    images = list(client.account.list_supported_images())
    image = next(item for item in images if item.node_agent_sku_id == "batch.node.ubuntu 24.04")
    machine = models.VirtualMachineConfiguration(
        image_reference=image.image_reference, node_agent_sku_id=image.node_agent_sku_id
    )
    client.pool.add(
        models.PoolAddParameter(
            id=pool_id,
            vm_size="standard_d2s_v3",
            virtual_machine_configuration=machine,
            target_dedicated_nodes=1,
            start_task=models.StartTask(command_line="/bin/true", wait_for_success=True),
            metadata=[models.MetadataItem(name="a", value="b")],
        )
    )
    assert client.pool.exists(pool_id) is True
    assert client.pool.exists("no-such-pool") is False
    assert refusal(client.pool.get, "no-such-pool") == "PoolNotFound"
    wait_for(lambda: client.pool.get(pool_id), lambda pool: pool.allocation_state == models.AllocationState.steady)
    client.pool.patch(pool_id, models.PoolPatchParameter(metadata=[models.MetadataItem(name="c", value="d")]))
    client.pool.resize(pool_id, models.PoolResizeParameter(target_dedicated_nodes=2))
    pool = wait_for(lambda: client.pool.get(pool_id), lambda found: found.current_dedicated_nodes == 2)
    assert [(item.name, item.value) for item in pool.metadata] == [("c", "d")]
    options = models.PoolListOptions(filter=f"id eq '{pool_id}'", select="id,state", max_results=1)
    assert [item.id for item in client.pool.list(options)] == [pool_id]
    counts = list(client.account.list_pool_node_counts())
    assert [item.dedicated.total for item in counts if item.pool_id == pool_id] == [2]
    say("pools")


def autoscale(client: Any, pool_id: str) -> None:
    formula = "$TargetDedicatedNodes = 2;"
    client.pool.enable_auto_scale(pool_id, auto_scale_formula=formula)
    run = client.pool.evaluate_auto_scale(pool_id, "$TargetDedicatedNodes = 1 + 2;")
    assert "$TargetDedicatedNodes=3" in run.results, run.results
    assert client.pool.get(pool_id).auto_scale_formula == formula
    client.pool.disable_auto_scale(pool_id)
    say("autoscale")


def schedules(client: Any, pool_id: str, schedule_id: str) -> None:
    client.job_schedule.add(
        models.JobScheduleAddParameter(
            id=schedule_id,
            schedule=models.Schedule(recurrence_interval=datetime.timedelta(hours=1)),
            job_specification=models.JobSpecification(pool_info=models.PoolInformation(pool_id=pool_id)),
        )
    )
    jobs = wait_for(lambda: list(client.job.list_from_job_schedule(schedule_id)), bool)
    assert [job.id for job in jobs] == [f"{schedule_id}:job-1"]
    client.job_schedule.disable(schedule_id)
    assert client.job_schedule.get(schedule_id).state == models.JobScheduleState.disabled
    client.job_schedule.enable(schedule_id)
    client.job_schedule.delete(schedule_id)
    wait_for(lambda: client.job_schedule.exists(schedule_id), lambda exists: not exists)
    say("schedules")


def nodes(client: Any, pool_id: str) -> None:
    idle = models.ComputeNodeState.idle
    found = wait_for(
        lambda: list(client.compute_node.list(pool_id)), lambda items: all(item.state == idle for item in items)
    )
    node_id = found[0].id
    assert client.compute_node.get(pool_id, node_id).start_task_info.result == models.TaskExecutionResult.success
    client.compute_node.disable_scheduling(pool_id, node_id)
    client.compute_node.enable_scheduling(pool_id, node_id)
    client.compute_node.add_user(pool_id, node_id, models.ComputeNodeUser(name="somebody", password="aB3$efgh12"))
    client.compute_node.delete_user(pool_id, node_id, "somebody")
    assert client.compute_node.get_remote_login_settings(pool_id, node_id).remote_login_port
    client.compute_node.reboot(pool_id, node_id)
    wait_for(lambda: client.compute_node.get(pool_id, node_id), lambda node: node.state == idle)
    names = [item.name for item in client.file.list_from_compute_node(pool_id, node_id)]
    assert "startup" in names, names
    say("nodes")


def jobs(client: Any, pool_id: str, job_id: str) -> None:
    client.job.add(
        models.JobAddParameter(
            id=job_id, pool_info=models.PoolInformation(pool_id=pool_id), uses_task_dependencies=True
        )
    )
    client.job.patch(job_id, models.JobPatchParameter(priority=10))
    job = client.job.get(job_id)
    assert (job.priority, job.state) == (10, models.JobState.active)
    options = models.JobListOptions(filter=f"executionInfo/poolId eq '{pool_id}'")
    assert [item.id for item in client.job.list(options)] == [job_id]
    client.job.disable(job_id, models.DisableJobOption.requeue)
    wait_for(lambda: client.job.get(job_id), lambda found: found.state == models.JobState.disabled)
    client.job.enable(job_id)
    say("jobs")


def tasks(client: Any, job_id: str) -> None:
    client.task.add(job_id, models.TaskAddParameter(id="one", command_line="/bin/sh -c 'echo hello; exit 3'"))
    many = [models.TaskAddParameter(id=f"many{number}", command_line="/bin/true") for number in range(120)]
    # The custom operation of the SDK sends chunks of 100 from threads.
    added = client.task.add_collection(job_id, many, threads=2)
    assert [item.status for item in added.value] == [models.TaskAddStatus.success] * 120
    task = wait_for(lambda: client.task.get(job_id, "one"), lambda item: item.state == models.TaskState.completed)
    assert task.execution_info.exit_code == 3
    assert task.execution_info.failure_info.category == models.ErrorCategory.user_error
    assert task.execution_info.result == models.TaskExecutionResult.failure
    assert task.constraints.retention_time == datetime.timedelta(days=7)
    assert b"".join(client.file.get_from_task(job_id, "one", "stdout.txt")) == b"hello\n"
    names = [item.name for item in client.file.list_from_task(job_id, "one", recursive=True)]
    assert names == ["stderr.txt", "stdout.txt", "wd"], names
    raw = client.file.get_properties_from_task(job_id, "one", "stdout.txt", raw=True)
    assert raw.headers["ocp-batch-file-isdirectory"] is False, raw.headers
    client.file.delete_from_task(job_id, "one", "stderr.txt")
    wait_for(lambda: _counts(client, job_id), lambda counts: counts.succeeded == 120 and counts.failed == 1)
    client.task.reactivate(job_id, "one")
    wait_for(lambda: client.task.get(job_id, "one"), lambda item: item.state == models.TaskState.completed)
    assert refusal(client.task.terminate, job_id, "one") == "TaskCompleted"
    client.task.delete(job_id, "one")
    assert refusal(client.task.get, job_id, "one") == "TaskNotFound"
    say("tasks")


def _counts(client: Any, job_id: str) -> Any:
    return client.job.get_task_counts(job_id).task_counts


def the_end(client: Any, pool_id: str, job_id: str) -> None:
    client.job.terminate(job_id, terminate_reason="enough")
    job = wait_for(lambda: client.job.get(job_id), lambda found: found.state == models.JobState.completed)
    assert job.execution_info.terminate_reason == "enough"
    client.job.delete(job_id)
    client.pool.delete(pool_id)
    wait_for(lambda: client.pool.exists(pool_id), lambda exists: not exists)
    wait_for(lambda: [item.id for item in client.job.list()], lambda ids: job_id not in ids)
    say("the end")


def main() -> None:
    """Run every step against the account of the environment."""
    environment = os.environ
    credentials = SharedKeyCredentials(environment["AZURE_BATCH_ACCOUNT"], environment["AZURE_BATCH_ACCESS_KEY"])
    client = BatchServiceClient(credentials, batch_url=environment["AZURE_BATCH_ENDPOINT"])
    pool_id, job_id = f"pool-{uuid.uuid4().hex[:12]}", f"job-{uuid.uuid4().hex[:12]}"
    pools(client, pool_id)
    autoscale(client, pool_id)
    nodes(client, pool_id)
    schedules(client, pool_id, f"schedule-{uuid.uuid4().hex[:12]}")
    jobs(client, pool_id, job_id)
    tasks(client, job_id)
    the_end(client, pool_id, job_id)


if __name__ == "__main__":
    main()
