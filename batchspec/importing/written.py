"""A spec as data with notes -> the text of its file.

Place in the pipeline: the last step of `describe`. In: the words of a spec in their order, notes by place. Out: YAML
that `spec.load` reads as the same data: plain where it may be, in quotes where YAML 1.2 or 1.1 would take it for
something else, several lines as a literal block. Short mappings and lists stand on one line. Pure.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import yaml

from batchspec.importing.notes import Notes
from batchspec.importing.pieces import Text, Value, Words
from batchspec.spec.load import At
from batchspec.spec.scalars import NotANumber, scalar_from_plain

Plain = str | int | float | bool | None | list["Plain"] | dict[str, "Plain"]

_WIDTH = 120
# What is easier to read as one line for each of its items.
_TALL = ("commands", "environment_settings", "common_environment_settings", "metadata", "start_task", "vars", "tasks")
_ANY_WIDTH = 2**30
_LONGEST_KEY = 120
# What turns the direction of a line makes a reviewer read other commands than those that run: it is written by number.
_TURNS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def document(spec: Words, notes: Notes, head: list[str]) -> str:
    """The text of the file, with a comment in front."""
    lines = _comment(head, 0)
    for name, value in spec.items():
        lines += (
            ["", *_entry(name, value, (name,), notes, 0)] if name != "name" else _entry(name, value, (name,), notes, 0)
        )
    return "\n".join(lines) + "\n"


def plain(value: Value) -> Plain:
    """The data that the file holds: texts as templates."""
    if isinstance(value, Text):
        return value.template
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    return value


def _entry(name: str, value: Value, at: At, notes: Notes, indent: int) -> Iterator[str] | list[str]:
    """The lines of one key and what belongs to it."""
    key = _scalar(name) if len(name) <= _LONGEST_KEY and "\n" not in name else _in_quotes(name)
    lines = _comment(notes.by_place.get(at, ()), indent)
    pad = " " * indent
    if not isinstance(value, list | dict):
        first, *more = _scalar_lines(plain(value))
        return [*lines, f"{pad}{key}: {first}", *_shifted(more, indent)]
    short = None if notes.below(at) or (at[-1] in _TALL and len(value) > 0) else _flow(plain(value))
    if short is not None and (not value or len(short) + len(key) + indent + 2 <= _WIDTH):
        return [*lines, f"{pad}{key}: {short}"]
    return [*lines, f"{pad}{key}:", *_block(value, at, notes, indent + 2)]


def _block(value: Value, at: At, notes: Notes, indent: int) -> Iterator[str]:
    """The lines of a mapping or a list that stands below its key."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _entry(name, one, (*at, name), notes, indent)
    for index, one in enumerate(value) if isinstance(value, list) else ():
        yield from _item(one, (*at, index), notes, indent)


def _item(value: Value, at: At, notes: Notes, indent: int) -> Iterator[str]:
    yield from _comment(notes.by_place.get(at, ()), indent)
    pad = " " * indent
    if not isinstance(value, list | dict):
        first, *more = _scalar_lines(plain(value))
        yield f"{pad}- {first}"
        yield from _shifted(more, indent)
        return
    short = None if notes.below(at) or at[:-1] == ("tasks",) else _flow(plain(value))
    if short is not None and (not value or len(short) + indent + 2 <= _WIDTH):
        yield f"{pad}- {short}"
        return
    lines = list(_block(value, at, notes, indent + 2))
    marked = next((index for index, line in enumerate(lines) if not line.lstrip().startswith("# ")), 0)
    # A comment of the first key stands above the item, since the dash belongs to the key.
    yield from (pad + line.lstrip() for line in lines[:marked])
    yield f"{pad}- {lines[marked].lstrip()}"
    yield from lines[marked + 1 :]


def _comment(texts: Any, indent: int) -> list[str]:
    pad = " " * indent
    return [f"{pad}# {_harmless(line)}".rstrip() for text in texts for line in _wrapped(text, _WIDTH - indent - 2)]


def _wrapped(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    return lines


def _harmless(line: str) -> str:
    line = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ue000-\ue002\ufffe\uffff]", "?", line)
    return _TURNS.sub("?", line)


def _shifted(lines: list[str], indent: int) -> list[str]:
    pad = " " * indent
    return [pad + line if line else line for line in lines]


def _flow(value: Plain) -> str | None:
    """On one line; None for what takes several."""
    if _has_lines(value) or (isinstance(value, dict | list) and _depth(value) > 4):
        return None
    return without_turns(yaml.dump(value, Dumper=_Dumper, default_flow_style=True, **_OPTIONS)).rstrip("\n")


def _depth(value: Plain) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inner), default=0)


def _has_lines(value: Plain) -> bool:
    if isinstance(value, dict):
        return any("\n" in key or len(key) > _LONGEST_KEY or _has_lines(one) for key, one in value.items())
    if isinstance(value, list):
        return any(map(_has_lines, value))
    return isinstance(value, str) and "\n" in value


@lru_cache(maxsize=4096)
def _scalar(value: Plain) -> str:
    return _scalar_lines(value)[0]


def _scalar_lines(value: Plain) -> list[str]:
    """A scalar behind its key: its first line, and those of a block, two columns in."""
    written = without_turns(yaml.dump([value], Dumper=_Dumper, default_flow_style=False, **_OPTIONS))
    return written.removeprefix("- ").removesuffix("\n").split("\n")


def _in_quotes(value: str) -> str:
    node = yaml.ScalarNode("tag:yaml.org,2002:str", value, style='"')
    return without_turns(yaml.serialize(node, Dumper=_Dumper, **_EMITTED)).rstrip("\n")


def without_turns(written: Any) -> str:
    """YAML or JSON in which no character turns the direction of a line: they stand in quotes that know escapes."""
    return _TURNS.sub(lambda turn: f"\\u{ord(turn[0]):04x}", str(written))


class _Dumper(yaml.CSafeDumper):
    """Without anchors; a text that YAML would take for something else in quotes, one of several lines as a block."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _text(dumper: Any, value: str) -> yaml.ScalarNode:
    style = None
    if _TURNS.search(value):
        style = '"'
    elif "\n" in value:
        style = "|" if value.strip("\n") == value.strip() != "" and not value.endswith("\n\n") else '"'
    elif value.startswith("{") and not re.search(r"[\"\\]", value):
        style = '"'  # the usual quotes of a template, since those in it are single ones
    elif not _stays_text(value):
        style = "'"
    return yaml.ScalarNode("tag:yaml.org,2002:str", value, style=style)


def _stays_text(value: str) -> bool:
    try:
        return isinstance(scalar_from_plain(value), str)
    except NotANumber:
        return False


_Dumper.add_representer(str, _text)
_EMITTED: dict[str, Any] = {"allow_unicode": True, "width": _ANY_WIDTH}
_OPTIONS: dict[str, Any] = {**_EMITTED, "sort_keys": False}
