"""Every property of every model of azure-batch with a whole template for its value: what that gives arrives as if it
were written there, and what does not fit is told once, where the template stands. The walk is over the SDK's models."""

import datetime
import enum
import json
import typing
from pathlib import Path
from typing import Any

import pytest

from batchspec.errors import in_order
from batchspec.render.desired import check_tasks, render
from batchspec.spec.document import dotted
from batchspec.spec.read import read
from batchspec.spec.variables import values
from tests.render.test_every_property import SHOWN_SECRET, VARS, shown, spec
from tests.schemas.fitting import Data, differences, places, sent, value, whole
from tests.schemas.reflected import TOP, hints, is_model, model, plain
from tests.spec.test_every_property_told import NAMED, SECTIONS, Written, inside, target

PLACES = [(top, name) for top in TOP if top in SECTIONS for name in places(model(top))]
KINDS = {dict: "object", list: "list", bool: "boolean", int: "integer", float: "number", str: "string"}


def made(top: str, name: str, word: str, given: Any, folder: Path) -> tuple[Written, Any, list[str]]:
    """The file in which a template gives one property, the body that it makes, and all that is told."""
    data: Data = json.loads(json.dumps(spec(top, whole(places(model(top))[name], model(name), word))))
    inside(data, target(top, name))[word] = "{{ vars.given }}"
    data["vars"] = {**VARS, "given": {"type": KINDS[type(given)], "default": given}}
    written = Written(data)
    (folder / "s.yaml").write_text("\n".join(written.lines) + "\n", encoding="utf-8")
    built, problems = read(folder / "s.yaml", "s")
    assert built is not None
    variables, unusable = values(built, {})
    desired, faults = render(built, variables=variables, secrets={}, target="local", fingerprints=False)
    assert desired is not None
    told = in_order([*problems, *unusable, *faults, *check_tasks(desired)])
    parts = {TOP[0]: desired.pool, TOP[1]: desired.job, TOP[3]: desired.schedule}
    part = next(desired.tasks()) if top not in parts and not told else parts.get(top)
    body = part.body if part is not None and not told else None
    return written, shown(body), [str(one) for one in told]


@pytest.mark.parametrize(("top", "name"), PLACES)
def test_what_a_template_gives_arrives_as_if_it_were_written(top: str, name: str, tmp_path: Path) -> None:
    owner = model(name)
    lost: list[str] = []
    for word in hints(owner):
        given = value(owner, word)
        if SHOWN_SECRET in json.dumps(given):
            continue  # a variable's default is data, and no secret may stand in it
        _, body, told = made(top, name, word, given, tmp_path)
        wanted = sent(model(top), whole(places(model(top))[name], owner, word))
        lost += [f"{name}.{word}: {one}" for one in told or differences(wanted, body)]
    assert lost == []


def unfit(kind: Any) -> tuple[Any, str] | None:
    """A value that does not fit a type of the SDK, and what is said about it; None where anything becomes a text."""
    if typing.get_origin(kind) is list:
        return 2.5, f"expected a list{' or a mapping' * (typing.get_args(kind)[0] in NAMED)}, got the number 2.5"
    if typing.get_origin(kind) is dict or is_model(kind):
        return [1], "expected a mapping, got a list"
    if issubclass(kind, enum.Enum):
        choices = [one.value for one in kind]
        return "qqq", f"'qqq' is not one of {', '.join(choices[:12])}{', ...' * (len(choices) > 12)}"
    said: dict[type, tuple[Any, str] | None] = {
        str: None,
        int: (2.5, "expected a whole number, got the number 2.5"),
        bool: ("perhaps", "expected true or false, got 'perhaps'"),
        datetime.timedelta: ("soon", "'soon' does not have the right form; a duration looks like PT30M or P1D"),
        datetime.datetime: ("soon", "'soon' does not have the right form; a moment looks like 2027-01-31T06:00:00Z"),
    }
    return said[kind]


@pytest.mark.parametrize(("top", "name"), PLACES)
def test_what_does_not_fit_is_told_once_at_the_template(top: str, name: str, tmp_path: Path) -> None:
    owner = model(name)
    seen, wanted = [], []
    for word, hint in hints(owner).items():
        if (case := unfit(plain(hint))) is None:
            continue
        written, _, told = made(top, name, word, case[0], tmp_path)
        line, column = written.values[(*target(top, name), word)]
        wanted.append(f"s:{line}:{column}: {dotted((*target(top, name), word))}: {case[1]}")
        seen += told
    assert seen == wanted
