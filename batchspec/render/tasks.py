"""Task templates and their bindings -> the stream of tasks.

Place in the pipeline: `desired` makes one `TaskStream`, which is `Desired.tasks`. In: compiled templates. Out:
DesiredTasks, in the order of the templates and their generators, again for every call. Holds the ids of the tasks while
it checks them, and of those that others need, but never the tasks.

Hashing reads files, so it happens only when tasks are made, not in `check`.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from batchspec.errors import Problem, SpecInvalid
from batchspec.render import hashes, imported
from batchspec.render.expand import Binding, Generator
from batchspec.render.ids import id_fault
from batchspec.render.inputs import Inputs, containers_in
from batchspec.render.model import TASK_HASH_SETTING, BlobQuery, DesiredTask, JsonObject, Listing
from batchspec.render.scope import Fault, Findings, Maker, Scope
from batchspec.render.sources import none_of
from batchspec.render.symbolic import OPEN, Json
from batchspec.spec.document import dotted, shown
from batchspec.spec.load import At, Document

# "Add Task Collection": a request has at most 1 MiB; the text of `depends_on` at most 64,000 characters.
MAX_BODY_BYTES = 1_048_576
MAX_DEPENDENCY_CHARACTERS = 64_000
_SYMBOL_BYTES = 400
_DOUBLED_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Template:
    """One entry of `tasks`, compiled: makers of its id and body, its generator, and the templates it needs.

    `assumed` are the names with which it is checked when its generator gives nothing; `written` is how it is shown when
    nobody knows what its generator gives. `imported` makes the word of that name, empty when there is none.
    """

    index: int
    at: At
    id: Maker
    body: Maker
    generator: Generator
    needs: tuple[int, ...]
    assumed: Mapping[str, object]
    imported: Maker
    written: Json = None


class TaskStream:
    """All tasks of a spec; call it for the stream.

    `names` are what every task's templates can name; `shared` gives the inputs that count for every task (those of the
    start task and of job preparation), asked for at the first fingerprint.
    """

    def __init__(
        self,
        document: Document,
        names: Mapping[str, object],
        templates: Sequence[Template],
        inputs: Inputs,
        shared: Callable[[], Json],
        listings: Mapping[BlobQuery, Listing],
    ) -> None:
        self._document = document
        self._names = names
        self._templates = templates
        self._inputs = inputs
        self._shared = shared
        self._listings = listings
        self._common: Json = None
        self._ids: dict[int, list[str]] = {}
        self._digests: dict[int, str] = {}
        self.warnings: list[Problem] = []

    @property
    def queries(self) -> tuple[BlobQuery, ...]:
        """What the generators want listed, each once."""
        return tuple(dict.fromkeys(query for template in self._templates for query in template.generator.queries))

    def __call__(self) -> Iterator[DesiredTask]:
        """Every task with its fingerprint. Raises SpecInvalid for one that cannot be rendered, LocalIOFailed."""
        for template in self._templates:
            yield from self._finished(template)

    def shown(self) -> Iterator[Json]:
        """The bodies of all tasks, and of each template whose tasks are not known yet how it is written."""
        for template in self._templates:
            if template.generator.known:
                yield from (task.body for task in self._finished(template))
            else:
                yield template.written

    def select(self, task_id: str) -> Iterator[DesiredTask]:
        """The task with this id, if there is one; files of other tasks are not read."""
        for template in self._templates:
            yield from self._finished(template, only=task_id)

    def check(self) -> list[Problem]:
        """Render every task once, without fingerprints: what is wrong with any of them, sorted by position."""
        findings = Findings()
        seen: dict[str, int] = {}
        doubled: list[tuple[int, int, str]] = []
        number = 0
        for template in self._templates:
            self._check_needs(template, findings)
            before = number
            for id_, body, binding in self._rendered(template, findings):
                first = seen.setdefault(id_.lower(), number)
                if first != number and len(doubled) < _DOUBLED_SHOWN:
                    doubled.append((first, number, id_))
                _check_task(template, id_, body, binding, findings)
                number += 1
            if number == before:
                self._check_unbound(template, findings)
                self.warnings += self._of_empty(template)
        self._explain(doubled, findings)
        return findings.problems(self._document)

    def _rendered(self, template: Template, findings: Findings) -> Iterator[tuple[str, JsonObject, Binding]]:
        """Id, body and binding of each task; one without id is left out."""
        depends_on = self._needed(template)
        for binding, scope in self._scopes(template, findings):
            id_ = template.id(scope)
            body = template.body(scope)
            template.imported(scope)
            for fault in scope.faults:
                findings.add(fault, binding.label)
            if isinstance(id_, str) and isinstance(body, dict):
                yield id_, _with_needs({"id": id_, **body}, depends_on), binding

    def _check_unbound(self, template: Template, findings: Findings) -> None:
        """Look for wrong names in a template that makes no task, which may be so because its upload is broken."""
        if next(self._scopes(template, Findings()), None) is None:
            scope = Scope({**self._names, **template.assumed, "index": 0}, assumed=True)
            template.id(scope)
            template.body(scope)
            for fault in scope.faults:
                findings.add(fault)

    def _of_empty(self, template: Template) -> Iterator[Problem]:
        """What to say of a generator that was given its blobs and found none."""
        if not template.generator.known:
            return
        for query in template.generator.queries:
            listing = self._listings[query]
            if not listing.blobs:
                yield self._document.problem((*template.at, "for_each"), none_of(query, listing))

    def _scopes(self, template: Template, findings: Findings) -> Iterator[tuple[Binding, Scope]]:
        outer = Scope(self._names)
        for index, binding in enumerate(template.generator.bindings(outer)):
            yield binding, Scope({**self._names, **binding.names, "index": index})
        for fault in outer.faults:
            findings.add(fault)

    def _needed(self, template: Template) -> list[str]:
        return [id_ for index in template.needs for id_ in self._ids_of(index)]

    def _ids_of(self, index: int) -> list[str]:
        if index not in self._ids:
            template = self._templates[index]
            made = [template.id(scope) for _, scope in self._scopes(template, Findings())]
            self._ids[index] = [id_ for id_ in made if isinstance(id_, str)]
        return self._ids[index]

    def _finished(self, template: Template, only: str | None = None) -> Iterator[DesiredTask]:
        findings = Findings()
        for id_, body, binding in self._rendered(template, findings):
            if findings.by_place:
                break
            if only in (None, id_):
                yield self._marked(template, id_, body, binding)
        if findings.by_place:
            raise SpecInvalid(findings.problems(self._document))

    def _marked(self, template: Template, id_: str, body: JsonObject, binding: Binding) -> DesiredTask:
        if self._common is None:
            self._common = self._shared()
        needed: list[Json] = [self._digest(index) for index in template.needs]
        depends: list[Json] = [self._inputs.of(body, binding.inputs), self._common, needed]
        # The owner too: a job that several specs share holds tasks of all of them.
        word = template.imported(Scope({**self._names, **binding.names}))
        fingerprint = imported.mark(str(word), hashes.task_fingerprint(body, depends))
        mark = f"{self._names['name']}:{fingerprint}"
        settings = body.get("environmentSettings")
        marked: list[Json] = [
            *(settings if isinstance(settings, list) else []),
            {"name": TASK_HASH_SETTING, "value": mark},
        ]
        body = {**body, "environmentSettings": marked}
        return DesiredTask(id_, body, mark, containers_in(body), template.index, template.at)

    def _digest(self, index: int) -> str:
        """One fingerprint of all tasks of a template."""
        if index not in self._digests:
            whole = hashlib.sha256()
            for task in self._finished(self._templates[index]):
                whole.update(f"{task.id} {task.hash}\n".encode())
            self._digests[index] = whole.hexdigest()
        return self._digests[index]

    def _check_needs(self, template: Template, findings: Findings) -> None:
        ids = self._needed(template)
        size = sum(map(len, ids))
        if size > MAX_DEPENDENCY_CHARACTERS:
            message = (
                f"the ids of the {len(ids):,} tasks have {size:,} characters, Azure Batch takes 64,000; shorten them"
            )
            findings.add(Fault((*template.at, "needs"), message))

    def _explain(self, doubled: Sequence[tuple[int, int, str]], findings: Findings) -> None:
        """Say of each pair of tasks with one id what they come from; the generators are walked again for that."""
        wanted = {number for first, second, _ in doubled for number in (first, second)}
        origins: dict[int, tuple[Template, str]] = {}
        number = 0
        for template in self._templates if wanted else ():
            for id_, _, binding in self._rendered(template, Findings()):
                if number in wanted:
                    origins[number] = template, f"{dotted(template.at)} with id '{id_}'" + _of(binding.label)
                number += 1
        for first, second, id_ in doubled:
            template, this = origins[second]
            message = (
                f"two tasks cannot both have the id '{id_}' (case does not count): {origins[first][1]}, and {this}"
            )
            findings.add(Fault((*template.at, "id"), message))


def _check_task(template: Template, id_: str, body: JsonObject, binding: Binding, findings: Findings) -> None:
    fault = id_fault(id_)
    if fault:
        findings.add(Fault((*template.at, "id"), f"{shown(id_)} {fault}; the filter task_id makes one"), binding.label)
    text = json.dumps(body, ensure_ascii=False)
    size = len(text.encode("utf-8", "surrogatepass")) + _SYMBOL_BYTES * text.count(OPEN)
    if size > MAX_BODY_BYTES:
        message = f"the task has about {size:,} bytes, a request to Azure Batch at most {MAX_BODY_BYTES:,}"
        findings.add(Fault(template.at, message), binding.label)


def _with_needs(body: JsonObject, ids: Sequence[str]) -> JsonObject:
    if not ids:
        return body
    given = body.get("dependsOn")
    given = given if isinstance(given, dict) else {}
    listed = given.get("taskIds")
    both: list[Json] = [*(listed if isinstance(listed, list) else []), *ids]
    return {**body, "dependsOn": {**given, "taskIds": both}}


def _of(label: str) -> str:
    return f" of {label}" if label else ""
