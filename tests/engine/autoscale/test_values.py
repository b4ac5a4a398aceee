"""The types and their operators: the documented table, row by row, and everything that is not in it."""

import pytest

from tests.engine.autoscale.measured import steady, value

T = 'time("2026-03-11T14:30:15.5Z")'
MINUTE = "TimeInterval_Minute"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        # double operator double
        ("7 + 2", "9"),
        ("7 - 2", "5"),
        ("7 * 2", "14"),
        ("7 / 2", "3.5"),
        # double operator timeinterval
        (f"90 * {MINUTE}", "PT1H30M"),
        # doubleVec operator double
        ("[1, 2] + 1", "[2,3]"),
        ("[1, 2] - 1", "[0,1]"),
        ("[1, 2] * 3", "[3,6]"),
        ("[1, 2] / 2", "[0.5,1]"),
        # double operator doubleVec: not in the table, but its mirror image is
        ("10 - [1, 2]", "[9,8]"),
        # doubleVec operator doubleVec
        ("[1, 2] + [3, 4]", "[4,6]"),
        ("[1, 2] - [3, 4]", "[-2,-2]"),
        ("[1, 2] * [3, 4]", "[3,8]"),
        ("[3, 2] / [4, 0]", "[0.75,inf]"),
        # timeinterval operator double
        (f"{MINUTE} * 1.5", "PT1M30S"),
        (f"{MINUTE} / 4", "PT15S"),
        # timeinterval operator timeinterval
        (f"TimeInterval_Hour + {MINUTE}", "PT1H1M"),
        (f"{MINUTE} - TimeInterval_Hour", "-PT59M"),
        # timeinterval and timestamp
        (f"{MINUTE} + {T}", "2026-03-11T14:31:15.500Z"),
        (f"{T} + {MINUTE}", "2026-03-11T14:31:15.500Z"),
        (f"{T} + (-6 * TimeInterval_Hour)", "2026-03-11T08:30:15.500Z"),
        (f"{T} - {MINUTE}", "2026-03-11T14:29:15.500Z"),
        (f'{T} - time("2026-03-10")', "P1DT14H30M15.5S"),
        # one operand
        ("-3", "-3"),
        ("!3", "0"),
        ("!0", "1"),
        (f"-{MINUTE}", "-PT1M"),
        # logic
        ("2 && 3", "1"),
        ("2 && 0", "0"),
        ("0 || 0.5", "1"),
        ("0 || 0", "0"),
    ],
)
def test_each_row_of_the_table_of_operators(expression: str, expected: str) -> None:
    assert value(expression) == expected


@pytest.mark.parametrize(
    ("small", "large"),
    [
        ("1", "2"),
        ('"a"', '"b"'),
        ('time("2026-01-01")', 'time("2026-01-02")'),
        ("TimeInterval_Second", "TimeInterval_Minute"),
    ],
)
def test_like_is_compared_with_like(small: str, large: str) -> None:
    signs = ("<", "<=", "==", ">=", ">", "!=")
    assert [value(f"{small} {sign} {large}") for sign in signs] == ["1", "1", "0", "0", "0", "1"]
    assert [value(f"{small} {sign} {small}") for sign in signs] == ["0", "1", "1", "1", "0", "0"]


@pytest.mark.parametrize(
    ("expression", "detail"),
    [
        (f"1 + {MINUTE}", "Line 1, Col 7: Type mismatch: double + timeinterval"),
        (f"1 / {MINUTE}", "Line 1, Col 7: Type mismatch: double / timeinterval"),
        (f"{MINUTE} / {MINUTE}", "Line 1, Col 25: Type mismatch: timeinterval / timeinterval"),
        (f"time() + {T}", "Line 1, Col 12: Type mismatch: timestamp + timestamp"),
        (f"{MINUTE} - time()", "Line 1, Col 25: Type mismatch: timeinterval - timestamp"),
        ('"a" + "b"', "Line 1, Col 9: Type mismatch: string + string"),
        ('1 == "1"', "Line 1, Col 7: Type mismatch: double == string"),
        ("[1] < 2", "Line 1, Col 9: Type mismatch: doubleVec < double"),
        ("[1] == [1]", "Line 1, Col 9: Type mismatch: doubleVec == doubleVec"),
        ("-[1]", "Line 1, Col 5: Type mismatch: - doubleVec"),
        (f"!{MINUTE}", "Line 1, Col 5: Type mismatch: ! timeinterval"),
        ("time() && 1", "Line 1, Col 12: Type mismatch: double expected, timestamp found"),
        ('1 && "yes"', "Line 1, Col 7: Type mismatch: double expected, string found"),
        ("[1] ? 2 : 3", "Line 1, Col 9: Type mismatch: double expected, doubleVec found"),
        ("[1, 2] + [1]", "Line 1, Col 12: Length mismatch: doubleVec of 2 and doubleVec of 1"),
        ("TimeInterval_Year * 1e30", "Line 1, Col 23: Out of range: no such timeinterval"),
        ("TimeInterval_Year / 0", "Line 1, Col 23: Out of range: no such timeinterval"),
        ("time() + TimeInterval_Year * 9000", "Line 1, Col 12: Out of range: no such timestamp"),
    ],
)
def test_anything_else_is_an_evaluation_error(expression: str, detail: str) -> None:
    assert value(expression) == detail


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Zero", "PT0S"),
        ("100ns", "PT0.0000001S"),
        ("Microsecond", "PT0.000001S"),
        ("Millisecond", "PT0.001S"),
        ("Second", "PT1S"),
        ("Minute", "PT1M"),
        ("Hour", "PT1H"),
        ("Day", "P1D"),
        ("Week", "P7D"),
        ("Year", "P365D"),
    ],
)
def test_each_interval_has_its_length(name: str, expected: str) -> None:
    assert value(f"TimeInterval_{name}") == expected


def test_a_timestamp_has_seven_parts_and_sunday_is_the_seventh_day() -> None:
    parts = ("year", "month", "day", "weekday", "hour", "minute", "second")
    assert [value(f"{T}.{part}") for part in parts] == ["2026", "3", "11", "3", "14", "30", "15"]
    assert value('time("2026-03-15").weekday') == "7"
    assert value("time().Hour") == "Line 1, Col 12: Undefined member: timestamp has no Hour"
    assert value("(5).hour") == "Line 1, Col 9: Undefined member: double has no hour"


def test_a_division_by_zero_can_be_clipped() -> None:
    assert [value(text) for text in ("1 / 0", "-1 / 0", "0 / 0", "min(25, 1 / 0)")] == ["inf", "-inf", "nan", "25"]


def test_doubles_are_written_with_six_digits() -> None:
    texts = ("29 / 30 * 100", "1 / 3", "1e6", "123456789", "2.50", "16777216")
    assert [value(text) for text in texts] == ["96.6667", "0.333333", "1e+06", "1.23457e+08", "2.5", "1.67772e+07"]


def test_a_sampled_variable_is_a_double_where_one_is_needed() -> None:
    samples = steady({"$PendingTasks": 9, "$TaskSlotsPerNode": 4})
    assert value("$PendingTasks / $TaskSlotsPerNode + 0.9", samples) == "3.15"
    assert value("$PendingTasks > 8 ? $PendingTasks : 0", samples) == "9"
    assert value("max([1, 20], $PendingTasks)", samples) == "20"
