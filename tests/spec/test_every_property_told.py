"""Every property of every model of azure-batch that a spec can hold: a value of the wrong type, and the name that it
has on the wire, are each told once, at their place, and nothing else is told. The walk is over the SDK's models."""

import datetime
import enum
import json
import typing
from pathlib import Path
from typing import Any

import pytest

from batchspec.spec.document import At, dotted
from batchspec.spec.read import read
from batchspec.spec.schema import schema
from tests.render.test_every_property import spec
from tests.schemas.fitting import Data, Way, places, whole
from tests.schemas.reflected import TOP, hints, is_model, model, plain, wire_name

SECTIONS = {
    str(one["$ref"]).rsplit("/", 1)[-1]: word
    for word, node in schema()["properties"].items()
    for one in (node, node.get("items", {}))
    if "$ref" in one
}
PLACES = [(top, name) for top in TOP if top in SECTIONS for name in places(model(top))]

NAMED = (model("EnvironmentSetting"), model("BatchMetadataItem"))  # lists of names and values, also written as mappings


class Written:
    """Data as YAML in block style, and the line and column at which the key and the value of each path stand."""

    def __init__(self, data: Data) -> None:
        self.lines: list[str] = []
        self.keys: dict[At, tuple[int, int]] = {}
        self.values: dict[At, tuple[int, int]] = {}
        self._mapping(data, (), "", "")

    def _mapping(self, data: Data, at: At, first: str, indent: str) -> None:
        for index, (key, value) in enumerate(data.items()):
            start = first if index == 0 else indent
            self.keys[(*at, key)] = (len(self.lines) + 1, len(start) + 1)
            self._value(value, (*at, key), f"{start}{key}:", indent)

    def _value(self, value: Any, at: At, start: str, indent: str) -> None:
        if isinstance(value, dict) and value:
            self.lines.append(start)
            self._mapping(value, at, f"{indent}  ", f"{indent}  ")
        elif isinstance(value, list) and value:
            self.lines.append(start)
            for index, item in enumerate(value):
                self._item(item, (*at, index), f"{indent}  ")
        else:
            self.values[at] = (len(self.lines) + 1, len(start) + 2)
            self.lines.append(f"{start} {json.dumps(value)}")

    def _item(self, item: Any, at: At, indent: str) -> None:
        if isinstance(item, dict) and item:
            self._mapping(item, at, f"{indent}- ", f"{indent}  ")
        else:
            self._value(item, at, f"{indent}-", indent)


def wrong(kind: Any) -> tuple[Any, str]:
    """A value that does not fit a type of the SDK, and what is said about it."""
    if typing.get_origin(kind) is list:
        return None, f"expected a list{' or a mapping' * (typing.get_args(kind)[0] in NAMED)}, got nothing"
    if typing.get_origin(kind) is dict or is_model(kind):
        return None, "expected a mapping, got nothing"
    if issubclass(kind, enum.Enum):
        choices = [one.value for one in kind]
        return "qqq", f"'qqq' is not one of {', '.join(choices[:12])}{', ...' * (len(choices) > 12)}"
    said: dict[type, tuple[Any, str]] = {
        str: ([1], "expected a text, got a list"),
        int: ("many", "expected a whole number, got 'many'"),
        bool: ("perhaps", "expected true or false, got 'perhaps'"),
        datetime.timedelta: ("soon", "expected an ISO 8601 duration such as PT30M or P1D, got 'soon'"),
        datetime.datetime: (
            "soon",
            "expected a moment with its time zone such as 2027-01-31T06:00:00Z, got 'soon'",
        ),
    }
    return said[kind]


def target(top: str, name: str) -> At:
    """The path of a model below one of the top models, on the shortest way to it."""
    return along(top, places(model(top))[name])


def along(top: str, way: Way) -> At:
    """The path to which a way from one of the top models leads."""
    at: At = (SECTIONS[top], 0) if top == "BatchTaskCreateOptions" else (SECTIONS[top],)
    for outer, step in way:
        at = (*at, step, 0) if typing.get_origin(plain(hints(outer)[step])) is list else (*at, step)
    return at


def inside(data: Any, at: At) -> Any:
    """What stands at a path."""
    for step in at:
        data = data[step]
    return data


def told(data: Data, folder: Path) -> tuple[Written, list[str]]:
    """The data as a file, and everything that is said about it."""
    written = Written(data)
    path = folder / "s.yaml"
    path.write_text("\n".join(written.lines) + "\n", encoding="utf-8")
    _, problems = read(path, "s")
    return written, [str(problem) for problem in problems]


@pytest.mark.parametrize(("top", "name"), PLACES)
def test_a_value_of_the_wrong_type_is_told_once_with_what_belongs_there(top: str, name: str, tmp_path: Path) -> None:
    owner = model(name)
    seen, wanted = [], []
    for word in hints(owner):
        data = spec(top, whole(places(model(top))[name], owner, word))
        at = (*target(top, name), word)
        value, message = wrong(plain(hints(owner)[word]))
        inside(data, at[:-1])[word] = value
        written, found = told(data, tmp_path)
        line, column = written.values.get((*at, 0), written.values.get(at, (0, 0)))
        if value == [1]:
            line, column = line, column - 2
        wanted.append(f"s:{line}:{column}: {dotted(at)}: {message}")
        seen += found
    assert seen == wanted


@pytest.mark.parametrize(("top", "name"), PLACES)
def test_a_name_as_on_the_wire_is_told_once_with_the_one_that_belongs_here(top: str, name: str, tmp_path: Path) -> None:
    owner = model(name)
    seen, wanted = [], []
    for word in hints(owner):
        if (rest := wire_name(owner, word)) == word:
            continue
        data = spec(top, whole(places(model(top))[name], owner, word))
        at = target(top, name)
        holder = inside(data, at)
        holder[rest] = holder.pop(word)
        written, found = told(data, tmp_path)
        line, column = written.keys[(*at, rest)]
        wanted.append(f"s:{line}:{column}: {dotted((*at, rest))}: unknown property; did you mean '{word}'?")
        seen += found
    assert seen == wanted


def test_every_section_of_azure_is_walked() -> None:
    assert set(SECTIONS) >= {"BatchPoolCreateOptions", "BatchJobCreateOptions", "BatchTaskCreateOptions"}
    assert ("schedule" in schema()["properties"]) == ("BatchJobScheduleCreateOptions" in SECTIONS)
