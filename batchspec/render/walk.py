"""Compiled task templates, and the walk through all that they make.

Place in the pipeline: `desired` compiles templates to one `Walk`; `tasks` makes the stream of it, `needs` and `check`
walk it too. In: makers and generators. Out: id, body and binding of one task after the other, in the order of the
templates and their generators, again for every call. Holds no task.
"""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import NamedTuple

from batchspec.render.expand import Binding, Generator
from batchspec.render.metering import RUN
from batchspec.render.model import BlobQuery, JsonObject, Listing
from batchspec.render.scope import Findings, Maker, Scope
from batchspec.render.symbolic import Json
from batchspec.spec.load import At, Document


@dataclass(frozen=True, slots=True)
class Template:
    """One entry of `tasks`, compiled: makers of its id and body, its generator, and the templates it needs.

    `assumed` are the names with which it is checked when its generator gives nothing; `written` is how it is shown when
    nobody knows what its generator gives. `imported` makes the word of that name, empty when there is none. `name` is
    what others call it in their `needs`.
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
    name: str = ""


class Made(NamedTuple):
    """One task: `body` as its own template says, without what its `needs` add."""

    id: str
    body: JsonObject
    binding: Binding
    word: str


@dataclass(frozen=True, slots=True)
class Walk:
    """All templates; `names` are what every one of them can name, `listings` the blobs of their generators."""

    document: Document
    names: Mapping[str, object]
    templates: Sequence[Template]
    listings: Mapping[BlobQuery, Listing] = field(default_factory=dict)

    def before(self, index: int, done: Container[int]) -> list[int]:
        """A template and all that it needs and is not done, directly or through others, each after what it needs."""
        graph: dict[int, list[int]] = {}
        waiting = [index]
        while waiting:
            one = waiting.pop()
            if one not in graph:
                graph[one] = [needed for needed in self.templates[one].needs if needed not in done]
                waiting += graph[one]
        return list(TopologicalSorter(graph).static_order())

    def known(self) -> frozenset[int]:
        """The templates of which every task is known, and every task of those that they need."""
        found: set[int] = set()
        for index in TopologicalSorter({one.index: one.needs for one in self.templates}).static_order():
            template = self.templates[index]
            if template.generator.known and found.issuperset(template.needs):
                found.add(index)
        return frozenset(found)

    def made(self, template: Template, findings: Findings) -> Iterator[Made]:
        """The tasks of a template; one without id is left out. What is wrong is noted in `findings`."""
        for binding, scope in self.scopes(template, findings):
            id_ = template.id(scope)
            body = template.body(scope)
            word = template.imported(scope)
            for fault in scope.faults:
                findings.add(fault, binding.label)
            if isinstance(id_, str) and isinstance(body, dict):
                yield Made(id_, {"id": id_, **body}, binding, str(word))

    def scopes(self, template: Template, findings: Findings) -> Iterator[tuple[Binding, Scope]]:
        """Each binding of a template with the scope that its makers are called with."""
        outer, before = Scope(self.names), findings.count
        for index, binding in enumerate(template.generator.bindings(outer)):
            if RUN.is_spent or findings.is_enough(before):
                break
            yield binding, Scope({**self.names, **binding.names, "index": index})
        for fault in outer.faults:
            findings.add(fault)

    def ids(self, index: int) -> Iterator[str]:
        """The ids of a template's tasks; faults are passed over."""
        template = self.templates[index]
        made = (template.id(scope) for _, scope in self.scopes(template, Findings()))
        return (id_ for id_ in made if isinstance(id_, str))
