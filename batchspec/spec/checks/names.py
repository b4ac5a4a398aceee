"""Names, keys and ids that are written out (those with templates are checked when they are rendered).

Place in the pipeline: called by `rules`. In: data. Out: Findings. The rules for names are Azure's: containers
(https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata), pools,
jobs and tasks (the reference of BatchPoolCreateOptions.id and its like).
"""

import re
from collections.abc import Iterator

from batchspec.spec.checks.tree import JOB_TASKS, Part, jobs
from batchspec.spec.document import At, Finding, shown
from batchspec.spec.words import has_template

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
KEY = re.compile(r"[a-z][a-z0-9_]*")
TEMPLATE_NAME = re.compile(r"[a-z][a-z0-9_-]*")
ID = re.compile(r"[A-Za-z0-9_-]+")

_LONGEST_ID = 64


def names(spec: Part) -> Iterator[Finding]:
    """The spec's name, the keys, and the names of task templates."""
    name = spec.data.get("name")
    if isinstance(name, str) and not has_template(name) and not NAME.fullmatch(name):
        yield Finding(("name",), f"{shown(name)} is not a name; use lower-case letters and digits, `-` between words")
    for words in ("vars", "containers", "uploads"):
        for key in spec.part(words).data:
            if not KEY.fullmatch(key):
                message = "not a key; use lower-case letters, digits and `_`, beginning with a letter"
                space = "; after a key comes `: `, with a space" if ":" in key else ""
                yield Finding((words, key), message + space, on_key=True)
    yield from _template_names(spec)


def _template_names(spec: Part) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for task in spec.parts("tasks"):
        name = task.data.get("name")
        if not isinstance(name, str) or has_template(name):
            continue
        at, index = (*task.at, "name"), int(task.at[-1])
        if not TEMPLATE_NAME.fullmatch(name):
            yield Finding(at, f"{shown(name)} is not a name for `needs`; use lower-case letters, digits, `_` and `-`")
        elif name in first:
            yield Finding(at, f"{shown(name)} is the name of tasks[{first[name]}] too; names of templates must differ")
        first.setdefault(name, index)


def ids(spec: Part) -> Iterator[Finding]:
    """Ids of the pool, the job, the schedule and the tasks."""
    special = [job.part(word) for job in jobs(spec) for word in JOB_TASKS]
    for part in (spec.part("pool"), spec.part("job"), spec.part("schedule"), *special, *spec.parts("tasks")):
        value = part.data.get("id")
        if isinstance(value, str) and not has_template(value) and (fault := id_fault(value)):
            yield Finding((*part.at, "id"), fault)


def id_fault(value: str) -> str | None:
    """What is wrong with the id of a pool, a job, a schedule or a task, or None."""
    if not value:
        return "an id must not be empty"
    if len(value) > _LONGEST_ID:
        return f"{shown(value)} has {len(value)} characters; an id has at most {_LONGEST_ID}"
    if not ID.fullmatch(value):
        wrong = next(character for character in value if not ID.fullmatch(character))
        return (
            f"{shown(value)} holds {shown(wrong)}; an id has only letters, digits, `-` and `_` (see the filter task_id)"
        )
    return None


def container_names(spec: Part) -> Iterator[Finding]:
    """Names of containers against Azure's rules, and two keys with one name."""
    first: dict[str, str] = {}
    for key, container in spec.named("containers"):
        if "url" in container.data:  # of another account, where other rules may hold
            continue
        given = container.data.get("name")
        at: At = (*container.at, "name") if isinstance(given, str) else container.at
        name = given if isinstance(given, str) else _default_name(spec.data.get("name"), key)
        if name is None or has_template(name):
            continue
        if fault := container_fault(name):
            yield Finding(at, fault, on_key=given is None)
        elif name in first:
            yield Finding(at, f"{shown(name)} is the name of container '{first[name]}' too", on_key=given is None)
        first.setdefault(name, key)


def _default_name(name: object, key: str) -> str | None:
    if not isinstance(name, str) or not NAME.fullmatch(name) or not KEY.fullmatch(key):
        return None
    return f"{name}-{key.replace('_', '-')}"


def container_fault(name: str) -> str | None:
    """What is wrong with the name of a blob container, or None."""
    if not 3 <= len(name) <= 63:
        return f"container name {shown(name)} has {len(name)} characters; Azure allows 3 to 63"
    if not NAME.fullmatch(name):
        rule = "lower-case letters, digits and single `-` between them"
        return f"{shown(name)} is not a container name; Azure allows {rule}"
    return None
