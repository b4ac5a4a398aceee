"""What azure-batch documents of limits and alternatives is held wherever the model can stand, and told once, at its
place."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from batchspec.spec.read import read
from tests.render.test_every_property import spec
from tests.schemas import documented
from tests.schemas.documented import HELD, NO_LIMIT, WORD, Broken
from tests.schemas.fitting import Data, Way, ways, whole
from tests.schemas.reflected import TOP, hints, model
from tests.spec.test_every_property_told import SECTIONS, along, inside, told

SAID = sorted({(entry, name, word) for name, word, text in documented.sentences() if (entry := documented.held(text))})


@pytest.mark.parametrize(("entry", "name", "word"), SAID)
def test_a_documented_limit_is_held_wherever_its_model_stands(entry: str, name: str, word: str, tmp_path: Path) -> None:
    wanted, seen = [], []
    places = [(top, way) for top in TOP if top in SECTIONS for way in ways(model(top), name)]
    for (top, way), broken in itertools.product(places, HELD[entry]):
        if broken.whole:
            continue
        data, path = breaking(top, way, name, word, broken)
        wanted.append((broken, [f"{path}:"]))
        seen.append((broken, [f"{line.split(': ')[1]}:" for line in told(data, tmp_path)[1]]))
    assert seen == wanted


def breaking(top: str, way: Way, name: str, word: str, broken: Broken) -> tuple[Data, str]:
    """A spec with the model in one of its places, broken; and the path that is told."""
    owner = model(name)
    written = {key.replace(WORD, word): value for key, value in broken.data.items()}
    first = next(iter(written))
    at = along(top, way)
    data = spec(top, whole(way, owner, word or first))
    holder: Any = inside(data, at)
    holder |= {key: value for key, value in written.items() if value is not None}
    for key, value in written.items():
        if value is None and (key in holder):
            del holder[key]
    return data, documented.path(at, (broken.told or first).replace(WORD, word))


WHOLE = [(entry, broken) for entry, every in HELD.items() for broken in every if broken.whole]


@pytest.mark.parametrize(("entry", "broken"), WHOLE)
def test_a_limit_between_parts_is_held(entry: str, broken: Broken, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(broken.whole, encoding="utf-8")
    _, problems = read(tmp_path / "s.yaml", "s")
    assert [problem.path for problem in problems] == [broken.told], entry


def test_every_sentence_that_may_tell_a_limit_is_held_or_tells_none() -> None:
    """A new version of azure-batch that says more makes this fail: hold it, or say in the table why not."""
    said = {text: f"{name}.{word}" for name, word, text in documented.sentences()}
    known = {*HELD, *NO_LIMIT}
    assert {text: place for text, place in said.items() if not any(map(text.startswith, known))} == {}
    assert {entry for entry in known if not any(text.startswith(entry) for text in said)} == set()
    assert hints(model("BatchTaskIdRange")).keys() == {"start", "end"}
