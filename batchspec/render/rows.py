"""A CSV, TSV or JSON Lines file -> its rows, one by one.

Place in the pipeline: `sources` reads the file that `rows` names with this. In: a path. Out: rows as mappings, in the
order of the file; never more than one of them is held. Raises BadRows with what is wrong and where, and TooMuch.

Decisions: the first line of a CSV or TSV file names the columns, each once; every value is text, as written; a line
without any field is passed over, one with too few or too many is an error. A file begins with a byte order mark or
not, and ends its lines in any way. A JSON line is an object; its values keep their types.
"""

import csv
import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

from batchspec.render.metering import RUN
from batchspec.render.symbolic import Json, holds_marker, holds_surrogate
from batchspec.spec.document import shown
from batchspec.spec.opening import opened

Row = dict[str, Json]
Reader = Callable[[Iterator[str]], Iterator[Row]]

# A task is at most 1 MiB, so no field that is longer can be of use; the module's own limit is 128 KiB.
MAX_FIELD_CHARACTERS = 1_048_576
MAX_LINE_CHARACTERS = 10_000_000
# Characters that cost a unit of `metering`.
_READ_AT_ONCE = 16


class BadRows(ValueError):
    """A file that cannot be used; the message says which line and why."""


def reader_of(suffix: str) -> Reader | None:
    """How files with this suffix are read."""
    return _READERS.get(suffix.lower())


def suffixes() -> str:
    """The suffixes of files that can be read, for messages."""
    return ", ".join(_READERS)


def rows(path: Path, reader: Reader, within: Path | None = None) -> Iterator[Row]:
    """The rows of a file, which must lie below `within`, streamed. Raises BadRows, TooMuch when too much is read."""
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    try:
        with TextIOWrapper(opened(path, within), encoding="utf-8-sig", newline="") as content:
            for number, row in enumerate(reader(_lines(content)), 1):
                if fault := next(filter(None, map(_text_fault, _texts(row))), ""):
                    raise BadRows(f"row {number:,} holds {fault}")
                yield row
    except UnicodeDecodeError as error:
        raise BadRows(f"byte 0x{error.object[error.start]:02x} is not UTF-8; save it as UTF-8") from error
    except OSError as error:
        raise BadRows(error.strerror or str(error)) from error


def _lines(content: TextIO) -> Iterator[str]:
    """The lines, none of which may fill the memory."""
    number = 0
    while line := content.readline(MAX_LINE_CHARACTERS + 1):
        number += 1
        if len(line) > MAX_LINE_CHARACTERS:
            raise BadRows(f"line {number:,} has more than {MAX_LINE_CHARACTERS:,} characters")
        RUN.spend(1 + len(line) // _READ_AT_ONCE)
        yield line


def _texts(value: Json) -> Iterator[str]:
    """Every text in a value, names included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _text_fault(text: str) -> str:
    if "\0" in text:
        return "a NUL character, which no command, name or path can carry; is the file UTF-16? Save it as UTF-8"
    if holds_marker(text):
        return "one of the characters U+E000 to U+E002, which batchspec reserves"
    return "half of a character (a lone surrogate), which UTF-8 cannot carry" if holds_surrogate(text) else ""


def _separated(content: Iterator[str], delimiter: str) -> Iterator[Row]:
    reader = csv.reader(content, delimiter=delimiter, strict=True)
    try:
        header = next(filter(None, reader), None)
        if header is None:
            raise BadRows("is empty; the first line must name the columns")
        _check_header(header)
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                raise BadRows(_ragged(reader.line_num, cells, header))
            yield dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise BadRows(f"line {reader.line_num:,}: {_words(str(error))}") from error


def _check_header(header: list[str]) -> None:
    count = Counter(header)
    doubled = next((name for name in header if count[name] > 1 and name.strip()), None)
    if doubled is not None:
        raise BadRows(f"the first line names the column {shown(doubled)} twice")
    if not all(name.strip() for name in header):
        position = next(number for number, name in enumerate(header, 1) if not name.strip())
        raise BadRows(f"column {position} of the first line has no name")


def _ragged(line: int, cells: list[str], header: list[str]) -> str:
    fields = f"{len(cells):,} field{'' if len(cells) == 1 else 's'}"
    return f"line {line:,} has {fields}, the first line {len(header):,}; put quotes around a field with a separator"


def _words(error: str) -> str:
    if "field larger" in error:
        return f"a field has more than {MAX_FIELD_CHARACTERS:,} characters; is a quote not closed?"
    if "unexpected end of data" in error:
        return "a quote is opened and never closed"
    if "expected after" in error:
        return "a quote inside a quoted field must be doubled"
    return error


def _json_lines(content: Iterator[str]) -> Iterator[Row]:
    for number, line in enumerate(content, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, parse_constant=_not_json, parse_float=_finite, object_pairs_hook=_object)
        except (ValueError, RecursionError) as error:
            raise BadRows(f"line {number:,} is not JSON: {_json_words(error)}") from error
        if not isinstance(row, dict):
            raise BadRows(f"line {number:,} is {shown(row)}, a JSON object was expected")
        yield row


def _object(pairs: list[tuple[str, Json]]) -> Row:
    made = dict(pairs)
    if len(made) != len(pairs):
        count = Counter(name for name, _ in pairs)
        raise ValueError(f"the key {shown(next(name for name in count if count[name] > 1))} is there twice")
    return made


def _json_words(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return "a number has too many digits" if "integer string conversion" in str(error) else str(error)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large for a number")
    return number


def _not_json(text: str) -> None:
    raise ValueError(f"{text} is no number")


_READERS: Mapping[str, Reader] = {
    ".csv": lambda content: _separated(content, ","),
    ".tsv": lambda content: _separated(content, "\t"),
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
}
