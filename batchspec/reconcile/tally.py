"""How many tasks of a wait are where: the service's numbers -> `Counts` of this spec's tasks.

Place in the pipeline: `watch` asks at every poll; `apply` says which tasks are meant. Reads only.

A job of our own is counted by the service: one small request a poll, minus the orphaned tasks, which are ours no more.
These numbers are eventually consistent, so `exact` counts a list when they must be right. In a job that others use too
(`existing: true`) the service's numbers say nothing of our tasks: there a poll lists what has changed its state since
the last one, which is also one request, and remembers.
"""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from batchspec.reconcile.observe import Observed, state_of, time_of
from batchspec.reconcile.outcome import Counts
from batchspec.reconcile.ports import BatchService
from batchspec.render.model import JsonObject

_PROPERTIES = "id,state,executionInfo,stateTransitionTime"
# How far back a poll looks beyond the newest change it has seen: changes may become visible out of order.
_OVERLAP = timedelta(seconds=10)


class Tally(Protocol):
    """The tasks that are waited for."""

    @property
    def expected(self) -> int:
        """How many tasks there must be."""
        ...

    async def counts(self) -> Counts | None:
        """How many are where, perhaps a moment old; None when the job is not there."""
        ...

    async def exact(self) -> Counts:
        """The same from a list of the tasks."""
        ...

    def is_ours(self, task_id: str) -> bool:
        """Whether a task of the job counts."""
        ...


@dataclass(frozen=True, slots=True)
class Left:
    """Orphaned tasks of the job, which count in the service's numbers and not in ours. Ids are lower-cased."""

    ids: frozenset[str] = frozenset()
    succeeded: int = 0
    failed: int = 0


def left_of(observed: Observed, orphaned: tuple[str, ...]) -> Left:
    """The orphaned tasks of a job that stays."""
    ids = frozenset(task_id.casefold() for task_id in orphaned)
    failed = sum(observed.tasks[task_id].failed for task_id in ids)
    return Left(ids, len(ids) - failed, failed)


@dataclass(slots=True)
class OwnJob:
    """All tasks of a job but the orphaned ones; `expected` is how many the spec has."""

    batch: BatchService
    job_id: str
    expected: int
    left: Left = field(default_factory=Left)

    async def counts(self) -> Counts | None:
        """One request."""
        counts = await counts_of(self.batch, self.job_id)
        if counts is None:
            return None
        succeeded = max(counts.succeeded - self.left.succeeded, 0)
        failed = max(counts.failed - self.left.failed, 0)
        return Counts(counts.active, counts.running, succeeded + failed, succeeded, failed)

    async def exact(self) -> Counts:
        """Lists all tasks."""
        tasks = self.batch.list_tasks(self.job_id, select=_PROPERTIES)
        return _counted(Counter([state_of(task) async for task in tasks if self.is_ours(str(task["id"]))]))

    def is_ours(self, task_id: str) -> bool:
        """All but the orphaned."""
        return task_id.casefold() not in self.left.ids


@dataclass(slots=True)
class SharedJob:
    """The tasks with these ids (lower-cased) of a job that holds others' too."""

    batch: BatchService
    job_id: str
    ids: frozenset[str]
    _states: dict[str, str] = field(default_factory=dict)
    _newest: datetime | None = None

    @property
    def expected(self) -> int:
        """Every id is one task."""
        return len(self.ids)

    async def counts(self) -> Counts | None:
        """One list of what changed; at first of everything."""
        since = "" if self._newest is None else (self._newest - _OVERLAP).isoformat().replace("+00:00", "Z")
        changed = f"stateTransitionTime ge DateTime'{since}'" if since else ""
        await self._take(self.batch.list_tasks(self.job_id, filter=changed, select=_PROPERTIES))
        return _counted(Counter(self._states.values()))

    async def exact(self) -> Counts:
        """Lists all tasks, and forgets those that are gone."""
        self._states.clear()
        await self._take(self.batch.list_tasks(self.job_id, select=_PROPERTIES))
        return _counted(Counter(self._states.values()))

    def is_ours(self, task_id: str) -> bool:
        """By id."""
        return task_id.casefold() in self.ids

    async def _take(self, tasks: AsyncIterator[JsonObject]) -> None:
        async for task in tasks:
            moment = time_of(task.get("stateTransitionTime"))
            if moment is not None and (self._newest is None or moment > self._newest):
                self._newest = moment
            if self.is_ours(str(task["id"])):
                self._states[str(task["id"]).casefold()] = state_of(task)


def _counted(states: Counter[str]) -> Counts:
    ended = states["succeeded"] + states["failed"]
    return Counts(states["active"], states["running"], ended, states["succeeded"], states["failed"])


async def counts_of(batch: BatchService, job_id: str) -> Counts | None:
    """The service's counts of a job's tasks, None when the job is not there."""
    answer = await batch.task_counts(job_id)
    if answer is None:
        return None
    numbers = answer.get("taskCounts")
    numbers = numbers if isinstance(numbers, dict) else {}
    return Counts(**{name: _number(numbers, name) for name in Counts.__slots__})


def _number(numbers: JsonObject, name: str) -> int:
    value = numbers.get(name)
    return value if isinstance(value, int) else 0
