"""The service evaluates a new formula before tasks are added, once."""

from dataclasses import replace
from pathlib import Path

import pytest

from batchspec.errors import PlanRefused, ServiceRefused
from tests.reconcile.builders import Workload, World
from tests.reconcile.test_scaling import FORMULA, TOO_EARLY, WRONG, asked


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    return Workload(tmp_path, pool={"enableAutoScale": True, "autoScaleFormula": FORMULA})


async def test_a_new_pool_s_formula_is_evaluated_once_before_tasks_are_added(workload: Workload) -> None:
    world = World()
    await world.apply(workload.desired())
    assert asked(world) == 1
    await world.apply(workload.desired())
    assert (world.writes, asked(world)) == ([], 1)  # the fake keeps no run, so it is looked at again


async def test_a_formula_that_the_service_rejects_ends_the_run_before_tasks_are_added(workload: Workload) -> None:
    world = World()
    world.batch.evaluates = lambda formula: {"error": WRONG}
    with pytest.raises(ServiceRefused) as caught:
        await world.apply(workload.desired())
    assert str(caught.value) == (
        "evaluate autoscale formula of pool words-pool: AutoScalingFormulaEvaluationError: The specified auto-scaling "
        "formula has evaluation error (Line 1, Col 1: Undefined symbol: $x)"
    )
    assert caught.value.fix == (
        "correct the pool's autoscale formula; `batchspec render` shows it as it is sent; then run `apply` again: no "
        "task was added"
    )
    assert not {"create_job", "add_tasks"} & {operation for operation, _ in world.changes}
    with pytest.raises(PlanRefused) as again:
        await world.apply(workload.desired())
    assert (world.writes, str(again.value)) == ([], "preflight found what cannot end well: autoscale formula")
    world.batch.evaluates = lambda formula: {"results": "$TargetDedicatedNodes=1"}
    mended = replace(workload, pool={**workload.pool, "autoScaleFormula": f"// mended\n{FORMULA}"})
    await world.apply(mended.desired())
    assert world.ran.total() == 3


async def test_a_formula_that_wants_more_samples_is_told_and_goes_on(workload: Workload) -> None:
    world = World()
    world.batch.evaluates = lambda formula: {"error": TOO_EARLY}
    await world.apply(workload.desired())
    assert world.ran.total() == 3
    assert "pool words-pool cannot scale yet: InsufficientSampleData: Autoscale evaluation failed" in world.notes


async def test_a_new_formula_of_a_pool_that_scales_is_evaluated_before_anything_is_written(workload: Workload) -> None:
    world = World()
    await world.apply(workload.desired())
    world.batch.evaluates = lambda formula: {"error": WRONG}
    with pytest.raises(PlanRefused):
        await world.apply(replace(workload, pool={**workload.pool, "autoScaleFormula": "$x = 1;"}).desired())
    assert (world.writes, asked(world)) == ([], 1)


async def test_a_pool_of_fixed_size_asks_nothing(workload: Workload) -> None:
    world = World()
    await world.apply(replace(workload, pool={}).desired())
    assert asked(world) == 0
