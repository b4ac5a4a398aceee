"""A rendered spec as text: YAML or JSON, one object, piece by piece.

Place in the pipeline: `render` prints it, writes it to a file or compares it with one. In: Desired. Out: a stream of
pieces, tasks one by one, so that a million can be written. The text depends on the spec, its files and its variables
alone: no account, address, time, user, absolute path or locale, so that it can be checked in.

What a reader sees is what is there: characters that show nothing or turn the direction of a line are written by number,
and no line looks like a command to the build machine that prints it (GitHub Actions obeys lines of its log).
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any, Literal

from batchspec.cli import phrases
from batchspec.render.model import Desired
from batchspec.render.printed import document
from batchspec.render.symbolic import OPEN, Json

Format = Literal["yaml", "json"]

# libyaml writes no tab into a literal block; this character is in no text that was displayed (see `symbolic`).
_TAB = OPEN


def rendering(desired: Desired, format: Format, *, task: str | None, limit: int | None) -> Iterator[str]:
    """`containers`, `uploads`, `pool`, `schedule`, `job`, `tasks`; with only the task `task`, or `limit` tasks at most.

    Raises UsageError, before the first piece, when there is no such task.
    """
    head, tasks = document(desired, task=task, limit=limit)
    # Taken before anything is given out: a task that is not there is an error without half an answer.
    first = list(islice(tasks, 1))
    return (_json if format == "json" else _yaml)(head, chain(first, tasks))


def _json(head: Mapping[str, Json], tasks: Iterable[Json]) -> Iterator[str]:
    yield "{\n"
    for name, value in head.items():
        yield f"  {json.dumps(name)}: {_indented(value, 2)},\n"
    yield '  "tasks": ['
    separator = "\n"
    for one in tasks:
        yield f"{separator}    {_indented(one, 4)}"
        separator = ",\n"
    yield "]\n}\n" if separator == "\n" else "\n  ]\n}\n"


def _indented(value: Json, spaces: int) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False).replace("\n", "\n" + " " * spaces)
    return phrases.shown_json(text)


def _yaml(head: Mapping[str, Json], tasks: Iterable[Json]) -> Iterator[str]:
    dump = _dumper()
    for name, value in head.items():
        yield dump({name: value})
    empty = True
    for one in tasks:
        yield ("tasks:\n" if empty else "") + dump([one])
        empty = False
    if empty:
        yield "tasks: []\n"


def _dumper() -> Callable[[object], str]:
    """Writes one value as block-style YAML; a text of several lines as a literal block, which a diff shows well."""
    import yaml

    class Dumper(yaml.CSafeDumper):
        """CSafeDumper without anchors, which nobody wants to read."""

        def ignore_aliases(self, data: object) -> bool:
            return True

    def text(dumper: Any, value: str) -> yaml.ScalarNode:
        if phrases.NOT_SHOWN.search(value):
            return yaml.ScalarNode("tag:yaml.org,2002:str", value, style='"')
        if not _reads_well(value):
            return yaml.ScalarNode("tag:yaml.org,2002:str", value)
        return yaml.ScalarNode("tag:yaml.org,2002:str", value.replace("\t", _TAB), style="|")

    Dumper.add_representer(str, text)

    def dump(value: object) -> str:
        text = yaml.dump(value, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=-1, line_break="\n")
        return phrases.NOT_SHOWN.sub(_by_number, text).replace(_TAB, "\t")

    return dump


def _by_number(found: re.Match[str]) -> str:
    """An escape of YAML, which means this inside of double quotes."""
    number = ord(found.group())
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _reads_well(text: str) -> bool:
    """Whether a text is lines for a literal block.

    White space at a line's end would be taken away by editors and hooks; two line ends behind the text make libyaml end
    the document. Some lines are commands to a build machine.
    """
    lines = text.removesuffix("\n").split("\n")
    ends = all(line == line.rstrip() and not phrases.is_order(line) for line in lines)
    return "\n" in text and ends and bool(lines[0]) and bool(lines[-1]) and not lines[0][0].isspace()
