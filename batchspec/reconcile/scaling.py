"""What the service makes of an autoscale formula: the service -> `Evaluation`.

Place in the pipeline: `observe` asks for a formula whose pool scales already, so that `preflight` can tell; the step
that made a pool asks before tasks are added, since the service evaluates for pools that scale only ("The Pool must have
auto scaling enabled in order to evaluate a formula": REST, Pools - Evaluate Auto Scale). Nothing is changed by asking.
"""

import re
from dataclasses import dataclass

from batchspec.errors import ServiceRefused
from batchspec.reconcile.account import Unknown
from batchspec.reconcile.ports import BatchService
from batchspec.render.model import DesiredPool, JsonObject
from batchspec.render.symbolic import Json, holds_marker

# A formula that asks for more samples than there are: right, and too early.
_TOO_EARLY = "InsufficientSampleData"
_TARGET = re.compile(r"\$Target(Dedicated|LowPriority)(?:Nodes)?=(-?\d+(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How many nodes a formula gives now, or what is wrong with it (`fault`, code and message; "" when nothing is).

    `too_early` is a fault that goes by itself, once more has been measured.
    """

    dedicated: int = 0
    low_priority: int = 0
    fault: str = ""
    too_early: bool = False

    @property
    def nodes(self) -> int:
        """Nodes of both kinds."""
        return self.dedicated + self.low_priority


def formula_of(pool: JsonObject | None) -> str | None:
    """The formula of a pool's body, None when it does not scale by itself."""
    formula = (pool or {}).get("autoScaleFormula") if (pool or {}).get("enableAutoScale") else None
    return formula if isinstance(formula, str) and not holds_marker(formula) else None


async def evaluate(batch: BatchService, pool_id: str, formula: str) -> Evaluation | Unknown:
    """Ask the service; Unknown when it does not let us ask, or not now. Raises ServiceRefused otherwise."""
    try:
        return evaluation_of(await batch.evaluate_autoscale(pool_id, formula))
    except ServiceRefused as refused:
        if refused.status == 400:
            return Evaluation(fault=str(refused).removeprefix(f"{refused.operation} {refused.resource}: "))
        if refused.status == 403:
            return Unknown("this credential may not ask the service to evaluate it")
        if refused.status in (404, 409):
            return Unknown(f"the pool cannot tell now ({refused.code})")
        raise


async def foreseen(
    wanted: DesiredPool, there: JsonObject | None, batch: BatchService, *, thorough: bool
) -> Evaluation | Unknown | None:
    """What the service makes of the formula of a pool that scales already; None when there is no such.

    A formula that is in use and was evaluated without error is asked for only when `thorough`.
    """
    in_use = formula_of(there)
    formula = in_use if wanted.body is None else formula_of(wanted.body)
    if formula is None or in_use is None:
        return None
    run = (there or {}).get("autoScaleRun")
    if not thorough and formula == in_use and isinstance(run, dict) and "error" not in run:
        return None
    return await evaluate(batch, wanted.id, formula)


def evaluation_of(run: JsonObject) -> Evaluation:
    """What an `AutoScaleRun` says."""
    error = run.get("error")
    if isinstance(error, dict):
        return Evaluation(fault=_fault(error), too_early=error.get("code") == _TOO_EARLY)
    found = {kind: round(float(number)) for kind, number in _TARGET.findall(str(run.get("results", "")))}
    return Evaluation(found.get("Dedicated", 0), found.get("LowPriority", 0))


def _fault(error: JsonObject) -> str:
    values = error.get("values")
    details = [_detail(one) for one in values] if isinstance(values, list) else []
    told = f" ({'; '.join(filter(None, details))})" if any(details) else ""
    return f"{error.get('code')}: {str(error.get('message', '')).rstrip('.')}{told}"


def _detail(value: Json) -> str:
    return str(value.get("value", "")) if isinstance(value, dict) else ""
