"""What the service says of an autoscale formula, as data, and when it is asked."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from batchspec.errors import ServiceRefused
from batchspec.reconcile.account import Unknown
from batchspec.reconcile.observe import observe
from batchspec.reconcile.scaling import Evaluation, evaluate, evaluation_of, formula_of
from batchspec.render.symbolic import symbol
from tests.fakes import FakeBatch, refused
from tests.reconcile.builders import Workload, World

FORMULA = "$TargetDedicatedNodes = 1;"
WRONG = {
    "code": "AutoScalingFormulaEvaluationError",
    "message": "The specified auto-scaling formula has evaluation error",
    "values": [{"name": "Message", "value": "Line 1, Col 1: Undefined symbol: $x"}],
}
TOO_EARLY = {"code": "InsufficientSampleData", "message": "Autoscale evaluation failed.", "values": []}


@pytest.mark.parametrize(
    ("run", "wanted"),
    [
        ({"results": "$TargetDedicatedNodes=2;$TargetLowPriorityNodes=3;x=4"}, Evaluation(2, 3)),
        ({"results": "$TargetDedicated=2.0"}, Evaluation(2, 0)),
        ({}, Evaluation(0, 0)),
        ({"results": "$TargetDedicatedNodes=2", "error": None}, Evaluation(2, 0)),
        (
            {"results": "$TargetDedicatedNodes=2", "error": WRONG},
            Evaluation(
                fault="AutoScalingFormulaEvaluationError: The specified auto-scaling formula has evaluation error "
                "(Line 1, Col 1: Undefined symbol: $x)"
            ),
        ),
        (
            {"error": TOO_EARLY},
            Evaluation(fault="InsufficientSampleData: Autoscale evaluation failed", too_early=True),
        ),
    ],
)
def test_a_run_says_how_many_nodes_or_what_is_wrong(run: dict[str, Any], wanted: Evaluation) -> None:
    assert evaluation_of(run) == wanted


@pytest.mark.parametrize(
    ("pool", "formula"),
    [
        ({"enableAutoScale": True, "autoScaleFormula": FORMULA}, FORMULA),
        ({"enableAutoScale": False, "autoScaleFormula": FORMULA}, None),
        ({"enableAutoScale": True, "autoScaleFormula": f"x = {symbol('secret', 'x')};"}, None),
        ({"enableAutoScale": True}, None),
        (None, None),
    ],
)
def test_a_pool_has_a_formula_when_it_scales_by_itself(pool: dict[str, Any] | None, formula: str | None) -> None:
    assert formula_of(pool) == formula


@pytest.mark.parametrize(
    ("status", "code", "wanted"),
    [
        (
            400,
            "AutoScalingFormulaSyntaxError",
            Evaluation(fault="AutoScalingFormulaSyntaxError: refused by the fake"),
        ),
        (403, "AuthorizationFailure", Unknown("this credential may not ask the service to evaluate it")),
        (409, "OperationInvalidForCurrentState", Unknown("the pool cannot tell now (OperationInvalidForCurrentState)")),
    ],
)
async def test_what_cannot_be_evaluated_is_told_not_raised(
    status: int, code: str, wanted: Evaluation | Unknown
) -> None:
    batch = FakeBatch(pools={"p": {"enableAutoScale": True}})
    batch.fail("evaluate_autoscale", 1, refused("evaluate autoscale formula of pool", "p", status, code))
    assert await evaluate(batch, "p", FORMULA) == wanted
    batch.fail("evaluate_autoscale", 1, refused("evaluate autoscale formula of pool", "p", 500, "InternalError"))
    with pytest.raises(ServiceRefused):
        await evaluate(batch, "p", FORMULA)


def asked(world: World) -> int:
    """How often the service evaluated a formula since the log was emptied."""
    return sum(operation == "evaluate_autoscale" for operation, _ in world.batch.reads)


async def test_a_formula_is_asked_for_once_and_without_need_only_when_thorough(tmp_path: Path) -> None:
    world = World()
    workload = Workload(tmp_path, pool={"enableAutoScale": True, "autoScaleFormula": FORMULA})
    assert (await observe(workload.desired(), world.services, thorough=True)).scaling is None
    await world.apply(workload.desired())
    there = world.batch.pools["words-pool"]
    there["autoScaleRun"] = {"results": "$TargetDedicatedNodes=1"}
    new = replace(workload, pool={**workload.pool, "autoScaleFormula": "$TargetDedicatedNodes = 2;"})
    for one, thorough, times in ((workload, False, 0), (workload, True, 1), (new, False, 1), (new, True, 1)):
        world.batch.forget()
        seen = await observe(one.desired(), world.services, thorough=thorough)
        assert (asked(world), seen.scaling) == (times, Evaluation(1, 0) if times else None)
    there["autoScaleRun"] = {"error": WRONG}
    world.batch.forget()
    assert (await observe(workload.desired(), world.services)).scaling == Evaluation(1, 0)
    there["enableAutoScale"] = False
    assert (await observe(workload.desired(), world.services, thorough=True)).scaling is None


async def test_the_formula_of_an_existing_pool_is_its_own(tmp_path: Path) -> None:
    world = World()
    await world.apply(Workload(tmp_path, pool={"enableAutoScale": True, "autoScaleFormula": FORMULA}).desired())
    shared = Workload(tmp_path, existing=frozenset({"pool"}))
    assert (await observe(shared.desired(), world.services, thorough=True)).scaling == Evaluation(1, 0)
