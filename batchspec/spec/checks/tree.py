"""Ways through a spec's data that may be invalid in any way.

Place in the pipeline: the checks walk with these. In: data. Out: parts with their paths. What has the wrong type is
passed over. Pure.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from batchspec.spec.document import At

_PRODUCTS = ("matrix", "zip")
JOB_TASKS = ("job_manager_task", "job_preparation_task", "job_release_task")


@dataclass(frozen=True, slots=True)
class Part:
    """A mapping in the spec and its path."""

    at: At
    data: Mapping[str, Any]

    def part(self, key: str) -> "Part":
        """The mapping below a key; an empty one when there is none."""
        value = self.data.get(key)
        return Part((*self.at, key), value if isinstance(value, dict) else {})

    def parts(self, key: str) -> Iterator["Part"]:
        """The mappings in the list below a key."""
        value = self.data.get(key)
        for index, item in enumerate(value if isinstance(value, list) else ()):
            if isinstance(item, dict):
                yield Part((*self.at, key, index), item)

    def named(self, key: str) -> Iterator[tuple[str, "Part"]]:
        """The mappings in the mapping below a key, with their own keys."""
        for name, value in self.part(key).data.items():
            yield name, Part((*self.at, key, name), value if isinstance(value, dict) else {})

    def texts(self, key: str) -> Iterator[tuple[At, str]]:
        """The text below a key, or the texts of the list there."""
        value = self.data.get(key)
        if isinstance(value, str):
            yield (*self.at, key), value
        for index, item in enumerate(value if isinstance(value, list) else ()):
            if isinstance(item, str):
                yield (*self.at, key, index), item


def root(data: object) -> Part:
    """The whole spec."""
    return Part((), data if isinstance(data, dict) else {})


def jobs(spec: Part) -> Iterator[Part]:
    """What describes a job: `job`, and that of a schedule's jobs."""
    for job in (spec.part("job"), spec.part("schedule").part("job_specification")):
        if job.data:
            yield job


def job_of(spec: Part) -> Part:
    """What describes the job, or the jobs of the schedule; empty when nothing does."""
    return spec.part("schedule").part("job_specification") if "schedule" in spec.data else spec.part("job")


def pools(spec: Part) -> Iterator[Part]:
    """The pool and the one that a job may describe."""
    described = [job.part("pool_info").part("auto_pool_specification").part("pool") for job in jobs(spec)]
    yield from (pool for pool in (spec.part("pool"), *described) if pool.data)


def commanded(spec: Part) -> Iterator[Part]:
    """Everything that runs a command: task templates, start tasks, the job's special tasks."""
    yield from spec.parts("tasks")
    parents = [(pool, "start_task") for pool in pools(spec)] + [(job, word) for job in jobs(spec) for word in JOB_TASKS]
    for parent, word in parents:
        if isinstance(parent.data.get(word), dict):
            yield parent.part(word)


def generators(spec: Part) -> Iterator[Part]:
    """Every generator of the task templates, and those inside of a matrix or zip."""
    waiting = [task.part("for_each") for task in spec.parts("tasks") if isinstance(task.data.get("for_each"), dict)]
    while waiting:
        part = waiting.pop()
        yield part
        for word in _PRODUCTS:
            waiting += [inner for key, inner in part.named(word) if isinstance(part.part(word).data[key], dict)]


def is_true(value: object) -> bool:
    """Whether a flag is literally true; a template may be anything."""
    return value is True


def number(part: Part, word: str) -> int | None:
    """The whole number below a word, None when something else stands there."""
    value = part.data.get(word)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
