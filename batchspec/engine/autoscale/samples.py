"""What a formula can measure, and how it reads it.

Place: the port between formulas and whoever records samples. In: time series of the sampled variables. Out: vectors
and percentages for `GetSample` and `GetSamplePercent`. Never: records anything.

A sample is 30 seconds worth of metrics (documented). Decisions where the documentation is silent:
- A window is what lies after its older end, up to and with its newer end; which end comes first in the formula does
  not matter (the published examples write the newer one first). So ten minutes of a full history are exactly 20
  samples.
- The percentage is samples found of samples possible, at most 100 (recorded: 29 of 30 reads `96.6667`). A window
  shorter than a period can hold one sample, an empty one none (0 percent).
- A vector of samples is in the order of time, the newest last.
- `GetSample` asks for no percentage unless the formula does, and a window without samples is an empty vector (a formula
  of batch-shipyard averages a history that is still empty, and runs). A count of samples is never empty for tasks and
  nodes: before the first sample it finds what is now (the same formula takes element 0 of `GetSample(1)` then).

Whoever records samples should take one of the tasks and nodes when a pool is made, before its formula is evaluated
first: `min(25, $PreemptedNodeCount.GetSample(...))` of Microsoft's page is 0 only if there is a sample.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from batchspec.engine.times import TICKS_PER_S, ticks_from_datetime

SAMPLE_PERIOD = timedelta(seconds=30)
PERIOD_TICKS = int(SAMPLE_PERIOD.total_seconds()) * TICKS_PER_S

RESOURCES = frozenset(
    {
        "$CPUPercent",
        "$WallClockSeconds",
        "$MemoryBytes",
        "$DiskBytes",
        "$DiskReadBytes",
        "$DiskWriteBytes",
        "$DiskReadOps",
        "$DiskWriteOps",
        "$NetworkInBytes",
        "$NetworkOutBytes",
        "$SampleNodeCount",
    }
)
"""What is measured on nodes; a pool without nodes has none of it."""

_TASKS = frozenset({"$ActiveTasks", "$RunningTasks", "$PendingTasks", "$SucceededTasks", "$FailedTasks"})
_NODES = frozenset(
    {
        "$TaskSlotsPerNode",
        "$CurrentDedicatedNodes",
        "$CurrentLowPriorityNodes",
        "$PreemptedNodeCount",
        "$UsableNodeCount",
    }
)

VARIABLES = RESOURCES | _TASKS | _NODES
"""Every read-only variable of the service, in the names a `Samples` is asked by."""

ALIASES = {"$CurrentDedicated": "$CurrentDedicatedNodes", "$CurrentLowPriority": "$CurrentLowPriorityNodes"}
"""Older names that formulas still use (Az.Batch documentation)."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement; `at` has a time zone (without one it is UTC)."""

    at: datetime
    value: float


class Samples(Protocol):
    """What was measured of one pool; asked only for names in `VARIABLES`."""

    def series(self, variable: str) -> Sequence[Sample]:
        """All samples kept of a variable, oldest first; empty when there are none."""
        ...

    def current(self, variable: str) -> float:
        """The value of the bare variable, as in `$TargetDedicatedNodes = $PendingTasks`: what it is now."""
        ...


@dataclass(frozen=True, slots=True)
class RecordedSamples:
    """`Samples` from plain data: a variable that is not in `now` has its newest sample's value, else 0."""

    recorded: Mapping[str, Sequence[Sample]] = field(default_factory=dict)
    now: Mapping[str, float] = field(default_factory=dict)

    def series(self, variable: str) -> Sequence[Sample]:
        return self.recorded.get(variable, ())

    def current(self, variable: str) -> float:
        if variable in self.now:
            return self.now[variable]
        series = self.series(variable)
        return series[-1].value if series else 0.0


def newest(series: Sequence[Sample], count: int, *, until: int) -> Sequence[Sample]:
    """The last `count` samples up to a moment (ticks); fewer when there are fewer."""
    end = _after(series, until)
    return series[max(0, end - count) : end]


def window(series: Sequence[Sample], begin: int, end: int) -> Sequence[Sample]:
    """The samples between two moments (ticks), in either order."""
    older, newer = min(begin, end), max(begin, end)
    return series[_after(series, older) : _after(series, newer)]


def percent(found: int, begin: int, end: int) -> float:
    """How much of what a window (ticks) can hold was found, 0 to 100."""
    length = abs(end - begin)
    if not length:
        return 0.0
    possible = max(1, length // PERIOD_TICKS)
    return min(100.0, 100.0 * found / possible)


def _after(series: Sequence[Sample], moment: int) -> int:
    """Index of the first sample later than a moment."""
    return bisect_right(series, moment, key=lambda sample: ticks_from_datetime(sample.at))
