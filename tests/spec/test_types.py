"""Types of variables."""

import pytest

from batchspec.spec.types import fits, stand_in, type_in_words
from batchspec.spec.words import VAR_TYPES

VALUES: dict[str, object] = {"string": "a", "integer": 1, "number": 1.5, "boolean": True, "list": [1], "object": {}}


@pytest.mark.parametrize("kind", VAR_TYPES)
def test_a_value_fits_its_own_type_and_whole_numbers_are_numbers(kind: str) -> None:
    fitting = {name for name, value in VALUES.items() if fits(value, kind)}
    assert fitting == ({"integer", "number"} if kind == "number" else {kind})


@pytest.mark.parametrize("kind", VAR_TYPES)
def test_a_stand_in_has_the_type(kind: str) -> None:
    assert fits(stand_in(kind, "name"), kind)
    assert type_in_words(kind)
