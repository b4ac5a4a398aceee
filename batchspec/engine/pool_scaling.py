"""Pools that size themselves: samples every 30 seconds, a formula at every interval, a resize of what it says.

Place: above the fleet; told by it of new pools, by the handlers of changed settings. In: pool rows, the clock. Out:
`autoScaleRun` in a pool's body, resizes. The language is `autoscale`'s.

Decisions:
- The first evaluation comes with the settings, before the request is answered: there is nothing to wait for.
- While a pool is being resized a formula is evaluated, but applied only a few seconds later, when the pool is steady.
- The history is in memory, so after a restart the first evaluation is an interval away, as it would have been.
"""

import json
import logging
import sqlite3
from dataclasses import dataclass
from sqlite3 import Row
from typing import Any, Literal, cast

from batchspec.engine import autoscale
from batchspec.engine.clock import Timer
from batchspec.engine.core import Core
from batchspec.engine.errors import BatchError
from batchspec.engine.fleet import Fleet
from batchspec.engine.pool_samples import PoolSamples
from batchspec.engine.scaling_rules import parsed
from batchspec.engine.store import json_text
from batchspec.engine.times import seconds_from_duration, text_from_ticks, ticks_from_datetime

_log = logging.getLogger("batchspec.engine")

_SAMPLE_S = autoscale.SAMPLE_PERIOD.total_seconds()
_RETRY_S = 5.0
_ENABLE_PAUSE_S = 30.0

Option = Literal["requeue", "terminate", "taskcompletion", "retaineddata"]


@dataclass(slots=True)
class _Scaled:
    """A pool that scales: its history, when its formula is due again, when it was enabled last."""

    samples: PoolSamples
    timer: Timer | None = None
    enabled_at: float | None = None


class Scaling:
    """All pools with a formula."""

    def __init__(self, core: Core, fleet: Fleet) -> None:
        self._core = core
        self._fleet = fleet
        self._pools: dict[int, _Scaled] = {}
        self._sampling: Timer | None = None
        fleet.scale = self.begin

    @property
    def is_active(self) -> bool:
        """Whether a formula may want nodes later."""
        return bool(self._pools)

    def recover(self) -> None:
        """Go on where a stopped engine was."""
        for row in self._core.store.all("SELECT * FROM pools WHERE state = 'active'"):
            if json.loads(row["body"])["enableAutoScale"]:
                self._watch(row)
                self._wait(row["pk"], json.loads(row["body"]))

    def close(self) -> None:
        """Call off every timer."""
        for pk in list(self._pools):
            self.end(pk)

    def begin(self, pk: int, *, by_request: bool = False) -> None:
        """Scale a pool by the settings in its body, from now on."""
        row = self._core.store.one("SELECT * FROM pools WHERE pk = ?", pk)
        scaled = self._watch(row)
        if by_request:
            scaled.enabled_at = self._core.clock.now().timestamp()
        self._run(pk)

    def check_pause(self, pk: int) -> None:
        """Enabling is allowed once in 30 seconds. Raises BatchError (503). Source: Pool - Enable Auto Scale."""
        scaled = self._pools.get(pk)
        if scaled is None or scaled.enabled_at is None:
            return
        if self._core.clock.now().timestamp() - scaled.enabled_at < _ENABLE_PAUSE_S:
            raise BatchError("TooManyEnableAutoScaleRequests")

    def end(self, pk: int) -> None:
        """Leave the pool as it is, from now on."""
        scaled = self._pools.pop(pk, None)
        if scaled is not None and scaled.timer is not None:
            scaled.timer.cancel()
        if not self._pools and self._sampling is not None:
            self._sampling.cancel()
            self._sampling = None

    def evaluated(self, row: Row, formula: str) -> dict[str, Any]:
        """The `AutoScaleRun` of a formula for a pool that scales; nothing is applied. Raises BatchError (400)."""
        evaluation = self._evaluation(row, formula)
        return self._told(evaluation)

    # -- one pool

    def _watch(self, row: Row) -> _Scaled:
        scaled = self._pools.get(row["pk"])
        if scaled is None:
            slots = json.loads(row["body"])["taskSlotsPerNode"]
            scaled = self._pools[row["pk"]] = _Scaled(PoolSamples(self._core.store, row, slots))
            scaled.samples.record(self._core.clock.now())
        if self._sampling is None:
            self._sampling = self._core.clock.call_later(_SAMPLE_S, self._sample)
        return scaled

    def _sample(self) -> None:
        self._sampling = self._core.clock.call_later(_SAMPLE_S, self._sample)
        for pk, scaled in list(self._pools.items()):
            if self._row(pk) is None:
                self.end(pk)
            else:
                scaled.samples.record(self._core.clock.now())

    def _row(self, pk: int) -> Row | None:
        return self._core.store.find("SELECT * FROM pools WHERE pk = ? AND state = 'active'", pk)

    def _due(self, pk: int) -> None:
        try:
            self._run(pk)
        except sqlite3.OperationalError:
            # As when the disk is full: the pool is not forgotten for that.
            _log.exception("a pool cannot be scaled")
            if scaled := self._pools.get(pk):
                scaled.timer = self._core.clock.call_later(_RETRY_S, lambda: self._due(pk))

    def _run(self, pk: int) -> None:
        row = self._row(pk)
        if row is None:
            self.end(pk)
            return
        body = json.loads(row["body"])
        evaluation = self._evaluation(row, body["autoScaleFormula"])
        body["autoScaleRun"] = self._told(evaluation)
        self._core.store.update("pools", pk, body=json_text(body), modified=self._core.store.stamp())
        delay_s = None
        if evaluation.error is None and not self._applied(pk, evaluation):
            delay_s = _RETRY_S
        self._wait(pk, body, delay_s)

    def _applied(self, pk: int, evaluation: autoscale.Evaluation) -> bool:
        row = self._core.store.one("SELECT * FROM pools WHERE pk = ?", pk)
        body = json.loads(row["body"])
        wanted = {
            "targetDedicatedNodes": evaluation.targets.dedicated,
            "targetLowPriorityNodes": evaluation.targets.low_priority,
        }
        present = (body["targetDedicatedNodes"], body["targetLowPriorityNodes"])
        if present == tuple(wanted.values()):
            return True
        try:
            self._fleet.resize(row, wanted, cast("Option", evaluation.deallocation))
        except BatchError as error:
            _log.info("pool %s is not scaled yet: %s", row["id"], error.code)
            return False
        return True

    def _wait(self, pk: int, body: dict[str, Any], delay_s: float | None = None) -> None:
        scaled = self._pools[pk]
        if scaled.timer is not None:
            scaled.timer.cancel()
        interval_s = seconds_from_duration(body["autoScaleEvaluationInterval"])
        scaled.timer = self._core.clock.call_later(interval_s if delay_s is None else delay_s, lambda: self._due(pk))

    def _evaluation(self, row: Row, formula: str) -> autoscale.Evaluation:
        samples = self._pools[row["pk"]].samples
        samples.look()
        body = json.loads(row["body"])
        current = autoscale.Targets(body["targetDedicatedNodes"], body["targetLowPriorityNodes"])
        return autoscale.evaluate(parsed(formula), samples, self._core.clock.now(), current)

    def _told(self, evaluation: autoscale.Evaluation) -> dict[str, Any]:
        time = text_from_ticks(ticks_from_datetime(self._core.clock.now()))
        run: dict[str, Any] = {"timestamp": time, "results": evaluation.results}
        if (error := evaluation.error) is not None:
            values = [{"name": name, "value": value} for name, value in error.values]
            run["error"] = {"code": error.code, "message": error.message, "values": values}
        return run
