"""A request body against the shapes: right types, nothing unknown, nothing missing.

Place: between the route and its handler. In: the JSON a client sent, the name of its shape. Out: the same data with
absent values left out and durations in the service's spelling. It never fills in defaults (`bodies.py` does) and
knows no rule that a type cannot express.

The service parses bodies strictly (OData): an unknown property is a 400 InvalidRequestBody, not ignored.
"""

import math
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from batchspec.engine.errors import BatchError, bad_value
from batchspec.engine.shapes import OLDER, SHAPES
from batchspec.engine.times import duration_from_seconds, seconds_from_duration, text_from_ticks, ticks_from_text

# Recorded: these come back in Pascal case even when sent in lower case.
_PASCAL = {
    "spread": "Spread",
    "pack": "Pack",
    "tasksuccess": "TaskSuccess",
    "taskfailure": "TaskFailure",
    "taskcompletion": "TaskCompletion",
}
_PASCAL_PROPERTIES = frozenset({"nodeFillType", "uploadCondition"})
_INT32 = range(-(2**31), 2**31)
# The Azure CLI sends the numbers of its command line as strings (`az batch pool create --target-dedicated-nodes 1`),
# and the service takes them.
_WHOLE = re.compile(r"-?[0-9]{1,10}")


def checked(body: Mapping[str, Any], shape: str, *, version: str, strict: bool = True) -> dict[str, Any]:
    """The body in normal form. Raises BatchError (400). Without `strict`, unknown properties are dropped.

    `version` is the request's api-version: older ones know properties that 2025-06-01 dropped.
    """
    return _object(body, shape, "", version < "2025", strict)


@cache
def _properties(shape: str, older: bool) -> tuple[dict[str, str], frozenset[str]]:
    table = {**SHAPES[shape], **(OLDER.get(shape, {}) if older else {})}
    required = frozenset(name[:-1] for name in table if name.endswith("!"))
    return {name.removesuffix("!"): kind for name, kind in table.items()}, required


def _object(body: Any, shape: str, path: str, older: bool, strict: bool) -> dict[str, Any]:
    if not isinstance(body, Mapping):
        raise _wrong_type(path, body, "an object")
    kinds, required = _properties(shape, older)
    result = {}
    for name, value in body.items():
        if name not in kinds:
            if strict and not name.startswith("odata."):
                raise _unknown(name, shape)
            continue
        if value is not None:
            result[name] = _value(value, kinds[name], f"{path}.{name}".lstrip("."), older, strict)
    for name in sorted(required):
        if name not in result:
            raise BatchError("MissingRequiredProperty", PropertyName=f"{path}.{name}".lstrip("."))
    if shape == "BatchMetadataItem" and not result["name"]:
        raise BatchError("EmptyMetadataKey", PropertyName=f"{path}.name")
    return result


def _value(value: Any, kind: str, path: str, older: bool, strict: bool) -> Any:
    if kind in _SCALARS:
        return _SCALARS[kind](value, path)
    if kind.startswith("["):
        if not isinstance(value, list):
            raise _wrong_type(path, value, "a list")
        return [_value(item, kind[1:-1], f"{path}[{i}]", older, strict) for i, item in enumerate(value)]
    if kind in SHAPES:
        return _object(value, kind, path, older, strict)
    return _enumerated(value, kind.split("/"), path)


def _enumerated(value: Any, allowed: list[str], path: str) -> str:
    if not isinstance(value, str):
        raise _wrong_type(path, value, "a string")
    found = next((item for item in allowed if item.lower() == value.lower()), None)
    if found is None:
        raise bad_value(path, value, f"The value must be one of {', '.join(allowed)}.")
    return _PASCAL[found] if path.rpartition(".")[2] in _PASCAL_PROPERTIES else found


def _string(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise _wrong_type(path, value, "a string")
    return value


def _bool(value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong_type(path, value, "a boolean")
    return value


def _int(value: Any, path: str) -> int:
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value not in _INT32:
        raise _wrong_type(path, value, "a 32-bit integer")
    return value


def _number(value: Any, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _wrong_type(path, value, "a number")
    return value


def _duration(value: Any, path: str) -> str:
    try:
        return duration_from_seconds(seconds_from_duration(_string(value, path)))
    except ValueError as error:
        raise _wrong_type(path, value, "an ISO 8601 duration") from error


def _datetime(value: Any, path: str) -> str:
    try:
        return text_from_ticks(ticks_from_text(_string(value, path)))
    except ValueError as error:
        raise _wrong_type(path, value, "an ISO 8601 time") from error


def _any_object(value: Any, path: str) -> Any:
    return value


_SCALARS: dict[str, Callable[[Any, str], Any]] = {
    "string": _string,
    "bool": _bool,
    "int": _int,
    "number": _number,
    "duration": _duration,
    "datetime": _datetime,
    "object": _any_object,
}


def _unknown(name: str, shape: str) -> BatchError:
    reason = f"The property '{name}' does not exist on type '{shape}'. Make sure to only use property names that are "
    return BatchError("InvalidRequestBody", Reason=reason + "defined by the type.")


def _wrong_type(path: str, value: Any, wanted: str) -> BatchError:
    shown = str(value)[:100]
    reason = f"The property '{path}' has the value {shown!r}, which is not {wanted}."
    return BatchError("InvalidRequestBody", Reason=reason)
