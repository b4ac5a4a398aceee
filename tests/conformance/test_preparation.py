"""Job preparation, release, manager and auto pools, through the official clients."""

from azure.batch import BatchClient

from tests.conformance.account import IMAGE, VM_SIZE
from tests.conformance.refusals import refusal
from tests.conformance.things import Things, wait_for


def test_preparation_and_release_are_told(client: BatchClient, things: Things, pool_with_nodes: str) -> None:
    job = things.job(
        pool_with_nodes, jobPreparationTask={"commandLine": "/bin/true"}, jobReleaseTask={"commandLine": "/bin/true"}
    )
    task = things.completed(job, things.task(job))
    client.begin_terminate_job(job, {"terminateReason": "done"}, polling_interval=1).result()  # type: ignore[arg-type]
    wait_for(lambda: client.get_job(job), lambda found: found.state == "completed")

    [status] = client.list_job_preparation_and_release_task_status(
        job, filter=f"nodeId eq '{task['nodeInfo']['nodeId']}'", max_results=10
    )
    read = client.get_job(job)

    assert status.node_id == task["nodeInfo"]["nodeId"]
    assert status.job_preparation_task_execution_info is not None
    assert status.job_release_task_execution_info is not None
    assert status.job_preparation_task_execution_info.result == "success"
    assert status.job_release_task_execution_info.result == "success"
    assert read.job_preparation_task is not None
    assert read.job_release_task is not None
    assert (read.job_preparation_task.id, read.job_release_task.id) == ("jobpreparation", "jobrelease")


def test_a_job_without_preparation_has_no_status(client: BatchClient, things: Things, pool_with_nodes: str) -> None:
    job = things.job(pool_with_nodes)

    found = refusal(lambda: list(client.list_job_preparation_and_release_task_status(job)))

    assert found == (409, "JobPreparationTaskNotSpecified")


def test_a_manager_ends_its_job(client: BatchClient, things: Things, pool_with_nodes: str) -> None:
    job = things.job(pool_with_nodes, jobManagerTask={"id": "manager", "commandLine": "/bin/true"})

    ended = wait_for(lambda: client.get_job(job), lambda found: found.state == "completed")

    assert ended.execution_info is not None
    assert ended.execution_info.termination_reason == "JMComplete"
    assert things.completed(job, "manager")["executionInfo"]["result"] == "success"


def test_a_job_brings_its_pool(client: BatchClient, things: Things) -> None:
    specification = {
        "autoPoolIdPrefix": "auto",
        "poolLifetimeOption": "job",
        "pool": {"vmSize": VM_SIZE, "virtualMachineConfiguration": IMAGE, "targetDedicatedNodes": 1},
    }
    job = things.job("", poolInfo={"autoPoolSpecification": specification})
    things.completed(job, things.task(job))
    read = client.get_job(job)
    assert read.execution_info is not None
    pool = read.execution_info.pool_id
    assert pool is not None
    assert pool.startswith("auto_")

    client.begin_terminate_job(job, {"terminateReason": "done"}, polling_interval=1).result()  # type: ignore[arg-type]

    wait_for(lambda: [item.id for item in client.list_pools(filter=f"id eq '{pool}'")], lambda found: found == [])
