"""A pool that a formula keeps at 0 nodes while tasks wait: when it is evaluated next, and how that comes sooner.

Place in the pipeline: `watch` asks it at every poll in which no task runs. The service evaluates a formula when it is
given and then every 5 minutes at best, and takes a sample of its tasks every 30 seconds; so tasks that are added just
after an evaluation wait for minutes. Once a sample can have seen them the service is asked what the formula gives now;
if that is a node, the same formula is enabled again with its interval, which begins a new schedule of evaluations at
once (REST, Pools - Enable Pool Auto Scale; at most once in 30 seconds for a pool). This is the one write of a wait; it
changes no setting, so it is safe to repeat. A pool that is not the spec's own is left alone.
"""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from batchspec.errors import ServiceRefused
from batchspec.reconcile.clock import Clock
from batchspec.reconcile.ports import BatchService
from batchspec.reconcile.report import Noted, Reporter
from batchspec.reconcile.scaling import Evaluation, evaluate, formula_of
from batchspec.render.model import DesiredPool, JsonObject
from batchspec.spec.durations import NotADuration, duration

# A sample is taken every 30 seconds; enabling is allowed once in 30 seconds.
_PAUSE_S = 35.0
_NODES = ("targetDedicatedNodes", "targetLowPriorityNodes", "currentDedicatedNodes", "currentLowPriorityNodes")
_DEFAULT_INTERVAL = "PT15M"


@dataclass(slots=True)
class Waking:
    """One wait for one pool."""

    batch: BatchService
    report: Reporter
    clock: Clock
    _told: set[str] = field(default_factory=set)
    _due: float | None = None

    async def look(self, pool: DesiredPool, there: JsonObject | None) -> None:
        """Tell when a pool without nodes is evaluated next, and see to it that this is soon."""
        formula = formula_of(there)
        if there is None or formula is None or _has_nodes(there):
            return
        interval = str(there.get("autoScaleEvaluationInterval", _DEFAULT_INTERVAL))
        self._tell(pool.id, _next_evaluation(there, interval))
        now = self.clock.now()
        if self._due is None:
            self._due = now + _PAUSE_S
        if pool.existing or now < self._due:
            return
        self._due = now + _PAUSE_S
        with suppress(ServiceRefused):  # being resized, enabled by somebody else: it is evaluated in its own time
            await self._wake(pool.id, {"autoScaleFormula": formula, "autoScaleEvaluationInterval": interval})

    def _tell(self, pool_id: str, next_evaluation: str) -> None:
        text = f"pool {pool_id} has 0 nodes by its autoscale formula{next_evaluation}"
        if text not in self._told:
            self._told.add(text)
            self.report(Noted(text))

    async def _wake(self, pool_id: str, settings: JsonObject) -> None:
        seen = await evaluate(self.batch, pool_id, str(settings["autoScaleFormula"]))
        if isinstance(seen, Evaluation) and not seen.fault and seen.nodes > 0:
            await self.batch.set_autoscale(pool_id, settings)
            self.report(Noted(f"pool {pool_id} is evaluated at once: the formula gives nodes for the tasks that wait"))


def _has_nodes(there: JsonObject) -> bool:
    return there.get("allocationState") != "steady" or any(there.get(count) for count in _NODES)


def _next_evaluation(there: JsonObject, interval: str) -> str:
    """In words, with a comma before; nothing when the service has not said when it was evaluated last."""
    run = there.get("autoScaleRun")
    try:
        last = datetime.fromisoformat(str(run.get("timestamp"))) if isinstance(run, dict) else None
        return f", which is evaluated again at {last + duration(interval):%H:%M:%S} UTC" if last is not None else ""
    except (ValueError, NotADuration):
        return ""
