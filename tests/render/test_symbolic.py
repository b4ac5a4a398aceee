import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchspec.render.symbolic import (
    Json,
    Symbol,
    broken_symbol,
    display,
    holds_marker,
    resolve,
    resolve_text,
    symbol,
    symbols,
    told,
)

URL = symbol("sas_url", "output", "cw")
BLOB = symbol("blob_sas_url", "input", "a b.txt")


def test_symbols_are_found_and_resolved_wherever_they_stand() -> None:
    body: Json = {"a": [URL, f"x={BLOB}&{BLOB}"], "b": {"c": 1, "d": None}}
    expected = {Symbol("sas_url", ("output", "cw")), Symbol("blob_sas_url", ("input", "a b.txt"))}
    assert symbols(body) == expected
    resolved = resolve(body, lambda one: one.kind.upper())
    assert resolved == {"a": ["SAS_URL", "x=BLOB_SAS_URL&BLOB_SAS_URL"], "b": {"c": 1, "d": None}}


def test_people_see_what_stands_there() -> None:
    assert display([f"--url {URL}"]) == ["--url <sas_url output cw>"]


def test_a_message_that_quotes_a_symbol_shows_it_as_people_see_it() -> None:
    one = symbol("secret", "key")
    assert told(f"{one!r} and {one} and {symbol('sas_url', 'output', 'cw')!r}") == (
        "'<secret key>' and <secret key> and '<sas_url output cw>'"
    )
    assert told("plain \\n") == "plain \\n"


@pytest.mark.parametrize("text", [URL[1:], URL[:-1], URL.upper(), symbol("other"), symbol("secret"), "a\ue002b"])
def test_a_cut_or_changed_symbol_is_noticed(text: str) -> None:
    assert broken_symbol(text)


@given(st.text(), st.text())
def test_a_whole_symbol_is_not_broken(before: str, after: str) -> None:
    if not holds_marker(before + after):
        assert not broken_symbol(before + URL + after)
        assert resolve_text(before + URL + after, lambda one: "X") == f"{before}X{after}"
