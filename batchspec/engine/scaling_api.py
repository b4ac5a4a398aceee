"""Autoscale operations of pools: enable, disable, evaluate.

Place: named by the route table. In: a `Call`. Out: a `Reply`. The work is `pool_scaling.py`'s.

Decisions: disabling a pool that does not scale is no fault; evaluating one is (Pool - Evaluate Auto Scale: "The Pool
must have auto scaling enabled in order to evaluate a formula").
"""

import json
from sqlite3 import Row
from typing import Any

from batchspec.engine.call import Call, Reply, changed
from batchspec.engine.core import Core
from batchspec.engine.errors import BatchError
from batchspec.engine.lifecycle import POOL
from batchspec.engine.pool_api import find_pool
from batchspec.engine.pool_scaling import Scaling
from batchspec.engine.scaling_rules import DEFAULT_INTERVAL, check_interval, parsed
from batchspec.engine.store import json_text

_SETTINGS = ("autoScaleFormula", "autoScaleEvaluationInterval")


class ScalingApi:
    """Autoscale operations."""

    def __init__(self, core: Core, scaling: Scaling) -> None:
        self._core = core
        self._scaling = scaling

    async def enable(self, call: Call) -> Reply:
        row, body = self._to_change(call)
        given = {name: call.body[name] for name in _SETTINGS if name in call.body}
        if not given and body["enableAutoScale"]:
            raise BatchError("MissingRequiredProperty", PropertyName=" and/or ".join(_SETTINGS))
        if "autoScaleFormula" not in {**body, **given}:
            raise BatchError("MissingRequiredProperty", PropertyName="autoScaleFormula")
        check_interval(given)
        if "autoScaleFormula" in given:
            parsed(given["autoScaleFormula"])
        if row["allocation"] != "steady" and not body["enableAutoScale"]:
            raise BatchError("PoolBeingResized")
        self._scaling.check_pause(row["pk"])
        self._keep(row, {"autoScaleEvaluationInterval": DEFAULT_INTERVAL, **body, **given, "enableAutoScale": True})
        self._scaling.begin(row["pk"], by_request=True)
        return self._changed(row)

    async def disable(self, call: Call) -> Reply:
        row, body = self._to_change(call)
        self._scaling.end(row["pk"])
        kept = {name: value for name, value in body.items() if name not in (*_SETTINGS, "autoScaleRun")}
        self._keep(row, {**kept, "enableAutoScale": False})
        return self._changed(row)

    async def evaluate(self, call: Call) -> Reply:
        row, body = self._to_change(call)
        if not body["enableAutoScale"]:
            reason = "The pool must have auto scaling enabled in order to evaluate a formula."
            raise BatchError("OperationInvalidForCurrentState", Reason=reason)
        run = self._scaling.evaluated(row, call.body["autoScaleFormula"])
        return Reply(run, fragment="autoscalerun/@Element", stamp=row["modified"], is_change=True)

    def _to_change(self, call: Call) -> tuple[Row, dict[str, Any]]:
        row = find_pool(self._core, call.path["pool"])
        call.check_conditions(row["modified"])
        POOL.after(row["state"], "change")
        return row, json.loads(row["body"])

    def _keep(self, row: Row, body: dict[str, Any]) -> None:
        self._core.store.update("pools", row["pk"], body=json_text(body), modified=self._core.store.stamp())

    def _changed(self, row: Row) -> Reply:
        return changed(self._core.store.one("SELECT modified FROM pools WHERE pk = ?", row["pk"])[0])
