"""One task on one node, from its start to its end, retries included.

Place: made by the node when the scheduler gives it a task. In: the task's and the job's rows. Out: changes in the
ledger and the job's reaction. Retries happen in place: the task keeps its slot and its folder, as a retried task that
is scheduled to the same node does.
"""

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from sqlite3 import Row
from typing import Any, Literal

from batchspec.engine import tasks
from batchspec.engine.attempt import Attempt, Work
from batchspec.engine.core import Core
from batchspec.engine.environment import Place, environment
from batchspec.engine.folders import task_folder
from batchspec.engine.lifecycle import TASK_ENDED, ExitReaction, Failure, Outcome, is_retried
from batchspec.engine.multi_instance import Member, Team, team_variables
from batchspec.engine.preparation import preparation_variables
from batchspec.engine.times import seconds_from_duration

_log = logging.getLogger("batchspec.engine")

Stop = Literal["requeue", "terminate", "delete"]
_STRENGTH: dict[Stop, int] = {"requeue": 0, "terminate": 1, "delete": 2}


@dataclass(frozen=True, slots=True)
class Claim:
    """A task that is to begin: the slots it takes, whether it counts among those the machine runs at once, and whether
    its node is still to be prepared for its job."""

    task: Row
    job: Row
    slots: int
    is_counted: bool = True
    prepares: bool = False


@dataclass(frozen=True, slots=True)
class Site:
    """A node as a program sees it, and how the processes there are marked."""

    place: Place
    mark: str


class TaskRun:
    """A task while it occupies slots of a node; `helpers` are the nodes of a multi-instance task's subtasks."""

    def __init__(self, core: Core, place: Place, mark: str, claim: Claim, helpers: Sequence[Site] = ()) -> None:
        task, job = claim.task, claim.job
        self.pk: int = task["pk"]
        self.job: int = job["pk"]
        self.claim = claim
        self.priority: int = job["priority"]
        self.is_preemptible = '"allowTaskPreemption":true' in job["body"]
        self._helpers = helpers
        self.folder = task_folder(place.root, job["id"], task["id"])
        self.succeeded = False
        self.ended = asyncio.Event()
        self._core = core
        self._place = place
        self._mark = mark
        self._ids = (job["id"], task["id"])
        self._body: dict[str, Any] = json.loads(task["body"])
        self._job_body: dict[str, Any] = json.loads(job["body"])
        self._retries: int = task["retries"]
        self._stop: Stop | None = None
        self._by_user = False
        self._attempt: Attempt | Team | None = None
        self._interrupted = asyncio.Event()

    def stop(self, how: Stop, *, by_user: bool = True) -> None:
        """End the task: back to the queue, completed as ended by its user, or gone (the caller removes it)."""
        self._interrupted.set()
        if self._stop is None or _STRENGTH[how] > _STRENGTH[self._stop]:
            self._stop = how
        self._by_user = by_user
        if self._attempt is not None:
            self._attempt.stop()

    @property
    def is_stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stop is not None

    async def run(self) -> Outcome:
        """Run until the last attempt has ended or was stopped."""
        if self.claim.prepares and not await self._prepared():
            return Outcome(None, TASK_ENDED, "ended")
        while True:
            outcome = await self._once()
            if self._stop or not is_retried(outcome, retries=self._retries, limit=self._limit()):
                return outcome
            self._retries += 1
            tasks.retry(self._core.store, self.pk, outcome)

    async def _prepared(self) -> bool:
        """Wait for the node's preparation; a task that may not run here goes back to the queue."""
        preparing = asyncio.ensure_future(self._prepared_everywhere())
        stopped = asyncio.ensure_future(self._interrupted.wait())
        await asyncio.wait({preparing, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if self._stop is None and await preparing:
            await self._core.written(partial(tasks.run, self._core.store, self.pk))
            return True
        if not preparing.done():
            preparing.cancel()
            await asyncio.wait({preparing})
        self._stop = self._stop or "requeue"
        return False

    async def _prepared_everywhere(self) -> bool:
        places = [self._place, *(site.place for site in self._helpers)]
        return all(await asyncio.gather(*(self._core.preparations.prepare(self.claim.job, place) for place in places)))

    def outcome_of_fault(self, error: Exception) -> Outcome:
        """A fault of the engine itself completes the task, so that nothing waits for it for ever."""
        message = f"The local engine failed ({type(error).__name__}); its log says more"
        failure = Failure("Unknown", message, "servererror")
        return Outcome(None, failure, "preparation")

    def conclude(self, outcome: Outcome) -> ExitReaction | None:
        """Write down how it ended, in the caller's transaction; None when the task did not complete."""
        store = self._core.store
        if self._stop in ("requeue", "delete"):
            if self._stop == "requeue":
                tasks.requeue(store, self.pk, by_user=self._by_user)
            return None
        task = store.find("SELECT * FROM tasks WHERE pk = ?", self.pk)
        job = store.find("SELECT * FROM jobs WHERE pk = ?", self.job)
        if task is None or job is None:
            return None
        self.succeeded = outcome.failure is None
        return tasks.finish(store, task, job, outcome)

    async def _once(self) -> Outcome:
        settings = self._body.get("multiInstanceSettings")
        if settings is None:
            self._attempt = Attempt(self._work(), self._core.carrier)
        else:
            members = [self._member(number, site) for number, site in enumerate(self._helpers, start=1)]
            self._attempt = Team(self._core, self.pk, self._work(), settings, members=members)
        if self._stop:
            self._attempt.stop()
        return await self._attempt.run()

    def _work(self) -> Work:
        body = self._body
        self._core.mind_elevation(body["userIdentity"])
        limit_s = seconds_from_duration(body["constraints"]["maxWallClockTime"])
        return Work(
            command_line=body["commandLine"],
            folder=self.folder,
            env=self._environment(self._place, self.folder),
            mark=self._run_mark(self._mark),
            resource_files=body.get("resourceFiles", ()),
            output_files=body.get("outputFiles", ()),
            wall_clock_s=None if limit_s == float("inf") else limit_s,
            container=self._core.containers.of(body, root=self._place.root),
        )

    def _run_mark(self, node_mark: str) -> str:
        job_id, task_id = self._ids
        return f"{node_mark}/{job_id}/{task_id}/{self._retries}"

    def _environment(self, place: Place, folder: Path) -> dict[str, str]:
        job_id, task_id = self._ids
        common = self._job_body.get("commonEnvironmentSettings", ())
        own = self._body.get("environmentSettings", ())
        more = preparation_variables(place.root, job_id, self._job_body)
        if "multiInstanceSettings" in self._body:
            is_primary = place is self._place
            shared = folder if is_primary else folder.parent
            more |= team_variables(1 + len(self._helpers), is_primary=is_primary, shared=shared)
        return environment(place, folder, common, own, job_id=job_id, task_id=task_id, more=more)

    def _member(self, number: int, site: Site) -> Member:
        place = site.place
        folder = task_folder(place.root, *self._ids) / str(number)
        env = self._environment(place, folder)
        container = self._core.containers.of(self._body, root=place.root)
        return Member(f"{place.pool_id}/{place.node_id}", folder, env, self._run_mark(site.mark), container)

    def _limit(self) -> int:
        row = self._core.store.find("SELECT body FROM tasks WHERE pk = ?", self.pk)
        body = json.loads(row["body"]) if row else self._body
        limit: int = body["constraints"]["maxTaskRetryCount"]
        return limit
