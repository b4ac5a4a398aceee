"""Job schedules in motion: the right job at the right time, never two at once.

Place: under the schedule handlers, above the jobs; told when a job ends. In: schedule rows, the clock. Out: jobs, and
the states of schedules. One timer per active schedule, none while its job runs with nothing else due.

Decisions (source: JobScheduleConfiguration's description):
- `due` is the next time a job is to be created; it is kept, so that a restart misses and repeats nothing.
- What is due while a job is active waits for its end, but not past its start window nor past the next recurrence:
  then it is skipped.
- Without a recurrence there is one job, and the schedule completes with it; with one, when no time before
  `doNotRunAfter` is left and no job is active.
- Times that lie in the past when a schedule is created count: of those that recur the last one is due now.
"""

import json
import logging
from collections.abc import Mapping
from sqlite3 import Row
from typing import Any

from batchspec.engine.autopool import AutoPools, PoolNotMade, ends_with
from batchspec.engine.clock import Timer
from batchspec.engine.core import Core
from batchspec.engine.errors import BatchError
from batchspec.engine.folders import job_remains
from batchspec.engine.jobs import Jobs
from batchspec.engine.lifecycle import SCHEDULE
from batchspec.engine.store import json_text
from batchspec.engine.times import TICKS_PER_S, seconds_from_duration, ticks_from_datetime, ticks_from_text

_log = logging.getLogger("batchspec.engine")

_RETRY_S = 15.0
# A timer of the event loop must not lie years ahead.
_LONGEST_SLEEP_S = 86_400.0


class Schedules:
    """The life of every job schedule."""

    def __init__(self, core: Core, jobs: Jobs, pools: AutoPools) -> None:
        self._core = core
        self._jobs = jobs
        self._pools = pools
        self._timers: dict[int, Timer] = {}
        core.job_ended = self.job_ended

    def recover(self) -> None:
        """Go on with what a stopped engine had begun."""
        for row in self._core.store.all("SELECT * FROM schedules WHERE state <> 'completed'"):
            if row["state"] == "terminating":
                self._core.spawn(self._complete(row["pk"]))
            elif row["state"] == "deleting":
                self._core.spawn(self._remove(row["pk"]))
            else:
                self.look(row["pk"])

    def close(self) -> None:
        """Call off every timer."""
        for pk in list(self._timers):
            self._forget_timer(pk)

    @property
    def are_waiting(self) -> bool:
        """Whether a schedule will create a job sooner or later."""
        return bool(self._timers)

    # -- what clients do

    def create(self, body: dict[str, Any]) -> int:
        """Add a schedule, and its first job if that is due; return the stamp. Raises BatchError (409)."""
        store, schedule_id = self._core.store, body["id"]
        if existing := store.find("SELECT state FROM schedules WHERE id = ?", schedule_id):
            raise BatchError("JobScheduleBeingDeleted" if existing["state"] == "deleting" else "JobScheduleExists")
        if store.find("SELECT 1 FROM jobs WHERE id = ?", schedule_id):
            raise BatchError("JobWithSameIdExists")
        now = store.stamp()
        with store.transaction():
            pk = store.insert(
                "schedules",
                id=schedule_id,
                state="active",
                state_time=now,
                created=now,
                modified=now,
                due=_first(body["schedule"], now),
                **_limits(body["schedule"]),
                body=json_text({name: value for name, value in body.items() if name != "id"}),
            )
            self.look(pk)
        return now

    def change(self, row: Row, body: dict[str, Any]) -> int:
        """Take over a changed schedule, for the jobs to come; return the stamp. Raises BatchError (409)."""
        SCHEDULE.after(row["state"], "change")
        now = self._core.store.stamp()
        columns: dict[str, Any] = {"body": json_text(body), "modified": now}
        if body["schedule"] != json.loads(row["body"])["schedule"]:
            columns |= {**_limits(body["schedule"]), "due": _next_after_change(row, body["schedule"], now)}
        with self._core.store.transaction():
            self._core.store.update("schedules", row["pk"], **columns)
            self.look(row["pk"])
        return now

    def switch(self, row: Row, event: str) -> int:
        """Enable or disable; return the stamp. Raises BatchError (409)."""
        stamp = self._enter(row, event)
        self.look(row["pk"])
        return stamp

    async def terminate(self, row: Row) -> None:
        """Begin to terminate a schedule with its active job, and wait for it briefly."""
        self._enter(row, "terminate")
        self._forget_timer(row["pk"])
        await self._core.brief(self._core.spawn(self._complete(row["pk"])))

    async def delete(self, row: Row) -> None:
        """Begin to delete a schedule with its jobs, and wait for it briefly."""
        self._enter(row, "delete")
        self._forget_timer(row["pk"])
        await self._core.brief(self._core.spawn(self._remove(row["pk"])))

    def _enter(self, row: Row, event: str, **columns: Any) -> int:
        now = self._core.store.stamp()
        state = SCHEDULE.after(row["state"], event)
        if state != row["state"]:
            columns |= {"state": state, "state_time": now, "previous": row["state"], "previous_time": row["state_time"]}
        self._core.store.update("schedules", row["pk"], modified=now, **columns)
        return now

    async def _complete(self, pk: int) -> None:
        row = self._find(pk)
        for job in self._jobs_of(row) if row else ():
            if job["state"] not in ("completed", "terminating", "deleting"):
                await self._jobs.terminate_for_schedule(job)
        row = self._find(pk)
        if row is not None and row["state"] == "terminating":
            self._end(row)

    async def _remove(self, pk: int) -> None:
        row = self._find(pk)
        if row is None:
            return
        for job in self._jobs_of(row):
            await self._jobs.begin_delete(job)
        for folder in self._core.nodes_dir.glob(f"*/*/{job_remains(row['id'])}"):
            self._core.discard(folder)
        self._close_pool(row)
        self._core.store.run("DELETE FROM schedules WHERE pk = ?", pk)

    # -- what time does

    def job_ended(self, job_id: str) -> None:
        """A job completed or is gone; if a schedule made it, the next one may be due."""
        schedule_id, colon, _ = job_id.partition(":")
        row = self._core.store.find("SELECT * FROM schedules WHERE id = ?", schedule_id) if colon else None
        if row is not None:
            self.look(row["pk"])

    def look(self, pk: int) -> None:
        """Do what is due: create a job, complete the schedule, or wait for the next time."""
        self._forget_timer(pk)
        row = self._find(pk)
        if row is None or row["state"] != "active":
            return
        now, plan = self._now(), json.loads(row["body"])["schedule"]
        due = current_due(plan, row["due"], row["not_after"], now)
        if due != row["due"]:
            self._core.store.update("schedules", pk, due=due)
        is_active = any(job["state"] not in ("completed", "deleting") for job in self._jobs_of(row))
        if due is None:
            if not is_active:
                self._end(row)
        elif due > now:
            self._wait(pk, due - now)
        elif is_active:
            # Until its end; but what is due now may be skipped by then.
            self._wait(pk, _patience(plan))
        else:
            self._start_job(row, due, plan)

    def _start_job(self, row: Row, due: int, plan: Mapping[str, Any]) -> None:
        interval = _ticks(plan.get("recurrenceInterval"))
        number = row["jobs"] + 1
        specification = json.loads(row["body"])["jobSpecification"]
        following = None if interval is None else due + interval
        try:
            with self._core.store.transaction():
                self._jobs.create(f"{row['id']}:job-{number}", specification, self._shared_pool(row, specification))
                self._core.store.update("schedules", row["pk"], due=following, last_due=due, jobs=number)
        except BatchError as error:
            # A quota, say: it is tried again as long as the time is not missed.
            _log.warning("job schedule %s: no job could be created: %s", row["id"], error)
            self._wait(row["pk"], _RETRY_S * TICKS_PER_S)
        else:
            self.look(row["pk"])

    def _shared_pool(self, row: Row, specification: dict[str, Any]) -> str | None:
        auto_pool = specification["poolInfo"].get("autoPoolSpecification", {})
        if auto_pool.get("poolLifetimeOption") != "jobschedule":
            return None
        if row["pool"] is not None and self._core.store.find("SELECT 1 FROM pools WHERE id = ?", row["pool"]):
            return str(row["pool"])
        try:
            pool_id = self._pools.open(auto_pool)
        except PoolNotMade:
            # The job finds the same fault, and shows it.
            return None
        self._core.store.update("schedules", row["pk"], pool=pool_id)
        return pool_id

    def _end(self, row: Row) -> None:
        self._forget_timer(row["pk"])
        with self._core.store.transaction():
            self._enter(row, "complete", ended=self._core.store.stamp(), due=None)
            self._close_pool(row)

    def _close_pool(self, row: Row) -> None:
        if row["pool"] is not None and ends_with("jobschedule", json.loads(row["body"])["jobSpecification"]):
            self._pools.close(row["pool"])

    def _wait(self, pk: int, ticks: float) -> None:
        delay_s = min(max(ticks / TICKS_PER_S, 0.0), _LONGEST_SLEEP_S)
        self._timers[pk] = self._core.clock.call_later(delay_s, lambda: self.look(pk))

    def _forget_timer(self, pk: int) -> None:
        timer = self._timers.pop(pk, None)
        if timer is not None:
            timer.cancel()

    def _jobs_of(self, row: Row) -> list[Row]:
        # ';' comes after ':': all ids that begin with the schedule's and a colon, by the index.
        sql = "SELECT * FROM jobs WHERE id > ? AND id < ? ORDER BY pk"
        return self._core.store.all(sql, f"{row['id']}:", f"{row['id']};")

    def _find(self, pk: int) -> Row | None:
        return self._core.store.find("SELECT * FROM schedules WHERE pk = ?", pk)

    def _now(self) -> int:
        return ticks_from_datetime(self._core.clock.now())


def _ticks(duration: str | None) -> int | None:
    """Ticks of a duration, None when there is none or no end of it."""
    seconds = seconds_from_duration(duration) if duration is not None else float("inf")
    return None if seconds == float("inf") else int(seconds * TICKS_PER_S)


def _limits(plan: Mapping[str, Any]) -> dict[str, int | None]:
    names = {"not_before": "doNotRunUntil", "not_after": "doNotRunAfter"}
    return {column: ticks_from_text(plan[name]) if name in plan else None for column, name in names.items()}


def _first(plan: Mapping[str, Any], now: int) -> int:
    return ticks_from_text(plan["doNotRunUntil"]) if "doNotRunUntil" in plan else now


def _next_after_change(row: Row, plan: Mapping[str, Any], now: int) -> int | None:
    """When the next job is due under a changed plan: the last one's time stays the first of the new series."""
    first = _first(plan, now)
    if row["last_due"] is None or first > now:
        return first
    interval = _ticks(plan.get("recurrenceInterval"))
    return None if interval is None else int(row["last_due"]) + interval


def _patience(plan: Mapping[str, Any]) -> float:
    limits = [_ticks(plan.get(name)) for name in ("startWindow", "recurrenceInterval")]
    return min((limit + TICKS_PER_S for limit in limits if limit is not None), default=float("inf"))


def current_due(plan: Mapping[str, Any], due: int | None, not_after: int | None, now: int) -> int | None:
    """`due`, or the first later time that has not been missed; None when there is none any more."""
    interval, window = _ticks(plan.get("recurrenceInterval")), _ticks(plan.get("startWindow"))
    if due is not None and interval is not None and now >= due + interval:
        due += (now - due) // interval * interval
    if due is not None and window is not None and now > due + window:
        due = None if interval is None else due + interval
    is_over = not_after is not None and max(due or 0, now) > not_after
    return None if is_over else due
