"""Waiting until every task has ended, or nothing more can happen: the job -> `Outcome`.

Place in the pipeline: after `apply` has added the tasks and given back its lock. It only reads, but for what `waking`
writes. A poll costs a constant number of small requests (task counts, the job, what failed of its preparation where it
has one; while nothing runs or nodes come up, node counts and the pool), ever more slowly as the wait gets longer; a
list is read only when something ended: the failed tasks, or the unfinished ones to see what blocks them.

It stops when nothing more can happen, instead of at the timeout: the start task or the job preparation task failed on
every node, the pool has no node and its resize ended in errors, the job was ended, or the tasks left depend on failed
ones.
"""

from dataclasses import dataclass, field

from batchspec.errors import ServiceRefused, TimedOut
from batchspec.reconcile.blocked import blocked_tasks
from batchspec.reconcile.clock import Clock
from batchspec.reconcile.failures import failures_of_tasks
from batchspec.reconcile.job_end import reason_of_end
from batchspec.reconcile.outcome import Counts, Outcome
from batchspec.reconcile.patience import Patience
from batchspec.reconcile.pool_health import PoolHealth
from batchspec.reconcile.ports import Services
from batchspec.reconcile.report import Advanced, Finished, Noted, Reporter, Started
from batchspec.reconcile.tally import Tally
from batchspec.reconcile.waking import Waking
from batchspec.reconcile.watch_preparation import Preparation
from batchspec.render.model import Desired, JsonObject


@dataclass(slots=True)
class Watch:
    """One wait. `timeout_s` counts from the moment `until_done` is called."""

    desired: Desired
    services: Services
    report: Reporter
    clock: Clock
    tally: Tally
    _last: Counts = field(default_factory=Counts)
    _blocked: tuple[Counts, int] = field(default=(Counts(), 0))
    _told_disabled: bool = False
    _waking: Waking = field(init=False)
    _preparation: Preparation = field(init=False)

    def __post_init__(self) -> None:
        self._waking = Waking(self.services.batch, self.report, self.clock)
        self._preparation = Preparation(self.desired, self.services.batch, self.report)

    async def until_done(self) -> Outcome:
        """Wait for the job's tasks.

        Raises TimedOut, StartTaskFailed, PreparationFailed, ServiceRefused, and ServiceUnreachable after half a minute
        without an answer.
        """
        job = self.desired.job
        assert job is not None
        began = self.clock.now()
        job_id, health = job.id, PoolHealth(self.desired, self.services.batch, self.report, self.clock)
        self.report(Started("wait"))
        patience = Patience(self.desired.wait_timeout.total_seconds(), self.report, self.clock)
        ended = await patience.until(lambda: self._look(job_id, health))
        if ended is None:
            raise self._timed_out(job_id, await health.explain())
        await health.last_look()
        await self._preparation.last_look()
        self.report(Finished("wait", _summary(ended.counts, ended.blocked), self.clock.now() - began))
        return ended

    async def _look(self, job_id: str, health: PoolHealth) -> Outcome | None:
        """One look: how it ended, None while it goes on."""
        counts = await self.tally.counts()
        if counts is None:
            raise _gone(job_id)
        self._tell(counts)
        if counts.completed == counts.total:
            return await self._finished(job_id)
        blocked = await self._count_blocked(job_id, counts)
        if blocked == counts.active and not counts.running:
            return await self._outcome(job_id, counts, blocked)
        job = await self._job(job_id)
        ended = await self._ended_early(job)
        if ended is None:
            await health.check(idle=not counts.running)
            await self._preparation.check(job, health.pool, idle=bool(counts.active and not counts.running))
            if self.desired.pool is not None and counts.active and not counts.running:
                await self._waking.look(self.desired.pool, health.pool)
        return ended

    def _tell(self, counts: Counts) -> None:
        if counts != self._last:
            self._last = counts
            self.report(Advanced("wait", counts.completed, counts.total, detail=_detail(counts)))

    async def _finished(self, job_id: str) -> Outcome | None:
        """Task counts are eventually consistent: before a wait ends, the list itself must say so."""
        unfinished = self.services.batch.list_tasks(job_id, filter="state ne 'completed'", select="id,state")
        async for task in unfinished:
            if self.tally.is_ours(str(task["id"])):
                return None
        return await self._outcome(job_id, self._last, 0)

    async def _outcome(self, job_id: str, counts: Counts, blocked: int) -> Outcome:
        """The end; counts that do not fit what the failed tasks say, or what was sent, are counted again one by one."""
        failed, groups = await failures_of_tasks(self.services.batch, job_id, self.tally.is_ours)
        if counts.failed != failed or counts.total < self.tally.expected:
            counts = await self.tally.exact()
            self._tell(counts)
        if counts.total < self.tally.expected:
            raise await self._lost(job_id, self.tally.expected - counts.total)
        return Outcome(counts, blocked, groups)

    async def _lost(self, job_id: str, number: int) -> ServiceRefused:
        if await self.services.batch.get_job(job_id) is None:
            return _gone(job_id)
        return ServiceRefused(
            f"{number} of {self.tally.expected} tasks were deleted while they were waited for",
            operation="wait for job",
            resource=job_id,
            status=404,
            code="TaskNotFound",
            fix="run `apply` again: it adds them anew",
        )

    async def _count_blocked(self, job_id: str, counts: Counts) -> int:
        if not counts.failed or counts.running or not counts.active:
            return 0
        if self._blocked[0] != counts:
            self._blocked = counts, await blocked_tasks(self.services.batch, job_id, self.tally.is_ours)
        return self._blocked[1]

    async def _job(self, job_id: str) -> JsonObject:
        job = await self.services.batch.get_job(job_id)
        if job is None:
            raise _gone(job_id)
        return job

    async def _ended_early(self, job: JsonObject) -> Outcome | None:
        """How it ended when the job takes no more part: by its constraints, by a user, by a task that failed."""
        job_id, state = str(job["id"]), str(job.get("state")).lower()
        if state in ("disabling", "disabled") and not self._told_disabled:
            self._told_disabled = True
            self.report(Noted(f"job {job_id} is {state}: no task starts until it is enabled", warning=True))
        if state != "completed":
            return None
        counts = await self.tally.exact()
        self._tell(counts)
        if counts.running:  # being ended
            return None
        if counts.completed == counts.total:
            return await self._outcome(job_id, counts, 0)
        text = f"job {job_id} is completed{reason_of_end(job)}, with {counts.active} tasks that never ran"
        if not counts.failed:
            raise TimedOut(text, fix="look at the job's constraints and onAllTasksComplete, then run `apply` again")
        self.report(Noted(text, warning=True))
        return await self._outcome(job_id, counts, counts.active)

    def _timed_out(self, job_id: str, why: str) -> TimedOut:
        counts = self._last
        return TimedOut(
            f"after {self.desired.wait_timeout.total_seconds():.0f} s job {job_id} has {counts.running} running and "
            f"{counts.active} waiting tasks of {counts.total}{why}",
            fix="the run goes on; `apply` again waits again, or give `wait.timeout` more time",
        )


def _gone(job_id: str) -> ServiceRefused:
    return ServiceRefused(
        "the job was deleted while its tasks were waited for",
        operation="wait for job",
        resource=job_id,
        status=404,
        code="JobNotFound",
        fix="run `apply` again: it makes the job anew",
    )


def _detail(counts: Counts) -> tuple[tuple[str, int], ...]:
    return (
        ("active", counts.active),
        ("running", counts.running),
        ("completed", counts.completed),
        ("succeeded", counts.succeeded),
        ("failed", counts.failed),
    )


def _summary(counts: Counts, blocked: int) -> str:
    words = [f"{counts.completed} of {counts.total} completed: {counts.succeeded} succeeded"]
    if counts.failed:
        words.append(f"{counts.failed} failed")
    if blocked:
        words.append(f"{blocked} can never run")
    return ", ".join(words)
