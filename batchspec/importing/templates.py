"""Tasks one by one -> task templates: what many tasks have in common is written once.

Place in the pipeline: `describe` adds each task as it comes from the service. In: the words of tasks. Out: groups of
tasks that differ in nothing but values: their template, the columns of what differs, and a row for each task. Pure.

A group keeps, per task, only the values; equal texts are kept once. So 100,000 tasks take tens of megabytes, not the
gigabyte of their bodies. A group of one task is a template of its own, without columns.
"""

import re
from collections.abc import Collection, Hashable, Iterator
from dataclasses import dataclass, field

from batchspec.importing.pieces import Code, Text, Value, Words, text
from batchspec.spec.load import At

Leaf = str | int | float | bool | list[str | int | float | bool]
Row = dict[str, Leaf]
# Where the schema wants a list as it is, so that none can come from a column.
_WRITTEN_OUT = ("commands",)
IMPORTED = "imported"


@dataclass(slots=True)
class Group:
    """Tasks of one form: `example` is one of them, `values` hold what stands at `paths` in each.

    `marks` are the tasks' fingerprints in the service, "" for those that no spec made; `told` are notes about any of
    them, by the place inside a task.
    """

    example: Words
    paths: tuple[At, ...]
    values: list[tuple[Leaf, ...]] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    told: dict[At, list[str]] = field(default_factory=dict)

    @property
    def ids(self) -> Iterator[str]:
        """The ids of the tasks, in their order."""
        place = self.paths.index(("id",))
        return (str(values[place]) for values in self.values)

    def columns(self) -> dict[int, str]:
        """The name of the column that has each value that differs; one column for values that are always the same."""
        first = self.values[0]
        names: dict[int, str] = {}
        known: dict[tuple[str, ...], str] = {}
        for index, path in enumerate(self.paths):
            if any(values[index] != first[index] for values in self.values):
                column = tuple(repr(values[index]) for values in self.values)
                names[index] = known.setdefault(column, _free(path, {IMPORTED, *known.values()}))
        return names

    def rows(self, columns: dict[int, str]) -> Iterator[Row]:
        """What differs, for each task."""
        places = {name: index for index, name in reversed(columns.items())}
        ordered = sorted((index, name) for name, index in places.items())
        return ({name: values[index] for index, name in ordered} for values in self.values)

    def template(self, columns: dict[int, str], root: str) -> Words:
        """The words of the template, `root` being what its generator calls a row."""
        first = self.values[0]

        def of(index: int) -> Leaf | Code:
            return Code(f"{root}.{columns[index]}") if index in columns else first[index]

        made = _rebuilt(self.example, (), (of(index) for index in range(len(self.paths))))
        assert isinstance(made, dict)
        return made


@dataclass(slots=True)
class Templates:
    """The groups of the tasks added so far, in the order of their first tasks."""

    groups: dict[Hashable, Group] = field(default_factory=dict)
    number: int = 0
    _kept: dict[str, str] = field(default_factory=dict)

    def add(self, words: Words, mark: str, told: dict[At, list[str]]) -> None:
        """Take one task: its words, its fingerprint in the service, notes about it by the place inside it."""
        leaves: list[tuple[At, Leaf]] = []
        form = _form(words, (), leaves)
        group = self.groups.get(form)
        if group is None:
            group = self.groups[form] = Group(words, tuple(path for path, _ in leaves))
        group.values.append(tuple(self._once(leaf) for _, leaf in leaves))
        group.marks.append(mark)
        for place, texts in told.items():
            known = group.told.setdefault(place, [])
            known += [one for one in texts if one not in known]
        self.number += 1

    def _once(self, leaf: Leaf) -> Leaf:
        return self._kept.setdefault(leaf, leaf) if isinstance(leaf, str) else leaf


def _form(value: Value, path: At, leaves: list[tuple[At, Leaf]]) -> Hashable:
    """What two tasks must share to be of one template; the values that may differ go to `leaves`, in a fixed order."""
    if isinstance(value, dict):
        return tuple((name, _form(one, (*path, name), leaves)) for name, one in value.items())
    if isinstance(value, list) and not _is_leaf(value, path):
        return "list", tuple(_form(one, (*path, index), leaves) for index, one in enumerate(value))
    if isinstance(value, Text) and value.plain is None:
        leaves += [(path, literal) for literal in value.literals]
        return tuple(piece if isinstance(piece, Code) else None for piece in value.pieces)
    leaf = _leaf(value)
    leaves.append((path, leaf))
    return type(leaf).__name__


def _rebuilt(value: Value, path: At, leaves: Iterator[Leaf | Code]) -> Value:
    """The value with other leaves, which come in the order of `_form`."""
    if isinstance(value, dict):
        return {name: _rebuilt(one, (*path, name), leaves) for name, one in value.items()}
    if isinstance(value, list) and not _is_leaf(value, path):
        return [_rebuilt(one, (*path, index), leaves) for index, one in enumerate(value)]
    if isinstance(value, Text) and value.plain is None:
        pieces = [next(leaves) for _ in value.literals]
        return value.with_literals([one if isinstance(one, Code) else str(one) for one in pieces])
    return _value(next(leaves))


def _is_leaf(items: list[Value], path: At) -> bool:
    """Whether a list holds literals only and may come from a column as a whole."""
    plain = (one.plain is not None if isinstance(one, Text) else not isinstance(one, list | dict) for one in items)
    return path[-1] not in _WRITTEN_OUT and all(plain)


def _leaf(value: Value) -> Leaf:
    if isinstance(value, list):
        return [one.plain or "" if isinstance(one, Text) else one for one in value]  # type: ignore[misc]
    leaf = value.plain if isinstance(value, Text) else value
    assert isinstance(leaf, str | int | float)
    return leaf


def _value(leaf: Leaf | Code) -> Value:
    if isinstance(leaf, Code):
        return Text((leaf,))
    if isinstance(leaf, list):
        return [_value(one) for one in leaf]
    return text(leaf) if isinstance(leaf, str) else leaf


def _free(path: At, taken: Collection[str]) -> str:
    """A name for the column of what stands at a path: its last word, with a number where that is taken."""
    word = next((part for part in reversed(path) if isinstance(part, str)), "value")
    name = re.sub(r"[^a-z0-9]+", "_", word.lower()).strip("_") or "value"
    name = name if name[0].isalpha() else f"value_{name}"
    return next(one for one in (name, *(f"{name}_{n}" for n in range(2, len(taken) + 4))) if one not in taken)
