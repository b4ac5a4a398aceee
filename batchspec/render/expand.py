"""`for_each` -> a stream of bindings: what each task's templates can name besides what every task's can.

Place in the pipeline: `desired` compiles the generator of a task template here, `tasks` walks it as often as it needs.
In: the generator as written, the listed uploads. Out: Bindings, one per task, in a fixed order. Never holds the whole
stream: rows are read and products are made one by one.
"""

import csv
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from batchspec.render import files
from batchspec.render import scope as making
from batchspec.render.files import Folder
from batchspec.render.model import LocalFile
from batchspec.render.names import File, listed
from batchspec.render.scope import Made, Maker, Scope
from batchspec.render.suggest import suggestion
from batchspec.render.symbolic import Json, holds_marker
from batchspec.render.unknown import Unknown
from batchspec.render.wire import Wire
from batchspec.spec.document import shown
from batchspec.spec.load import At

MAX_TASKS = 10_000_000


@dataclass(frozen=True, slots=True)
class Binding:
    """The names of one task; `label` tells it apart for people, `file` the file it stands for, with its container."""

    names: Mapping[str, object]
    label: str = ""
    file: tuple[str, LocalFile] | None = None


Generator = Callable[[Scope], Iterator[Binding]]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where generators find things: `uploads` as templates see them, `broken` uploads that could not be listed."""

    folder: Folder
    uploads: Mapping[str, Sequence[File]]
    broken: frozenset[str] = field(default_factory=frozenset)


def once(scope: Scope) -> Iterator[Binding]:
    """The generator of a template without `for_each`: one task."""
    yield Binding({})


def generator(wire: Wire, sources: Sources, given: Mapping[str, object], at: At) -> Generator:
    """The generator that `for_each` says; faults of its form are noted in the compiler's scope."""
    kinds = [key for key in given if key in _KINDS or key == "container"]
    if all(given[kind] is None for kind in kinds):  # broken, and told
        return _nothing
    if "container" in given:
        wire.scope.fault(
            (*at, "container"), "existing blobs cannot be listed yet; name files under uploads, or use rows"
        )
        return _nothing
    if len(kinds) != 1:
        wire.scope.fault(at, f"expected exactly one of {', '.join(_KINDS)}")
        return _nothing
    kind = kinds[0]
    return _KINDS[kind](wire, sources, given[kind], (*at, kind))


def assumed(given: Mapping[str, object]) -> Mapping[str, object]:
    """What stands for the names that a generator would have given, when it gives none; all names when it may be any."""
    names = [_GIVES[kind] for kind in given if kind in _GIVES] or list(_GIVES.values())
    return {name: Unknown(File.PARTS if name == "file" else ()) for name in names}


def _nothing(scope: Scope) -> Iterator[Binding]:
    return iter(())


def _upload(wire: Wire, sources: Sources, given: object, at: At) -> Generator:
    key = wire.text(given, at)

    def bindings(scope: Scope) -> Iterator[Binding]:
        name = key(scope)
        found = sources.uploads.get(str(name))
        if found is None and isinstance(name, str) and name not in sources.broken:
            scope.fault(at, f"there is no upload '{name}'{suggestion(name, sources.uploads)}")
        for file in found or ():
            yield Binding({"file": file}, f"file {shown(file.name)}", listed(file))

    return bindings


def _items(wire: Wire, sources: Sources, given: object, at: At) -> Generator:
    make = wire.data(given, at)

    def bindings(scope: Scope) -> Iterator[Binding]:
        for position, item in enumerate(_list(make(scope), at, scope)):
            yield Binding(
                {"item": item}, f"item {position}" if isinstance(item, (dict, list)) else f"item {shown(item)}"
            )

    return bindings


def _range(wire: Wire, sources: Sources, given: object, at: At) -> Generator:
    make = wire.data(given, at)

    def bindings(scope: Scope) -> Iterator[Binding]:
        for value in _range_of(make(scope), at, scope):
            yield Binding({"value": value}, f"value {value}")

    return bindings


def _range_of(made: Made, at: At, scope: Scope) -> range:
    """`5`, `[start, stop]`, `[start, stop, step]`, `{start, stop, step}` or `{start, end, step}`; `end` is in it."""
    if isinstance(made, making.Omit):
        return range(0)
    parts: list[Json] = made if isinstance(made, list) else [made]
    if isinstance(made, dict):
        parts = [made.get("start", 0), _stop(made), made.get("step", 1)]
    numbers = [one for one in parts if isinstance(one, int) and not isinstance(one, bool)]
    if len(numbers) != len(parts) or not 1 <= len(numbers) <= 3:
        scope.fault(at, "expected a number, or start, stop and step as whole numbers")
    elif len(numbers) == 3 and numbers[2] == 0:
        scope.fault(at, "a step of 0 never ends")
    elif len(found := range(*numbers)) > MAX_TASKS:
        scope.fault(at, f"makes {len(found):,} tasks; the limit is {MAX_TASKS:,}")
    else:
        return found
    return range(0)


def _stop(made: Mapping[str, Json]) -> Json:
    """Where a range stops, which is one further than its `end`."""
    end, step = made.get("end"), made.get("step", 1)
    if isinstance(end, int) and not isinstance(end, bool):
        return end + (-1 if isinstance(step, int) and step < 0 else 1)
    return made.get("stop")


def _matrix(wire: Wire, sources: Sources, given: object, at: At) -> Generator:
    makers = _list_makers(wire, given, at)

    def bindings(scope: Scope) -> Iterator[Binding]:
        lists = {key: _list(make(scope), (*at, key), scope) for key, make in makers.items()}
        count = 1
        for values in lists.values():
            count *= len(values)
        if count > MAX_TASKS:
            scope.fault(at, f"makes {count:,} tasks; the limit is {MAX_TASKS:,}")
            return
        for chosen in itertools.product(*lists.values()) if lists else ():
            yield Binding({"matrix": dict(zip(lists, chosen, strict=True))}, _label(tuple(lists), chosen))

    return bindings


def _label(keys: Sequence[str], values: Sequence[Json]) -> str:
    return ", ".join(f"{key} {shown(value)}" for key, value in zip(keys, values, strict=True))


def _list_makers(wire: Wire, given: object, at: At) -> dict[str, Maker]:
    if not isinstance(given, Mapping):
        wire.scope.fault(at, "expected a mapping of names to lists")
        return {}
    return {str(key): wire.data(values, (*at, str(key))) for key, values in given.items()}


def _zip(wire: Wire, sources: Sources, given: object, at: At) -> Generator:
    makers = _list_makers(wire, given, at)

    def bindings(scope: Scope) -> Iterator[Binding]:
        lists = {key: _list(make(scope), (*at, key), scope) for key, make in makers.items()}
        lengths = {key: len(values) for key, values in lists.items()}
        if len(set(lengths.values())) > 1:
            if not scope.faults:
                said = ", ".join(f"{key} has {length:,}" for key, length in lengths.items())
                scope.fault(at, f"the lists must have the same length: {said}")
            return
        for chosen in zip(*lists.values(), strict=True):
            yield Binding({"item": dict(zip(lists, chosen, strict=True))}, _label(tuple(lists), chosen))

    return bindings


def _rows(wire: Wire, sources: Sources, given: object, at: At) -> Generator:
    path = wire.text(given, at)

    def bindings(scope: Scope) -> Iterator[Binding]:
        source = path(scope)
        place = _rows_file(sources.folder, source, at, scope) if isinstance(source, str) else None
        if place is None:
            return
        reader = _READERS.get(place.suffix.lower())
        if reader is None:
            scope.fault(at, f"{shown(source)} is none of {', '.join(_READERS)} by its suffix")
        else:
            yield from _read(place, str(source), reader, at, scope)

    return bindings


def _rows_file(folder: Folder, source: str, at: At, scope: Scope) -> Path | None:
    listing = files.list_files(folder, source)
    if len(listing.files) == 1 and not listing.faults:
        return listing.files[0].path
    faults = listing.faults or ["names several files, one was expected"]
    for fault in faults:
        scope.fault(at, f"{shown(source)}: {fault}")
    return None


Row = dict[str, Json]
Reader = Callable[[TextIO], Iterator[Row]]


def _read(path: Path, source: str, reader: Reader, at: At, scope: Scope) -> Iterator[Binding]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as content:
            for number, row in enumerate(reader(content), 1):
                if any(holds_marker(json.dumps(one, ensure_ascii=False)) for one in (*row, *row.values())):
                    raise _BadRow(
                        f"row {number} holds one of the characters U+E000 to U+E002, which batchspec reserves"
                    )
                yield Binding({"row": row}, f"row {number} of {source}")
    except _BadRow as error:
        scope.fault(at, f"{shown(source)}: {error}")
    except UnicodeDecodeError as error:
        scope.fault(at, f"{shown(source)}: byte 0x{error.object[error.start]:02x} is not UTF-8; save it as UTF-8")
    except (OSError, csv.Error) as error:
        scope.fault(at, f"{shown(source)}: {error}")


class _BadRow(ValueError):
    """A row that cannot be used; the message says which and why."""


def _separated(content: TextIO, delimiter: str) -> Iterator[Row]:
    reader = csv.reader(content, delimiter=delimiter, strict=True)
    header = next(reader, None)
    if header is None:
        raise _BadRow("is empty; the first line must name the columns")
    doubled = next((name for name in header if header.count(name) > 1), None)
    if doubled is not None or "" in header:
        raise _BadRow(f"the first line names the column {shown(doubled)} twice" if doubled else "a column has no name")
    for cells in reader:
        if not cells:
            continue
        if len(cells) != len(header):
            raise _BadRow(f"line {reader.line_num} has {len(cells)} fields, the first line {len(header)}")
        yield dict(zip(header, cells, strict=True))


def _json_lines(content: TextIO) -> Iterator[Row]:
    for number, line in enumerate(content, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, parse_constant=_not_json)
        except (ValueError, RecursionError) as error:
            raise _BadRow(f"line {number} is not JSON: {error}") from error
        if not isinstance(row, dict):
            raise _BadRow(f"line {number} is {shown(row)}, a JSON object was expected")
        yield row


def _not_json(text: str) -> None:
    raise ValueError(f"{text} is no number")


_READERS: Mapping[str, Reader] = {
    ".csv": lambda content: _separated(content, ","),
    ".tsv": lambda content: _separated(content, "\t"),
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
}


def _list(made: Made, at: At, scope: Scope) -> list[Json]:
    if isinstance(made, list):
        return made
    if not isinstance(made, making.Omit):
        scope.fault(at, f"expected a list, got {shown(made)}")
    return []


_GIVES: Mapping[str, str] = {
    "upload": "file",
    "container": "file",
    "items": "item",
    "rows": "row",
    "range": "value",
    "matrix": "matrix",
    "zip": "item",
}
_KINDS: Mapping[str, Callable[[Wire, Sources, object, At], Generator]] = {
    "upload": _upload,
    "items": _items,
    "rows": _rows,
    "range": _range,
    "matrix": _matrix,
    "zip": _zip,
}
