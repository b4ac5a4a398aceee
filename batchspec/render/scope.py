"""What a rendering knows and what it finds wrong: `Scope`, and values that are made from it.

Place in the pipeline: `wire` and `expand` compile parts of a spec to makers, `tasks` and `desired` call them. In:
names. Out: JSON, and faults with their place in the spec. A maker never raises for a wrong spec: it notes a fault and
makes OMIT, so that one walk finds everything. When all that a spec may cost is spent (`metering`), no more is made, and
nothing said of it: that it is spent is told once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from batchspec.errors import Problem
from batchspec.render import template
from batchspec.render.metering import RUN
from batchspec.render.symbolic import Json, told
from batchspec.render.template_faults import TemplateFault
from batchspec.spec.load import At, Document
from batchspec.spec.schema import MANY

_MESSAGES_PER_PLACE = 5
# After so many faults one of each template is enough: nobody has a hundred thousand tasks to put right one by one.
_MOST = 1_000


class Omit:
    """Stands for a value that is not there: null, or faulty."""


OMIT = Omit()

Made = Json | Omit


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with the value at a place; `offset` counts characters inside the text there, None if unknown."""

    at: At
    message: str
    offset: int | None = None

    def problem(self, document: Document) -> Problem:
        """The fault as people see it, at the very character where that can be told."""
        problem = document.problem(self.at, told(self.message))
        if self.offset is None:
            return problem
        place = document.inside(self.at, self.offset)
        return replace(problem, line=place.line, column=place.column)


@dataclass(slots=True)
class _Same:
    """A fault that several renderings have: what the first of these is called, and how many they are."""

    fault: Fault
    label: str
    count: int = 0


@dataclass(slots=True)
class Findings:
    """Faults of many renderings of the same templates: each message once, a few of each place, the others counted.

    `count` is how many there are, and `stopped` says that there may be more.
    """

    by_place: dict[At, dict[str, _Same]] = field(default_factory=dict)
    count: int = 0
    stopped: bool = False

    def is_enough(self, before: int) -> bool:
        """Whether to look at no more of the renderings before which there were so many faults."""
        self.stopped |= before < self.count >= _MOST
        return before < self.count >= _MOST

    def add(self, fault: Fault, label: str = "") -> None:
        """Note a fault that the rendering called `label` has."""
        self.count += 1
        found = self.by_place.setdefault(fault.at, {})
        if len(found) < _MESSAGES_PER_PLACE or fault.message in found:
            found.setdefault(fault.message, _Same(fault, label)).count += 1
        else:
            found.setdefault("", _Same(Fault(fault.at, ""), label)).count += 1

    def problems(self, document: Document) -> list[Problem]:
        """All of it, sorted by position."""
        every = [
            replace(same.fault, message=_with_label(message, same, "at least " if self.stopped else "")).problem(
                document
            )
            for found in self.by_place.values()
            for message, same in found.items()
        ]
        return sorted(set(every))


def _with_label(message: str, same: _Same, least: str) -> str:
    if not message:
        return f"and {least}{same.count:,} more problems of this kind"
    if not same.label:
        return message
    others = f" and {least}{same.count - 1:,} more" if same.count > 1 else ""
    return f"{message} (for {same.label}{others})"


@dataclass(slots=True)
class Scope:
    """The names of one rendering, and the faults found so far.

    With `assumed` some names stand for what cannot be known (see `unknown`), so only what a template says about names
    that there are not is a fault.
    """

    names: Mapping[str, object]
    faults: list[Fault] = field(default_factory=list)
    assumed: bool = False

    def fault(self, at: At, message: str, offset: int | None = None) -> Omit:
        """Note a fault; gives OMIT, which is what the value becomes."""
        if not self.assumed:
            self._note(Fault(at, message, offset))
        return OMIT

    def template_fault(self, at: At, error: TemplateFault) -> Omit:
        """Note what is wrong with a template."""
        for one in (error, *error.others):
            if not self.assumed or one.names_nothing:
                self._note(Fault(at, one.message, one.offset))
        return OMIT

    def _note(self, fault: Fault) -> None:
        if len(self.faults) < _MOST:
            self.faults.append(fault)
        elif len(self.faults) == _MOST:
            self.faults.append(Fault((), MANY))


Maker = Callable[[Scope], Made]


def fixed(value: Made) -> Maker:
    """A maker of always the same; `fixed_value` gives it back."""

    def make(scope: Scope) -> Made:
        return value

    make.value = value  # type: ignore[attr-defined]
    return make


def is_fixed(maker: Maker) -> bool:
    """Whether a maker makes the same for every scope."""
    return hasattr(maker, "value")


def text(source: str, at: At, scope: Scope) -> Maker:
    """A maker of the text that a template gives; what is wrong with the template itself is noted in `scope` now."""
    if not template.is_template(source):
        return fixed(source)
    if RUN.is_spent:
        return fixed(OMIT)
    try:
        render = template.text_of(source)
    except TemplateFault as error:
        return fixed(scope.fault(at, error.message, error.offset))

    def make(inner: Scope) -> Made:
        try:
            return render(inner.names)
        except TemplateFault as error:
            return inner.template_fault(at, error)

    return make


def native(source: str, at: At, scope: Scope, finish: Callable[[Json, Scope], Made]) -> Maker:
    """A maker of what `finish` makes of the value of one whole `{{ }}`."""
    if RUN.is_spent:
        return fixed(OMIT)
    try:
        evaluate = template.native(source)
    except TemplateFault as error:
        return fixed(scope.fault(at, error.message, error.offset))

    def make(inner: Scope) -> Made:
        try:
            value = evaluate(inner.names)
        except TemplateFault as error:
            return inner.template_fault(at, error)
        return finish(value, inner)

    return make


def list_of(makers: list[Maker]) -> Maker:
    """A maker of the list of what these make, without what is omitted."""
    if all(map(is_fixed, makers)):
        return fixed(_listed(makers, Scope({})))
    return lambda scope: _listed(makers, scope)


def _listed(makers: list[Maker], scope: Scope) -> Made:
    made = [make(scope) for make in makers]
    return [one for one in made if not isinstance(one, Omit)]


def object_of(makers: Mapping[str, Maker]) -> Maker:
    """A maker of the object with these keys, without what is omitted."""
    items = tuple(makers.items())
    if all(is_fixed(make) for _, make in items):
        return fixed(_filled(items, Scope({})))
    return lambda scope: _filled(items, scope)


def _filled(items: tuple[tuple[str, Maker], ...], scope: Scope) -> Made:
    made = {}
    for key, make in items:
        value = make(scope)
        if not isinstance(value, Omit):
            made[key] = value
    return made


def then(maker: Maker, finish: Callable[[Made, Scope], Made], scope: Scope) -> Maker:
    """A maker of what `finish` makes of what `maker` makes; when that is fixed it is done now, with this scope."""
    if is_fixed(maker):
        value = maker(scope)
        return fixed(value if isinstance(value, Omit) else finish(value, scope))

    def make(inner: Scope) -> Made:
        value = maker(inner)
        return value if isinstance(value, Omit) else finish(value, inner)

    return make
