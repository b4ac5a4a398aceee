"""A spec with a job schedule, from plan to deletion, on fakes: time passes when somebody sleeps."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from batchspec.errors import ForeignOwner, PlanRefused, PlanStale, ServiceRefused, ServiceUnreachable, TimedOut
from batchspec.reconcile.delete import delete, deletion
from batchspec.reconcile.logs import Writer, logs
from batchspec.reconcile.observe import observe
from batchspec.reconcile.outcome import Counts, ScheduleState
from batchspec.reconcile.report import silent
from batchspec.reconcile.sending import sas_life
from batchspec.reconcile.status import status
from batchspec.reconcile.watch_schedule import can_end
from batchspec.render.model import Desired, DesiredSchedule, JsonObject
from batchspec.render.symbolic import symbol
from tests.reconcile.builders import Workload, World, marked
from tests.reconcile.test_staleness import apply, frozen

NAME = "words-schedule"
NOW = datetime(2027, 1, 1, tzinfo=UTC)
DAILY: JsonObject = {"recurrenceInterval": "P1D"}
OUTPUT: dict[str, Any] = {"commonEnvironmentSettings": [{"name": "OUT", "value": symbol("sas_url", "output", "cw")}]}


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    return Workload(tmp_path)


@pytest.fixture
def world() -> World:
    return World()


def of(workload: Workload, plan: JsonObject | None = None, *, existing: bool = False, **jobs: Any) -> Desired:
    """The workload with a schedule in the place of its job and tasks."""
    specification: JsonObject = {"poolInfo": {"poolId": "words-pool"}, **jobs}
    body, mark = marked({"id": NAME, "schedule": plan or {}, "jobSpecification": specification}, "words")
    known = DesiredSchedule(NAME, existing, None if existing else body, mark, frozenset(), ())
    return replace(workload.desired(), job=None, tasks=lambda: iter(()), schedule=known)


async def work(world: World, exit_code: int = 0, *, ends: bool = True) -> str:
    """The schedule makes a job with one task, which ends; `ends` says that the schedule ends with it."""
    world.batch.run = lambda job_id, task: exit_code
    job_id = world.batch.begin_job(NAME)
    await world.batch.add_tasks(job_id, [{"id": "one", "commandLine": "x"}])
    world.batch.jobs[job_id]["state"] = "completed"
    if ends:
        world.batch.schedules[NAME]["state"] = "completed"
    return job_id


def meanwhile(world: World, exit_code: int = 0) -> None:
    """The schedule does its work while somebody waits."""

    async def once() -> None:
        if not world.batch.jobs:
            await work(world, exit_code)

    world.clock.on_sleep = once


async def test_one_that_goes_on_for_ever_is_made_and_not_waited_for(workload: Workload, world: World) -> None:
    applied = await world.apply(of(workload, DAILY))

    assert [(one.action, one.kind, one.id) for one in applied.plan.changes][-1] == ("create", "schedule", NAME)
    assert world.batch.writes == [("create_pool", "words-pool"), ("create_schedule", NAME)]
    assert (applied.outcome, applied.schedule) == (None, ScheduleState(NAME, "active"))
    assert (await world.plan(of(workload, DAILY))).totals.create == 0


async def test_a_single_job_is_waited_for(workload: Workload, world: World) -> None:
    meanwhile(world)

    applied = await world.apply(of(workload))

    assert applied.outcome is not None
    assert (applied.outcome.counts, applied.outcome.blocked) == (Counts(completed=1, succeeded=1), 0)
    assert applied.schedule == ScheduleState(NAME, "completed", newest_job=f"{NAME}:job-1", job_state="completed")


async def test_the_failures_of_every_job_count(workload: Workload, world: World) -> None:
    await world.apply(of(workload, DAILY))
    await work(world, exit_code=3, ends=False)
    await work(world)

    applied = await world.apply(of(workload, DAILY))

    assert applied.outcome is not None
    assert applied.outcome.counts == Counts(completed=2, succeeded=1, failed=1)
    assert [(one.count, one.example.exit_code) for one in applied.outcome.failures] == [(1, 3)]
    assert "has ended and makes no more jobs" in applied.plan.notes[0]
    assert applied.plan.changes == ()


async def test_one_that_does_not_end_in_time_is_told_of_with_its_job(workload: Workload, world: World) -> None:
    async def begun() -> None:
        if not world.batch.jobs:
            world.batch.begin_job(NAME)

    world.clock.on_sleep = begun
    with pytest.raises(TimedOut) as raised:
        await world.apply(of(workload))
    text = (
        f"after 1200 s the schedule {NAME} has not ended; its job {NAME}:job-1 has 0 running and 0 waiting tasks of 0"
    )
    assert str(raised.value).startswith(text)


async def test_one_that_is_deleted_while_it_is_waited_for_is_told(workload: Workload, world: World) -> None:
    world.clock.on_sleep = world.batch.schedules.clear
    with pytest.raises(ServiceRefused, match="the schedule was deleted while it was waited for"):
        await world.apply(of(workload))


@pytest.mark.parametrize("operation", ["get_schedule", "task_counts", "list_jobs_of_schedule"])
async def test_a_service_that_comes_back_is_waited_for(workload: Workload, world: World, operation: str) -> None:
    async def begins() -> None:
        await work(world, ends=operation == "list_jobs_of_schedule")
        world.batch.fail(operation, 1, ServiceUnreachable("no answer from the engine"))
        world.clock.on_sleep = ends

    def ends() -> None:
        if len(world.notes) == 2:
            world.batch.schedules[NAME]["state"] = "completed"

    world.clock.on_sleep = begins

    applied = await world.apply(of(workload))

    assert applied.outcome is not None
    assert applied.outcome.counts == Counts(completed=1, succeeded=1)
    assert world.notes == ["no answer from the engine; trying again", "the service answers again"]


async def test_a_job_whose_pool_cannot_be_made_is_told(workload: Workload, world: World) -> None:
    await world.apply(of(workload, DAILY))
    job_id = await work(world)
    error = {"category": "usererror", "code": "AutoPoolCreationFailedWithQuotaReached", "message": "no room"}
    world.batch.jobs[job_id]["executionInfo"]["schedulingError"] = error
    with pytest.raises(ServiceRefused, match="no room"):
        await world.apply(of(workload, DAILY))


async def test_the_same_is_told_of_one_that_goes_on(workload: Workload, world: World) -> None:
    await world.apply(of(workload, DAILY))
    job_id = await work(world, ends=False)
    error = {"category": "usererror", "code": "AutoPoolCreationFailedWithQuotaReached", "message": "no room"}
    world.batch.jobs[job_id]["executionInfo"]["schedulingError"] = error
    with pytest.raises(ServiceRefused, match="no room"):
        await world.apply(of(workload, DAILY))


async def test_it_is_changed_in_place_and_keeps_its_mark(workload: Workload, world: World) -> None:
    await world.apply(of(workload, DAILY))

    await world.apply(of(workload, {"recurrenceInterval": "PT1H"}))

    assert world.batch.writes == [("update_schedule", NAME)]
    assert world.batch.schedules[NAME]["schedule"] == {"recurrenceInterval": "PT1H"}
    assert (await world.plan(of(workload, {"recurrenceInterval": "PT1H"}))).nothing_to_do


async def test_one_that_ended_and_differs_is_replaced_with_its_jobs(workload: Workload, world: World) -> None:
    await world.apply(of(workload, DAILY))
    await work(world)

    await world.apply(of(workload, DAILY, priority=3), wait=False)

    assert world.batch.writes == [("delete_schedule", NAME), ("create_schedule", NAME)]
    assert world.batch.jobs == {}


async def test_replacing_one_whose_job_runs_tasks_is_too_much(workload: Workload, world: World) -> None:
    auto: Any = {"autoPoolSpecification": {"poolLifetimeOption": "jobschedule", "pool": {"vmSize": "a"}}}
    other: Any = {"autoPoolSpecification": {"poolLifetimeOption": "jobschedule", "pool": {"vmSize": "b"}}}
    await world.apply(of(workload, DAILY, poolInfo=auto))
    world.batch.run = None
    await world.batch.add_tasks(world.batch.begin_job(NAME), [{"id": "one", "commandLine": "x"}])
    world.batch.tasks[f"{NAME}:job-1"]["one"]["state"] = "running"

    found = await world.plan(of(workload, DAILY, poolInfo=other))

    assert found.too_much == (
        f"would replace schedule {NAME} while 1 task of its job runs (more than 0 needs --force)",
    )


async def test_what_an_ended_one_no_longer_needs_does_not_come_back(workload: Workload, world: World) -> None:
    desired = replace(of(workload), cleanup_after_success=("container.input", "schedule"))
    meanwhile(world)
    await world.apply(desired)
    assert "words-input" not in world.blobs.containers
    assert world.batch.schedules == {}
    notes = (await world.plan(desired)).notes
    assert "the spec's cleanup removes its own schedule, so nothing is remembered: everything runs anew" in notes

    keeps = replace(desired, cleanup_after_success=("container.input",))
    world.batch.jobs.clear()
    await world.apply(keeps)
    found = await world.plan(keeps)
    assert (found.nothing_to_do, found.cleaned_up) == (True, True)


async def test_a_foreign_one_is_not_touched_and_a_missing_existing_one_told(workload: Workload, world: World) -> None:
    with pytest.raises(PlanRefused, match=f"`existing: true`: schedule {NAME}"):
        await world.plan(of(workload, existing=True))
    await world.batch.create_schedule({"id": NAME, "schedule": {}, "jobSpecification": {}})
    with pytest.raises(ForeignOwner, match=f"schedule {NAME}"):
        await world.plan(of(workload))
    applied = await world.apply(of(workload, existing=True))
    assert world.batch.writes == [("create_pool", "words-pool")]
    assert applied.schedule == ScheduleState(NAME, "active")


async def test_one_that_is_no_longer_in_the_spec_is_told_and_deleted(workload: Workload, world: World) -> None:
    await world.apply(of(workload, DAILY))
    found = await world.plan(workload.desired())
    assert (
        f"schedule {NAME} carries this spec's mark and is no longer in it; `batchspec delete` removes it" in found.notes
    )
    items = (await deletion(workload.desired(), world.services)).items
    assert ("schedule", NAME) in [(one.kind, one.id) for one in items]


async def test_a_disabled_one_is_told(workload: Workload, world: World) -> None:
    await world.apply(of(workload, DAILY))
    world.batch.schedules[NAME]["state"] = "disabled"
    found = await world.plan(of(workload, DAILY))
    assert found.notes == (f"schedule {NAME} is disabled: it makes no job until it is enabled",)


async def test_deleting_takes_it_with_its_jobs_and_keeps_what_is_asked_for(workload: Workload, world: World) -> None:
    desired = of(workload, DAILY)
    world.batch.slow_deletes = 2
    await world.apply(desired)
    await work(world, ends=False)
    kept = await deletion(desired, world.services, keep={"schedule", "pool"})
    assert [one.kind for one in kept.items] == ["container"] * 3
    assert f"schedule {NAME} stays (--keep)" in kept.notes

    await delete(await deletion(desired, world.services), world.services, report=silent, clock=world.clock)

    assert (world.batch.schedules, world.batch.jobs, world.batch.pools) == ({}, {}, {})


async def test_its_status_is_that_of_its_newest_job(workload: Workload, world: World) -> None:
    desired = of(workload, DAILY)
    before = await status(desired, world.services)
    assert (before.schedule, before.job_id, before.counts) == (ScheduleState(NAME, None), None, Counts())
    await world.apply(desired)
    await work(world, ends=False)
    job_id = await work(world, exit_code=1, ends=False)
    world.batch.schedules[NAME]["executionInfo"]["nextRunTime"] = "2027-01-02T00:00:00Z"

    found = await status(desired, world.services)

    assert (found.job_id, found.job_state, found.counts) == (job_id, "completed", Counts(completed=1, failed=1))
    assert found.schedule is not None
    assert (found.schedule.next_run, found.schedule.newest_job) == ("2027-01-02T00:00:00Z", job_id)
    assert [one.count for one in found.failures] == [1]


async def test_logs_are_those_of_a_task_of_the_newest_job(workload: Workload, world: World) -> None:
    desired, written = of(workload, DAILY), list[str]()

    async def show(task: str) -> None:
        await logs(desired, world.services, Writer(task), stream="stdout", follow=False, write=written.append)

    await world.apply(desired)
    with pytest.raises(PlanRefused, match=f"the schedule {NAME} has made no job yet"):
        await show("one")
    await work(world, ends=False)
    job_id = await work(world, ends=False)
    world.batch.files[job_id, "one", "stdout.txt"] = b"hello"
    await show("one")
    assert written == ["hello"]
    with pytest.raises(Exception, match=f"no task 'two' in job {job_id}"):
        await show("two")


async def test_a_schedule_counts_as_active_and_its_job_s_pool_as_used(workload: Workload, world: World) -> None:
    await world.apply(of(workload, DAILY))
    job_id = world.batch.begin_job(NAME)
    seen = await observe(of(workload, DAILY), world.services)
    assert seen.use.active_jobs == (job_id, NAME)
    assert seen.newest_job is not None
    assert seen.newest_job["id"] == job_id


async def test_its_jobs_get_another_sas_where_theirs_is_worth_nothing_any_more(
    workload: Workload, world: World
) -> None:
    desired = of(workload, DAILY, **OUTPUT)
    await world.apply(desired)
    world.blobs.key = "NEW"

    await world.apply(desired)
    assert world.batch.writes == [("update_schedule", NAME)]
    (setting,) = world.batch.schedules[NAME]["jobSpecification"]["commonEnvironmentSettings"]
    assert setting["value"].endswith("sig=NEW")
    await world.apply(desired)
    assert world.batch.writes == []


async def test_a_plan_that_was_reviewed_is_what_is_applied(workload: Workload, world: World) -> None:
    desired = of(workload, DAILY)
    held_to = await frozen(desired, world)
    await apply(desired, world, held_to)
    await apply(desired, world, held_to)  # it is through
    world.batch.schedules[NAME]["schedule"] = {"recurrenceInterval": "PT1H"}
    with pytest.raises(PlanStale):
        await apply(desired, world, held_to)


def test_sas_last_as_long_as_the_jobs_of_a_schedule(workload: Workload) -> None:
    def life(plan: JsonObject, **jobs: Any) -> timedelta:
        return sas_life(of(workload, plan, **jobs), None, now=NOW)

    assert life(DAILY) == timedelta(days=365)
    assert life({**DAILY, "doNotRunAfter": "2027-02-01T00:00:00Z"}) == timedelta(days=31)
    assert life({"doNotRunUntil": "2027-02-01T00:00:00Z"}, constraints={"maxWallClockTime": "P1D"}) == timedelta(
        days=32
    )
    assert life({}) == timedelta(days=7)


def test_with_entra_a_schedule_that_outlives_its_sas_is_refused(workload: Workload) -> None:
    week = timedelta(days=7)
    with pytest.raises(PlanRefused, match="the schedule goes on for longer than the 7 days"):
        sas_life(of(workload, DAILY, **OUTPUT), week, now=NOW)
    assert sas_life(of(workload, DAILY), week, now=NOW) == week  # its jobs carry none
    assert sas_life(of(workload, **OUTPUT), week, now=NOW) == week


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        ({"state": "completed", "schedule": DAILY}, True),
        ({"state": "active", "schedule": DAILY}, False),
        ({"state": "active", "schedule": {}}, True),
        ({"state": "active", "schedule": {"doNotRunUntil": "2027-01-01T00:20:00Z"}}, True),
        ({"state": "active", "schedule": {"doNotRunUntil": "2027-01-01T00:21:00Z"}}, False),
        ({"state": "active", "schedule": {**DAILY, "doNotRunAfter": "2027-01-01T00:20:00Z"}}, True),
        ({"state": "active", "schedule": {**DAILY, "doNotRunAfter": "2027-01-01T00:21:00Z"}}, False),
    ],
)
def test_only_one_that_can_end_in_time_is_waited_for(workload: Workload, there: Any, expected: bool) -> None:
    assert can_end(of(workload), there, NOW) is expected  # 20 minutes
