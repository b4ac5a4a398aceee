"""The types of the language and what its operators do with them.

Place: under `functions.py` and `evaluate.py`. In: values. Out: values, or `Refused`. Never: knows a variable or a
position.

A double is a `float`, a doubleVec a tuple of floats, a string a `str`; truth is a double, 1 or 0. The table of
operators is the documented one, and two rows that it leaves out although their mirror image is there or plainly
meant: double with doubleVec, and timestamp - timeinterval. Everything else is an evaluation error.

Doubles are IEEE: a division by zero is an infinity, which may be compared and clipped (`min(25, 1/0)` is 25) but is
no target. They are written with six significant digits (recorded: `96.6667`), a doubleVec as `[1,2,3]`, a timestamp
to the millisecond (`2016-10-13T19:18:47.805Z`); a timeinterval as an ISO 8601 duration (our choice, no example is
known).
"""

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from batchspec.engine.autoscale.faults import Refused
from batchspec.engine.times import TICKS_PER_S, datetime_from_ticks, duration_from_seconds, ticks_from_datetime

_FIRST_TICK = ticks_from_datetime(datetime(1, 1, 1, tzinfo=UTC))
_LAST_TICK = ticks_from_datetime(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
_LONGEST_TICKS = 2**63 - 1


@dataclass(frozen=True, slots=True, order=True)
class Timestamp:
    """A moment, in the service's ticks (100 ns since the year 1, UTC)."""

    ticks: int


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """A length of time in ticks of 100 ns; may be negative."""

    ticks: int


@dataclass(frozen=True, slots=True)
class Metric:
    """A sampled variable: an object with methods, and a double where a double is needed."""

    name: str
    current: float


Value: TypeAlias = float | tuple[float, ...] | str | Timestamp | Interval | Metric

INTERVALS = {
    "TimeInterval_Zero": Interval(0),
    "TimeInterval_100ns": Interval(1),
    "TimeInterval_Microsecond": Interval(10),
    "TimeInterval_Millisecond": Interval(10_000),
    "TimeInterval_Second": Interval(TICKS_PER_S),
    "TimeInterval_Minute": Interval(60 * TICKS_PER_S),
    "TimeInterval_Hour": Interval(3_600 * TICKS_PER_S),
    "TimeInterval_Day": Interval(86_400 * TICKS_PER_S),
    "TimeInterval_Week": Interval(7 * 86_400 * TICKS_PER_S),
    "TimeInterval_Year": Interval(365 * 86_400 * TICKS_PER_S),
}
"""A year is 365 days (the service says no more than "year")."""

_MEMBERS: dict[str, Callable[[datetime], int]] = {
    "year": lambda moment: moment.year,
    "month": lambda moment: moment.month,
    "day": lambda moment: moment.day,
    "weekday": lambda moment: moment.isoweekday(),
    "hour": lambda moment: moment.hour,
    "minute": lambda moment: moment.minute,
    "second": lambda moment: moment.second,
}

_TYPE_NAMES: dict[type, str] = {
    float: "double",
    tuple: "doubleVec",
    str: "string",
    Timestamp: "timestamp",
    Interval: "timeinterval",
    Metric: "double",
}


def type_name(value: Value) -> str:
    """What the documentation calls the type of a value."""
    return _TYPE_NAMES[type(value)]


def plain(value: Value) -> Value:
    """A sampled variable as the double it is now; anything else as it is."""
    return value.current if isinstance(value, Metric) else value


def double(value: Value) -> float:
    """A value where a double is needed."""
    found = plain(value)
    if not isinstance(found, float):
        raise Refused(f"Type mismatch: double expected, {type_name(value)} found")
    return found


def timestamp(ticks: float) -> Timestamp:
    """A moment, if the calendar has it (years 1 to 9999)."""
    if not _FIRST_TICK <= ticks <= _LAST_TICK:
        raise Refused("Out of range: no such timestamp")
    return Timestamp(int(ticks))


def interval(ticks: float) -> Interval:
    """A length of time, if it can be counted in 64 bits."""
    if not -_LONGEST_TICKS <= ticks <= _LONGEST_TICKS:
        raise Refused("Out of range: no such timeinterval")
    return Interval(round(ticks))


def member(value: Value, name: str) -> Value:
    """`value.name`: the parts of a timestamp are all there is."""
    if not isinstance(value, Timestamp) or name not in _MEMBERS:
        raise Refused(f"Undefined member: {type_name(value)} has no {name}")
    return float(_MEMBERS[name](datetime_from_ticks(value.ticks)))


def text_from_value(value: Value) -> str:
    """A value as the `results` of an evaluation have it."""
    match plain(value):
        case float() as number:
            return f"{number:g}"
        case tuple() as numbers:
            return f"[{','.join(f'{number:g}' for number in numbers)}]"
        case Timestamp(ticks):
            return datetime_from_ticks(ticks).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
        case Interval(ticks):
            return f"{'-' if ticks < 0 else ''}{duration_from_seconds(abs(ticks) / TICKS_PER_S)}"
        case other:
            return str(other)


def _divided(left: float, right: float) -> float:
    if right:
        return left / right
    return math.nan if not left or math.isnan(left) else math.copysign(math.inf, left) * math.copysign(1.0, right)


def _vectors(apply: Callable[[float, float], float]) -> Callable[[Any, Any], Value]:
    def each(left: tuple[float, ...], right: tuple[float, ...]) -> Value:
        if len(left) != len(right):
            raise Refused(f"Length mismatch: doubleVec of {len(left)} and doubleVec of {len(right)}")
        return tuple(map(apply, left, right))

    return each


def _vector_left(apply: Callable[[float, float], float]) -> Callable[[Any, Any], Value]:
    return lambda left, right: tuple(apply(item, right) for item in left)


def _vector_right(apply: Callable[[float, float], float]) -> Callable[[Any, Any], Value]:
    return lambda left, right: tuple(apply(left, item) for item in right)


def _truth(holds: Callable[[Any, Any], bool]) -> Callable[[Any, Any], Value]:
    return lambda left, right: float(holds(left, right))


_Operation = Callable[[Any, Any], Value]


def _table() -> dict[tuple[str, type, type], _Operation]:
    table: dict[tuple[str, type, type], _Operation] = {
        ("*", float, Interval): lambda left, right: interval(left * right.ticks),
        ("*", Interval, float): lambda left, right: interval(left.ticks * right),
        ("/", Interval, float): lambda left, right: interval(_divided(left.ticks, right)),
        ("+", Interval, Interval): lambda left, right: interval(left.ticks + right.ticks),
        ("-", Interval, Interval): lambda left, right: interval(left.ticks - right.ticks),
        ("+", Interval, Timestamp): lambda left, right: timestamp(left.ticks + right.ticks),
        ("+", Timestamp, Interval): lambda left, right: timestamp(left.ticks + right.ticks),
        ("-", Timestamp, Interval): lambda left, right: timestamp(left.ticks - right.ticks),
        ("-", Timestamp, Timestamp): lambda left, right: interval(left.ticks - right.ticks),
    }
    arithmetic = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": _divided}
    for sign, apply in arithmetic.items():
        table[sign, float, float] = apply
        table[sign, tuple, tuple] = _vectors(apply)
        table[sign, tuple, float] = _vector_left(apply)
        table[sign, float, tuple] = _vector_right(apply)
    comparisons = {
        "<": operator.lt,
        "<=": operator.le,
        "==": operator.eq,
        ">=": operator.ge,
        ">": operator.gt,
        "!=": operator.ne,
    }
    for sign, holds in comparisons.items():
        for kind in (float, str, Timestamp, Interval):
            table[sign, kind, kind] = _truth(holds)
    return table


_OPERATIONS = _table()


def binary(sign: str, left: Value, right: Value) -> Value:
    """`left sign right`, for every operator but `&&` and `||`, which may not need their right side."""
    left, right = plain(left), plain(right)
    apply = _OPERATIONS.get((sign, type(left), type(right)))
    if apply is None:
        raise Refused(f"Type mismatch: {type_name(left)} {sign} {type_name(right)}")
    return apply(left, right)


def unary(sign: str, operand: Value) -> Value:
    """`-operand` of a double or a timeinterval, `!operand` of a double."""
    match sign, plain(operand):
        case "-", float() as number:
            return -number
        case "-", Interval(ticks):
            return Interval(-ticks)
        case "!", float() as number:
            return float(not number)
    raise Refused(f"Type mismatch: {sign} {type_name(operand)}")
