"""A pool that its formula keeps at 0 nodes while tasks wait."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from batchspec.reconcile.outcome import Counts, Outcome
from batchspec.render.model import JsonObject
from tests.fakes import refused
from tests.reconcile.builders import Workload, World
from tests.reconcile.test_scaling import FORMULA, WRONG, asked

LAST = {"timestamp": "2026-01-01T00:00:07Z", "results": "$TargetDedicatedNodes=0"}
NEXT = "pool words-pool has 0 nodes by its autoscale formula, which is evaluated again at 00:05:07 UTC"
WOKEN = "pool words-pool is evaluated at once: the formula gives nodes for the tasks that wait"
INTERVAL = "PT5M"


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    scales: JsonObject = {"enableAutoScale": True, "autoScaleFormula": FORMULA, "autoScaleEvaluationInterval": INTERVAL}
    return Workload(tmp_path, pool=scales, downloads=False)


@pytest.fixture
async def world(workload: Workload) -> World:
    """A pool that has scaled down to nothing; its tasks run once it is enabled anew."""
    world = World(exit_code=lambda task_id: None)
    await world.apply(replace(workload, texts={}).desired(), wait=False)
    world.batch.pools["words-pool"] |= {"currentDedicatedNodes": 0, "autoScaleRun": LAST}
    world.batch.nodes["words-pool"] = []
    world.batch.before("set_autoscale", lambda pool: world.finish_all())
    return world


def count(world: World, operation: str) -> int:
    return [name for name, _ in world.batch.writes].count(operation)


async def test_tasks_of_a_pool_without_nodes_wait_for_a_sample_and_not_for_the_next_evaluation(
    workload: Workload, world: World
) -> None:
    applied = await world.apply(workload.desired())
    assert applied.outcome == Outcome(Counts(completed=3, succeeded=3), 0, ())
    assert (count(world, "set_autoscale"), asked(world)) == (1, 1)
    assert 35 <= world.clock.seconds < 60
    assert world.notes == [NEXT, WOKEN]
    there: dict[str, Any] = world.batch.pools["words-pool"]
    assert (there["autoScaleFormula"], there["autoScaleEvaluationInterval"]) == (FORMULA, INTERVAL)
    assert (await world.plan(workload.desired())).nothing_to_do


@pytest.mark.parametrize("gives", [{"results": "$TargetDedicatedNodes=0"}, {"error": WRONG}])
async def test_a_formula_that_gives_no_node_yet_is_asked_again_and_not_enabled(
    gives: dict[str, Any], workload: Workload, world: World
) -> None:
    world.batch.evaluates = lambda formula: gives if asked(world) < 3 else {"results": "$TargetDedicatedNodes=1"}
    await world.apply(workload.desired())
    assert (asked(world), count(world, "set_autoscale")) == (3, 1)
    assert 105 <= world.clock.seconds < 135


async def test_a_pool_that_is_not_the_spec_s_own_is_left_alone(workload: Workload, world: World) -> None:
    world.clock.on_sleep = lambda: world.finish_all() if world.clock.seconds > 120 else None
    await world.apply(replace(workload, existing=frozenset({"pool"})).desired())
    assert (asked(world), count(world, "set_autoscale"), world.notes) == (0, 0, [NEXT])


@pytest.mark.parametrize(
    "there",
    [{"currentDedicatedNodes": 1}, {"targetLowPriorityNodes": 1}, {"allocationState": "resizing"}],
)
async def test_a_pool_with_nodes_or_on_its_way_is_waited_for(
    there: dict[str, Any], workload: Workload, world: World
) -> None:
    world.batch.pools["words-pool"] |= there
    world.clock.on_sleep = lambda: world.finish_all() if world.clock.seconds > 120 else None
    await world.apply(workload.desired())
    assert (asked(world), count(world, "set_autoscale"), world.notes) == (0, 0, [])


async def test_an_enabling_that_is_refused_ends_no_wait(workload: Workload, world: World) -> None:
    world.batch.fail("set_autoscale", 1, refused("enableautoscale of pool", "words-pool", 409, "PoolBeingResized"))
    applied = await world.apply(workload.desired())
    assert applied.outcome == Outcome(Counts(completed=3, succeeded=3), 0, ())
    assert world.notes == [NEXT]


async def test_a_pool_that_does_not_say_when_it_was_evaluated_is_told_without_a_time(
    workload: Workload, world: World
) -> None:
    world.batch.pools["words-pool"]["autoScaleRun"] = {"timestamp": "yesterday"}
    await world.apply(workload.desired())
    assert world.notes[0] == "pool words-pool has 0 nodes by its autoscale formula"
