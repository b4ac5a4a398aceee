"""A frozen plan is applied again until it is through, however often it is killed, and refused when something is new."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from batchspec.errors import Difference, PlanStale
from batchspec.reconcile.apply import Applied
from batchspec.reconcile.change import Plan
from batchspec.reconcile.freeze import Freezing
from batchspec.reconcile.frozen import Frozen, file_text, frozen_from
from batchspec.reconcile.observe import Observed, observe
from batchspec.reconcile.plan import plan
from batchspec.reconcile.staleness import differences
from batchspec.render.model import Desired, Secret
from batchspec.render.symbolic import symbol
from tests.reconcile.builders import Killed, Reaper, Workload, World


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    return Workload(tmp_path / "one")


@pytest.fixture
def world() -> World:
    return World()


async def frozen(desired: Desired, world: World, **asked: bool) -> Frozen:
    """A plan that is made now, as it is read back from its file."""
    seen = await observe(desired, world.services)
    made = plan(
        desired, seen, retry_failed=asked.get("retry_failed", False), refresh_secrets="refresh_secrets" in asked
    )
    freezing = _freezing(desired, asked.get("retry_failed", False), "refresh_secrets" in asked)
    made = replace(made, digest=freezing.digest(made, seen))
    return frozen_from("".join(file_text(freezing, made, seen, "specs/words.yaml")).encode())


def _freezing(desired: Desired, retry_failed: bool, refresh_secrets: bool, place: str = "local") -> Freezing:
    return Freezing(desired, place, retry_failed=retry_failed, refresh_secrets=refresh_secrets)


async def apply(desired: Desired, world: World, held_to: Frozen, *, wait: bool = True, place: str = "local") -> Applied:
    """Apply exactly a plan. Raises PlanStale with all that differs."""
    freezing = _freezing(desired, held_to.retry_failed, held_to.refresh_secrets, place)

    def refuse(made: Plan, seen: Observed) -> None:
        found = list(differences(held_to, freezing, made, seen))
        if found:
            raise PlanStale("stale", differences=found)

    return await world.apply(
        desired,
        refuse=refuse,
        wait=wait,
        retry_failed=held_to.retry_failed,
        refresh_secrets=held_to.refresh_secrets,
        retried=held_to.retries(),
    )


async def stale(desired: Desired, world: World, held_to: Frozen, *, place: str = "local") -> list[Difference]:
    """What differs, when the plan is refused; nothing was written then."""
    before = world.state()
    with pytest.raises(PlanStale) as refused:
        await apply(desired, world, held_to, place=place)
    assert world.state() == before
    return list(refused.value.differences)


Before = Callable[[World, Workload], Awaitable[object]]
Edit = Callable[[Workload], Workload]


async def applied(world: World, one: Workload) -> None:
    await world.apply(one.desired())


async def nothing(world: World, one: Workload) -> None:
    """No history."""


async def failing(world: World, one: Workload) -> None:
    world.exit_code = lambda task_id: 0 if task_id == "a" else 3
    await world.apply(one.desired())
    world.exit_code = lambda task_id: 0


async def waiting(world: World, one: Workload) -> None:
    world.exit_code = lambda task_id: None
    await world.apply(one.desired(), wait=False)


def with_secret(one: Workload) -> Workload:
    body: dict[str, Any] = {"displayName": symbol("secret", "pw")}
    return replace(one, task=body, secrets={"pw": Secret("geheim")})


RUNS: dict[str, tuple[Before, Edit, Edit, dict[str, bool]]] = {
    "a first run": (nothing, lambda one: one, lambda one: one, {}),
    "a job that ends with its tasks": (
        nothing,
        lambda one: replace(one, job={"onAllTasksComplete": "terminatejob"}),
        lambda one: one,
        {},
    ),
    "edited inputs": (
        applied,
        lambda one: one,
        lambda one: replace(one, texts={**one.texts, "b.txt": "something else", "d.txt": "new"}),
        {},
    ),
    "another start task": (applied, lambda one: one, lambda one: replace(one, script="count better"), {}),
    "another pool": (applied, lambda one: one, lambda one: replace(one, vm_size="standard_d4s_v3"), {}),
    "a larger pool": (applied, lambda one: one, lambda one: replace(one, nodes=3), {}),
    "a larger pool and another start task": (
        applied,
        lambda one: one,
        lambda one: replace(one, nodes=3, script="count better"),
        {},
    ),
    "another job": (applied, lambda one: one, lambda one: replace(one, job={"usesTaskDependencies": True}), {}),
    "a job changed in place": (applied, lambda one: one, lambda one: replace(one, job={"priority": 5}), {}),
    "a task more for a completed job": (
        applied,
        lambda one: replace(one, job={"onAllTasksComplete": "terminatejob"}),
        lambda one: replace(one, texts={**one.texts, "d.txt": "new"}),
        {},
    ),
    "failures retried": (failing, lambda one: one, lambda one: one, {"retry_failed": True}),
    "cleaned up": (
        nothing,
        lambda one: replace(one, cleanup=("container.input", "container.application", "pool")),
        lambda one: one,
        {},
    ),
    "edited after a clean-up": (
        applied,
        lambda one: replace(one, cleanup=("container.input", "container.application")),
        lambda one: replace(one, texts={**one.texts, "b.txt": "something else"}),
        {},
    ),
    "pruned": (
        applied,
        lambda one: replace(one, prune=True),
        lambda one: replace(one, texts={"a.txt": one.texts["a.txt"]}),
        {},
    ),
    "unfinished tasks that go": (
        waiting,
        lambda one: one,
        lambda one: replace(one, texts={"a.txt": one.texts["a.txt"]}),
        {},
    ),
    "new secrets": (waiting, with_secret, lambda one: one, {"refresh_secrets": True}),
}


@pytest.mark.parametrize("name", RUNS)
async def test_a_plan_that_was_killed_at_any_write_is_applied_again_until_it_is_through(
    name: str, tmp_path: Path
) -> None:
    before, given, edit, asked = RUNS[name]

    async def play(folder: Path, reaper: Reaper) -> tuple[dict[str, Any], int]:
        one = given(Workload(folder))
        world, edited = World(), edit(one).desired()
        world.batch.slow_deletes = 2
        await before(world, one)
        held_to = await frozen(edited, world, **asked)
        world.exit_code = lambda task_id: 0
        world.reaper = reaper
        try:
            await apply(edited, world, held_to, wait=before is not waiting)
        except Killed:
            world.reaper = Reaper()
            world.let_leases_end()
            await apply(edited, world, held_to, wait=before is not waiting)
        writes = reaper.seen
        world.reaper = Reaper()
        world.finish_all()
        again = await apply(edited, world, held_to)
        assert asked.get("refresh_secrets") or again.plan.nothing_to_do or not again.plan.totals, again.plan
        await world.let_deletions_end()
        return world.state(), writes

    undisturbed, writes = await play(tmp_path / "undisturbed", Reaper())
    assert writes > 0
    for at in range(1, writes + 1):
        for after in (False, True):
            state, _ = await play(tmp_path / f"{at}{after}", Reaper(at, after))
            assert state == undisturbed, f"{'after' if after else 'before'} write {at}"
