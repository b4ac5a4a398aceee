"""The methods of a sampled variable."""

from datetime import timedelta

import pytest

from tests.engine.autoscale.measured import NOW, counting, evaluated, steady, value

TEN = counting("$PendingTasks", 10)  # 1 ... 10 at intervals of half a minute; 10 is now


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("GetSample(1)", "[10]"),
        ("GetSample(3)", "[8,9,10]"),
        ("GetSample(99)", "[1,2,3,4,5,6,7,8,9,10]"),
        ("GetSample(0)", "[]"),
        ("GetSample(TimeInterval_Minute)", "[9,10]"),
        ("GetSample(TimeInterval_Minute, 100)", "[9,10]"),
        ("GetSample(TimeInterval_Minute * 2, TimeInterval_Minute)", "[7,8]"),
        ("GetSample(TimeInterval_Minute, TimeInterval_Minute * 2)", "[7,8]"),
        ("GetSample(TimeInterval_Minute * 0, TimeInterval_Minute * 10)", "[1,2,3,4,5,6,7,8,9,10]"),
        ("GetSample(time() - TimeInterval_Minute, time())", "[9,10]"),
        ("GetSample(time() + -1 * TimeInterval_Minute, TimeInterval_Second * 30, 50)", "[9]"),
        ("GetSample(TimeInterval_Day)", "[1,2,3,4,5,6,7,8,9,10]"),
        ("GetSample(TimeInterval_Hour, TimeInterval_Minute * 30)", "[]"),
        ("GetSamplePercent(TimeInterval_Minute * 5)", "100"),
        ("GetSamplePercent(TimeInterval_Minute * 10)", "50"),
        ("GetSamplePercent(TimeInterval_Minute * 10, TimeInterval_Minute * 5)", "0"),
        ("GetSamplePercent(TimeInterval_Zero)", "0"),
        ("GetSamplePercent(TimeInterval_Second * 15)", "100"),
        ("GetSamplePercent(time() - TimeInterval_Minute * 20)", "25"),
        ("GetSamplePeriod()", "PT30S"),
        ("Count()", "10"),
        ("HistoryBeginTime()", "2026-03-11T14:25:45.500Z"),
    ],
)
def test_each_method_reads_the_history(call: str, expected: str) -> None:
    assert value(f"$PendingTasks.{call}", TEN) == expected


def test_twenty_nine_samples_of_thirty_read_as_recorded_from_the_service() -> None:
    assert value("$PendingTasks.GetSamplePercent(TimeInterval_Minute * 15)", steady({}, 29)) == "96.6667"


def test_samples_that_come_late_count_as_the_documentation_says() -> None:
    # Ten minutes of which the last was not delivered yet: 18 of 20.
    late = counting("$CPUPercent", 200)
    late_now = NOW + timedelta(minutes=1)
    assert late.series("$CPUPercent")[-1].at == late_now - timedelta(minutes=1)
    formula = "len($CPUPercent.GetSample(TimeInterval_Minute, TimeInterval_Minute * 10))"
    assert value(formula, late) == "18"


def test_too_few_samples_fail_the_evaluation_in_the_words_of_the_service() -> None:
    error = evaluated("$tasks =\n  max($PendingTasks.GetSample(TimeInterval_Minute * 10, 75))", TEN).error
    assert error is not None
    assert (error.code, error.message, error.values) == (
        "InsufficientSampleData",
        "Autoscale evaluation failed due to insufficient sample data",
        (("Message", "Line 2, Col 30: Insufficient data from data set: $PendingTasks wanted 75%, received 50%"),),
    )


def test_enough_samples_do_not() -> None:
    assert value("$PendingTasks.GetSample(TimeInterval_Minute * 10, TimeInterval_Zero, 50)", TEN).startswith("[1,2,")


def test_a_pool_without_history_has_its_present_tasks_but_no_windows_and_no_load() -> None:
    assert value("$PendingTasks.GetSample(1)") == "[0]"
    assert value("$TaskSlotsPerNode.GetSample(3)") == "[4]"
    assert value("$CPUPercent.GetSample(1)") == "[]"
    assert value("$PendingTasks.GetSample(TimeInterval_Hour)") == "[]"
    assert value("$PendingTasks.GetSamplePercent(TimeInterval_Hour)") == "0"
    assert value("$PendingTasks.Count()") == "0"
    assert value("$PendingTasks.HistoryBeginTime() == time()") == "1"


@pytest.mark.parametrize(
    ("call", "detail"),
    [
        ("GetSample()", "Wrong number of arguments: GetSample takes 1 to 3, 0 given"),
        ("GetSample(1, 2, 3, 4)", "Wrong number of arguments: GetSample takes at most 3, 4 given"),
        ("GetSample(1, 2, 3)", "Type mismatch: timestamp or timeinterval expected, double found"),
        ("GetSample(-1)", "Out of range: -1 samples"),
        ("GetSample(0 / 0)", "Out of range: nan samples"),
        ('GetSample("1")', "Type mismatch: double expected, string found"),
        ("GetSample(5, 100)", "Insufficient data from data set: $PendingTasks wanted 100%, received 20%"),
        ("GetSamplePercent()", "Wrong number of arguments: GetSamplePercent takes 1 or 2, 0 given"),
        ("GetSamplePercent(5)", "Type mismatch: timestamp or timeinterval expected, double found"),
        ("Count(1)", "Wrong number of arguments: Count takes at most 0, 1 given"),
        ("GetAverage()", "Undefined member: $PendingTasks has no GetAverage()"),
        ("getSample(1)", "Undefined member: $PendingTasks has no getSample()"),
        ("GetSample(TimeInterval_Year * 5000)", "Out of range: no such timestamp"),
    ],
)
def test_what_a_method_does_not_take_is_told_at_its_bracket(call: str, detail: str) -> None:
    column = len("x = $PendingTasks.") + call.index("(") + 1
    assert value(f"$PendingTasks.{call}", counting("$PendingTasks", 1)) == f"Line 1, Col {column}: {detail}"


def test_only_sampled_variables_have_methods() -> None:
    assert value("(3).Count()") == "Line 1, Col 14: Undefined member: double has no Count()"
