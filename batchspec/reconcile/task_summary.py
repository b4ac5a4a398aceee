"""What preflight needs to know of all tasks, gathered while they are walked anyway.

Place in the pipeline: `plan` walks the stream of tasks; a `TaskCount` puts itself between, so that no task is
rendered twice for it and none is kept. A walk that is begun again counts anew; one left early counts what it saw.
Commands and access are looked at for the first task of each template only: its others differ in arguments.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

from batchspec.render.model import Desired, DesiredTask, JsonObject
from batchspec.render.symbolic import Json
from batchspec.spec.durations import NotADuration, duration

# Batch writes "no limit" as a duration of 10,675,199 days.
_NO_LIMIT = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Most:
    """The largest number of some kind, and the task that has it ("" when there is none)."""

    number: int = 0
    task_id: str = ""

    def or_(self, number: object, task_id: str) -> "Most":
        """This one, or the other when it is larger."""
        return Most(number, task_id) if isinstance(number, int) and number > self.number else self


@dataclass(slots=True)
class TaskSummary:
    """The tasks in numbers.

    `slots` are required slots, `instances` nodes of a multi-instance task, `dependencies` characters of ids that a task
    waits for, `resource_files` entries of a list. `unlimited` counts tasks without a wall clock limit of their own;
    `work` is the sum over the others of limit times slots.
    """

    number: int = 0
    slots: Most = field(default_factory=Most)
    instances: Most = field(default_factory=Most)
    dependencies: Most = field(default_factory=Most)
    resource_files: Most = field(default_factory=Most)
    id_characters: Most = field(default_factory=Most)
    longest: timedelta = timedelta(0)
    longest_id: str = ""
    unlimited: int = 0
    work: timedelta = timedelta(0)
    examples: dict[int, DesiredTask] = field(default_factory=dict)
    _limits: dict[str, timedelta | None] = field(default_factory=dict)

    def add(self, task: DesiredTask) -> None:
        """Count one task."""
        body, task_id = task.body, task.id
        self.number += 1
        self.examples.setdefault(task.template, task)
        self.id_characters = self.id_characters.or_(len(task_id), task_id)
        slots = body.get("requiredSlots", 1)
        self.slots = self.slots.or_(slots, task_id)
        if "multiInstanceSettings" in body:
            self.instances = self.instances.or_(_instances(body), task_id)
        if "dependsOn" in body:
            self.dependencies = self.dependencies.or_(_dependency_characters(body["dependsOn"]), task_id)
        files = body.get("resourceFiles")
        if isinstance(files, list):
            self.resource_files = self.resource_files.or_(len(files), task_id)
        self._count_time(body, slots if isinstance(slots, int) else 1, task_id)

    def _count_time(self, body: JsonObject, slots: int, task_id: str) -> None:
        limit = self._limit(body)
        if limit is None:
            self.unlimited += 1
            return
        self.work += slots * limit
        if limit > self.longest:
            self.longest, self.longest_id = limit, task_id

    def _limit(self, body: JsonObject) -> timedelta | None:
        constraints = body.get("constraints")
        text = constraints.get("maxWallClockTime") if isinstance(constraints, dict) else None
        if not isinstance(text, str):
            return None
        if text not in self._limits:
            self._limits[text] = limit_of(text)
        return self._limits[text]


def limit_of(text: Json) -> timedelta | None:
    """A wall clock limit; None when there is none, or what stands there is none."""
    try:
        length = duration(text) if isinstance(text, str) else _NO_LIMIT
    except NotADuration:
        return None
    return length if length < _NO_LIMIT else None


def _instances(body: JsonObject) -> Json:
    settings = body["multiInstanceSettings"]
    return settings.get("numberOfInstances", 1) if isinstance(settings, dict) else 1


def _dependency_characters(depends: Json) -> int:
    ids = depends.get("taskIds") if isinstance(depends, dict) else None
    return sum(len(str(one)) for one in ids) if isinstance(ids, list) else 0


@dataclass(slots=True)
class TaskCount:
    """Counts a spec's tasks whenever they are walked; `summary` is of the last walk."""

    summary: TaskSummary = field(default_factory=TaskSummary)

    def watching(self, desired: Desired) -> Desired:
        """The same spec, whose stream of tasks is seen here."""
        return replace(desired, tasks=self._walk(desired.tasks))

    def _walk(self, tasks: Callable[[], Iterator[DesiredTask]]) -> Callable[[], Iterator[DesiredTask]]:
        def walk() -> Iterator[DesiredTask]:
            self.summary = TaskSummary()
            for task in tasks():
                self.summary.add(task)
                yield task

        return walk
