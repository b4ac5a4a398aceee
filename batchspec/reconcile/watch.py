"""Waiting until every task has ended, or nothing more can happen: the job -> `Outcome`.

Place in the pipeline: after `apply` has added the tasks and given back its lock. It only reads. A poll costs a constant
number of small requests (task counts; while nodes come up, node counts and the pool), ever more slowly as the wait gets
longer; a list is read only when something ended: the failed tasks, or the unfinished ones to see what blocks them.

It stops when nothing more can happen, instead of at the timeout: the start task failed on every node, the pool has no
node and its resize ended in errors, the job was ended, or the tasks left depend on failed ones.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from batchspec.errors import PlanRefused, ServiceUnreachable, TimedOut
from batchspec.reconcile.blocked import blocked_tasks
from batchspec.reconcile.clock import Clock
from batchspec.reconcile.failures import groups
from batchspec.reconcile.outcome import Counts, Outcome
from batchspec.reconcile.pool_health import PoolHealth
from batchspec.reconcile.ports import BatchService, Services
from batchspec.reconcile.report import Advanced, Finished, Noted, Reporter, Started
from batchspec.render.model import Desired, JsonObject

_SHORTEST_POLL_S = 0.2
_LONGEST_POLL_S = 10.0
# A service that does not answer is tried again for this long while waiting, besides the retries of each request.
_RECONNECT_FOR_S = 30.0
_OVER = ("completed", "terminating", "deleting")


@dataclass(frozen=True, slots=True)
class Left:
    """Orphaned tasks of the job, which count in the service's numbers and not in ours. Ids are lower-cased."""

    ids: frozenset[str] = frozenset()
    succeeded: int = 0
    failed: int = 0


@dataclass(slots=True)
class Watch:
    """One wait. `timeout_s` counts from the moment `until_done` is called."""

    desired: Desired
    services: Services
    report: Reporter
    clock: Clock
    left: Left = field(default_factory=Left)
    _last: Counts = field(default_factory=Counts)
    _silent_since: float | None = None

    async def until_done(self) -> Outcome:
        """Wait for the job's tasks.

        Raises TimedOut, StartTaskFailed, ServiceRefused, and ServiceUnreachable after half a minute without an answer.
        """
        job = self.desired.job
        assert job is not None
        began = self.clock.now()
        deadline = began + self.desired.wait_timeout.total_seconds()
        health = PoolHealth(self.desired, self.services.batch, self.report, self.clock)
        self.report(Started("wait"))
        while True:
            over, blocked = await self._poll(job.id, health)
            if over:
                break
            now = self.clock.now()
            if now >= deadline:
                raise self._timed_out(job.id, await health.explain())
            pause = min(max((now - began) / 10, _SHORTEST_POLL_S), _LONGEST_POLL_S)
            await self.clock.sleep(min(pause, deadline - now))
        counts = self._last
        self.report(Finished("wait", _summary(counts, blocked), self.clock.now() - began))
        return await outcome(self.services.batch, job.id, counts, blocked, self.left.ids)

    async def _poll(self, job_id: str, health: PoolHealth) -> tuple[bool, int]:
        """One look: whether it is over, and how many tasks are blocked for ever."""
        try:
            answer = await self._look(job_id, health)
        except ServiceUnreachable as error:
            self._unreachable(error)
            return False, 0
        if self._silent_since is not None:
            self._silent_since = None
            self.report(Noted("the service answers again"))
        return answer

    def _unreachable(self, error: ServiceUnreachable) -> None:
        now = self.clock.now()
        if self._silent_since is None:
            self._silent_since = now
            self.report(Noted(f"{error}; trying again", warning=True))
        elif now - self._silent_since > _RECONNECT_FOR_S:
            error.fix = error.fix or "the run goes on where it can; when the service is back, run `apply` again"
            raise error

    async def _look(self, job_id: str, health: PoolHealth) -> tuple[bool, int]:
        counts = await counts_of(self.services.batch, job_id, self.left)
        if counts is None:
            raise PlanRefused(f"job {job_id} was deleted while its tasks were waited for", fix="run `apply` again")
        if counts != self._last:
            self._last = counts
            self.report(Advanced("wait", counts.completed, counts.total, detail=_detail(counts)))
        if counts.completed == counts.total:
            return await self._nothing_unfinished(job_id), 0
        blocked = await self._blocked(job_id, counts)
        if blocked == counts.active and not counts.running:
            return True, blocked
        await self._job_goes_on(job_id)
        await health.check(idle=not counts.running)
        return False, blocked

    async def _nothing_unfinished(self, job_id: str) -> bool:
        """Task counts are eventually consistent: before a wait ends, the list itself must say so."""
        async for _ in self.services.batch.list_tasks(job_id, filter="state ne 'completed'", select="id,state"):
            return False
        return True

    async def _blocked(self, job_id: str, counts: Counts) -> int:
        if not counts.failed or counts.running or not counts.active:
            return 0
        return await blocked_tasks(self.services.batch, job_id)

    async def _job_goes_on(self, job_id: str) -> None:
        job = await self.services.batch.get_job(job_id)
        state = (job or {}).get("state")
        if job is not None and state in _OVER and await self._unfinished(job_id):
            why = _reason_of_end(job)
            raise TimedOut(
                f"job {job_id} is {state}{why}, with {self._last.active} tasks that never ran",
                fix="look at the job's constraints and onAllTasksComplete, then run `apply` again",
            )

    async def _unfinished(self, job_id: str) -> bool:
        counts = await counts_of(self.services.batch, job_id, self.left)
        if counts is not None:
            self._last = counts
        return counts is not None and counts.completed < counts.total

    def _timed_out(self, job_id: str, why: str) -> TimedOut:
        counts = self._last
        return TimedOut(
            f"after {self.desired.wait_timeout.total_seconds():.0f} s job {job_id} has {counts.running} running and "
            f"{counts.active} waiting tasks of {counts.total}{why}",
            fix="the run goes on; `apply` again waits again, or give `wait.timeout` more time",
        )


def _reason_of_end(job: JsonObject) -> str:
    info = job.get("executionInfo")
    reason = info.get("terminateReason") if isinstance(info, dict) else None
    return f" ({reason})" if reason else ""


async def outcome(
    batch: BatchService, job_id: str, counts: Counts, blocked: int, without: Collection[str] = ()
) -> Outcome:
    """The Outcome for counts that are final; lists the failed tasks only when there are some."""
    failures = await groups(batch, job_id, without=without) if counts.failed else ()
    return Outcome(counts, blocked, failures)


async def counts_of(batch: BatchService, job_id: str, left: Left | None = None) -> Counts | None:
    """Task counts of a job without the orphaned ones, None when the job is not there."""
    answer = await batch.task_counts(job_id)
    if answer is None:
        return None
    numbers = answer.get("taskCounts")
    numbers = numbers if isinstance(numbers, dict) else {}
    counts = Counts(
        **{name: _number(numbers, name) for name in ("active", "running", "completed", "succeeded", "failed")}
    )
    if left is None:
        return counts
    return replace(
        counts,
        completed=max(counts.completed - left.succeeded - left.failed, 0),
        succeeded=max(counts.succeeded - left.succeeded, 0),
        failed=max(counts.failed - left.failed, 0),
    )


def _number(numbers: JsonObject, name: str) -> int:
    value = numbers.get(name)
    return value if isinstance(value, int) else 0


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
        words.append(f"{blocked} blocked by failed dependencies")
    return ", ".join(words)
