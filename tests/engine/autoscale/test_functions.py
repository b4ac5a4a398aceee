"""The functions of the language."""

import pytest

from tests.engine.autoscale.measured import NEW, evaluated, steady, value


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("avg(1, 2, [3, 6])", "3"),
        ("avg([1, 2, 3], 7)", "3.25"),
        ("len([1, 2, 3], 7)", "4"),
        ("max(2, [9, 3])", "9"),
        ("min(2, [9, 3])", "2"),
        ("norm([3, 4])", "5"),
        ("range(2, [9, 3])", "7"),
        ("std(2, 4, 4, 4, 5, 5, 7, 9)", "2.13809"),
        ("sum([1, 2, 3], 4)", "10"),
        ("vec(1)", "[1]"),
        ("lg(8)", "3"),
        ("lg(vec(8))", "[3]"),
        ("lg(8, 2)", "[3,1]"),
        ("ln(1)", "0"),
        ("log([10, 1000])", "[1,3]"),
        ("log(0)", "-inf"),
        ("ln(-1)", "nan"),
        ("ceil(1.2)", "2"),
        ("floor(-1.2)", "-2"),
        ("ceil(1 / 0)", "inf"),
        ("round(2.5)", "3"),
        ("round([-2.5, 0.4, 2.4])", "[-3,0,2]"),
        ("percentile([5, 1, 4, 2, 3], 50)", "3"),
        ("percentile([5, 1, 4, 2, 3], 90)", "5"),
        ("percentile([5, 1, 4, 2, 3], 0)", "1"),
        ("percentile([5, 1, 4, 2, 3], 100)", "5"),
        ("val([5, 6, 7], 0)", "5"),
        ("val([5, 6, 7], 2.9)", "7"),
    ],
)
def test_each_function_computes_what_it_is_documented_to(expression: str, expected: str) -> None:
    assert value(expression) == expected


@pytest.mark.parametrize("function", ["avg", "len", "max", "min", "norm", "range", "std", "sum"])
def test_a_statistic_of_nothing_is_zero(function: str) -> None:
    assert value(f"{function}([])") == "0"


def test_the_deviation_of_one_value_is_zero_and_a_percentile_of_none_too() -> None:
    assert (value("std(5)"), value("percentile([], 50)")) == ("0", "0")


@pytest.mark.parametrize(
    ("expression", "detail"),
    [
        ("average(1)", "Line 1, Col 5: Undefined symbol: average"),
        ("MAX(1, 2)", "Line 1, Col 5: Undefined symbol: MAX"),
        ("max(1, time())", "Line 1, Col 8: Type mismatch: double or doubleVec expected, timestamp found"),
        ("val([1, 2], 2)", "Line 1, Col 8: Out of range: element 2 of a doubleVec of 2"),
        ("val([1, 2], -1)", "Line 1, Col 8: Out of range: element -1 of a doubleVec of 2"),
        ("val([1, 2], 0 / 0)", "Line 1, Col 8: Out of range: element nan of a doubleVec of 2"),
        ("val(1, 0)", "Line 1, Col 8: Type mismatch: doubleVec expected, double found"),
        ("val([1])", "Line 1, Col 8: Wrong number of arguments: val takes 2, 1 given"),
        ("percentile([1], 101)", "Line 1, Col 15: Out of range: percentile 101, 0 to 100 expected"),
        ('percentile([1], "5")', "Line 1, Col 15: Type mismatch: double expected, string found"),
        ("rand(1)", "Line 1, Col 9: Wrong number of arguments: rand takes 0, 1 given"),
        ("time(1)", "Line 1, Col 9: Type mismatch: string expected, double found"),
        ('time("", "")', "Line 1, Col 9: Wrong number of arguments: time takes 0 or 1, 2 given"),
    ],
)
def test_what_a_function_does_not_take_is_an_evaluation_error(expression: str, detail: str) -> None:
    assert value(expression) == detail


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026", "2026-01-01T00:00:00.000Z"),
        ("2026-03", "2026-03-01T00:00:00.000Z"),
        ("2026-03-11", "2026-03-11T00:00:00.000Z"),
        ("2026-03-11T14:30Z", "2026-03-11T14:30:00.000Z"),
        ("2026-03-11T14:30:15+02:00", "2026-03-11T12:30:15.000Z"),
        ("2026-03-11T14:30:15.1234567Z", "2026-03-11T14:30:15.123Z"),
        ("2026-03-11T14:30:15", "2026-03-11T14:30:15.000Z"),
        ("Wed, 11 Mar 2026 14:30:15 GMT", "2026-03-11T14:30:15.000Z"),
        ("11 Mar 2026 14:30:15 -0600", "2026-03-11T20:30:15.000Z"),
        ("0001-01-01", "0001-01-01T00:00:00.000Z"),
        ("", "2026-03-11T14:30:15.500Z"),
    ],
)
def test_times_are_read_in_both_documented_formats(text: str, expected: str) -> None:
    assert value(f'time("{text}")') == expected


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "2026-13-01",
        "2026-02-30",
        "2026-03-11 14:30",
        "2026-03-11T14:30:15.123456789Z",
        "0000-01-01",
        "0001-01-01T00:00:00+23:00",
        "Wed, 31 Feb 2026 14:30:15 GMT",
        "Wed, 11 Abc 2026 14:30:15 GMT",
    ],
)
def test_a_text_that_is_no_time_is_an_evaluation_error(text: str) -> None:
    assert value(f'time("{text}")') == f"Line 1, Col 9: Invalid time: {text}"


def test_the_present_time_is_the_time_of_the_evaluation() -> None:
    assert value("time()") == "2026-03-11T14:30:15.500Z"


def test_random_numbers_differ_within_an_evaluation_and_are_the_same_when_it_is_repeated() -> None:
    formula = "a = rand(); b = rand(); c = a != b && a >= 0 && a < 1"
    assert evaluated(formula) == evaluated(formula)
    assert evaluated(formula).results.endswith(";c=1")


def test_stop_ends_the_formula_and_keeps_what_was_assigned() -> None:
    formula = "$TargetDedicatedNodes = 7; 1 > 0 ? stop() : 0; $TargetDedicatedNodes = 9"
    assert evaluated(formula, steady({})).targets.dedicated == 7
    assert evaluated(formula, NEW).error is None
