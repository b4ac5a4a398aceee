"""When a job schedule makes its jobs: a body -> `Times`.

Place in the pipeline: `sending`, `watch_schedule` and `preflight` ask. In: a schedule as the spec describes it or as
the service returns it. Pure; the present moment is handed in. Source: docstrings of BatchJobScheduleConfiguration in
azure-batch 15.1.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from batchspec.render.model import JsonObject
from batchspec.render.symbolic import Json
from batchspec.spec.durations import NotADuration, duration


@dataclass(frozen=True, slots=True)
class Times:
    """Not before `begin`, not after `end` (UTC; None without), every `interval` (None for a single job)."""

    begin: datetime | None
    end: datetime | None
    interval: timedelta | None

    def last_begin(self, now: datetime) -> datetime | None:
        """The moment after which no new job begins, as far as that is known from `now` on; None where there is none."""
        if self.interval is not None:
            return self.end
        single = max(self.begin or now, now)
        return single if self.end is None else min(single, self.end)


def times_of(schedule: JsonObject | None) -> Times:
    """The times of a schedule; of a wrong body what can be read."""
    plan = (schedule or {}).get("schedule")
    plan = plan if isinstance(plan, dict) else {}
    begin, end = (_moment(plan.get(name)) for name in ("doNotRunUntil", "doNotRunAfter"))
    return Times(begin, end, _length(plan.get("recurrenceInterval")))


def _moment(value: Json) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


def _length(value: Json) -> timedelta | None:
    try:
        return duration(value) if isinstance(value, str) else None
    except NotADuration:
        return None
