"""Whatever stands in a file, it is a plan that can be compared, or it is refused: nothing else comes of it."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchspec.reconcile.change import Plan
from batchspec.reconcile.freeze import Freezing, digest_of
from batchspec.reconcile.frozen import NotFrozen, file_text, frozen_from
from batchspec.reconcile.observe import Observed, observe
from batchspec.reconcile.plan import plan
from batchspec.reconcile.staleness import differences
from batchspec.render.model import Desired
from tests.reconcile.builders import Workload, World

Planned = tuple[str, Desired, Plan, Observed]


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Planned:
    """The file of a plan with changes of all sorts, and what it was made of."""
    return asyncio.run(_planned(tmp_path_factory.mktemp("plan")))


async def _planned(folder: Path) -> Planned:
    world, one = World(), Workload(folder)
    await world.apply(one.desired())
    edited = replace(one, nodes=3, prune=True, texts={"a.txt": "x", "d.txt": "new"}).desired()
    desired = replace(edited, source={"vars": {"n": 1}, "tasks": [{"command": "x"}]}, variables={"n": 2})
    seen = await observe(desired, world.services)
    freezing = Freezing(desired, "local")
    made = plan(desired, seen)
    made = replace(made, digest=freezing.digest(made, seen))
    return "".join(file_text(freezing, made, seen, "specs/words.yaml")), desired, made, seen


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def places(value: object, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in a value."""
    yield at
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield from places(inner, (*at, step))


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_plan_with_anything_anywhere_is_refused_or_compared(data: st.DataObject, planned: Planned) -> None:
    base, desired, made, seen = planned
    whole = json.loads(base)
    for _ in range(data.draw(st.integers(1, 3))):
        *above, last = data.draw(st.sampled_from([at for at in places(whole["plan"]) if at]))
        node: Any = whole["plan"]
        for step in above:
            node = node[step]
        node[last] = data.draw(JSON)
    whole["digest"] = digest_of(whole["plan"])
    try:
        found = frozen_from(json.dumps(whole).encode())
    except NotFrozen:
        return
    told = list(differences(found, Freezing(desired, "local"), made, seen))
    assert all(isinstance(one.what, str) for one in told)
    assert found.variables.keys() <= found.plan["variables"].keys()
    assert found.asked is not None


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_bytes_are_a_plan_or_are_refused(data: st.DataObject, planned: Planned) -> None:
    whole = planned[0].encode()
    begin = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(begin, len(whole)))
    content = whole[:begin] + data.draw(st.binary(max_size=20)) + whole[end:]
    try:
        found = frozen_from(content)
    except NotFrozen:
        return
    assert found.plan == json.loads(whole)["plan"]
