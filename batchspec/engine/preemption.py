"""Which running tasks give way to waiting tasks of jobs with a higher priority.

Place: asked by the scheduler when nothing more fits. In: the nodes of a pool, what waits. Out: the runs to put back
into the queue. Pure.

Source: `allowTaskPreemption` of Job_Create: "other high priority jobs submitted to the system will take precedence and
will be able requeue tasks from this job". The lowest priority gives way first. A task is preempted only where its
slots, with those that are free, are enough for the one that waits: else both would wait in turns for ever.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from batchspec.engine.node import Node
from batchspec.engine.task_run import TaskRun


@dataclass(frozen=True, slots=True)
class Waiting:
    """A task that waits for slots, and its job's priority."""

    priority: int
    slots: int


@dataclass(slots=True)
class _Room:
    free: int
    runs: list[TaskRun]


def victims(nodes: Iterable[Node], waiting: Sequence[Waiting], *, machine_is_full: bool) -> list[TaskRun]:
    """The runs that are to give way; empty when those that do already are enough. `waiting`: highest priority first.

    On a full machine a run gives way even where slots are free; else what waits beside free slots waits for something
    that no preemption brings.
    """
    rooms = [_Room(_free(node), _candidates(node)) for node in nodes if node.state == "running" and node.schedules]
    chosen: list[TaskRun] = []
    for task in waiting:
        for room in rooms:
            if room.free >= task.slots and not machine_is_full:
                room.free -= task.slots
                break
            taken = _taken(room, task)
            if taken:
                room.runs = [run for run in room.runs if run not in taken]
                room.free += sum(run.claim.slots for run in taken) - task.slots
                chosen += [run for run in taken if not run.is_stopping]
                break
    return chosen


def _free(node: Node) -> int:
    return node.slots - node.used_slots


def _candidates(node: Node) -> list[TaskRun]:
    return sorted((run for run in node.runs.values() if run.is_preemptible), key=lambda run: run.priority)


def _taken(room: _Room, task: Waiting) -> list[TaskRun]:
    """The runs whose slots are enough, at least one; empty when all are not."""
    free = room.free
    taken: list[TaskRun] = []
    for run in room.runs:
        if run.priority < task.priority and (free < task.slots or not taken):
            taken.append(run)
            free += run.claim.slots
    return taken if free >= task.slots else []
