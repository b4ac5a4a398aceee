"""What a task or a start task wrote: the `logs` command.

Place in the pipeline: beside `apply`; reads only. Text goes out in pieces as it is read, at most 1 MB a request, so
that a file of any size can be shown; with `follow` it goes on until the task has ended and everything was shown.
"""

from collections.abc import Callable
from typing import Literal

from batchspec.errors import PlanRefused, SpecInvalid, UsageError
from batchspec.reconcile.clock import Clock, SystemClock
from batchspec.reconcile.job_pool import pool_id_of
from batchspec.reconcile.ports import BatchService, Services, TextPart
from batchspec.render.model import Desired, JsonObject
from batchspec.render.suggest import suggestion

_POLL_S = 1.0


async def logs(
    desired: Desired,
    services: Services,
    *,
    task: str | None,
    node: str | None,
    stream: Literal["stdout", "stderr"],
    follow: bool,
    write: Callable[[str], None],
    clock: Clock | None = None,
) -> None:
    """Write a task's (or, with `node`, a start task's) stdout or stderr.

    Raises UsageError for a task that neither the spec nor the job knows, PlanRefused when the spec has no job or pool,
    the task or node is not there, or it has written nothing and is not followed, or never ran.
    """
    pool_id = await pool_id_of(desired, services.batch) if task is None else None
    source = _Source(desired, services.batch, task=task, node=node, name=f"{stream}.txt", pool_id=pool_id)
    clock = clock or SystemClock()
    start = 0
    while True:
        ended = not follow or await source.ended()
        part = await source.read(start)
        if part is None and not follow:
            raise PlanRefused(f"{source.shown_as} has no {stream}.txt: {await source.why_nothing()}")
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


class _Source:
    """One file of one task or node."""

    def __init__(
        self,
        desired: Desired,
        batch: BatchService,
        *,
        task: str | None,
        node: str | None,
        name: str,
        pool_id: str | None,
    ) -> None:
        self._desired, self._batch, self._task, self._node, self._name = desired, batch, task, node, name
        if task is not None:
            if desired.job is None:
                raise PlanRefused("the spec has no job, so no tasks")
            self._within, self.shown_as = desired.job.id, f"task {task} of job {desired.job.id}"
        else:
            if pool_id is None:
                raise PlanRefused("the spec has no pool, or its job has none now, so no start task")
            self._within, self.shown_as = pool_id, f"the start task of node {node} of pool {pool_id}"

    async def read(self, start: int) -> TextPart | None:
        """The text from byte `start` on, None while there is no file."""
        if self._task is not None:
            return await self._batch.read_task_file(self._within, self._task, self._name, start=start)
        assert self._node is not None
        return await self._batch.read_node_file(self._within, self._node, f"startup/{self._name}", start=start)

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
        """The state and execution info of the task or start task."""
        if self._task is not None:
            there = await self._batch.get_task(self._within, self._task)
            if there is not None:
                info = there.get("executionInfo")
                return str(there.get("state")), info if isinstance(info, dict) else {}
        else:
            async for node in self._batch.list_nodes(self._within, select="id,state,startTaskInfo"):
                if node.get("id") == self._node:
                    info = node.get("startTaskInfo")
                    return (str(info.get("state")), info) if isinstance(info, dict) else (str(node.get("state")), {})
        self._refuse_unknown_task()
        raise PlanRefused(f"{self.shown_as} is not there", fix="`batchspec status` shows what is there")

    def _refuse_unknown_task(self) -> None:
        if self._task is None:
            return
        try:
            known = [task.id for task in self._desired.tasks()]
        except SpecInvalid:  # what has run is shown though the spec, or a file it names, is not there any more
            return
        if self._task.casefold() not in map(str.casefold, known):
            raise UsageError(f"no task {self._task!r} in job {self._within}{suggestion(self._task, known)}")


def _why_it_never_ran(info: JsonObject) -> str:
    failure = info.get("failureInfo")
    if not isinstance(failure, dict) or "exitCode" in info:
        return ""
    return f"it failed before it ran, with {failure.get('code')}: {failure.get('message')}"
