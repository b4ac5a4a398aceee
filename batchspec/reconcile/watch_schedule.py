"""Waiting for a job schedule that comes to its end, and how a schedule is: the service -> `Outcome`, `ScheduleState`.

Place in the pipeline: the end of an `apply` whose spec has a schedule, and `status`. It only reads. A poll costs one
request for the schedule, and while it has a job three small ones: its task counts, and the nodes that it waits for.

Decisions: most schedules go on for ever, so `apply` waits only for one that can end within `wait.timeout`: a single job
that is due by then, or a `do_not_run_after` that lies before then. What is waited for is the end of the schedule, and
the tasks of all the jobs that it made count, so that one that failed in between is not lost.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

from batchspec.errors import ServiceRefused, TimedOut
from batchspec.reconcile.clock import Clock
from batchspec.reconcile.failures import failures_of_tasks
from batchspec.reconcile.job_end import check_scheduled
from batchspec.reconcile.observe import newest_job_of
from batchspec.reconcile.outcome import Counts, Group, Outcome, ScheduleState
from batchspec.reconcile.patience import Patience
from batchspec.reconcile.plan_schedule import has_ended
from batchspec.reconcile.pool_health import PoolHealth
from batchspec.reconcile.ports import BatchService, Services
from batchspec.reconcile.report import Advanced, Finished, Reporter, Started
from batchspec.reconcile.schedule_times import times_of
from batchspec.reconcile.tally import counts_of
from batchspec.render.model import Desired, JsonObject


async def schedule_state(schedule_id: str, batch: BatchService) -> ScheduleState:
    """How a schedule is now."""
    there = await batch.get_schedule(schedule_id)
    info = (there or {}).get("executionInfo")
    info = info if isinstance(info, dict) else {}
    newest = newest_job_of(there)
    job = await batch.get_job(newest) if newest is not None else None
    return ScheduleState(
        schedule_id,
        _text(there, "state"),
        next_run=_text(info, "nextRunTime"),
        ended=_text(info, "endTime"),
        newest_job=newest,
        job_state=_text(job, "state"),
    )


def _text(body: JsonObject | None, key: str) -> str | None:
    value = (body or {}).get(key)
    return value if isinstance(value, str) else None


def can_end(desired: Desired, there: JsonObject | None, now: datetime | None = None) -> bool:
    """Whether a schedule has ended, or by its times can do so before the wait is over."""
    now = now or datetime.now(UTC)
    last = times_of(there).last_begin(now)
    return has_ended(there) or (last is not None and last <= now + desired.wait_timeout)


async def check_newest_job(there: JsonObject | None, batch: BatchService) -> None:
    """Raise ServiceRefused when the pool of the schedule's last job could not be made, as far as that is known now."""
    newest = newest_job_of(there)
    if newest is not None:
        check_scheduled(await batch.get_job(newest))


@dataclass(slots=True)
class ScheduleWatch:
    """One wait. The timeout counts from the moment `until_ended` is called."""

    desired: Desired
    services: Services
    report: Reporter
    clock: Clock
    _job: str | None = None
    _health: PoolHealth | None = None
    _last: Counts = field(default_factory=Counts)

    async def until_ended(self) -> Outcome:
        """Wait until the schedule has ended.

        Raises TimedOut, StartTaskFailed, ServiceRefused, and ServiceUnreachable after half a minute without an answer.
        """
        schedule = self.desired.schedule
        assert schedule is not None
        schedule_id, began = schedule.id, self.clock.now()
        self.report(Started("wait"))
        patience = Patience(self.desired.wait_timeout.total_seconds(), self.report, self.clock)
        found = await patience.until(lambda: self._look(schedule_id))
        if found is None:
            raise await self._timed_out(schedule_id)
        counts = found.counts
        text = f"{counts.completed} of {counts.total} completed: {counts.succeeded} succeeded"
        text += f", {counts.failed} failed" if counts.failed else ""
        text += f", {found.blocked} never ran" if found.blocked else ""
        self.report(Finished("wait", text, self.clock.now() - began))
        return found

    async def _look(self, schedule_id: str) -> Outcome | None:
        """One look: how its tasks ended, None while it goes on."""
        there = await self.services.batch.get_schedule(schedule_id)
        if there is None:
            raise ServiceRefused(
                "the schedule was deleted while it was waited for",
                operation="wait for job schedule",
                resource=schedule_id,
                status=404,
                code="JobScheduleNotFound",
                fix="run `apply` again: it makes the schedule anew",
            )
        if has_ended(there):
            return None if there.get("state") == "terminating" else await outcome_of(schedule_id, self.services.batch)
        if (job_id := newest_job_of(there)) is not None:
            await self._look_at_job(job_id)
        return None

    async def _look_at_job(self, job_id: str) -> None:
        counts = await counts_of(self.services.batch, job_id)
        if counts is None:
            return
        if job_id != self._job or self._health is None:  # whose pool may be another
            self._job, self._last = job_id, Counts()
            self._health = PoolHealth(self.desired, self.services.batch, self.report, self.clock)
        if counts != self._last:
            self._last = counts
            detail = (("active", counts.active), ("running", counts.running), ("completed", counts.completed))
            ends = (("succeeded", counts.succeeded), ("failed", counts.failed))
            self.report(Advanced("wait", counts.completed, counts.total, detail=(*detail, *ends)))
        if counts.active:
            await self._health.check(idle=not counts.running)

    async def _timed_out(self, schedule_id: str) -> TimedOut:
        counts, job = self._last, self._job
        text = f"after {self.desired.wait_timeout.total_seconds():.0f} s the schedule {schedule_id} has not ended"
        if job is not None:
            text += f"; its job {job} has {counts.running} running and {counts.active} waiting tasks of {counts.total}"
            text += await self._health.explain() if self._health is not None else ""
        return TimedOut(text, fix="the schedule goes on; `apply` again waits again, or give `wait.timeout` more time")


async def outcome_of(schedule_id: str, batch: BatchService) -> Outcome:
    """How the tasks of all jobs of a schedule ended. Raises ServiceRefused for one whose pool could not be made."""
    total: Counter[str] = Counter()
    groups: list[Group] = []
    async for job in batch.list_jobs_of_schedule(schedule_id, select="id,executionInfo"):
        check_scheduled(job)
        job_id = str(job["id"])
        counts = await counts_of(batch, job_id) or Counts()
        for name in Counts.__slots__:
            total[name] += getattr(counts, name)
        if counts.failed:
            groups += (await failures_of_tasks(batch, job_id))[1]
    counts = Counts(**total)
    return Outcome(counts, counts.active, tuple(groups))
