"""Wrong formulas with everything that is told of them, and right ones of which nothing is."""

import pytest

from batchspec.spec.formula.check import faults
from tests.engine.autoscale.test_published import EXAMPLES

OPTIONS = "requeue, terminate, taskcompletion, retaineddata"
T = "$TargetDedicatedNodes = "


def told(formula: str) -> list[str]:
    return [f"{one.place.line}:{one.place.column}: {one.message}" for one in faults(formula)]


@pytest.mark.parametrize("formula", [one.formula for one in EXAMPLES.values()], ids=EXAMPLES)
def test_nothing_is_told_of_a_formula_that_is_published(formula: str) -> None:
    assert told(formula) == []


@pytest.mark.parametrize(
    "formula",
    [
        ";;$TargetLowPriority = 1;;",
        f"{T}1 // the end",
        "x = 1; y = x ? [1, 2] : 3; $TargetDedicated = max(y)",
        f"a = b = 2; {T}a + b",
        f"{T}!0 + - -3; $NodeDeallocationOption = 1 > 0 ? taskcompletion : retaineddata",
        f'$NodeDeallocationOption = "requeue"; {T}1',
        f'{T}time("") > time() - 2 * TimeInterval_Hour / 3 ? 1e3 : .5',
        f"{T}len(vec([1, [2, 3]], 4)) * val($CPUPercent.GetSample(TimeInterval_Hour, 0 * TimeInterval_Day, 50), 0)",
        f"x = $PendingTasks; {T}x.GetSamplePercent(x.HistoryBeginTime(), time()) + x.Count()",
        f"{T}rand() < 2 || stop() && 1",
        f"{T}$TargetDedicatedNodes + $TargetLowPriorityNodes",
        f"{T}" + " + ".join(["1"] * 2000),
    ],
)
def test_nothing_is_told_of_a_formula_that_is_right(formula: str) -> None:
    assert told(formula) == []


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("", ["1:1: is empty; a formula assigns a target, such as $TargetDedicatedNodes = 1"]),
        ("// nothing", ["1:1: is empty; a formula assigns a target, such as $TargetDedicatedNodes = 1"]),
        ("a = 1", ["1:1: assigns no target; assign $TargetDedicatedNodes or $TargetLowPriorityNodes"]),
        (f"{T}1 2", ["1:27: unexpected `2`; expected `;` between two statements"]),
        (f"{T}(1 + ", ["1:30: the formula ends here; expected a value"]),
        (f"{T}(1", ["1:27: the formula ends here; expected `)`"]),
        (f"{T}1 ? 2", ["1:30: the formula ends here; expected `:` and the value otherwise"]),
        (f"{T}max(1, )", ["1:32: unexpected `)`; expected a value"]),
        (f"{T}[1;", ["1:27: unexpected `;`; expected `]`"]),
        ("1 = 2", ["1:3: only a variable can be assigned to; `==` compares"]),
        (f"{T}1 & 2", ["1:27: unexpected '&'; did you mean &&?"]),
        (f"{T}'a'", ['1:25: unexpected "\'"; did you mean "?']),
        (f'{T}time("x)', ['1:30: a text that begins here lacks its closing " on the same line']),
        (
            f"a = $PendingTask + b;\n  {T}a;",
            [
                "1:5: unknown variable `$PendingTask`; did you mean '$PendingTasks'?",
                "1:20: unknown variable `b`; nothing was assigned to it before",
            ],
        ),
        (f"{T}mx(1)", ["1:25: there is no function mx; did you mean 'max'?"]),
        (f"{T}max", ["1:25: max is a function; write max(...)"]),
        (f"{T}max()", ["1:25: max takes at least 1 arguments, not 0"]),
        (f"{T}val(1)", ["1:25: val takes 2 arguments, not 1"]),
        (f"{T}rand(1)", ["1:25: rand takes no arguments, not 1"]),
        (f"y = $CPUPercent.GetSample(); {T}1", ["1:17: GetSample takes 1 to 3 arguments, not 0"]),
        (f"{T}$CPUPercent.GetSamples(1)", ["1:37: there is no method GetSamples; did you mean 'GetSample'?"]),
        (f"{T}$CPUPercent.GetSample", ["1:37: GetSample is a method; write GetSample(...)"]),
        (f"{T}time().hours", ["1:32: there is no part hours of a timestamp; did you mean 'hour'?"]),
        (f"{T}TimeInterval_Hour.hour", ["1:43: a timeinterval has no hour; only a timestamp, such as time(), has"]),
        (
            f"x = 5; y = x.GetSample(1); {T}1",
            ["1:14: a double has no samples; GetSample belongs to variables such as $PendingTasks"],
        ),
        (f"{T}time() + time()", ["1:32: a timestamp + a timestamp means nothing"]),
        (f'{T}"a" * 2', ["1:29: a string * a double means nothing"]),
        (f"{T}!time()", ["1:25: ! of a timestamp means nothing"]),
        (f"y = time(5); {T}1", ['1:5: time takes a text such as "2027-01-31T06:00:00Z", not a double']),
        (f"{T}time()", ["1:25: $TargetDedicatedNodes is a number of nodes, not a timestamp"]),
        (f"{T}[1, 2]", ["1:25: $TargetDedicatedNodes is a number of nodes, not a doubleVec"]),
        (f"$PendingTasks = 1; {T}1", ["1:1: $PendingTasks can be read only; choose another name for your variable"]),
        (f"{T}1; $TargetNodes = 2", ["1:28: $TargetNodes is no target; did you mean '$TargetDedicatedNodes'?"]),
        (
            f"{T}1; $NodeDeallocationOption = taskcompletition",
            [f"1:54: `taskcompletition` is not one of {OPTIONS}; did you mean 'taskcompletion'?"],
        ),
        (
            f"{T}1; $NodeDeallocationOption = 5",
            ["1:54: $NodeDeallocationOption is one of requeue, terminate, taskcompletion, retaineddata"],
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(formula: str, expected: list[str]) -> None:
    assert told(formula) == expected


def test_limits_of_the_service_are_held() -> None:
    assert told(f"{T}1 //".ljust(8192, "x")) == []
    assert told(f"{T}1 //".ljust(8193, "x")) == ["1:1: has 8,193 characters; a formula has at most 8,192"]
    assert told(f"{T}1;" * 100) == []
    assert told("a=1;" * 101) == ["1:401: a formula has at most 100 statements"]


@pytest.mark.parametrize("opening", ["(", "[", "-", "!", "max(", "1 ? ", "a = "])
def test_endless_nesting_is_told(opening: str) -> None:
    assert "is nested more than 100 levels deep; use variables" in told(opening * (8000 // len(opening)))[-1]
