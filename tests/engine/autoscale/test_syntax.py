"""The grammar: what a formula is, how strongly operators bind, and where a wrong one is wrong."""

import pytest

from batchspec.engine.autoscale.faults import FormulaInvalid, Position
from batchspec.engine.autoscale.syntax import MAX_CHARACTERS, MAX_STATEMENTS, parse
from batchspec.engine.autoscale.tree import Assignment, Call, Chain, Choice, Link, Member, Name, Number, Unary
from tests.engine.autoscale.measured import value


def test_a_statement_is_read_as_written() -> None:
    assert parse("a = -b.hour + 2 ? max() : 0;").statements == (
        Assignment(
            Name("a", Position(1, 1)),
            Choice(
                Chain(
                    Unary("-", Member(Name("b", Position(1, 6)), "hour", Position(1, 8)), Position(1, 5)),
                    (Link("+", Position(1, 13), Number(2.0)),),
                ),
                Call(Name("max", Position(1, 19)), (), Position(1, 22)),
                Number(0.0),
                Position(1, 17),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("2 + 3 * 4", "14"),
        ("(2 + 3) * 4", "20"),
        ("20 - 5 - 3", "12"),
        ("24 / 4 / 2", "3"),
        ("2 * 3 + 4 * 5 - 1", "25"),
        ("1 + 1 < 3 == 1", "1"),
        ("1 || 0 && 0", "1"),
        ("0 == 1 || 2 > 1 && 3 != 4", "1"),
        ("-2 * -3", "6"),
        ("!0 + !!5", "2"),
        ("- -4", "4"),
        ("1 ? 2 : 1 ? 3 : 4", "2"),
        ("0 ? 2 : 0 ? 3 : 4", "4"),
        ("1 > 2 || 1 ? 5 : 6", "5"),
        ("[1, [2, 3], 4]", "[1,2,3,4]"),
        ("[]", "[]"),
    ],
)
def test_operators_bind_as_in_c(expression: str, expected: str) -> None:
    assert value(expression) == expected


def test_a_value_assigned_can_be_assigned_again_and_chosen_between() -> None:
    assert value("y = 4") == "4"
    assert value("1; 0 ? a = 1 : b = 2; x = b * 3") == "6"


@pytest.mark.parametrize("formula", ["a = 1", "a = 1;", ";;a = 1;;", "a = 1;\n// the end", "// x\na = 1 // y"])
def test_one_statement_may_stand_among_empty_ones_and_comments(formula: str) -> None:
    assert len(parse(formula).statements) == 1


@pytest.mark.parametrize(
    ("formula", "detail"),
    [
        ("", "Line 1, Col 1: Unexpected end of formula (a statement expected)"),
        ("// nothing\n", "Line 2, Col 1: Unexpected end of formula (a statement expected)"),
        ("a = 1\nb = 2", "Line 2, Col 1: Unexpected token: b (; expected between statements)"),
        ("a = ", "Line 1, Col 5: Unexpected end of formula (a value expected)"),
        ("a = (1 + 2", "Line 1, Col 11: Unexpected end of formula () expected)"),
        ("a = max(1, )", "Line 1, Col 12: Unexpected token: ) (a value expected)"),
        ("a = [1, 2;", "Line 1, Col 10: Unexpected token: ; (] expected)"),
        ("a = b ? 1", "Line 1, Col 10: Unexpected end of formula (: expected)"),
        ("1 = a", "Line 1, Col 3: Unexpected token: = (only a variable can be assigned to)"),
        ("a + b = 2", "Line 1, Col 7: Unexpected token: = (only a variable can be assigned to)"),
        ("a = $CPUPercent.", "Line 1, Col 17: Unexpected end of formula (the name of a member expected)"),
        ("a = 3 * / 4", "Line 1, Col 9: Unexpected token: / (a value expected)"),
        ("a = 1 2", "Line 1, Col 7: Unexpected token: 2 (; expected between statements)"),
    ],
)
def test_what_is_no_formula_is_refused_with_its_place(formula: str, detail: str) -> None:
    with pytest.raises(FormulaInvalid) as refused:
        parse(formula)
    assert (refused.value.code, refused.value.message, refused.value.values) == (
        "AutoScalingFormulaSyntaxError",
        "The specified auto-scaling formula has a syntax error.",
        {"Message": detail},
    )


def test_eight_kilobytes_and_a_hundred_statements_are_allowed_and_no_more() -> None:
    longest = "a = 1 //".ljust(MAX_CHARACTERS, "x")
    assert len(parse(longest).statements) == 1
    assert len(parse("a = 1;" * MAX_STATEMENTS).statements) == MAX_STATEMENTS
    for too_long, detail in (
        (longest + "x", "8193 characters, 8192 are allowed"),
        ("a = 1;" * (MAX_STATEMENTS + 1), "Line 1, Col 601: More than 100 statements"),
    ):
        with pytest.raises(FormulaInvalid) as refused:
            parse(too_long)
        assert (refused.value.code, refused.value.values) == ("AutoScalingFormulaTooLong", {"Message": detail})


@pytest.mark.parametrize("opening", ["(", "[", "-", "!", "max(", "$CPUPercent.GetSample(", "1 ? ", "0 ? 1 : ", "a = "])
def test_endless_nesting_is_a_syntax_error(opening: str) -> None:
    with pytest.raises(FormulaInvalid, match="More than 120 levels of nesting"):
        parse(opening * (MAX_CHARACTERS // len(opening)))


def test_members_of_members_are_nesting_too() -> None:
    with pytest.raises(FormulaInvalid, match="More than 120 levels of nesting"):
        parse("a" + ".b" * 1000)


def test_a_long_sum_is_no_nesting() -> None:
    assert value("1" + " + 1" * 2000) == "2001"
