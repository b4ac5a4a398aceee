"""Plain scalars: the core schema, without surprises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchspec.spec.scalars import NotANumber, scalar_from_plain


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("", None), ("~", None), ("null", None), ("Null", None)),
        *(("true", True), ("False", False), ("TRUE", True)),
        *(("0", 0), ("-7", -7), ("+7", 7), ("0x1F", 31), ("0o17", 15), ("9223372036854775807", 2**63 - 1)),
        *(("1.5", 1.5), (".5", 0.5), ("1.", 1.0), ("1e3", 1000.0), ("-1.5E-3", -0.0015)),
    ],
)
def test_the_core_schema_is_followed(text: str, value: object) -> None:
    found = scalar_from_plain(text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    "text",
    [
        *("yes", "no", "on", "off", "y", "N", "tRue", "nULL", "None"),
        *("1:30", "22:22:22", "2026-01-02", "2026-01-02T03:04:05Z", "1_000", "0755", "007", "00", "0b1", "01.5"),
        *("1.2.3", "1e", "e1", ".", "-", "+", "--1", "0x", "1,000", "=", "<<", "١"),
    ],
)
def test_what_only_looks_like_something_else_stays_text(text: str) -> None:
    assert scalar_from_plain(text) == text


@pytest.mark.parametrize("text", [".inf", "-.INF", "+.Inf", ".nan", ".NaN", "1e999", "-1e999", "9223372036854775808"])
def test_what_json_cannot_carry_is_refused(text: str) -> None:
    with pytest.raises(NotANumber):
        scalar_from_plain(text)


def test_a_very_long_row_of_digits_stays_text() -> None:
    assert scalar_from_plain("9" * 10_000) == "9" * 10_000


@given(st.text())
def test_any_text_has_a_value_or_is_refused(text: str) -> None:
    try:
        value = scalar_from_plain(text)
    except NotANumber:
        return
    assert value == text or not isinstance(value, str)
