"""A formula cut into words."""

import pytest

from batchspec.engine.autoscale.faults import FormulaInvalid, Position
from batchspec.engine.autoscale.tokens import Kind, Token, tokens


def test_words_have_their_places_and_comments_are_gone() -> None:
    assert list(tokens('$a1 = .5e1; // half "\n  b<=time("x y")')) == [
        Token(Kind.NAME, "$a1", Position(1, 1)),
        Token(Kind.SIGN, "=", Position(1, 5)),
        Token(Kind.NUMBER, ".5e1", Position(1, 7)),
        Token(Kind.SIGN, ";", Position(1, 11)),
        Token(Kind.NAME, "b", Position(2, 3)),
        Token(Kind.SIGN, "<=", Position(2, 4)),
        Token(Kind.NAME, "time", Position(2, 6)),
        Token(Kind.SIGN, "(", Position(2, 10)),
        Token(Kind.TEXT, "x y", Position(2, 11)),
        Token(Kind.SIGN, ")", Position(2, 16)),
        Token(Kind.END, "", Position(2, 17)),
    ]


def test_lines_of_windows_count_as_one_each() -> None:
    assert [word.at for word in tokens("a;\r\n\r\nb")] == [
        Position(1, 1),
        Position(1, 2),
        Position(3, 1),
        Position(3, 2),
    ]


@pytest.mark.parametrize(
    ("source", "detail"),
    [
        ("x = {pool.size}", "Line 1, Col 5: Unexpected character: {"),
        ("x =\n 7 % 2", "Line 2, Col 4: Unexpected character: %"),
        ('t = time("2026', 'Line 1, Col 10: Text without a closing " on its line'),
        ('t = time("2026\n")', 'Line 1, Col 10: Text without a closing " on its line'),
        ("a & b", "Line 1, Col 3: Unexpected character: &"),
        ("größe = 1", "Line 1, Col 3: Unexpected character: ö"),
        ("$ = 1", "Line 1, Col 1: Unexpected character: $"),
    ],
)
def test_a_character_that_starts_no_word_is_told_with_its_place(source: str, detail: str) -> None:
    with pytest.raises(FormulaInvalid) as refused:
        list(tokens(source))
    assert (refused.value.code, refused.value.values) == ("AutoScalingFormulaSyntaxError", {"Message": detail})
