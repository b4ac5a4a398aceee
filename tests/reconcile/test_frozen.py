"""A plan in a file: what is written is read back, and nothing else is taken for one."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest

from batchspec.reconcile import frozen
from batchspec.reconcile.asked import Asked
from batchspec.reconcile.change import Action, Kind
from batchspec.reconcile.freeze import Freezing, digest_of
from batchspec.reconcile.frozen import Frozen, NotFrozen, file_text, frozen_from
from batchspec.reconcile.observe import observe
from batchspec.reconcile.plan import plan
from batchspec.render.model import Desired
from tests.reconcile.builders import Workload, World

SCHEMA = json.loads((Path(__file__).resolve().parents[2] / "schemas/batchspec-plan-v1.schema.json").read_text())


async def written(desired: Desired, world: World, *, retry_failed: bool = False) -> str:
    """The file of a plan that is made now."""
    seen = await observe(desired, world.services)
    asked = Asked(retry_failed)
    freezing = Freezing(desired, "local", asked)
    made = plan(desired, seen, asked)
    made = replace(made, digest=freezing.digest(made, seen))
    return "".join(file_text(freezing, made, seen, "specs/words.yaml"))


@pytest.fixture
async def text(tmp_path: Path) -> str:
    """The file of a first plan."""
    return await written(Workload(tmp_path).desired(), World())


async def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    file = await written(Workload(tmp_path).desired(), World(), retry_failed=True)
    found = frozen_from(file.encode())

    assert (found.spec_file, found.name, found.asked.retry_failed, found.asked.refresh_secrets) == (
        "specs/words.yaml",
        "words",
        True,
        False,
    )
    assert found.digest == json.loads(file)["digest"] == digest_of(found.plan)


async def test_the_file_is_as_its_schema_says(tmp_path: Path, text: str) -> None:
    world, workload = World(), Workload(tmp_path)
    await world.apply(workload.desired())
    edited = await written(Workload(tmp_path, texts={"a.txt": "other", "d.txt": "new"}, nodes=3).desired(), world)

    for one in (text, edited):
        jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(one))
    properties = SCHEMA["$defs"]["change"]["properties"]
    assert set(properties["kind"]["enum"]) == set(get_args(Kind)) - {"download"}
    assert set(properties["action"]["enum"]) == set(get_args(Action)) - {"keep"}
    described = {**SCHEMA["properties"], **SCHEMA["properties"]["plan"]["properties"]}
    assert described.keys() == {*json.loads(text), *json.loads(text)["plan"]}


async def test_everything_that_a_change_can_tell_is_described(tmp_path: Path) -> None:
    world, workload = World(), Workload(tmp_path)
    await world.apply(workload.desired())
    file = json.loads(await written(replace(workload, nodes=3, prune=True, texts={"a.txt": "x"}).desired(), world))

    changes = file["plan"]["would_change"]
    described = SCHEMA["$defs"]["change"]["properties"]
    assert {name for one in changes for name in one} == described.keys()
    told = {name for one in changes for reason in one.get("why", []) for name in reason}
    assert told == described["why"]["items"]["properties"].keys()


def test_each_member_and_each_item_has_its_own_line(text: str) -> None:
    assert '\n"files":{"words-application/' in text
    assert '\n["b",' in text
    assert text.endswith('"}\n')


@pytest.mark.parametrize("layout", [lambda text: text.replace("\n", "\r\n"), lambda text: json.dumps(json.loads(text))])
def test_how_the_file_is_laid_out_does_not_matter(layout: Callable[[str], str], text: str) -> None:
    assert frozen_from(layout(text).encode()) == frozen_from(text.encode())


def edited(text: str, edit: Callable[[dict[str, Any]], object], *, sealed: bool = False) -> bytes:
    """The file, changed; `sealed` by somebody who makes a new digest."""
    whole = json.loads(text)
    edit(whole)
    if sealed:
        whole["digest"] = digest_of(whole["plan"])
    return json.dumps(whole).encode()


EDITS: dict[str, Callable[[dict[str, Any]], object]] = {
    "a variable": lambda whole: whole["plan"]["variables"].update(n=4),
    "a file": lambda whole: whole["plan"]["files"].update({"words-input/a.txt": "0 0"}),
    "a task less": lambda whole: whole["plan"]["tasks"].pop(),
    "a flag": lambda whole: whole["plan"]["asked"].update(retry_failed=True),
    "a change less": lambda whole: whole["plan"]["would_change"].pop(),
    "the digest": lambda whole: whole.update(digest="0" * 64),
    "no text for a digest": lambda whole: whole.update(digest=0),
}


@pytest.mark.parametrize("name", EDITS)
def test_a_file_that_was_edited_is_known_by_its_digest(name: str, text: str) -> None:
    with pytest.raises(NotFrozen, match=r"was changed after it was made: its digest is not that of what it holds"):
        frozen_from(edited(text, EDITS[name]))


OTHERS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "another version": (lambda whole: whole.update(batchspec_plan=2), "is of another version; this batchspec reads"),
    "true is no version": (lambda whole: whole.update(batchspec_plan=True), "is of another version"),
    "a member more": (lambda whole: whole.update(more=1), "is no whole plan: expected the members batchspec_plan, dig"),
    "a member less": (lambda whole: whole.pop("spec_file"), "is no whole plan"),
    "no plan": (lambda whole: whole.update(plan=[]), "is no whole plan"),
    "no version": (lambda whole: whole.pop("batchspec_plan"), "is no plan: it has no `batchspec_plan`"),
    "a member of the plan more": (lambda whole: whole["plan"].update(more=1), "its members are others"),
    "no name": (lambda whole: whole["plan"].update(name=1), "`name` is something else"),
    "other flags": (lambda whole: whole["plan"].update(asked={"force": True}), "`asked` is something else"),
    "flags of another kind": (lambda whole: whole["plan"]["asked"].update(retry_failed=1), "`asked` is something else"),
    "no sum": (lambda whole: whole["plan"]["files"].update(a=1), "`files` is something else"),
    "no task": (lambda whole: whole["plan"]["tasks"].append(["a", "b"]), "`tasks` is something else"),
    "no change": (lambda whole: whole["plan"]["would_change"].append({}), "`would_change` is something else"),
    "no reason": (
        lambda whole: whole["plan"]["would_change"][0].update(why=[{"text": 1}]),
        "`would_change` is somethi",
    ),
    "a spec above": (lambda whole: whole.update(spec_file="../../etc/passwd"), "a spec that is not in the repository"),
    "a spec anywhere": (
        lambda whole: whole.update(spec_file="/etc/passwd"),
        "names a spec that is not in the repository",
    ),
    "a spec in .git": (
        lambda whole: whole.update(spec_file=".GIT/config"),
        "names a spec that is not in the repository",
    ),
    "a drive": (lambda whole: whole.update(spec_file="C:\\s.yaml"), "names a spec that is not in the repository"),
    "an escape": (lambda whole: whole.update(spec_file="a\x1b[2J.yaml"), "names a spec that is not in the repository"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_file_of_another_form_is_no_plan_even_with_a_digest_of_its_own(name: str, text: str) -> None:
    edit, message = OTHERS[name]
    if name == "no plan":
        content = json.dumps(json.loads(text) | {"plan": []}).encode()
    else:
        content = edited(text, edit, sealed=True)

    with pytest.raises(NotFrozen, match=message):
        frozen_from(content)


BYTES = {
    "nothing": (b"", "is no plan: it is not JSON"),
    "text": (b"not JSON", "is no plan: it is not JSON"),
    "a list": (b"[]", "is no plan: it has no `batchspec_plan`"),
    "no UTF-8": (b'{"batchspec_plan":1,"\xff":1}', "is no plan: it is not UTF-8 text"),
    "very deep": (b"[" * 100_000, "it is nested too deeply"),
    "a number of many digits": (b'{"batchspec_plan":' + b"1" * 10_000 + b"}", "is no plan: it is not JSON"),
}


@pytest.mark.parametrize("name", BYTES)
def test_bytes_that_are_no_plan_are_told_apart(name: str) -> None:
    content, message = BYTES[name]
    with pytest.raises(NotFrozen, match=message):
        frozen_from(content)


def test_a_file_that_was_cut_is_no_plan(text: str) -> None:
    with pytest.raises(NotFrozen, match="or a part of it is missing"):
        frozen_from(text[:-10].encode())


def test_a_spec_that_is_nested_deeper_than_one_can_be_is_refused(text: str) -> None:
    deep: object = 1
    for _ in range(frozen.MAX_DEPTH + 1):
        deep = [deep]

    with pytest.raises(NotFrozen, match="it is nested too deeply"):
        frozen_from(edited(text, lambda whole: whole["plan"].update(source=deep)))


def test_what_would_fill_the_memory_is_refused() -> None:
    with pytest.raises(NotFrozen, match="it has more than 10,000,000 values"):
        frozen_from(b"[" + b"{}," * 5_000_001)
    with pytest.raises(NotFrozen, match="is larger than 268,435,456 bytes"):
        frozen_from(bytes(frozen.MAX_BYTES + 1))


def test_the_variables_that_count_are_those_that_are_not_the_defaults() -> None:
    source = {"vars": {"a": 1, "b": {"default": "x", "type": "string"}, "c": {"required": True}, "d": 2}}
    plan = {"source": source, "variables": {"a": 1, "b": "x", "c": "given", "d": 3}}

    assert Frozen("s.yaml", plan, "").variables == {"c": "given", "d": 3}
    assert Frozen("s.yaml", {**plan, "source": None}, "").variables == plan["variables"]
