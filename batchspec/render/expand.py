"""`for_each` -> a stream of bindings: what each task's templates can name besides what every task's can.

Place in the pipeline: `desired` compiles the generator of a task template here, `tasks` walks it as often as it needs.
In: the generator as written, and where things are found. Out: Bindings, one per task, in a fixed order. Never holds the
whole stream: rows are read and combinations are made one by one (see `sources` and `products`).

The values of a matrix or zip are lists, or generators themselves, each of which gives its element under its key. The
blobs of a container are listed by the service, before this is called a second time with what it said; until then such
a generator is not `known`, and its template is only looked at with assumed names.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from batchspec.render import products, sources
from batchspec.render.elements import MAX_TASKS, Element, Elements, Sources, nothing
from batchspec.render.inputs import Input
from batchspec.render.model import BlobQuery
from batchspec.render.names import BlobFile, File
from batchspec.render.scope import Scope
from batchspec.render.unknown import Unknown
from batchspec.render.wire import Wire
from batchspec.spec.load import At
from batchspec.spec.words import GENERATORS


@dataclass(frozen=True, slots=True)
class Binding:
    """The names of one task; `label` tells it apart for people, `inputs` are the files that it stands for."""

    names: Mapping[str, object]
    label: str = ""
    inputs: tuple[Input, ...] = ()


@dataclass(frozen=True, slots=True)
class Generator:
    """Bindings, again for every call; see `Elements` for `queries` and `known`."""

    bindings: Callable[[Scope], Iterator[Binding]]
    queries: tuple[BlobQuery, ...] = ()
    known: bool = True


ONCE = Generator(lambda scope: iter((Binding({}),)))  # of a template without `for_each`: one task


def generator(wire: Wire, found: Sources, given: Mapping[str, object], at: At) -> Generator:
    """The generator that `for_each` says; faults of its form are noted in the compiler's scope."""
    kind = next((key for key in GENERATORS if key in given), "")
    elements = _elements(wire, found, given, at)

    def bindings(scope: Scope) -> Iterator[Binding]:
        for number, element in enumerate(elements.walk(scope)):
            if number == MAX_TASKS:
                scope.fault((*at, kind), f"makes more than {MAX_TASKS:,} tasks, which is the limit")
                return
            yield Binding({_GIVES[kind]: element.value}, _label(kind, element), element.inputs)

    return Generator(bindings, elements.queries, elements.known)


def _label(kind: str, element: Element) -> str:
    noun = _NOUNS.get(kind)
    return f"{noun} {element.word}" if noun else element.word


def _elements(wire: Wire, found: Sources, given: Mapping[str, object], at: At) -> Elements:
    kinds = [key for key in GENERATORS if key in given]
    if all(given[kind] is None for kind in kinds):  # broken, and told
        return nothing()
    if len(kinds) != 1:
        wire.scope.fault(at, f"expected exactly one of {', '.join(GENERATORS)}")
        return nothing()
    kind = kinds[0]
    if kind == "container":
        return sources.container(wire, found, given, at)
    inner = (*at, kind)
    if kind in _PRODUCTS:
        return _PRODUCTS[kind](_parts(wire, found, given[kind], inner), inner)
    return _SIMPLE[kind](wire, found, given[kind], inner)


def _parts(wire: Wire, found: Sources, given: object, at: At) -> dict[str, Elements]:
    if not isinstance(given, Mapping):
        wire.scope.fault(at, "expected a mapping of names to lists or generators")
        return {}
    return {str(key): _part(wire, found, value, (*at, str(key))) for key, value in given.items()}


def _part(wire: Wire, found: Sources, given: object, at: At) -> Elements:
    if isinstance(given, Mapping):
        return _elements(wire, found, given, at)
    return sources.items(wire, found, given, at)


def assumed(given: Mapping[str, object]) -> Mapping[str, object]:
    """What stands for the names that a generator would have given, when it gives none; all names when it may be any."""
    kinds = [kind for kind in given if kind in _GIVES]
    if not kinds:
        return {name: Unknown(File.PARTS if name == "file" else ()) for name in _GIVES.values()}
    return {_GIVES[kind]: _assumed(kind, given[kind]) for kind in kinds}


def _assumed(kind: str, value: object) -> object:
    if kind in _PRODUCTS and isinstance(value, Mapping):
        return {str(key): _assumed_part(part) for key, part in value.items()}
    return Unknown({"upload": File.PARTS, "container": BlobFile.PARTS}.get(kind, ()))


def _assumed_part(part: object) -> object:
    kinds = [kind for kind in part if kind in _GIVES] if isinstance(part, Mapping) else []
    return _assumed(kinds[0], part[kinds[0]]) if isinstance(part, Mapping) and len(kinds) == 1 else Unknown()


_GIVES: Mapping[str, str] = {
    "upload": "file",
    "container": "file",
    "items": "item",
    "rows": "row",
    "range": "value",
    "matrix": "matrix",
    "zip": "item",
}
_NOUNS = {"upload": "file", "container": "blob", "items": "item", "range": "value"}
_SIMPLE: Mapping[str, Callable[[Wire, Sources, object, At], Elements]] = {
    "upload": sources.upload,
    "items": sources.items,
    "rows": sources.table,
    "range": sources.numbers,
}
_PRODUCTS: Mapping[str, Callable[[products.Parts, At], Elements]] = {
    "matrix": products.matrix,
    "zip": products.zipped,
}
