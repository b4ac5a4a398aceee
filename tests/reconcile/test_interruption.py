"""Killed or interrupted at any write, a run that is started again ends where an undisturbed one does."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from batchspec.errors import BatchspecError
from batchspec.reconcile.delete import delete, deletion
from batchspec.render.model import JsonObject
from tests.reconcile.builders import Killed, Reaper, Workload, World, files_below

Act = Callable[[World], Awaitable[object]]


@dataclass(frozen=True)
class Scenario:
    """Something to do with a history before it; `settles` is whether a plan then has nothing to do."""

    before: Act
    act: Act
    settles: Workload | None


async def nothing(world: World) -> None:
    """No history."""


def _applied(workload: Workload, *, retry_failed: bool = False) -> Act:
    async def act(world: World) -> object:
        return await world.apply(workload.desired(), retry_failed=retry_failed)

    return act


def first_run(one: Workload) -> Scenario:
    return Scenario(nothing, _applied(one), one)


def first_run_that_ends_its_job(one: Workload) -> Scenario:
    one = replace(one, job={"onAllTasksComplete": "terminatejob"})
    return Scenario(nothing, _applied(one), one)


def edited_input(one: Workload) -> Scenario:
    edited = replace(one, texts={**one.texts, "b.txt": "something else", "d.txt": "new"})
    return Scenario(_applied(one), _applied(edited), edited)


def edited_start_task_input(one: Workload) -> Scenario:
    edited = replace(one, script="count better")
    return Scenario(_applied(one), _applied(edited), edited)


def replaced_pool(one: Workload) -> Scenario:
    edited = replace(one, vm_size="standard_d4s_v3")
    return Scenario(_applied(one), _applied(edited), edited)


def resized_pool(one: Workload) -> Scenario:
    edited = replace(one, nodes=3)
    return Scenario(_applied(one), _applied(edited), edited)


def replaced_job(one: Workload) -> Scenario:
    edited = replace(one, job={"usesTaskDependencies": True, "priority": 5})
    return Scenario(_applied(one), _applied(edited), edited)


def a_task_more_for_a_completed_job(one: Workload) -> Scenario:
    one = replace(one, job={"onAllTasksComplete": "terminatejob"})
    edited = replace(one, texts={**one.texts, "d.txt": "new"})
    return Scenario(_applied(one), _applied(edited), edited)


def retried_tasks(one: Workload) -> Scenario:
    async def failing(world: World) -> None:
        world.exit_code = lambda task_id: 0 if task_id == "a" else 3
        await world.apply(one.desired())
        world.exit_code = lambda task_id: 0

    return Scenario(failing, _applied(one, retry_failed=True), one)


def cleaned_up(one: Workload) -> Scenario:
    one = replace(one, cleanup=("container.input", "container.application", "pool"))
    return Scenario(nothing, _applied(one), one)


def edited_after_clean_up(one: Workload) -> Scenario:
    one = replace(one, cleanup=("container.input", "container.application"))
    edited = replace(one, texts={**one.texts, "b.txt": "something else"})
    return Scenario(_applied(one), _applied(edited), edited)


def pruned(one: Workload) -> Scenario:
    one = replace(one, prune=True)
    edited = replace(one, texts={"a.txt": one.texts["a.txt"]})
    return Scenario(_applied(one), _applied(edited), edited)


def deleted(one: Workload) -> Scenario:
    one = replace(one, keep=frozenset({"output"}))

    async def act(world: World) -> None:
        world.batch.forget()
        world.blobs.forget()
        agreed = await deletion(one.desired(), world.services)
        if agreed.items:
            await delete(agreed, world.services, report=world.events.append, clock=world.clock)

    return Scenario(_applied(one), act, None)


SCENARIOS = [
    first_run,
    first_run_that_ends_its_job,
    edited_input,
    edited_start_task_input,
    replaced_pool,
    resized_pool,
    replaced_job,
    a_task_more_for_a_completed_job,
    retried_tasks,
    cleaned_up,
    edited_after_clean_up,
    pruned,
    deleted,
]


@dataclass
class End:
    """Where a scenario ended: the services, the files here, how often each task ran, how many writes it took."""

    state: dict[str, Any]
    files: dict[str, str]
    ran: Counter[str]
    writes: int


async def _play(scenario: Callable[[Workload], Scenario], folder: Path, *, reaper: Reaper, interrupt: bool) -> End:
    """Play a scenario with a client that ends at one write, then do the same again until it is done."""
    workload = Workload(folder, timeout=timedelta(minutes=5))
    one, world = scenario(workload), World()
    world.batch.slow_deletes = 2
    await one.before(world)
    ran = Counter(world.ran)
    world.reaper = reaper
    acting = asyncio.ensure_future(one.act(world))
    reaper.interrupted = acting if interrupt else None
    with_end = await asyncio.gather(acting, return_exceptions=True) if interrupt else [await _survive(acting)]
    assert not isinstance(with_end[0], BatchspecError), with_end
    writes = reaper.seen
    if reaper.at:
        world.reaper = Reaper()
        if not interrupt:
            world.let_leases_end()
        assert not any(holder.lease for holder in world.blobs.containers.values())
        await one.act(world)
    if one.settles is not None:
        left = await world.plan(one.settles.desired())
        assert left.nothing_to_do, left
    await world.let_deletions_end()
    return End(world.state(), files_below(folder / "results"), world.ran - ran, writes)


async def _survive(acting: "asyncio.Future[object]") -> object:
    try:
        return await acting
    except Killed:
        return None


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
@pytest.mark.parametrize("interrupt", [False, True], ids=["killed", "interrupted"])
async def test_a_run_that_is_repeated_after_an_end_at_any_write_converges(
    scenario: Callable[[Workload], Scenario], interrupt: bool, tmp_path: Path
) -> None:
    undisturbed = await _play(scenario, tmp_path / "undisturbed", reaper=Reaper(), interrupt=False)
    assert undisturbed.writes > 0
    for at in range(1, undisturbed.writes + 1):
        for after in (False, True):
            where = f"{'after' if after else 'before'} write {at}"
            folder = tmp_path / f"{at}{after}"
            end = await _play(scenario, folder, reaper=Reaper(at, after), interrupt=interrupt)
            assert end.state == undisturbed.state, where
            assert end.files == undisturbed.files, where
            extra = end.ran - undisturbed.ran
            assert all(count == 1 for count in extra.values()), f"{where}: ran again {extra}"
            assert not undisturbed.ran - end.ran, where


async def test_what_bounds_the_bill_is_in_the_service_before_the_first_task(tmp_path: Path) -> None:
    """A client that is killed cleans up nothing: the pool goes down and the job ends without it."""
    formula = "$TargetDedicatedNodes = min(2, $PendingTasks.GetSample(1));"
    limit: JsonObject = {"maxWallClockTime": "PT1H"}
    pool: JsonObject = {"enableAutoScale": True, "autoScaleFormula": formula}
    world = World()

    def die(_: str) -> None:
        raise Killed

    world.batch.before("add_tasks", die)
    with pytest.raises(Killed):
        await world.apply(Workload(tmp_path, pool=pool, job={"constraints": limit}).desired())
    assert world.batch.pools["words-pool"]["autoScaleFormula"] == formula
    assert world.batch.jobs["words-job"]["constraints"]["maxWallClockTime"] == "PT1H"
