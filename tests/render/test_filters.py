import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchspec.render import filters
from batchspec.render.filters import Unusable
from batchspec.render.symbolic import symbol


@pytest.mark.parametrize(
    ("path", "stem", "suffix", "basename", "dirname"),
    [
        ("a.mp4", "a", ".mp4", "a.mp4", ""),
        ("dir/a.b.c.mp4", "a.b.c", ".mp4", "a.b.c.mp4", "dir"),
        ("x/y/noext", "noext", "", "noext", "x/y"),
        ("d.d/.hidden", ".hidden", "", ".hidden", "d.d"),
        ("a b's.tar.gz", "a b's.tar", ".gz", "a b's.tar.gz", ""),
    ],
)
def test_the_parts_of_a_path(path: str, stem: str, suffix: str, basename: str, dirname: str) -> None:
    found = (filters.stem(path), filters.suffix(path), filters.basename(path), filters.dirname(path))
    assert found == (stem, suffix, basename, dirname)


@pytest.mark.parametrize(
    ("path", "new", "expected"),
    [
        ("dir/a.b.mp4", ".mp3", "dir/a.b.mp3"),
        ("a", ".mp3", "a.mp3"),
        ("a.tar.gz", "", "a.tar"),
        (".hidden", ".txt", ".hidden.txt"),
    ],
)
def test_the_suffix_is_replaced(path: str, new: str, expected: str) -> None:
    assert filters.with_suffix(path, new) == expected


@pytest.mark.parametrize(("path", "new"), [("a", "mp3"), ("a", "."), ("a", "./x"), ("", ".mp3"), ("dir/", ".mp3")])
def test_what_is_no_suffix_is_refused(path: str, new: str) -> None:
    with pytest.raises(Unusable):
        filters.with_suffix(path, new)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("a", "a"), (True, "true"), (1, "1"), (0.5, "0.5"), ([1, "é"], '[1, "é"]'), ({"a": None}, '{"a": null}')],
)
def test_values_become_this_text(value: object, expected: str) -> None:
    assert filters.text(value) == expected


@pytest.mark.parametrize("value", [None, object(), filters, [object()]])
def test_what_has_no_text_is_refused(value: object) -> None:
    with pytest.raises(Unusable):
        filters.text(value)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=10))
def test_json_can_be_read_back(value: object) -> None:
    if not (isinstance(value, str) and "\ue000" in value):
        assert json.loads(filters.tojson(value)) == value


def test_a_secret_is_not_put_into_json() -> None:
    with pytest.raises(Unusable):
        filters.tojson(symbol("secret", "token"))


def test_indent_moves_every_line_but_the_first() -> None:
    assert filters.indent("a\nb\n\nc", 2) == "a\n  b\n\n  c"


def test_sum_and_round() -> None:
    assert (filters.total([1, 2.5]), filters.rounded(2.567, 1), filters.rounded(2.6)) == (3.5, 2.6, 3)
    with pytest.raises(Unusable):
        filters.total([[1], [2]])
