"""Live resources -> a spec that describes them: `batchspec import`.

Place in the pipeline: against its direction, from the services back to a file; the command calls `describe`. In: ids,
the ports, a name for files with rows. Out: `Imported`: the text of the spec, of its files with rows, and what a person
should be told. Reads only.

Decisions:
- Whose the spec is. Its name is the owner of the job or schedule, else of the pool: what that owner made is described,
  with the word `imported`, so that a plan has nothing to do until the spec is edited. A job that nobody made and whose
  tasks are a spec's is that spec's `existing` job. A pool of somebody else beside it is `existing`, too: it could be
  nothing else for that spec.
- What no spec made (az, the portal, own programs) is described in full all the same: a person who imports it wants it
  reproducible. batchspec refuses to touch it, since it carries no mark; a comment and a line on stderr say so, and the
  two ways on: `existing: true`, or another id.
- Two passes. The fingerprints in `imported` are those of the spec as it is read and rendered, so it is written and
  rendered once without them.
- Tasks of one form become one template: inline `items` for a few, a file of JSON Lines for many.
- What was once local cannot be known: uploads and downloads are not written; the blobs are used as they are there.
"""

import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from batchspec.errors import SpecInvalid, UsageError
from batchspec.importing.live import Live
from batchspec.importing.notes import Notes
from batchspec.importing.pieces import Code, Text, Value, Words, text
from batchspec.importing.secrets import Secrets
from batchspec.importing.storage import Storage
from batchspec.importing.templates import IMPORTED, Group, Templates
from batchspec.importing.texts import Texts
from batchspec.importing.words import Converter
from batchspec.importing.written import document, without_turns
from batchspec.reconcile.marks import START_KEY, hash_of, held_secret, metadata_of, owner_of, parts_of
from batchspec.render.desired import check_tasks, render
from batchspec.render.hashes import HELD_SECRET
from batchspec.render.imported import word_of
from batchspec.render.model import TASK_HASH_SETTING, Desired, JsonObject
from batchspec.render.shell import Os
from batchspec.render.symbolic import Json
from batchspec.spec.document import dotted
from batchspec.spec.load import At
from batchspec.spec.read import read

MOST_INLINE = 200
_TASK: At = ("task",)


@dataclass(frozen=True, slots=True)
class Imported:
    """`spec` is the file's text, `rows` the lines of each further file by its name, `told` what to say on stderr."""

    spec: str
    rows: Mapping[str, Sequence[str]]
    told: tuple[str, ...]
    tasks: int


@dataclass(slots=True)
class _Marks:
    """The words `imported` of pool, job and schedule, and fingerprints of tasks by lower-case id; empty at first."""

    pool: str = ""
    job: str = ""
    schedule: str = ""
    tasks: Mapping[str, str] = field(default_factory=dict)


async def describe(live: Live, *, rows_name: str | None) -> Imported:
    """The spec of what is there; `rows_name` begins the names of files with rows, None when there can be none.

    Raises UsageError when there are more tasks than fit into the spec and no such files can be written, SpecInvalid
    when what is there cannot be described.
    """
    description = await _description(live, rows_name)
    first = description.written(_Marks())
    return description.written(_marks(description, first))


async def _description(live: Live, rows_name: str | None) -> "_Description":
    tasks = aiter(live.tasks)
    manager = _manager_of(live.job)
    first = await anext(tasks, None)
    while first is not None and first.get("id") == manager:
        first = await anext(tasks, None)
    description = _Description.of(live, _mark_of(first)[0] if first is not None else "", rows_name)
    while first is not None:
        if first.get("id") != manager:
            description.add(first)
        first = await anext(tasks, None)
    return description


def _manager_of(job: JsonObject | None) -> Json:
    manager = (job or {}).get("jobManagerTask")
    return manager.get("id") if isinstance(manager, dict) else None


def _held(thing: JsonObject) -> list[str]:
    """The properties that a spec sent with a secret."""
    return [name for name, mark in parts_of(thing).items() if held_secret(mark)]


def _mark_of(task: JsonObject) -> tuple[str, str]:
    """The owner and the fingerprint that a task carries; empty when it carries none."""
    settings = task.get("environmentSettings")
    for one in reversed(settings) if isinstance(settings, list) else ():
        if isinstance(one, dict) and one.get("name") == TASK_HASH_SETTING:
            owner, colon, fingerprint = str(one.get("value", "")).rpartition(":")
            return (owner, fingerprint) if colon else ("", "")
    return "", ""


@dataclass(slots=True)
class _Description:
    """What is known of the spec while it is made."""

    live: Live
    name: str
    shared_job: bool
    converter: Converter
    storage: Storage
    secrets: Secrets
    notes: Notes
    rows_name: str | None
    templates: Templates = field(default_factory=Templates)
    left_out: list[str] = field(default_factory=list)
    _pool: Words | None = None
    _job: Words | None = None
    _schedule: Words | None = None

    @classmethod
    def of(cls, live: Live, task_owner: str, rows_name: str | None) -> "_Description":
        """The beginning of a description, with pool, job and schedule converted."""
        shared = live.job is not None and owner_of(live.job) is None and bool(task_owner)
        owner = task_owner if shared else owner_of(live.work if live.work is not None else live.pool)
        name = owner or _name_from(str((live.work or live.pool or {}).get("id")))
        notes = Notes()
        secrets = Secrets(notes)
        own = owner if owner or owner_of(live.pool) != name else name
        storage = Storage(live.base, live.containers, name, own)
        converter = Converter(Texts(storage, secrets, notes), secrets, notes, _os_of(live.pool or live.used))
        made = cls(live, name, shared, converter, storage, secrets, notes, rows_name)
        if storage.owner is not None:
            for container in sorted(one for one in live.containers if live.containers[one] == name):
                storage.key(container)
        made._pool = made._pool_words()
        made._job = made._job_words()
        made._schedule = made._schedule_words()
        return made

    def owns(self, thing: JsonObject | None) -> bool:
        """Whether the spec made it."""
        return thing is not None and owner_of(thing) == self.name

    @property
    def owns_tasks(self) -> bool:
        """Whether the tasks of the job are the spec's."""
        return self.shared_job or self.owns(self.live.job)

    def add(self, task: JsonObject) -> None:
        """Take a task of the job; one of somebody else in a job of the spec's is left out."""
        owner, fingerprint = _mark_of(task)
        if self.owns_tasks and owner != self.name:
            self.left_out.append(str(task["id"]))
            return
        self.notes.by_place = {at: told for at, told in self.notes.by_place.items() if at[:1] != _TASK}
        held = ("commandLine", "environmentSettings") if held_secret(fingerprint) else ()
        words = self.converter.body("BatchTaskCreateOptions", _inheriting(task, self.live.job), _TASK, held)
        told = {at[1:]: texts for at, texts in self.notes.by_place.items() if at[:1] == _TASK}
        self.templates.add(words, fingerprint if self.owns_tasks else "", told)
        for at in [_TASK + place for place in told]:
            del self.notes.by_place[at]

    def written(self, marks: _Marks) -> Imported:
        """The whole spec with these marks."""
        notes = Notes({at: list(told) for at, told in self.notes.by_place.items()})
        rows: dict[str, Sequence[str]] = {}
        tasks = [*self._templates(marks, notes, rows)]
        spec: Words = {"version": 1, "name": text(self.name)}
        if self.secrets.variables:
            spec["vars"] = {
                name: {"secret": True, "from_env": text(variable)} for name, variable in self.secrets.variables.items()
            }
        gone: list[str] = []
        if containers := self._containers(notes, gone):
            spec["containers"] = containers
        for word, words, mark in (
            ("pool", self._pool, marks.pool),
            ("job", self._job, marks.job),
            ("schedule", self._schedule, marks.schedule),
        ):
            if words is not None:
                spec[word] = {**words, **({IMPORTED: text(mark)} if mark else {})}
        if tasks:
            spec["tasks"] = tasks
        if gone:
            spec["cleanup"] = {"after_success": [text(f"container.{key}") for key in gone]}
        if self.left_out:
            notes.add(("tasks",) if tasks else ("job",), _left_out(self.left_out, self.name))
        return Imported(document(spec, notes, self._head()), rows, (*self._told(notes),), self.templates.number)

    def _head(self) -> list[str]:
        live = (("pool", self.live.pool), ("job", self.live.job), ("schedule", self.live.schedule))
        parts = [f"{kind} {one['id']}" for kind, one in live if one]
        tasks = self.templates.number
        number = f" with {tasks:,} task{'' if tasks == 1 else 's'}" if tasks else ""
        unknown = "What was local is not known here: add `uploads`, `downloads` and `wait` as you need them"
        return [f"Imported from {' and '.join(parts)}{number}. {unknown}; the blobs are used as they are there."]

    def _told(self, notes: Notes) -> Iterator[str]:
        for at, texts in notes.by_place.items():
            yield from (f"{dotted(at)}: {one}" for one in texts)

    def _pool_words(self) -> Words | None:
        """The pool: described, referred to, or left to the job to name."""
        pool = self.live.pool
        if pool is None:
            return self._reference(self.live.used) if self.live.used is not None else None
        primary = self.live.work is None
        owns_work = self.owns_tasks or self.owns(self.live.schedule)
        if not primary and not self.owns(pool) and (owns_work or owner_of(pool) is not None):
            self.notes.add(("pool",), f"not made by the spec {self.name!r}, which can only use it as it is")
            return self._reference(pool)
        self.converter.looked_up = self.owns(pool)
        words = self.converter.body("BatchPoolCreateOptions", pool, ("pool",), _held(pool))
        if not self.owns(pool):
            self.notes.add(("pool",), _foreign("pool", pool))
        return {"id": words.pop("id"), **({"os": text("windows")} if self.converter.os == "windows" else {}), **words}

    def _reference(self, pool: JsonObject) -> Words:
        os: Words = {"os": text("windows")} if _os_of(pool) == "windows" else {}
        return {"id": text(str(pool["id"])), "existing": True, **os}

    def _job_words(self) -> Words | None:
        job = self.live.job
        if job is None:
            return None
        if self.shared_job:
            self.notes.add(("job",), f"not made by a spec: {self.name!r} has its tasks in it")
            return {"id": text(str(job["id"])), "existing": True}
        words = self.converter.body("BatchJobCreateOptions", self._without_pool(job), ("job",), _held(job))
        if not self.owns(job):
            self.notes.add(("job",), _foreign("job", job))
        return words

    def _schedule_words(self) -> Words | None:
        schedule = self.live.schedule
        if schedule is None:
            return None
        jobs = schedule.get("jobSpecification")
        body = {**schedule, "jobSpecification": self._without_pool(jobs if isinstance(jobs, dict) else {})}
        words = self.converter.body("BatchJobScheduleCreateOptions", body, ("schedule",), _held(schedule))
        if not self.owns(schedule):
            self.notes.add(("schedule",), _foreign("schedule", schedule))
        return {"id": words["id"], "schedule": {}, "job_specification": {}, **words}

    def _without_pool(self, job: JsonObject) -> JsonObject:
        """The job without the pool that the spec's `pool` says already."""
        info, pool = job.get("poolInfo"), self._pool["id"] if self._pool is not None else None
        implied = isinstance(info, dict) and isinstance(pool, Text) and _same_id(info.get("poolId"), pool.plain)
        return {name: value for name, value in job.items() if not (implied and name == "poolInfo")}

    def _containers(self, notes: Notes, gone: list[str]) -> Words:
        """The containers that the spec refers to, and those of its owner."""
        made: Words = {}
        for name, key in self.storage.keys.items():
            default = name == f"{self.name}-{key.replace('_', '-')}"
            missing = name not in self.live.containers
            named: Words = {} if default else {"name": text(name)}
            if self.storage.own(name) or (missing and default and self.storage.owner is not None):
                made[key] = named
                if missing and self.owns(self.live.job):
                    gone.append(key)
                    notes.add(("containers", key), "is not there; it is taken for cleaned up after the tasks")
                continue
            made[key] = {"name": text(name), "existing": True}
            if missing:
                notes.add(("containers", key), "is not there now, so that `plan` will refuse")
        for url, key in self.storage.others.items():
            sas = f"{key.upper()}_SAS"
            made[key] = {"existing": True, "url": text(url), "sas": {"from_env": text(sas)}}
            notes.add(
                ("containers", key), f"of another account; {sas} shall hold its SAS, or its whole address with the SAS"
            )
        return made

    def _templates(self, marks: _Marks, notes: Notes, rows: dict[str, Sequence[str]]) -> Iterator[Value]:
        inline = self.templates.number <= MOST_INLINE
        if not inline and self.rows_name is None:
            raise UsageError(
                f"the {self.templates.number:,} tasks do not fit into a spec on stdout",
                fix="give --out FILE, which gets the spec, with a file of rows beside it; or --no-tasks",
            )
        for position, group in enumerate(self.templates.groups.values()):
            for place, texts in group.told.items():
                for one in texts:
                    notes.add(("tasks", position, *place), one)
            if len(group.values) == 1:
                yield _single(group, marks)
            else:
                yield self._several(group, marks, rows, inline=inline)

    def _several(self, group: Group, marks: _Marks, rows: dict[str, Sequence[str]], *, inline: bool) -> Value:
        """A template with a generator: a list of items for a few tasks, a file of rows for many."""
        columns = group.columns()
        words = group.template(columns, "item" if inline else "row")
        found = [*group.rows(columns)]
        if words_of := _words_of(group, marks):
            words[IMPORTED] = Text((Code(f"{'item' if inline else 'row'}.{IMPORTED}"),))
            found = [{**row, IMPORTED: word} for row, word in zip(found, words_of, strict=True)]
        if inline:
            items: list[Value] = [{name: _literal(value) for name, value in row.items()} for row in found]
            return {"for_each": {"items": items}, **words}
        name = f"{self.rows_name}{f'-{len(rows) + 1}' if rows else ''}.jsonl"
        rows[name] = [without_turns(json.dumps(row, ensure_ascii=False)) + "\n" for row in found]
        return {"for_each": {"rows": text(name)}, **words}


def _single(group: Group, marks: _Marks) -> Value:
    words = group.template({}, "")
    for word in _words_of(group, marks):
        words[IMPORTED] = text(word)
    return words


def _words_of(group: Group, marks: _Marks) -> list[str]:
    """The word `imported` of each task; none at all when the spec made none of them, or before it is known."""
    if not marks.tasks or not any(group.marks):
        return []
    own = (marks.tasks[id_.casefold()] for id_ in group.ids)
    return [word_of({ours: theirs}) if theirs else "" for ours, theirs in zip(own, group.marks, strict=True)]


def _literal(value: object) -> Value:
    if isinstance(value, list):
        return [_literal(one) for one in value]
    if isinstance(value, str):
        return text(value)
    assert isinstance(value, int | float)
    return value


def _marks(description: _Description, first: Imported) -> _Marks:
    """The marks of what the spec says, rendered as the program does it; what the service has stands in for them.

    Raises SpecInvalid with everything that is wrong, by places in the spec that would be written.
    """
    with tempfile.TemporaryDirectory(prefix="batchspec-") as folder:
        path = Path(folder) / "imported.yaml"
        path.write_text(first.spec, encoding="utf-8", newline="\n")
        for name, lines in first.rows.items():
            with (Path(folder) / name).open("w", encoding="utf-8", newline="\n") as file:
                file.writelines(lines)
        spec, problems = read(path, "imported.yaml")
        desired, faults = (None, []) if spec is None else render(spec, variables={}, secrets={}, target="local")
        found = [*problems, *faults, *(check_tasks(desired) if desired is not None else ())]
        if found or desired is None:
            raise SpecInvalid(found)
        return _marks_of(description, desired)


def _marks_of(description: _Description, desired: Desired) -> _Marks:
    live, marks = description.live, _Marks()
    if description.owns(live.pool) and desired.pool is not None and not desired.pool.existing:
        start = metadata_of(live.pool).get(START_KEY, "")
        pairs = {desired.pool.hash: hash_of(live.pool) or "", desired.pool.start_task_hash: start}
        marks.pool = word_of({ours: theirs for ours, theirs in pairs.items() if ours and theirs})
    if description.owns(live.job) and desired.job is not None:
        marks.job = word_of({desired.job.hash: hash_of(live.job) or ""})
    if description.owns(live.schedule) and desired.schedule is not None:
        marks.schedule = word_of({desired.schedule.hash: hash_of(live.schedule) or ""})
    if description.owns_tasks:
        marks.tasks = {
            task.id.casefold(): task.hash.rpartition(":")[2].removesuffix(HELD_SECRET) for task in desired.tasks()
        }
    return marks


def _inheriting(task: JsonObject, job: JsonObject | None) -> JsonObject:
    """The task without the retries that it has from its job, which the service shows on it."""
    own, given = task.get("constraints"), (job or {}).get("constraints")
    retries = "maxTaskRetryCount"
    inherited = given.get(retries, 0) if isinstance(given, dict) else 0
    if not isinstance(own, dict) or own.get(retries) != inherited:
        return task
    return {**task, "constraints": {name: value for name, value in own.items() if name != retries}}


def _os_of(pool: JsonObject | None) -> Os:
    machine = (pool or {}).get("virtualMachineConfiguration")
    if not isinstance(machine, dict):
        return "linux"
    image = machine.get("imageReference")
    publisher = str(image.get("publisher", "")) if isinstance(image, dict) else ""
    agent = str(machine.get("nodeAgentSKUId", ""))
    windows = "windowsConfiguration" in machine or "windows" in f"{publisher} {agent}".lower()
    return "windows" if windows else "linux"


def _name_from(id_: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", id_.lower()).strip("-")[:40].strip("-") or "imported"


def _same_id(one: Json, other: str | None) -> bool:
    return isinstance(one, str) and other is not None and one.casefold() == other.casefold()


def _foreign(kind: str, thing: JsonObject) -> str:
    owner = owner_of(thing)
    whose = f"made by the spec {owner!r}" if owner else "made by no spec"
    tasks = ", and leave out its tasks" if kind == "job" else ""
    used = f"`{kind}: {{id: {thing['id']}, existing: true}}`{tasks}"
    refused = f"{kind} {thing['id']} was {whose}, so `plan` and `apply` refuse to touch it"
    return f"{refused}; to make one like it, write another id; to use it as it is, write {used}"


def _left_out(ids: Sequence[str], name: str) -> str:
    some = ", ".join(ids[:5]) + (", ..." if len(ids) > 5 else "")
    number = f"{len(ids):,} tasks" if len(ids) != 1 else "1 task"
    return f"left out: {number} of this job that the spec {name!r} did not make: {some}"
