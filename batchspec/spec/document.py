"""A read file: its plain data, and where every node of it was written.

Place in the pipeline: `load` makes a `Document`; `schema`, `rules`, `build` and later rooms read `data` and ask for
positions by path. In: nodes from the YAML reader. Out: `Position` and `Problem`. Never does I/O, and never shows a text
that looks like a secret.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from batchspec.errors import Problem
from batchspec.spec.leaks import secret_in
from batchspec.spec.places import place
from batchspec.spec.position import Position

At = tuple[str | int, ...]

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_SHOWN_CHARACTERS = 60
_PLAIN_CHARACTERS = 200


@dataclass(slots=True, eq=False)
class Node:
    """One YAML node while and after reading: its plain value, its place, and its children if it has any.

    `text` is a scalar as written (`24.10` for 24.1); `fields` holds position of the key and node for each key of a
    mapping; `nodes` and `size` (characters) count everything below with aliases expanded.
    """

    position: Position
    value: object = None
    text: str | None = None
    fields: dict[str, tuple[Position, "Node"]] | None = None
    items: list["Node"] | None = None
    nodes: int = 1
    size: int = 0


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML file as plain data (dict with text keys, list, str, int, float, bool, None).

    `shown_as` is the path as the person typed it. `problems` are faults of the YAML itself that left enough to go on
    with (a key given twice, say); whoever uses the document must report them. `spoilt` are the paths of values that
    they make useless. `source` is the whole file.
    """

    path: Path
    shown_as: str
    data: object
    problems: tuple[Problem, ...] = ()
    spoilt: frozenset[At] = frozenset()
    root: Node | None = field(default=None, repr=False, compare=False)
    source: str = field(default="", repr=False, compare=False)

    def position(self, at: At) -> Position:
        """Where the value at this path begins; of the nearest parent that exists when there is none."""
        *_, (_, node) = self._walk(at)
        return node.position if node is not None else Position(1, 1)

    def key_position(self, at: At) -> Position:
        """Where the key of this path begins; for an item of a list, and a key that is not there, its `position`."""
        steps = list(self._walk(at))
        key, node = steps[-1]
        if len(steps) == len(at) + 1 and key is not None:
            return key
        return node.position if node is not None else Position(1, 1)

    def inside(self, at: At, offset: int) -> Position:
        """Where a character of the text at this path was written; where the text begins when that cannot be told."""
        start = self.position(at)
        text = self.written(at)
        return start if text is None else place(self.source, start, text, offset) or start

    def written(self, at: At) -> str | None:
        """The scalar at this path as it stands in the file, or None when there is none."""
        steps = list(self._walk(at))
        node = steps[-1][1]
        return node.text if node is not None and len(steps) == len(at) + 1 else None

    def problem(self, at: At, message: str, *, on_key: bool = False) -> Problem:
        """A problem with the node at this path, placed on its value or its key."""
        place = self.key_position(at) if on_key else self.position(at)
        return Problem(self.shown_as, place.line, place.column, dotted(at), message)

    def _walk(self, at: At) -> Iterator[tuple[Position | None, Node | None]]:
        """The root and then each node along the path with its key's position, as far as the path exists."""
        node = self.root
        yield None, node
        for step in at:
            key: Position | None = None
            if node is None:
                return
            if node.fields is not None and isinstance(step, str) and step in node.fields:
                key, node = node.fields[step]
            elif node.items is not None and isinstance(step, int) and 0 <= step < len(node.items):
                node = node.items[step]
            else:
                return
            yield key, node


def dotted(at: At) -> str:
    """A path as people read it: `tasks[0].id`; keys that are long or no plain words stand in brackets and quotes."""
    text = ""
    for step in at:
        if isinstance(step, int):
            text += f"[{step}]"
        elif len(step) <= _PLAIN_CHARACTERS and _PLAIN_KEY.fullmatch(step) and not secret_in(step):
            text += f".{step}" if text else step
        else:
            text += f"[{shown(step)}]"
    return text


def shown(value: object) -> str:
    """A value on one short line for a message; a text that looks like a secret is not shown."""
    if isinstance(value, str):
        return _shown_text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return str(value)


def _shown_text(text: str) -> str:
    if secret_in(text):
        return "'<secret>'"
    short = text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 3] + "..."
    escaped = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in short)
    return f"'{escaped}'"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with the node at a path; `on_key` places it on the key, as for a name that is unknown.

    `meant` is the property that an unknown name probably stands for ("constraints.max_task_retry_count").
    """

    at: At
    message: str
    on_key: bool = False
    meant: str = ""

    def problem(self, document: Document) -> Problem:
        """The finding with its place in the document."""
        return document.problem(self.at, self.message, on_key=self.on_key)
