"""Filters: what they mean, and that the database and the objects agree on it."""

import contextlib
import json
import sqlite3
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchspec.engine.errors import BatchError
from batchspec.engine.odata import Field, matches, parse, sql_from_condition
from batchspec.engine.times import ticks_from_text

FIELDS = {
    "id": Field("text", "id"),
    "state": Field("text", "state", ordered=False),
    "info/exitCode": Field("number", "exit_code"),
    "info/endTime": Field("time", "ended"),
    "flag": Field("bool", "flag", ordered=False),
}
T0, T1 = "2025-01-01T00:00:00.0000000Z", "2025-06-01T12:30:00.5000000Z"


def item(name: str, state: str, code: int | None, ended: str | None, flag: bool) -> dict[str, Any]:
    return {"id": name, "state": state, "info": {"exitCode": code, "endTime": ended}, "flag": flag}


ITEMS = [
    item("a1", "active", None, None, False),
    item("A2", "completed", 0, T0, True),
    item("b'c", "completed", 3, T1, False),
    item("abc", "running", -1, T1, True),
]


def found(text: str) -> list[str]:
    condition = parse(text, FIELDS)
    return [entry["id"] for entry in ITEMS if matches(condition, entry)]


def found_by_sql(text: str) -> list[str]:
    with sqlite3.connect(":memory:") as database:
        database.execute("CREATE TABLE items(id, state, exit_code, ended, flag)")
        for entry in ITEMS:
            info = entry["info"]
            ended = ticks_from_text(info["endTime"]) if info["endTime"] else None
            row = (entry["id"], entry["state"], info["exitCode"], ended, int(entry["flag"]))
            database.execute("INSERT INTO items VALUES(?, ?, ?, ?, ?)", row)
        sql, values = sql_from_condition(parse(text, FIELDS))
        rows = database.execute(f"SELECT id FROM items WHERE {sql} ORDER BY rowid", values).fetchall()
    database.close()
    return [name for (name,) in rows]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("state eq 'completed'", ["A2", "b'c"]),
        ("state eq 'COMPLETED'", ["A2", "b'c"]),
        ("state ne 'completed'", ["a1", "abc"]),
        ("startswith(id, 'a')", ["a1", "A2", "abc"]),
        ("id eq 'b''c'", ["b'c"]),
        ("id gt 'a2'", ["b'c", "abc"]),
        ("info/exitCode eq 0", ["A2"]),
        ("info/exitCode ne 0", ["a1", "b'c", "abc"]),
        ("info/exitCode lt 0", ["abc"]),
        ("info/endTime ge DateTime'2025-06-01T00:00:00Z'", ["b'c", "abc"]),
        ("info/endTime lt datetime'Sun, 01 Jun 2025 00:00:00 GMT'", ["A2"]),
        ("flag eq true", ["A2", "abc"]),
        ("state eq 'running' or state eq 'completed' and flag eq true", ["A2", "abc"]),
        ("(state eq 'running' or state eq 'completed') and flag eq false", ["b'c"]),
    ],
)
def test_a_filter_finds_what_it_says_in_objects_and_in_the_database(text: str, expected: list[str]) -> None:
    assert (found(text), found_by_sql(text)) == (expected, expected)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "state",
        "state eq",
        "state eq completed",
        "state like 'x'",
        "State eq 'active'",
        "state gt 'active'",
        "startswith(state, 'a')",
        "startswith(info/exitCode, '1')",
        "info/exitCode eq 'zero'",
        "info/endTime gt DateTime'soon'",
        "flag eq 1",
        "(state eq 'active'",
        "state eq 'active')",
        "state eq 'active' and",
        "state eq 'active' state eq 'active'",
        "state eq 'unclosed",
        "not state eq 'active'",
        "(" * 100 + "flag eq true" + ")" * 100,
        "id eq 'x'; DROP TABLE items",
    ],
)
def test_what_is_no_filter_is_a_400_that_says_why(text: str) -> None:
    with pytest.raises(BatchError) as error:
        parse(text, FIELDS)
    assert (error.value.status, error.value.code) == (400, "InvalidQueryParameterValue")
    assert json.dumps(error.value.values)


_comparisons = st.one_of(
    st.builds(
        lambda op, value: f"id {op} '{value}'",
        st.sampled_from(["eq", "ne", "gt", "ge", "lt", "le"]),
        st.sampled_from(["a1", "A2", "B''C", "zzz", ""]),
    ),
    st.builds(lambda value: f"startswith(id, '{value}')", st.sampled_from(["a", "AB", "b''", ""])),
    st.builds(
        lambda op, value: f"info/exitCode {op} {value}",
        st.sampled_from(["eq", "ne", "gt", "ge", "lt", "le"]),
        st.integers(-2, 4),
    ),
)
_filters = st.recursive(
    _comparisons,
    lambda inner: st.builds(lambda a, word, b: f"({a} {word} {b})", inner, st.sampled_from(["and", "or"]), inner),
    max_leaves=6,
)


@given(_filters)
def test_objects_and_database_agree_on_every_filter(text: str) -> None:
    assert found(text) == found_by_sql(text)


@given(st.text(max_size=40))
def test_no_text_breaks_the_parser(text: str) -> None:
    # Anything but a refusal is a bug, and fails the test by itself.
    with contextlib.suppress(BatchError):
        parse(text, FIELDS)


@pytest.mark.parametrize("word", ["or", "and"])
def test_a_filter_may_name_thousands_of_ids(word: str) -> None:
    text = f" {word} ".join(["id eq 'nobody'"] * 3000 + ["id eq 'a2'"])
    expected = ["A2"] if word == "or" else []
    assert (found(text), found_by_sql(text)) == (expected, expected)


def test_a_number_the_database_has_no_room_for_is_larger_than_any() -> None:
    text = "info/exitCode lt 99999999999999999999999 and info/exitCode gt -99999999999999999999999"
    assert (found(text), found_by_sql(text)) == (["A2", "b'c", "abc"], ["A2", "b'c", "abc"])


def test_words_of_the_service_are_compared_so_that_partial_indexes_serve() -> None:
    fields = {
        "state": Field("text", "state", False, word=True, optional=False),
        "result": Field("text", "result", False, word=True),
    }
    filters = ("state ne 'Completed'", "result eq 'failure'", "result ne 'failure'", "result eq 'it''s'")
    assert [sql_from_condition(parse(one, fields)) for one in filters] == [
        ("state <> 'completed'", []),
        ("result = 'failure'", []),
        ("(result IS NULL OR result <> 'failure')", []),
        ("(result IS NOT NULL AND result = ? COLLATE NOCASE)", ["it's"]),
    ]
