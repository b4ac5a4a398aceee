"""Generators made of generators: `matrix` (every combination) and `zip` (side by side).

Place in the pipeline: `expand` calls these with the streams of the parts. In: Elements by key. Out: Elements whose
values are mappings. Combinations are made one by one, the last key changing fastest, and their number is looked at
before the first is made.
"""

from collections.abc import Iterator, Mapping
from itertools import islice

from batchspec.render.elements import MAX_TASKS, Element, Elements
from batchspec.render.scope import Scope
from batchspec.spec.load import At

Parts = Mapping[str, Elements]

# A part with more elements than this is walked again for each combination of those before it, instead of being held.
MAX_HELD = 10_000
# Nobody means more, and they are combined by functions that call each other.
MAX_NAMES = 100


def matrix(parts: Parts, at: At) -> Elements:
    """Every combination of the elements of the parts."""

    def count(scope: Scope) -> int:
        before = len(scope.faults)
        if len(parts) > MAX_NAMES:
            scope.fault(at, f"has {len(parts):,} names; at most {MAX_NAMES} are allowed")
            return 0
        number = 1 if parts else 0
        for part in parts.values():
            number *= part.count(scope)
        if number > MAX_TASKS:
            scope.fault(at, f"makes {number:,} tasks; the limit is {MAX_TASKS:,}")
        return number if len(scope.faults) == before and number <= MAX_TASKS else 0

    def walk(scope: Scope) -> Iterator[Element]:
        if count(scope):
            for chosen in _combinations(tuple(parts.values()), scope):
                yield _joined(dict(zip(parts, chosen, strict=True)))

    return _made_of(parts, Elements(walk, count))


def zipped(parts: Parts, at: At) -> Elements:
    """The elements of the parts at each position; all must have the same number."""

    def count(scope: Scope) -> int:
        before = len(scope.faults)
        numbers = {key: part.count(scope) for key, part in parts.items()}
        if len(set(numbers.values())) > 1 and len(scope.faults) == before:
            said = ", ".join(f"{key} has {number:,}" for key, number in numbers.items())
            scope.fault(at, f"the lists must have the same length: {said}")
        return min(numbers.values(), default=0) if len(scope.faults) == before else 0

    def walk(scope: Scope) -> Iterator[Element]:
        if count(scope):
            for chosen in zip(*(part.walk(scope) for part in parts.values()), strict=False):
                yield _joined(dict(zip(parts, chosen, strict=True)))

    return _made_of(parts, Elements(walk, count))


def _made_of(parts: Parts, whole: Elements) -> Elements:
    queries = tuple(query for part in parts.values() for query in part.queries)
    if all(part.known for part in parts.values()):
        return Elements(whole.walk, whole.count, queries)
    return Elements(lambda scope: iter(()), lambda scope: 0, queries, known=False)


def _combinations(parts: tuple[Elements, ...], scope: Scope) -> Iterator[tuple[Element, ...]]:
    if not parts:
        yield ()
        return
    last = parts[-1]
    held = list(islice(last.walk(scope), MAX_HELD + 1)) if len(parts) > 1 else None
    for before in _combinations(parts[:-1], scope):
        for element in last.walk(scope) if held is None or len(held) > MAX_HELD else held:
            yield (*before, element)


def _joined(chosen: Mapping[str, Element]) -> Element:
    value = {key: element.value for key, element in chosen.items()}
    word = ", ".join(f"{key} {element.word}" for key, element in chosen.items())
    return Element(value, word, tuple(one for element in chosen.values() for one in element.inputs))
