"""Jobs in motion: terminate, disable, delete, and what the end of a task means for its job.

Place: under the job handlers; called by nodes when a task ends. In: job keys. Out: job states, stopped tasks. It never
starts a task: the scheduler takes them only from active jobs, so a state is enough to keep new ones from starting.
"""

import asyncio
import json
from collections.abc import Callable
from sqlite3 import Row
from typing import Any

from batchspec.engine import tasks
from batchspec.engine.autopool import AutoPools, PoolNotMade, ends_with
from batchspec.engine.clock import Timer
from batchspec.engine.core import Core
from batchspec.engine.errors import BatchError
from batchspec.engine.folders import job_remains
from batchspec.engine.job_bodies import manager_task
from batchspec.engine.lifecycle import JOB, ExitReaction
from batchspec.engine.store import json_text
from batchspec.engine.task_run import Stop
from batchspec.engine.times import TICKS_PER_S, seconds_from_duration, ticks_from_datetime

_DELETE_CHUNK = 5_000
_REASONS = {"terminate": "TaskFailed", "finish": "JMComplete"}
_STOPS: dict[str, Stop] = {"requeue": "requeue", "terminate": "terminate"}


class Jobs:
    """The life of every job."""

    def __init__(self, core: Core, pools: AutoPools) -> None:
        self._core = core
        self._pools = pools
        self._limits: dict[int, Timer] = {}
        core.task_ended = self.task_ended

    def recover(self) -> None:
        """Go on with what a stopped engine had begun."""
        for job in self._core.store.all("SELECT * FROM jobs WHERE state <> 'completed'"):
            resume: dict[str, Callable[[Row], object]] = {
                "terminating": lambda job: self._core.spawn(self._complete(job["pk"])),
                "disabling": lambda job: self._core.spawn(self._settle_disabled(job["pk"])),
                "deleting": lambda job: self._core.spawn(self._remove(job["pk"])),
            }
            resume.get(job["state"], self.watch)(job)

    def create(self, job_id: str, body: dict[str, Any], pool_id: str | None = None) -> int:
        """Add a job, `body` as `job_bodies` made it; return its stamp. Raises BatchError (409).

        `pool_id` is the auto pool of its schedule, which the job shares.
        """
        store = self._core.store
        if existing := store.find("SELECT state FROM jobs WHERE id = ?", job_id):
            raise BatchError("JobBeingDeleted" if existing["state"] == "deleting" else "JobExists")
        if store.find("SELECT 1 FROM schedules WHERE id = ?", job_id):
            raise BatchError("JobScheduleWithSameIdExists")
        now = store.stamp()
        with store.transaction():
            try:
                pool = pool_id or self._pool_of(body)
            except PoolNotMade as failed:
                pool, body = None, {**body, "schedulingError": failed.error}
            job = self._insert(job_id, body, pool, now)
            if pool is None:
                self.enter(job, "fail", ended=store.stamp())
                return now
            if "jobManagerTask" in body:
                tasks.add(store, job, manager_task(body))
            self.watch(job)
        self._core.wake()
        return now

    def _pool_of(self, body: dict[str, Any]) -> str:
        pool: dict[str, Any] = body["poolInfo"]
        return self._pools.open(pool["autoPoolSpecification"]) if "poolId" not in pool else pool["poolId"]

    def _insert(self, job_id: str, body: dict[str, Any], pool: str | None, now: int) -> Row:
        pk = self._core.store.insert(
            "jobs",
            id=job_id,
            pool=pool,
            state="active",
            state_time=now,
            created=now,
            modified=now,
            priority=body["priority"],
            parallel=body["maxParallelTasks"],
            body=json_text({name: value for name, value in body.items() if name != "id"}),
        )
        return self._core.store.one("SELECT * FROM jobs WHERE pk = ?", pk)

    def watch(self, job: Row) -> None:
        """Obey a new or changed job's constraints and `onAllTasksComplete`."""
        self.watch_limit(job)
        self.check_all_completed(job)

    def watch_limit(self, job: Row) -> None:
        """Terminate the job when its wall clock runs out, counted from its creation."""
        self._forget_limit(job["pk"])
        limit_s = seconds_from_duration(json.loads(job["body"])["constraints"]["maxWallClockTime"])
        if limit_s == float("inf"):
            return
        due = job["created"] + int(limit_s * TICKS_PER_S)
        delay_s = (due - ticks_from_datetime(self._core.clock.now())) / TICKS_PER_S
        self._limits[job["pk"]] = self._core.clock.call_later(max(delay_s, 0.0), lambda: self._expire(job["pk"]))

    def close(self) -> None:
        """Call off every timer."""
        for pk in list(self._limits):
            self._forget_limit(pk)

    def _forget_limit(self, pk: int) -> None:
        timer = self._limits.pop(pk, None)
        if timer is not None:
            timer.cancel()

    def _expire(self, pk: int) -> None:
        job = self._find(pk)
        if job is not None and job["state"] not in ("terminating", "completed", "deleting"):
            self._terminate_in_background(job, "MaxWallClockTimeExpiry")

    def _find(self, pk: int) -> Row | None:
        return self._core.store.find("SELECT * FROM jobs WHERE pk = ?", pk)

    # -- moves

    def enter(self, job: Row, event: str, **columns: Any) -> int:
        """Move a job to the state after `event`; return the stamp. Raises BatchError (409)."""
        now = self._core.store.stamp()
        state = JOB.after(job["state"], event)
        if state != job["state"]:
            columns |= {
                "state": state,
                "state_time": now,
                "previous": job["state"],
                "previous_time": job["state_time"],
            }
        self._core.store.update("jobs", job["pk"], modified=now, **columns)
        return now

    async def terminate(self, job: Row, reason: str, *, force: bool = False) -> None:
        """Begin to terminate a job and wait for it briefly; forced, it does not wait for its release tasks."""
        await self._core.brief(self._terminate_in_background(job, reason, force=force))

    def terminate_for_schedule(self, job: Row) -> "asyncio.Task[None]":
        """Terminate a job because its schedule is; the returned work ends with it."""
        return self._terminate_in_background(job, "TerminateJobSchedule")

    def _terminate_in_background(self, job: Row, reason: str, *, force: bool = False) -> "asyncio.Task[None]":
        self.enter(job, "terminate", reason=reason)
        return self._core.spawn(self._complete(job["pk"], force=force))

    async def _complete(self, pk: int, *, force: bool = False) -> None:
        await self._end_runs(pk, "terminate")
        await self._release(pk, force=force)
        job = self._find(pk)
        if job is not None and job["state"] == "terminating":
            await self._core.written(lambda: self._end(job))

    async def _release(self, pk: int, *, force: bool = False) -> None:
        job = self._find(pk)
        if job is not None and '"jobPreparationTask"' in job["body"]:
            await self._core.preparations.release(job, force=force)

    def _end(self, job: Row) -> None:
        self.enter(job, "completed", ended=self._core.store.stamp())
        self._forget_limit(job["pk"])
        self._close_pool(job)
        self._core.job_ended(job["id"])

    def _close_pool(self, job: Row) -> None:
        if job["pool"] is not None and ends_with("job", json.loads(job["body"])):
            self._pools.close(job["pool"])

    async def disable(self, job: Row, option: str) -> None:
        """Begin to disable a job and wait for it briefly; its running tasks are requeued, ended or waited for."""
        self.enter(job, "disable")
        await self._core.brief(self._disable_in_background(job["pk"], option))

    def _disable_in_background(self, pk: int, option: str) -> Any:
        return self._core.spawn(self._settle_disabled(pk, _STOPS.get(option)))

    async def _settle_disabled(self, pk: int, stop: Stop | None = None) -> None:
        await self._end_runs(pk, stop)
        job = self._find(pk)
        if job is not None and job["state"] == "disabling":
            self.enter(job, "disabled")

    async def _end_runs(self, pk: int, stop: Stop | None) -> None:
        runs = list(self._core.runs.get(pk, ()))
        for run in runs if stop else ():
            run.stop(stop or "requeue")
        for run in runs:
            await run.ended.wait()

    def enable(self, job: Row) -> int:
        """Let a job's tasks be scheduled again; return the stamp."""
        stamp = self.enter(job, "enable")
        self._core.wake()
        return stamp

    async def delete(self, job: Row, *, force: bool = False) -> None:
        """Begin to delete a job with its tasks and their folders, and wait for it briefly."""
        await self._core.brief(self.begin_delete(job, force=force))

    def begin_delete(self, job: Row, *, force: bool = False) -> "asyncio.Task[None]":
        """Begin to delete a job; the returned work ends when it is gone."""
        self.enter(job, "delete")
        return self._core.spawn(self._remove(job["pk"], force=force))

    async def _remove(self, pk: int, *, force: bool = False) -> None:
        await self._end_runs(pk, "delete")
        await self._release(pk, force=force)
        self._forget_limit(pk)
        job = self._find(pk)
        if job is None:
            return
        for folder in self._core.nodes_dir.glob(f"*/*/{job_remains(job['id'])}"):
            self._core.discard(folder)
        self._close_pool(job)
        store = self._core.store
        # Before their tasks: a later task may get the key of one that is gone.
        store.run("DELETE FROM subtasks WHERE task IN (SELECT pk FROM tasks WHERE job = ?)", pk)
        chunk = "DELETE FROM tasks WHERE pk IN (SELECT pk FROM tasks WHERE job = ? LIMIT ?)"
        while store.run(chunk, pk, _DELETE_CHUNK) == _DELETE_CHUNK:  # noqa: ASYNC110 - it waits for nothing:
            # requests come in between the chunks of a long deletion.
            await asyncio.sleep(0)
        with store.transaction():
            for table in ("needs_id", "needs_range", "satisfied", "preparations", "tasks"):
                store.run(f"DELETE FROM {table} WHERE job = ?", pk)
            store.run("DELETE FROM jobs WHERE pk = ?", pk)
            self._core.job_ended(job["id"])

    # -- what the end of a task means

    def task_ended(self, pk: int, effect: ExitReaction | None) -> None:
        """A task of the job completed (`effect`) or went back to the queue (None)."""
        job = self._find(pk) if effect is not None else None
        if job is None or effect is None:
            return
        if job["state"] in ("active", "disabling", "disabled", "enabling"):
            if reason := _REASONS.get(effect.job_action):
                self._terminate_in_background(job, reason)
                return
            if effect.job_action == "disable":
                self.enter(job, "disable")
                self._disable_in_background(pk, "requeue")
                return
        self.check_all_completed(job)

    def check_all_completed(self, job: Row) -> None:
        """Terminate the job if that is what it asks for and none of its tasks is left to complete."""
        if job["state"] != "active" or '"terminatejob"' not in job["body"]:
            return
        if json.loads(job["body"])["onAllTasksComplete"] != "terminatejob":
            return
        if tasks.is_all_completed(self._core.store, job["pk"]):
            self._terminate_in_background(job, "AllTasksComplete")
