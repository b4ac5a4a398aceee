"""A job manager: a task of the job itself that adds others, which are waited for as the spec's own are."""

from pathlib import Path

import pytest

from batchspec.errors import ServiceRefused
from batchspec.reconcile.outcome import Counts
from tests.fakes import refused
from tests.reconcile.builders import Workload, World

JOB = "words-job"


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    """A job with a manager and nothing else."""
    return Workload(tmp_path, texts={}, job={"jobManagerTask": {"id": "manager", "commandLine": "add"}})


@pytest.fixture
def world() -> World:
    """A world in which no task ends by itself."""
    world = World()
    world.batch.run = None
    return world


async def test_the_manager_and_what_it_adds_are_waited_for(workload: Workload, world: World) -> None:
    async def work() -> None:
        if world.clock.seconds < 1:
            await world.batch.add_tasks(JOB, [{"id": "added", "commandLine": "x"}])
        else:
            world.finish_all()

    world.clock.on_sleep = work
    applied = await world.apply(workload.desired())
    assert applied.outcome is not None
    assert applied.outcome.counts == Counts(completed=2, succeeded=2)
    assert (await world.plan(workload.desired())).nothing_to_do


async def test_who_comes_back_waits_for_them_again(workload: Workload, world: World) -> None:
    await world.apply(workload.desired(), wait=False)
    assert (await world.plan(workload.desired())).pending_tasks == 1
    world.clock.on_sleep = lambda: world.finish_all(exit_code=3)
    applied = await world.apply(workload.desired())
    assert applied.outcome is not None
    assert applied.outcome.counts == Counts(completed=1, failed=1)


async def test_what_a_job_that_has_ended_never_ran_is_not_waited_for(workload: Workload, world: World) -> None:
    await world.apply(workload.desired(), wait=False)
    world.batch.jobs[JOB]["state"] = "completed"
    assert (await world.plan(workload.desired())).pending_tasks == 0


@pytest.mark.parametrize(("code", "passes"), [("JobCompleted", True), ("JobNotFound", False)])
async def test_a_manager_that_ended_the_job_at_once_is_no_error(
    workload: Workload, world: World, code: str, passes: bool
) -> None:
    workload.job["onAllTasksComplete"] = "terminatejob"
    world.batch.fail("update_job", 1, refused("update job", JOB, 409, code))
    if passes:
        await world.apply(workload.desired(), wait=False)
    else:
        with pytest.raises(ServiceRefused, match=code):
            await world.apply(workload.desired(), wait=False)
