"""The methods of a sampled variable.

Place: beside `functions.py`, under `evaluate.py`. In: a series, a method's name and arguments. Out: a value, or
`Refused`.

    GetSample(double count [, double samplePercent])
    GetSample((timestamp | timeinterval) start [, (timestamp | timeinterval) end] [, double samplePercent])
    GetSamplePercent((timestamp | timeinterval) start [, (timestamp | timeinterval) end])
    GetSamplePeriod()   Count()   HistoryBeginTime()

A timeinterval looks back from the time of the evaluation. Without an end a window ends there. The percentage a count
of samples is measured by is that count (it is not documented). The history of a variable without samples begins now.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from batchspec.engine.autoscale import samples
from batchspec.engine.autoscale.faults import Refused, TooFewSamples
from batchspec.engine.autoscale.samples import Sample
from batchspec.engine.autoscale.values import Interval, Timestamp, Value, double, timestamp, type_name
from batchspec.engine.times import ticks_from_datetime

_MOST_SAMPLES = 1e9


@dataclass(frozen=True, slots=True)
class History:
    """What was measured of one variable, as seen at one moment; `current` counts only while there is no sample."""

    variable: str
    series: Sequence[Sample]
    now: Timestamp
    current: float

    def newest(self, count: int) -> tuple[float, ...]:
        """The last samples, newest last; what is now, if there is none and nodes are not needed to know it."""
        found = samples.newest(self.series, count, until=self.now.ticks)
        if found or not count or self.variable in samples.RESOURCES:
            return _doubles(found)
        return (self.current,)

    def between(self, begin: int, end: int) -> tuple[float, ...]:
        """The samples of a window, newest last."""
        return _doubles(samples.window(self.series, begin, end))


def _doubles(found: Sequence[Sample]) -> tuple[float, ...]:
    return tuple([float(sample.value) for sample in found])


def knows(name: str) -> bool:
    """Whether there is a method of this name."""
    return name in _METHODS


def call(history: History, name: str, arguments: tuple[Value, ...]) -> Value:
    """The value of a method that `knows` says there is. Raises `Refused`."""
    most = _METHODS[name][0]
    if len(arguments) > most:
        raise Refused(f"Wrong number of arguments: {name} takes at most {most}, {len(arguments)} given")
    return _METHODS[name][1](history, arguments)


def _is_time(value: Value) -> bool:
    return isinstance(value, Timestamp | Interval)


def _moment(value: Value, now: Timestamp) -> int:
    if isinstance(value, Timestamp):
        return value.ticks
    if isinstance(value, Interval):
        return timestamp(now.ticks - value.ticks).ticks
    raise Refused(f"Type mismatch: timestamp or timeinterval expected, {type_name(value)} found")


def _bounds(history: History, times: Sequence[Value]) -> tuple[int, int]:
    begin = _moment(times[0], history.now)
    return begin, _moment(times[1], history.now) if len(times) > 1 else history.now.ticks


def _get_sample(history: History, arguments: tuple[Value, ...]) -> Value:
    if not arguments:
        raise Refused("Wrong number of arguments: GetSample takes 1 to 3, 0 given")
    times = arguments[:2] if len(arguments) > 1 and _is_time(arguments[1]) else arguments[:1]
    wanted = arguments[len(times) :]
    if len(wanted) > 1:
        raise Refused(f"Type mismatch: timestamp or timeinterval expected, {type_name(arguments[1])} found")
    if _is_time(arguments[0]):
        begin, end = _bounds(history, times)
        found = history.between(begin, end)
        received = samples.percent(len(found), begin, end)
    else:
        count = _count(arguments[0])
        found = history.newest(count)
        received = 100.0 * len(found) / count if count else 100.0
    if wanted and received < double(wanted[0]):
        raise TooFewSamples(
            f"Insufficient data from data set: {history.variable} wanted {double(wanted[0]):g}%, received {received:g}%"
        )
    return found


def _count(value: Value) -> int:
    number = double(value)
    if not number >= 0:
        raise Refused(f"Out of range: {number:g} samples")
    return int(min(number, _MOST_SAMPLES))


def _get_sample_percent(history: History, arguments: tuple[Value, ...]) -> Value:
    if not arguments:
        raise Refused("Wrong number of arguments: GetSamplePercent takes 1 or 2, 0 given")
    begin, end = _bounds(history, arguments)
    return samples.percent(len(history.between(begin, end)), begin, end)


def _history_begin(history: History, _: tuple[Value, ...]) -> Value:
    if not history.series:
        return history.now
    return Timestamp(ticks_from_datetime(history.series[0].at))


_METHODS: dict[str, tuple[int, Callable[[History, tuple[Value, ...]], Value]]] = {
    "GetSample": (3, _get_sample),
    "GetSamplePercent": (2, _get_sample_percent),
    "GetSamplePeriod": (0, lambda _history, _arguments: Interval(samples.PERIOD_TICKS)),
    "Count": (0, lambda history, _arguments: float(len(history.series))),
    "HistoryBeginTime": (0, _history_begin),
}
