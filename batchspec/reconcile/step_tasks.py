"""Tasks come to be: what must go is deleted, what is retried is reactivated, what is missing is added.

Place in the pipeline: called by `apply` once the job is there. Tasks are drawn from the spec's stream and sent as plain
JSON, up to 100 and about 1 MB a request (REST: Task - Create Task Collection), several requests in flight, so that
memory does not grow with their number.
"""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass

from batchspec.errors import ServiceRefused
from batchspec.reconcile.change import Change
from batchspec.reconcile.concurrency import for_each
from batchspec.reconcile.marks import task_hash_of
from batchspec.reconcile.observe import state_of
from batchspec.reconcile.plan_tasks import body_of_constraints
from batchspec.reconcile.ports import Added
from batchspec.reconcile.report import Advanced, Finished, Started
from batchspec.reconcile.run import Run
from batchspec.render.model import DesiredTask

_TASKS_A_REQUEST = 100
# The service takes 1 MiB; resolved symbols (SAS) and the envelope need room.
_BYTES_A_REQUEST = 700_000
_REQUESTS_AT_ONCE = 4
_SINGLE_AT_ONCE = 16
# Deleting a running task ends it first; the service may need a moment until its id is free.
_ADD_AGAIN_FOR_S = 60.0


@dataclass(slots=True)
class _Progress:
    run: Run
    total: int
    done: int = 0

    def add(self, count: int) -> None:
        """`count` more tasks are as they should be."""
        self.done += count
        self.run.report(Advanced("tasks", self.done, self.total))


async def make_tasks(run: Run) -> None:
    """Carry out the plan's task changes."""
    changes = run.plan.tasks
    if not changes:
        return
    began = run.clock.now()
    run.report(Started("tasks", len(changes)))
    progress = _Progress(run, len(changes))
    by_id = {change.id: change for change in changes}
    deleted = [change for change in changes if "delete" in change.steps]
    await for_each(deleted, lambda change: _delete(run, change), at_once=_SINGLE_AT_ONCE)
    progress.add(sum(change.action == "delete" for change in changes))
    await for_each(_in_place(run, by_id), lambda one: _change(run, *one, progress), at_once=_SINGLE_AT_ONCE)
    await for_each(_chunks(run, by_id), lambda chunk: _add(run, chunk, progress), at_once=_REQUESTS_AT_ONCE)
    run.report(Finished("tasks", _summary(changes), run.clock.now() - began))


def _summary(changes: tuple[Change, ...]) -> str:
    count = {action: sum(change.action == action for change in changes) for action in ("create", "replace", "delete")}
    changed = sum(change.action == "update" for change in changes)
    words = [
        (count["create"], "added"),
        (count["replace"], "replaced"),
        (changed, "changed"),
        (count["delete"], "deleted"),
    ]
    return ", ".join(f"{number} {word}" for number, word in words if number)


async def _delete(run: Run, change: Change) -> None:
    job = run.desired.job
    assert job is not None
    await run.services.batch.delete_task(job.id, change.id)


def _in_place(run: Run, by_id: dict[str, Change]) -> Iterator[tuple[Change, DesiredTask]]:
    if not any(change.action == "update" and "add" not in change.steps for change in by_id.values()):
        return
    for task in run.desired.tasks():
        change = by_id.get(task.id)
        if change is not None and change.action == "update" and "add" not in change.steps:
            yield change, task


async def _change(run: Run, change: Change, task: DesiredTask, progress: _Progress) -> None:
    job = run.desired.job
    assert job is not None
    if "constraints" in change.steps:
        await _constrain(run, job.id, task)
    else:
        await _retry(run, job.id, task)
    progress.add(1)


async def _constrain(run: Run, job_id: str, task: DesiredTask) -> None:
    """Change constraints; a task that has ended meanwhile needs none."""
    try:
        await run.services.batch.update_task(job_id, task.id, body_of_constraints(task))
    except ServiceRefused as error:
        if error.code not in ("TaskCompleted", "TaskNotFound"):
            raise


async def _retry(run: Run, job_id: str, task: DesiredTask) -> None:
    """Reactivate; where the service refuses, delete and add again. Somebody else may have reactivated it already."""
    await run.sender.grant(task.body)
    try:
        await run.services.batch.reactivate_task(job_id, task.id)
    except ServiceRefused as error:
        if error.code in ("TaskNotCompleted", "TaskSucceeded"):
            return
        if error.status not in (404, 409) or error.code.startswith("Job"):
            raise
        await run.services.batch.delete_task(job_id, task.id)
        await _add_chunk(run, job_id, [task])


def _chunks(run: Run, by_id: dict[str, Change]) -> Iterator[list[DesiredTask]]:
    chunk: list[DesiredTask] = []
    size = 0
    for task in run.desired.tasks() if _adds(by_id) else ():
        change = by_id.get(task.id)
        if change is None or not (change.action == "create" or "add" in change.steps):
            continue
        length = len(json.dumps(task.body))
        if chunk and (len(chunk) == _TASKS_A_REQUEST or size + length > _BYTES_A_REQUEST):
            yield chunk
            chunk, size = [], 0
        chunk.append(task)
        size += length
    if chunk:
        yield chunk


def _adds(by_id: dict[str, Change]) -> bool:
    return any(change.action == "create" or "add" in change.steps for change in by_id.values())


async def _add(run: Run, chunk: list[DesiredTask], progress: _Progress) -> None:
    job = run.desired.job
    assert job is not None
    await _add_chunk(run, job.id, chunk)
    progress.add(len(chunk))
    # Rendering the next chunk is pure computation: let answers be read in between.
    await asyncio.sleep(0)


async def _add_chunk(run: Run, job_id: str, chunk: list[DesiredTask]) -> None:
    """Add tasks; those whose id is still taken by a deletion are tried again."""
    waited, pause = 0.0, 0.2
    retried = {change.id for change in run.plan.tasks if change.action == "update"}
    while chunk:
        bodies = [await run.sender.body(task.body) for task in chunk]
        answers = await run.services.batch.add_tasks(job_id, bodies)
        chunk = [
            task
            for task, answer in zip(chunk, answers, strict=True)
            if not await _is_added(run, job_id, task, answer, again=task.id in retried, last=waited >= _ADD_AGAIN_FOR_S)
        ]
        if chunk:
            await run.clock.sleep(pause)
            waited, pause = waited + pause, min(pause * 1.5, 5.0)


async def _is_added(run: Run, job_id: str, task: DesiredTask, answer: Added, *, again: bool, last: bool) -> bool:
    """Whether it is there as it should be; `again` is for one that was there before with the same fingerprint."""
    if not answer.code:
        return True
    if answer.code == "TaskExists":
        there = await run.services.batch.get_task(job_id, task.id)
        same = there is not None and task_hash_of(there, run.desired.name) == task.hash
        if there is not None and same and not (again and state_of(there) == "failed"):
            return True
        if not last:
            return False
    status = 409 if answer.code == "TaskExists" else 400
    raise ServiceRefused(answer.message, operation="add task", resource=task.id, status=status, code=answer.code)
