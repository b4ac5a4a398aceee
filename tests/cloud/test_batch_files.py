"""Pieces of a text file never lose, repeat or break a character."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchspec.cloud.batch_files import text_part
from batchspec.reconcile.ports import TextPart


@given(text=st.text(), piece=st.integers(min_value=4, max_value=9))
def test_pieces_read_one_after_the_other_are_the_text(text: str, piece: int) -> None:
    content, start, read = text.encode(), 0, ""
    while start < len(content):
        part = text_part(content[start : start + piece], start, len(content), skip_partial=False)
        assert part.end > start
        read, start = read + part.text, part.end
    assert read == text


@given(content=st.binary(min_size=1), piece=st.integers(min_value=1, max_value=5))
def test_pieces_of_anything_always_get_on(content: bytes, piece: int) -> None:
    start = 0
    while start < len(content):
        part = text_part(content[start : start + piece], start, len(content), skip_partial=False)
        assert start < part.end <= len(content)
        start = part.end


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\xbc\n", TextPart("\n", 11, 12, 12)),
        (b"a\xbc", TextPart("a\N{REPLACEMENT CHARACTER}", 10, 12, 12)),
        (b"", TextPart("", 10, 10, 12)),
    ],
)
def test_a_tail_begins_with_a_whole_character(content: bytes, expected: TextPart) -> None:
    assert text_part(content, 10, 12, skip_partial=True) == expected
