"""Path -> Document: plain data with a source position for every node.

Place in the pipeline: first; the only module that reads YAML. In: a path. Out: a `Document`. Never checks meaning, and
never raises anything but SpecInvalid: whatever bytes come in, what is wrong with them is said with its place.

Decisions:
- Events of libyaml are turned into data here, in a loop: PyYAML's composer recurses in C (a deep file could overflow
  the stack) and its constructor knows YAML 1.1, whose `no` and `1:30` surprise people.
- Aliases share their target. What they would expand to is counted, so that a "billion laughs" costs nothing.
- Merge keys (`<<`) work; a key of one's own wins over a merged one, an earlier mapping over a later one.
- Faults that leave the rest readable are collected in `Document.problems`, so that a doubled key does not hide a
  misspelt one.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from yaml import events

from batchspec.errors import Problem, SpecInvalid
from batchspec.spec import syntax
from batchspec.spec.document import At, Document, Node, dotted, shown
from batchspec.spec.opening import link_fault, opened
from batchspec.spec.position import Position
from batchspec.spec.reserved import CHARACTERS
from batchspec.spec.scalars import NotANumber, Scalar, scalar_from_plain

__all__ = ["At", "Document", "Position", "load"]

MAX_BYTES = 5_000_000
MAX_DEPTH = 100
MAX_VALUES = 250_000
MAX_ALIASED_NODES = 100_000
MAX_ALIASED_CHARACTERS = 10_000_000
MAX_PROBLEMS = 100

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_UNWANTED = re.compile(f"[{CHARACTERS}\0]")
# What YAML 1.2 calls not printable; said by what is excluded, since the opposite takes 4 ms to compile.
_NOT_PRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_CORE = "tag:yaml.org,2002:"
_MERGE = object()
_NO_NODE = Node(Position(1, 1))
_SKIP = object()


def load(path: Path, shown_as: str | None = None, *, allow_outside: bool = False) -> Document:
    """Read a YAML file. Raises SpecInvalid when it cannot be read as one YAML document at all.

    A link out of the repository that it stands in is not followed, unless outside is allowed.
    """
    name = str(path) if shown_as is None else shown_as
    text = _decoded(_read(path, name, allow_outside), name)
    reader = _Reader(name)
    try:
        reader.read(text)
    except yaml.YAMLError as error:
        fault = syntax.problem(error, text, name, reader.bracket)
        if any((one.line, one.column) == (fault.line, fault.column) for one in reader.problems):
            raise SpecInvalid(reader.problems) from error
        raise SpecInvalid([*reader.problems, fault]) from error
    if reader.root is None:
        raise SpecInvalid([*reader.problems, Problem(name, 1, 1, "", syntax.EMPTY)])
    return Document(path, name, reader.root.value, tuple(reader.problems), frozenset(reader.spoilt), reader.root, text)


def _read(path: Path, name: str, allow_outside: bool) -> bytes:
    try:
        fault = None if allow_outside else link_fault(path)
        if fault:
            raise SpecInvalid([Problem(name, 1, 1, "", fault)])
        with opened(path) as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        message = f"cannot read this file: {reason}"
        if isinstance(error, IsADirectoryError):
            message = "is a directory, not a file; name the YAML file in it"
        elif isinstance(error, FileNotFoundError):
            message = "no such file; check the path and the current directory"
        raise SpecInvalid([Problem(name, 1, 1, "", message)]) from error
    if len(content) > MAX_BYTES:
        message = f"is larger than {MAX_BYTES:,} bytes; put long lists in a file that `rows:` reads"
        raise SpecInvalid([Problem(name, 1, 1, "", message)])
    return content


def _decoded(content: bytes, name: str) -> str:
    if content.startswith(_UTF_16) or content[1:8:2] == b"\0\0\0\0":
        raise SpecInvalid([Problem(name, 1, 1, "", "this is UTF-16, not UTF-8; save the file as UTF-8")])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        offset = error.start
        place = _place(content[:offset].decode("utf-8-sig", "replace"))
        message = f"byte 0x{content[offset]:02x} at offset {offset} is not UTF-8; save the file as UTF-8"
        raise SpecInvalid([Problem(name, place.line, place.column, "", message)]) from error
    problems = [_bad_character(match, text, name) for match in _first_few(_NOT_PRINTABLE, text)]
    if problems:
        raise SpecInvalid(problems)
    return text


def _first_few(pattern: re.Pattern[str], text: str) -> list[re.Match[str]]:
    found = []
    for match in pattern.finditer(text):
        found.append(match)
        if len(found) == 10:
            break
    return found


def _bad_character(match: re.Match[str], text: str, name: str) -> Problem:
    place = _place(text[: match.start()])
    message = f"character U+{ord(match.group()):04X} is not allowed in YAML; remove it"
    return Problem(name, place.line, place.column, "", message)


def _place(before: str) -> Position:
    lines = _LINE_BREAK.split(before)
    return Position(len(lines), len(lines[-1]) + 1)


@dataclass(slots=True)
class _Open:
    """A collection whose end has not been read yet."""

    node: Node
    key: object = None
    key_position: Position = field(default_factory=lambda: Position(1, 1))
    merged: list[Node] = field(default_factory=list)
    in_brackets: bool = False


class _Reader:
    """Turns events into nodes; `root` is the first document's, `problems` what was wrong on the way, `spoilt` where."""

    def __init__(self, name: str) -> None:
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self.spoilt: list[At] = []
        self._name = name
        self._open: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._documents = 0
        self._is_over = False
        self._values = 0
        self._aliased_nodes = 0
        self._aliased_characters = 0
        self._may_be_unwanted = True
        self._takers: dict[type[events.Event], Callable[[Any], None]] = {
            events.DocumentStartEvent: self._document,
            events.ScalarEvent: self._scalar,
            events.AliasEvent: self._alias,
            events.MappingStartEvent: self._begin,
            events.MappingEndEvent: self._close,
            events.SequenceStartEvent: self._begin,
            events.SequenceEndEvent: self._close,
        }

    @property
    def bracket(self) -> Position | None:
        """Where the innermost `[` or `{` stands that is open."""
        return next((one.node.position for one in reversed(self._open) if one.in_brackets), None)

    def read(self, text: str) -> None:
        """Read every event. Raises YAMLError for broken syntax and SpecInvalid when a limit is passed."""
        # The characters stand in the file or are written as an escape: most files have neither, and many values.
        self._may_be_unwanted = "\\" in text or _UNWANTED.search(text) is not None
        parser = yaml.CSafeLoader(text)
        try:
            while not self._is_over and (event := parser.get_event()) is not None:
                take = self._takers.get(type(event))
                if take is not None:
                    take(event)
        finally:
            parser.dispose()

    def _document(self, event: events.DocumentStartEvent) -> None:
        self._documents += 1
        if self._documents > 1:
            self._complain(_position(event), syntax.SEVERAL)
            self._is_over = True

    def _scalar(self, event: events.ScalarEvent) -> None:
        node = self._node(event)
        node.text = event.value
        node.size = len(event.value)
        node.value = self._value(node.position, event)
        if self._may_be_unwanted:
            self._check_characters(node.position, event.value)
        self._attach(node, node.position, merges=node.text == "<<" and event.implicit[0])

    def _node(self, event: events.NodeEvent) -> Node:
        """A node for a value that begins here, known by its anchor; one more is counted."""
        node = Node(self._counted(event))
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _counted(self, event: events.NodeEvent) -> Position:
        place = _position(event)
        self._values += 1
        if self._values > MAX_VALUES:
            self._give_up(place, f"more than {MAX_VALUES:,} values; put long lists in a file that `rows:` reads")
        return place

    def _begin(self, event: events.CollectionStartEvent) -> None:
        node = self._node(event)
        mapping = isinstance(event, events.MappingStartEvent)
        if event.tag not in (None, "!", _CORE + ("map" if mapping else "seq")):
            self._spoil(node.position, syntax.tag_message(event.tag))
        if len(self._open) >= MAX_DEPTH:
            self._complain(node.position, f"nested more than {MAX_DEPTH} levels deep", ())
            raise SpecInvalid(self.problems)
        if mapping:
            node.fields, node.value = {}, {}
        else:
            node.items, node.value = [], []
        self._open.append(_Open(node, in_brackets=bool(event.flow_style)))

    def _close(self, event: events.CollectionEndEvent) -> None:
        done = self._open.pop()
        for source in done.merged:
            for key, (place, child) in (source.fields or {}).items():
                if done.node.fields is not None and key not in done.node.fields:
                    self._put(done.node, key, place, child)
        self._attach(done.node, done.node.position)

    def _attach(self, node: Node, place: Position, *, merges: bool = False) -> None:
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        if parent.node.items is not None:
            parent.node.items.append(node)
            assert isinstance(parent.node.value, list)
            parent.node.value.append(node.value)
            _count(parent.node, node)
        elif parent.key is None:
            parent.key_position = place
            parent.key = _MERGE if merges else self._key(node, place)
        else:
            key, parent.key = parent.key, None
            if key is _MERGE:
                self._merge(parent, node, place)
            elif isinstance(key, str):
                self._put(parent.node, key, parent.key_position, node)

    def _put(self, parent: Node, key: str, place: Position, node: Node) -> None:
        assert parent.fields is not None
        assert isinstance(parent.value, dict)
        parent.fields[key] = place, node
        parent.value[key] = node.value
        parent.size += len(key)
        _count(parent, node)

    def _key(self, node: Node, place: Position) -> object:
        """The key to use next, or the sign that its value is to be left out."""
        parent = self._open[-1].node
        if node.text is None:
            inner = syntax.UNQUOTED_TEMPLATE if node.fields is not None else syntax.COMPLEX_KEY
            self._complain(parent.position if node.fields is not None else place, inner)
            return _SKIP
        if not isinstance(node.value, str):
            self._complain(place, f'key {shown(node.text)} is not text; write it in quotes: "{node.text}"')
            return _SKIP
        assert parent.fields is not None
        if node.value in parent.fields:
            first = parent.fields[node.value][0]
            message = f"key given twice, first on line {first.line}; remove one of them"
            self._complain(place, message, (*self._at(), node.value))
            return _SKIP
        return node.value

    def _merge(self, parent: _Open, node: Node, place: Position) -> None:
        sources = node.items if node.items is not None else [node]
        for source in sources:
            if source is _NO_NODE:
                return
            if source.fields is None:
                self._complain(place, "`<<` merges a mapping, or a list of mappings, that an anchor names")
                return
        parent.merged += sources

    def _alias(self, event: events.AliasEvent) -> None:
        place = self._counted(event)
        self._attach(self._aliased(event, place), place)

    def _aliased(self, event: events.AliasEvent, place: Position) -> Node:
        name = event.anchor or ""
        target = self._anchors.get(name)
        if target is None:
            if self._open and self._open[-1].key is _MERGE:
                self._complain(place, syntax.no_anchor(name, self._anchors, merged=True))
                return _NO_NODE
            self._spoil(place, syntax.no_anchor(name, self._anchors))
            return Node(place, None, "")
        if any(one.node is target for one in self._open):
            self._give_up(place, f"alias `*{name}` stands inside its own anchor; a value cannot contain itself")
        self._aliased_nodes += target.nodes
        self._aliased_characters += target.size
        if self._aliased_nodes > MAX_ALIASED_NODES or self._aliased_characters > MAX_ALIASED_CHARACTERS:
            limit = f"{MAX_ALIASED_NODES:,} values or {MAX_ALIASED_CHARACTERS:,} characters"
            self._give_up(place, f"aliases expand to more than {limit}; write fewer aliases of aliases")
        return target

    def _check_characters(self, place: Position, text: str) -> None:
        unwanted = set(_UNWANTED.findall(text))
        if unwanted - {"\0"}:
            self._spoil(place, "holds one of the characters U+E000 to U+E002, which batchspec reserves; remove it")
        if "\0" in unwanted:
            self._spoil(place, "holds a NUL character (\\0), which no command, name or path can carry; remove it")

    def _value(self, place: Position, event: events.ScalarEvent) -> Scalar:
        tag = event.tag
        if tag is None and event.implicit[0]:
            tag = "?"
        elif tag in (None, "!", _CORE + "str"):
            return str(event.value)
        if tag != "?" and tag not in syntax.PLAIN_TAGS:
            self._spoil(place, syntax.tag_message(tag))
            return str(event.value)
        try:
            value = scalar_from_plain(event.value)
        except NotANumber as error:
            self._spoil(place, f"{shown(event.value)} {error}; write it in quotes if text is meant")
            return 0
        if tag != "?" and not isinstance(value, syntax.PLAIN_TAGS[tag]):
            self._spoil(place, f"{shown(event.value)} is not what its tag says; remove the tag")
        return value

    def _at(self) -> At:
        """The path of the innermost open collection."""
        steps: list[str | int] = []
        for one in self._open[:-1]:
            steps.append(len(one.node.items) if one.node.items is not None else _step(one.key))
        return tuple(steps)

    def _here(self) -> At:
        """The path of the value being read."""
        if not self._open:
            return ()
        last = self._open[-1]
        if last.node.items is not None:
            return (*self._at(), len(last.node.items))
        return self._at() if last.key is None else (*self._at(), _step(last.key))

    def _spoil(self, place: Position, message: str) -> None:
        self.spoilt.append(self._here())
        self._complain(place, message)

    def _complain(self, place: Position, message: str, at: At | None = None) -> None:
        path = dotted(self._here() if at is None else at)
        self.problems.append(Problem(self._name, place.line, place.column, path, message))
        if len(self.problems) >= MAX_PROBLEMS:
            raise SpecInvalid(self.problems)

    def _give_up(self, place: Position, message: str) -> None:
        self._complain(place, message)
        raise SpecInvalid(self.problems)


def _step(key: object) -> str:
    return key if isinstance(key, str) else "<<" if key is _MERGE else "?"


def _count(parent: Node, child: Node) -> None:
    parent.nodes += child.nodes
    parent.size += child.size


def _position(event: events.Event) -> Position:
    mark = event.start_mark
    return Position(mark.line + 1, mark.column + 1) if mark is not None else Position(1, 1)
