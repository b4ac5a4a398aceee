"""What a task, or a task that belongs to a node, wrote: the `logs` command.

Place in the pipeline: beside `apply`; reads only. Text goes out in pieces as it is read, at most 1 MB a request, so
that a file of any size can be shown; with `follow` it goes on until the task has ended and everything was shown.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from batchspec.errors import PlanRefused, SpecInvalid, UsageError
from batchspec.reconcile.clock import Clock, SystemClock
from batchspec.reconcile.job_pool import job_id_of, pool_id_of
from batchspec.reconcile.outcome import NodeTask
from batchspec.reconcile.ports import BatchService, Services, TextPart
from batchspec.reconcile.preparation import info_of
from batchspec.render.model import Desired, JsonObject
from batchspec.render.suggest import suggestion

_POLL_S = 1.0


@dataclass(frozen=True, slots=True)
class Writer:
    """Whose output is meant: the task with this id, or what `kind` says on the node with this id."""

    id: str
    kind: Literal["task", "start task"] | NodeTask = "task"


async def logs(
    desired: Desired,
    services: Services,
    writer: Writer,
    *,
    stream: Literal["stdout", "stderr"],
    follow: bool,
    write: Callable[[str], None],
    clock: Clock | None = None,
) -> None:
    """Write the writer's stdout or stderr.

    Raises UsageError for a task that neither the spec nor the job knows, PlanRefused when the spec has no job or pool,
    the task or node is not there, or it has written nothing and is not followed, or never ran.
    """
    source = await _source(desired, services.batch, writer)
    name = f"{stream}.txt"
    clock = clock or SystemClock()
    start = 0
    while True:
        ended = not follow or await source.ended()
        part = await source.read(name, start)
        if part is None and not follow:
            raise PlanRefused(f"{source.shown_as} has no {name}: {await source.why_nothing()}")
        if part is not None and part.size < start:  # another attempt began
            start = 0
            continue
        if part is not None and part.end > start:
            write(part.text)
            start = part.end
            if start < part.size:
                continue
        if ended:
            if start == 0:
                await source.refuse_what_never_ran()
            return
        await clock.sleep(_POLL_S)


async def _source(desired: Desired, batch: BatchService, writer: Writer) -> "_Source":
    if writer.kind == "start task":
        pool_id = await pool_id_of(desired, batch)
        if pool_id is None:
            raise PlanRefused("the spec has no pool, or its job has none now, so no start task")
        return _OfStartTask(batch, pool_id, writer.id)
    job_id = await job_id_of(desired, batch)
    if job_id is None and desired.schedule is not None:
        raise PlanRefused(
            f"the schedule {desired.schedule.id} has made no job yet, so there is no task",
            fix="`batchspec status` shows when the next one is due",
        )
    if job_id is None:
        raise PlanRefused("the spec has no job, so no tasks")
    if writer.kind == "task":
        return _OfTask(batch, desired, job_id, writer.id)
    return _OfJobTask(batch, job_id, writer.id, writer.kind)


class _Source(ABC):
    """The folder of one task, wherever it runs."""

    shown_as: str

    @abstractmethod
    async def read(self, name: str, start: int) -> TextPart | None:
        """The text of a file from byte `start` on, None while there is no file."""

    @abstractmethod
    async def find(self) -> tuple[str, JsonObject] | None:
        """The state and execution info, None when it is not there."""

    async def ended(self) -> bool:
        """Whether nothing more will be written. Raises PlanRefused when the task or node is not there."""
        state, _ = await self._state()
        return state == "completed"

    async def why_nothing(self) -> str:
        """Why there is no file. Raises PlanRefused when the task or node is not there."""
        state, info = await self._state()
        return _why_it_never_ran(info) or (
            "its node or its files are gone" if state == "completed" else f"it is {state} and has written nothing yet"
        )

    async def refuse_what_never_ran(self) -> None:
        """Empty files of something that failed before it ran say nothing. Raises PlanRefused, which does."""
        _, info = await self._state()
        reason = _why_it_never_ran(info)
        if reason:
            raise PlanRefused(f"{self.shown_as} wrote nothing: {reason}")

    async def _state(self) -> tuple[str, JsonObject]:
        found = await self.find()
        if found is None:
            raise PlanRefused(f"{self.shown_as} is not there", fix="`batchspec status` shows what is there")
        return found


class _OfTask(_Source):
    def __init__(self, batch: BatchService, desired: Desired, job_id: str, task_id: str) -> None:
        self._batch, self._desired, self._job_id, self._task_id = batch, desired, job_id, task_id
        self.shown_as = f"task {task_id} of job {job_id}"

    async def read(self, name: str, start: int) -> TextPart | None:
        return await self._batch.read_task_file(self._job_id, self._task_id, name, start=start)

    async def find(self) -> tuple[str, JsonObject] | None:
        there = await self._batch.get_task(self._job_id, self._task_id)
        if there is None:
            await self._refuse_unknown()
            return None
        return str(there.get("state")), _object(there.get("executionInfo"))

    async def _refuse_unknown(self) -> None:
        try:
            known = [task.id for task in self._desired.tasks()]
            if self._desired.schedule is not None:  # only the job knows what its manager has added
                known = [str(task["id"]) async for task in self._batch.list_tasks(self._job_id, select="id")]
        except SpecInvalid:  # what has run is shown though the spec, or a file it names, is not there any more
            return
        if self._task_id.casefold() not in map(str.casefold, known):
            raise UsageError(f"no task {self._task_id!r} in job {self._job_id}{suggestion(self._task_id, known)}")


class _OfStartTask(_Source):
    def __init__(self, batch: BatchService, pool_id: str, node_id: str) -> None:
        self._batch, self._pool_id, self._node_id = batch, pool_id, node_id
        self.shown_as = f"the start task of node {node_id} of pool {pool_id}"

    async def read(self, name: str, start: int) -> TextPart | None:
        return await self._batch.read_node_file(self._pool_id, self._node_id, f"startup/{name}", start=start)

    async def find(self) -> tuple[str, JsonObject] | None:
        async for node in self._batch.list_nodes(self._pool_id, select="id,state,startTaskInfo"):
            if node.get("id") == self._node_id:
                info = _object(node.get("startTaskInfo"))
                return str(info.get("state", node.get("state"))), info
        return None


class _OfJobTask(_Source):
    """The preparation or release task of a job on one node; the service says where its folder is."""

    def __init__(self, batch: BatchService, job_id: str, node_id: str, kind: NodeTask) -> None:
        self._batch, self._job_id, self._node_id, self._kind = batch, job_id, node_id, kind
        self.shown_as = f"the {kind} of job {job_id} on node {node_id}"

    async def read(self, name: str, start: int) -> TextPart | None:
        status = await self._status()
        folder = info_of(status, self._kind).get("taskRootDirectory")
        if not folder:
            return None
        return await self._batch.read_node_file(
            str(status.get("poolId")), self._node_id, f"{folder}/{name}", start=start
        )

    async def find(self) -> tuple[str, JsonObject] | None:
        info = info_of(await self._status(), self._kind)
        return (str(info.get("state")), info) if info else None

    async def _status(self) -> JsonObject:
        node = self._node_id.replace("'", "''")
        async for status in self._batch.list_preparations(self._job_id, filter=f"nodeId eq '{node}'"):
            return status
        return {}


def _object(value: object) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _why_it_never_ran(info: JsonObject) -> str:
    failure = info.get("failureInfo")
    if not isinstance(failure, dict) or "exitCode" in info:
        return ""
    return f"it failed before it ran, with {failure.get('code')}: {failure.get('message')}"
