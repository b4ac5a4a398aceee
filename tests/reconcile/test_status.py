"""Status."""

from pathlib import Path

import pytest

from batchspec.reconcile.outcome import Counts, Failure, Group, Status
from batchspec.reconcile.status import status
from tests.reconcile.builders import Workload, World


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    return Workload(tmp_path)


async def test_before_anything_is_there_it_says_so(workload: Workload) -> None:
    assert await status(workload.desired(), World().services) == Status(
        "words", "words-pool", None, None, 0, (), (), (), "words-job", None, Counts(), 0, ()
    )


async def test_it_tells_nodes_tasks_and_every_failure(workload: Workload) -> None:
    world = World(exit_code=lambda task_id: None)
    await world.apply(workload.desired(), wait=False)
    world.batch.finish("words-job", "a", exit_code=3)
    world.batch.files["words-job", "a", "stderr.txt"] = b"oops\n"
    world.batch.tasks["words-job"]["b"]["dependsOn"] = {"taskIds": ["a"]}
    world.batch.pools["words-pool"]["resizeErrors"] = [{"code": "AllocationFailed", "message": "no room"}]
    node = world.batch.nodes["words-pool"][0]
    node |= {"state": "starttaskfailed", "startTaskInfo": {"failureInfo": {"code": "DiskFull", "message": "full"}}}
    fix = "the node's disk is full: a larger vm_size, fewer slots a node, or less data a task"
    start = Failure("start task", node["id"], node["id"], None, "", "DiskFull", "full", (), (), fix)
    task = Failure("task", "a", "", 3, "usererror", "FailureExitCode", "failed", (), ("oops",), "")
    assert await status(workload.desired(), world.services) == Status(
        name="words",
        pool_id="words-pool",
        pool_state="active",
        allocation_state="steady",
        target_nodes=2,
        nodes=(("idle", 1), ("startTaskFailed", 1)),
        pool_errors=("AllocationFailed: no room",),
        node_failures=(start,),
        job_id="words-job",
        job_state="active",
        counts=Counts(active=2, completed=1, failed=1),
        blocked=1,
        failures=(Group("FailureExitCode (exit code 3)", 1, ("a",), task),),
    )


async def test_it_lists_no_tasks_while_none_has_failed(workload: Workload) -> None:
    world = World()
    await world.apply(workload.desired())
    world.batch.forget()
    await status(workload.desired(), world.services)
    assert world.batch.reads == [
        ("get_job", "words-job"),
        ("get_pool", "words-pool"),
        ("node_counts", "words-pool"),
        ("task_counts", "words-job"),
    ]
