"""Task templates and their bindings -> the stream of tasks.

Place in the pipeline: `desired` makes one `TaskStream`, which is `Desired.tasks`. In: compiled templates. Out:
DesiredTasks, in the order of the templates and their generators, again for every call; after the tasks of a template
that others need, the merge tasks that `needs` asks for. Never holds the tasks.

What a task `needs` is in its fingerprint by the fingerprints of those tasks, not by how it is said to the service: one
more file runs again what depends on it and nothing else. Hashing reads files, so it happens only when tasks are made,
not in `check`.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from batchspec.errors import Problem, SpecInvalid
from batchspec.render import hashes, imported
from batchspec.render.check import Checking
from batchspec.render.hashes import HELD_SECRET
from batchspec.render.inputs import Inputs, containers_in
from batchspec.render.model import TASK_HASH_SETTING, BlobQuery, DesiredTask, JsonObject
from batchspec.render.needs import MAX_CHARACTERS, Chunks, MergeIds, Needed, depends_on, needed_of
from batchspec.render.scope import Findings
from batchspec.render.symbolic import Json, holds_secret, symbol
from batchspec.render.walk import Made, Template, Walk


@dataclass(slots=True)
class TaskStream:
    """All tasks of a spec; call it for the stream.

    `shared` gives the inputs that count for every task (those of the start task and of job preparation), asked for at
    the first fingerprint. `merge` is the command line of merge tasks. `complete` says that no others can be in the job,
    so that an id of no task is a fault; `has_secrets` that the spec declares some. `warnings` are what `check` found
    and allows.
    """

    walk: Walk
    inputs: Inputs
    shared: Callable[[], Json]
    merge: str
    complete: bool = True
    has_secrets: bool = False
    warnings: list[Problem] = field(default_factory=list)
    _common: Json = None
    _sharing: dict[int, int] = field(default_factory=dict)
    _needed: dict[int, Needed] = field(default_factory=dict)
    _digests: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for template in self.walk.templates:
            for index in template.needs:
                self._sharing[index] = max(self._sharing.get(index, 1), len(template.needs))

    @property
    def queries(self) -> tuple[BlobQuery, ...]:
        """What the generators want listed, each once."""
        return tuple(dict.fromkeys(query for template in self.walk.templates for query in template.generator.queries))

    def __call__(self) -> Iterator[DesiredTask]:
        """Every task with its fingerprint. Raises SpecInvalid for one that cannot be rendered, LocalIOFailed.

        Without those that are made of, or need, tasks made of blobs that are not listed: nobody knows what they are.
        """
        known = self.walk.known()
        for template in self.walk.templates:
            if template.index in known:
                yield from self._with_merges(template)

    def shown(self) -> Iterator[Json]:
        """The bodies of all tasks, and of each template whose tasks are not known yet how it is written."""
        for template in self.walk.templates:
            if template.generator.known:
                yield from (task.body for task in self._with_merges(template))
            else:
                yield template.written

    def select(self, task_id: str) -> Iterator[DesiredTask]:
        """The task with this id, if there is one; files of other tasks are not read."""
        for template in self.walk.templates:
            yield from self._finished(template, only=task_id)
            if task_id in self._merges(template.index):
                yield from (task for task in self._with_merges(template) if task.id == task_id)

    def check(self) -> list[Problem]:
        """Render every task once, without fingerprints: what is wrong with any of them, sorted by position."""
        checking = Checking(self.walk, self.needed, self._merges, complete=self.complete)
        found = checking.problems()
        self.warnings = checking.warnings
        return found

    def notes(self) -> list[str]:
        """What a person should know of the tasks beside those of the spec."""
        merged = {index: self.needed(index) for index in sorted(self._sharing)}
        return [
            f"{len(one.ids):,} task{'s' * (len(one.ids) != 1)} of these only wait for the {one.count:,} of "
            f"'{self.walk.templates[index].name}': their ids are more than Azure Batch takes in one `depends_on`"
            for index, one in merged.items()
            if one.merged
        ]

    def needed(self, index: int) -> Needed:
        """How to depend on all tasks of a template."""
        if index not in self._needed:
            template = self.walk.templates[index]
            if template.generator.known:
                found = needed_of(self.walk.ids(index), self._characters(index), self._merge_ids(template))
            else:
                found = Needed(ids=(symbol("task_ids", template.name),))
            self._needed[index] = found
        return self._needed[index]

    def _characters(self, index: int) -> int:
        """How long a list of a template's ids may be; who needs several templates has one list for all of them."""
        return MAX_CHARACTERS // self._sharing.get(index, 1)

    def _merge_ids(self, template: Template) -> MergeIds:
        return MergeIds(str(self.walk.names["name"]), template.name)

    def _merges(self, index: int) -> tuple[str, ...]:
        """The ids of the merge tasks that follow a template's tasks."""
        if index not in self._sharing:
            return ()
        needed = self.needed(index)
        return needed.ids if needed.merged else ()

    def _with_merges(self, template: Template) -> Iterator[DesiredTask]:
        ids = self._merges(template.index)
        if not ids:
            yield from self._finished(template)
            return
        chunks, pending = Chunks(), list[DesiredTask]()
        names = iter(ids)
        for task in self._finished(template):
            if chunks.is_full(task.id):
                yield self._merge(template, next(names), pending)
                pending = []
            yield task
            pending.append(task)
        yield self._merge(template, next(names), pending)

    def _merge(self, template: Template, id_: str, waited: list[DesiredTask]) -> DesiredTask:
        """A task that does nothing once all of these have succeeded; where they run in containers, so does it."""
        body: JsonObject = {"id": id_, "commandLine": self.merge}
        if "containerSettings" in waited[0].body:
            body["containerSettings"] = waited[0].body["containerSettings"]
        depends: list[Json] = [[task.id, task.hash] for task in waited]
        mark = self._mark(hashes.task_fingerprint(body, depends), body)
        body["dependsOn"] = {"taskIds": [task.id for task in waited]}
        return _marked(template, body, mark)

    def _finished(self, template: Template, only: str | None = None) -> Iterator[DesiredTask]:
        findings = Findings()
        needed = [self.needed(index) for index in template.needs]
        for made in self.walk.made(template, findings):
            if findings.by_place:
                break
            if only in (None, made.id):
                yield self._task(template, made, needed)
        if findings.by_place:
            raise SpecInvalid(findings.problems(self.walk.document))

    def _task(self, template: Template, made: Made, needed: list[Needed]) -> DesiredTask:
        if self._common is None:
            self._common = self.shared()
        digests: list[Json] = [self._digest(index) for index in template.needs]
        depends: list[Json] = [self.inputs.of(made.body, made.binding.inputs), self._common, digests]
        body = made.body
        mark = self._mark(imported.mark(made.word, hashes.task_fingerprint(body, depends)), body)
        if any(one.count for one in needed) or any(one.ids for one in needed):
            body = {**body, "dependsOn": depends_on(body.get("dependsOn"), needed)}
        return _marked(template, body, mark)

    def _mark(self, fingerprint: str, body: JsonObject) -> str:
        # The owner too: a job that several specs share holds tasks of all of them.
        secret = HELD_SECRET if self._holds_secret(body) and not fingerprint.endswith(HELD_SECRET) else ""
        return f"{self.walk.names['name']}:{fingerprint}{secret}"

    def _holds_secret(self, body: JsonObject) -> bool:
        """Whether a secret stands elsewhere than in a setting, whose values are never shown."""
        others = (value for key, value in body.items() if key != "environmentSettings")
        return self.has_secrets and any(map(holds_secret, others))

    def _digest(self, index: int) -> str:
        """One fingerprint of all tasks of a template; those of what they need first, in a loop: chains may be long."""
        for one in self.walk.before(index, self._digests) if index not in self._digests else ():
            whole = hashlib.sha256()
            for task in self._finished(self.walk.templates[one]):
                whole.update(f"{task.id} {task.hash}\n".encode())
            self._digests[one] = whole.hexdigest()
        return self._digests[index]


def _marked(template: Template, body: JsonObject, mark: str) -> DesiredTask:
    settings = body.get("environmentSettings")
    marked: list[Json] = [
        *(settings if isinstance(settings, list) else []),
        {"name": TASK_HASH_SETTING, "value": mark},
    ]
    body = {**body, "environmentSettings": marked}
    return DesiredTask(str(body["id"]), body, mark, containers_in(body), template.index, template.at)
