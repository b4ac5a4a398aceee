"""Making the job: what another client or the service may do meanwhile."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from batchspec.errors import PlanRefused, ServiceRefused
from tests.fakes import refused
from tests.reconcile.builders import Workload, World


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    return Workload(tmp_path, downloads=False)


async def test_a_job_that_our_own_lost_request_made_is_ours(workload: Workload) -> None:
    world = World()
    world.batch.fail("create_job", 1, refused("create job", "words-job", 409, "JobExists"), after=True)
    await world.apply(workload.desired())
    assert (await world.plan(workload.desired())).nothing_to_do


async def test_a_job_that_somebody_else_made_meanwhile_is_not(workload: Workload) -> None:
    world = World()
    theirs = {"id": "words-job", "state": "active"}
    world.batch.before("create_job", lambda name: world.batch.jobs.update({name: theirs}))
    with pytest.raises(ServiceRefused, match="create job words-job: JobExists"):
        await world.apply(workload.desired())


async def test_a_job_of_another_run_of_this_spec_is_told(workload: Workload) -> None:
    world, other = World(), World()
    await other.apply(workload.desired())
    world.batch.before("create_job", lambda name: world.batch.jobs.update(other.batch.jobs))
    with pytest.raises(PlanRefused, match="job words-job was just made by another run of this spec"):
        await world.apply(workload.desired())


async def test_a_patch_sets_back_what_the_spec_no_longer_says(workload: Workload) -> None:
    world = World()
    await world.apply(replace(workload, job={"priority": 7, "constraints": {"maxTaskRetryCount": 3}}).desired())
    await world.apply(workload.desired())
    job = world.batch.jobs["words-job"]
    assert (job["priority"], job["constraints"], job["maxParallelTasks"]) == (0, {}, -1)
    assert (await world.plan(workload.desired())).nothing_to_do


async def test_the_end_of_the_job_is_never_sent_with_its_creation(workload: Workload) -> None:
    world = World(exit_code=lambda task_id: None)
    seen: list[str] = []
    ending = replace(workload, job={"onAllTasksComplete": "terminatejob"})
    world.batch.before("add_tasks", lambda name: seen.append(world.batch.jobs[name]["onAllTasksComplete"]))
    await world.apply(ending.desired(), wait=False)
    assert (seen, world.batch.jobs["words-job"]["onAllTasksComplete"]) == (["noaction"], "terminatejob")


async def test_a_job_whose_pool_the_service_cannot_make_is_told_and_gets_no_tasks(workload: Workload) -> None:
    world = World()
    info: Any = {"autoPoolSpecification": {"poolLifetimeOption": "job", "pool": {"vmSize": "standard_d2s_v3"}}}
    desired = replace(replace(workload, job={"poolInfo": info}).desired(), pool=None)
    error: Any = {"code": "AutoPoolCreationFailedWithQuotaReached", "message": "no pool is left"}

    def end(name: str) -> None:
        if job := world.batch.jobs.get(name):
            job |= {"state": "completed", "executionInfo": {"schedulingError": error}}

    world.batch.before("get_job", end)
    told = "AutoPoolCreationFailedWithQuotaReached: no pool is left"
    with pytest.raises(ServiceRefused, match=f"make the pool of job words-job: {told}"):
        await world.apply(desired)
    assert world.changes[-1] == ("create_job", "words-job")
    again = (await world.plan(desired)).changes[-1]
    assert [reason.text for reason in again.reasons] == [
        f"the job is completed ({told}) and takes no more tasks: all of them run again in a new one"
    ]


async def test_a_job_that_no_quota_was_left_for_comes_with_the_next_run(workload: Workload) -> None:
    world = World()
    world.batch.fail("create_job", 1, refused("create job", "words-job", 409, "ActiveJobAndScheduleQuotaReached"))
    with pytest.raises(ServiceRefused, match="ActiveJobAndScheduleQuotaReached"):
        await world.apply(workload.desired())
    again = await world.apply(workload.desired())
    assert [operation for operation, _ in world.changes if "pool" in operation or "job" in operation] == ["create_job"]
    assert (again.outcome is not None and again.outcome.counts.succeeded, world.ran) == (3, {"a": 1, "b": 1, "c": 1})
