"""The functions of the language.

Place: beside `values.py`, under `evaluate.py`. In: a function's name, its arguments, the time. Out: a value, or
`Refused`. Never: reads a variable.

A "doubleVecList" (documented) is any mix of doubles and doubleVecs, made one vector before anything is computed.
Where the documentation is silent:
- A statistic of nothing is 0, also the standard deviation of a single value: formulas that many people run take
  `avg` or `max` of samples a new pool does not have yet, and must not fail for it.
- `std` divides by n - 1 ("sample standard deviation"). `percentile` is an element of the vector, by nearest rank, p
  from 0 to 100. `val` cuts its index to a whole number. `round` goes half away from zero.
- `lg`, `ln`, `log`, `ceil`, `floor` and `round` are a double for one double, else component-wise a doubleVec; `vec`
  makes a doubleVec (the documentation mentions it in passing).
- `rand` depends on the evaluation's time and on how often it was called, so that an evaluation can be repeated.
- `time` takes W3C-DTF with at most seven decimals (nextflow-io/nextflow#3866: nine are refused) and RFC 1123; a time
  without a zone is UTC; an empty text is the current time.
"""

import math
import random
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from batchspec.engine.autoscale.faults import Refused
from batchspec.engine.autoscale.values import Timestamp, Value, double, plain, type_name
from batchspec.engine.times import ticks_from_datetime

_Doubles = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a function may know besides its arguments: the time of the evaluation and its random numbers."""

    now: Timestamp
    dice: random.Random


def flat(values: Iterable[Value]) -> _Doubles:
    """A doubleVecList as the one vector it is converted to."""
    found: list[float] = []
    for value in values:
        part = plain(value)
        if isinstance(part, float):
            found.append(part)
        elif isinstance(part, tuple):
            found.extend(part)
        else:
            raise Refused(f"Type mismatch: double or doubleVec expected, {type_name(value)} found")
    return tuple(found)


def knows(name: str) -> bool:
    """Whether there is a function of this name."""
    return name in _STATISTICS or name in _COMPONENTWISE or name in _OTHERS


def call(name: str, arguments: tuple[Value, ...], circumstances: Circumstances) -> Value:
    """The value of a function that `knows` says there is. Raises `Refused`."""
    if name in _STATISTICS:
        return _STATISTICS[name](flat(arguments))
    if name in _COMPONENTWISE:
        return _componentwise(_COMPONENTWISE[name], arguments)
    return _OTHERS[name](name, arguments, circumstances)


def _average(values: _Doubles) -> float:
    return sum(values) / len(values) if values else 0.0


def _norm(values: _Doubles) -> float:
    return math.sqrt(sum(value * value for value in values))


def _range(values: _Doubles) -> float:
    return max(values) - min(values) if values else 0.0


def _deviation(values: _Doubles) -> float:
    if len(values) < 2:
        return 0.0
    mean = _average(values)
    return math.sqrt(sum((value - mean) * (value - mean) for value in values) / (len(values) - 1))


_STATISTICS: dict[str, Callable[[_Doubles], Value]] = {
    "avg": _average,
    "len": lambda values: float(len(values)),
    "max": lambda values: max(values, default=0.0),
    "min": lambda values: min(values, default=0.0),
    "norm": _norm,
    "range": _range,
    "std": _deviation,
    "sum": lambda values: float(sum(values)),
    "vec": lambda values: values,
}


def _logarithm(of: Callable[[float], float]) -> Callable[[float], float]:
    """IEEE where Python raises: minus infinity of 0, no number of what is negative."""

    def component(value: float) -> float:
        if value == 0:
            return -math.inf
        return math.nan if value < 0 else of(value)

    return component


def _whole(of: Callable[[float], int]) -> Callable[[float], float]:
    return lambda value: float(of(value)) if math.isfinite(value) else value


def _away_from_zero(value: float) -> int:
    whole = math.trunc(value)
    # Compared, not added 0.5: 0.49999999999999994 + 0.5 is 1.
    return whole + (1 if value > 0 else -1) if abs(value - whole) >= 0.5 else whole


_COMPONENTWISE: dict[str, Callable[[float], float]] = {
    "lg": _logarithm(math.log2),
    "ln": _logarithm(math.log),
    "log": _logarithm(math.log10),
    "ceil": _whole(math.ceil),
    "floor": _whole(math.floor),
    "round": _whole(_away_from_zero),
}


def _componentwise(component: Callable[[float], float], arguments: tuple[Value, ...]) -> Value:
    if len(arguments) == 1 and isinstance(plain(arguments[0]), float):
        return component(double(arguments[0]))
    return tuple(map(component, flat(arguments)))


def _refuse_count(name: str, arguments: tuple[Value, ...], *allowed: int) -> None:
    if len(arguments) not in allowed:
        expected = " or ".join(map(str, allowed))
        raise Refused(f"Wrong number of arguments: {name} takes {expected}, {len(arguments)} given")


def _vector_and_number(name: str, arguments: tuple[Value, ...]) -> tuple[_Doubles, float]:
    _refuse_count(name, arguments, 2)
    vector = arguments[0]
    if not isinstance(vector, tuple):
        raise Refused(f"Type mismatch: doubleVec expected, {type_name(vector)} found")
    return vector, double(arguments[1])


def _percentile(name: str, arguments: tuple[Value, ...], _: Circumstances) -> Value:
    vector, rank = _vector_and_number(name, arguments)
    if not 0 <= rank <= 100:
        raise Refused(f"Out of range: percentile {rank:g}, 0 to 100 expected")
    if not vector:
        return 0.0
    return sorted(vector)[max(0, math.ceil(rank / 100 * len(vector)) - 1)]


def _element(name: str, arguments: tuple[Value, ...], _: Circumstances) -> Value:
    vector, index = _vector_and_number(name, arguments)
    if not -1 < index < len(vector):
        raise Refused(f"Out of range: element {index:g} of a doubleVec of {len(vector)}")
    return vector[int(index)]


def _random(name: str, arguments: tuple[Value, ...], circumstances: Circumstances) -> Value:
    _refuse_count(name, arguments, 0)
    return circumstances.dice.random()


def _time(name: str, arguments: tuple[Value, ...], circumstances: Circumstances) -> Value:
    _refuse_count(name, arguments, 0, 1)
    text = arguments[0] if arguments else ""
    if not isinstance(text, str):
        raise Refused(f"Type mismatch: string expected, {type_name(text)} found")
    return _timestamp_from_text(text.strip()) if text else circumstances.now


_OTHERS: dict[str, Callable[[str, tuple[Value, ...], Circumstances], Value]] = {
    "percentile": _percentile,
    "rand": _random,
    "time": _time,
    "val": _element,
}

_W3C = re.compile(
    r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2})"
    r"(?:T(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,7}))?)?"
    r"(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?"
)
_RFC_1123 = re.compile(
    r"(?:[A-Z][a-z]{2}, )?[0-9]{1,2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} (?:GMT|UTC|[+-][0-9]{4})"
)


def _timestamp_from_text(text: str) -> Timestamp:
    try:
        if match := _W3C.fullmatch(text):
            return Timestamp(_ticks_from_w3c(match))
        if _RFC_1123.fullmatch(text):
            return Timestamp(ticks_from_datetime(parsedate_to_datetime(text).astimezone(UTC)))
    except (ValueError, OverflowError) as error:
        raise Refused(f"Invalid time: {text}") from error
    raise Refused(f"Invalid time: {text}")


def _ticks_from_w3c(match: re.Match[str]) -> int:
    """Raises ValueError or OverflowError for a moment that the calendar does not have."""
    year, month, day = int(match["year"]), int(match["month"] or 1), int(match["day"] or 1)
    hour, minute, second = (int(match[name] or 0) for name in ("hour", "minute", "second"))
    moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC) - _offset(match["zone"])
    return ticks_from_datetime(moment) + int((match["fraction"] or "").ljust(7, "0"))


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone == "Z":
        return timedelta()
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    return timedelta(hours=hours, minutes=minutes) * (-1 if zone[0] == "-" else 1)
