"""What must be true of a pool's autoscale settings.

Place: called by `bodies.py` and the autoscale handlers. In: bodies of the right shape. Out: the settings to keep, or a
refusal. Pure. Source: Pool - Add, Pool - Enable Auto Scale (interval of 5 minutes to 168 hours, 15 minutes when none is
given; targets and autoscaling exclude each other).
"""

from collections.abc import Mapping
from typing import Any, Final

from batchspec.engine import autoscale
from batchspec.engine.errors import BatchError, bad_value
from batchspec.engine.times import seconds_from_duration

DEFAULT_INTERVAL: Final = "PT15M"
_SHORTEST_S, _LONGEST_S = 300.0, 168 * 3600.0
_SETTINGS = ("autoScaleFormula", "autoScaleEvaluationInterval")
_TARGETS = ("targetDedicatedNodes", "targetLowPriorityNodes")


def autoscale_settings(body: Mapping[str, Any]) -> dict[str, Any]:
    """What a new pool keeps of its autoscale settings; empty for a pool of fixed size. Raises BatchError."""
    if not body.get("enableAutoScale"):
        for name in _SETTINGS:
            if name in body:
                raise bad_value(name, body[name], "It must not be specified when enableAutoScale is false.")
        return {}
    for name in _TARGETS:
        if name in body:
            raise bad_value(name, body[name], "It must not be specified when enableAutoScale is true.")
    if "autoScaleFormula" not in body:
        raise BatchError("MissingRequiredProperty", PropertyName="autoScaleFormula")
    parsed(body["autoScaleFormula"])
    check_interval(body)
    return {"autoScaleEvaluationInterval": body.get("autoScaleEvaluationInterval", DEFAULT_INTERVAL)}


def check_interval(body: Mapping[str, Any]) -> None:
    """The interval, if there is one, is one the service takes. Raises BatchError."""
    interval = body.get("autoScaleEvaluationInterval")
    if interval is not None and not _SHORTEST_S <= seconds_from_duration(interval) <= _LONGEST_S:
        reason = "The value must be between 5 minutes and 168 hours."
        raise bad_value("autoScaleEvaluationInterval", interval, reason)


def parsed(formula: str) -> autoscale.Formula:
    """The formula of a text. Raises BatchError."""
    try:
        return autoscale.parse(formula)
    except autoscale.FormulaInvalid as error:
        raise BatchError(error.code, error.message, **error.values) from error
