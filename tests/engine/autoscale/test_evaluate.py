"""Statements, variables, targets, and how an evaluation is told."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchspec.engine.autoscale import (
    VARIABLES,
    Evaluation,
    FormulaInvalid,
    RecordedSamples,
    RunError,
    Targets,
    evaluate,
    parse,
)
from tests.engine.autoscale.measured import NOW, PRESENT, evaluated, steady, value


def test_a_formula_that_sets_one_target_answers_with_all_three_as_recorded_from_the_service() -> None:
    assert evaluate(parse("$TargetDedicatedNodes=3"), RecordedSamples(), NOW, Targets(2, 0)) == Evaluation(
        Targets(dedicated=3, low_priority=0),
        "requeue",
        "$TargetDedicatedNodes=3;$TargetLowPriorityNodes=0;$NodeDeallocationOption=requeue",
    )


def test_an_unknown_symbol_is_told_as_recorded_from_the_service() -> None:
    assert evaluate(parse("$something_useless"), RecordedSamples(), NOW, Targets(2, 0)) == Evaluation(
        Targets(dedicated=2, low_priority=0),
        "requeue",
        "$TargetDedicatedNodes=2;$TargetLowPriorityNodes=0;$NodeDeallocationOption=requeue",
        RunError(
            "AutoScalingFormulaEvaluationError",
            "The specified auto-scaling formula has evaluation error",
            (("Message", "Line 1, Col 1: Undefined symbol: $something_useless"),),
        ),
    )


def test_the_formulas_own_variables_follow_in_the_order_of_their_characters() -> None:
    formula = "zebra = 1; $tasks = [1, 2]; cap = 3; $Samples = 29 / 30 * 100; $NodeDeallocationOption = taskcompletion"
    assert evaluated(formula).results == (
        "$TargetDedicatedNodes=2;$TargetLowPriorityNodes=1;$NodeDeallocationOption=taskcompletion;"
        "$Samples=96.6667;$tasks=[1,2];cap=3;zebra=1"
    )


def test_after_an_error_the_targets_stay_and_what_was_assigned_before_is_shown() -> None:
    formula = "a = 4;\n$TargetDedicatedNodes = 9; $NodeDeallocationOption = terminate;\nb = a + missing; c = 5"
    evaluation = evaluated(formula)
    assert (evaluation.targets, evaluation.deallocation, evaluation.results) == (
        PRESENT,
        "requeue",
        "$TargetDedicatedNodes=2;$TargetLowPriorityNodes=1;$NodeDeallocationOption=requeue;a=4",
    )
    assert evaluation.error is not None
    assert evaluation.error.values == (("Message", "Line 3, Col 9: Undefined symbol: missing"),)


@pytest.mark.parametrize(
    ("assigned", "target"),
    [("2.9", 2), ("0.9", 0), ("-3", 0), ("-0.5", 0), ("1e12", 2**31 - 1), ("16777216", 16_777_216)],
)
def test_a_target_is_a_whole_number_of_nodes(assigned: str, target: int) -> None:
    assert evaluated(f"$TargetDedicatedNodes = {assigned}").targets == Targets(target, PRESENT.low_priority)


def test_a_target_keeps_its_fraction_until_the_end() -> None:
    formula = "$TargetDedicatedNodes = 2.5; $TargetLowPriorityNodes = 5 - $TargetDedicatedNodes"
    assert evaluated(formula).targets == Targets(2, 2)


@pytest.mark.parametrize(("assigned", "shown"), [("1 / 0", "inf"), ("0 / 0", "nan")])
def test_a_target_that_is_no_number_is_an_error(assigned: str, shown: str) -> None:
    evaluation = evaluated(f"a = 1; $TargetLowPriority = {assigned}")
    assert evaluation.targets == PRESENT
    assert evaluation.error is not None
    assert evaluation.error.values == (("Message", f"Line 1, Col 8: Out of range: $TargetLowPriorityNodes is {shown}"),)


@pytest.mark.parametrize(
    ("formula", "targets"),
    [
        ("$TargetDedicated = 5; $TargetLowPriority = 6", Targets(5, 6)),
        ("$TargetDedicatedNodes = 7; $TargetDedicated = 5", Targets(7, 1)),
        ("$TargetDedicated = 5; $TargetDedicatedNodes = 7", Targets(7, 1)),
        ("$TargetDedicated = $TargetDedicated + 1; $TargetLowPriorityNodes = $TargetDedicatedNodes", Targets(3, 3)),
        ("x = 1", PRESENT),
        ("$targetDedicatedNodes = 5", PRESENT),
    ],
)
def test_an_alias_counts_unless_the_full_name_is_assigned(formula: str, targets: Targets) -> None:
    assert evaluated(formula).targets == targets


@pytest.mark.parametrize("option", ["requeue", "terminate", "taskcompletion", "retaineddata"])
def test_each_way_to_let_nodes_go_can_be_chosen(option: str) -> None:
    evaluation = evaluated(f"$NodeDeallocationOption = {option}")
    assert (evaluation.error, evaluation.deallocation) == (None, option)
    assert value(f'$NodeDeallocationOption == {option} || "{option}" == {option}') == "1"


@pytest.mark.parametrize(
    ("statement", "detail"),
    [
        ("$NodeDeallocationOption = 3", "Line 1, Col 1: Invalid value: $NodeDeallocationOption is one of "),
        ('$NodeDeallocationOption = "keep"', "Line 1, Col 1: Invalid value: $NodeDeallocationOption is one of "),
        ("$NodeDeallocationOption = taskCompletion", "Line 1, Col 27: Undefined symbol: taskCompletion"),
        ("$PendingTasks = 3", "Line 1, Col 1: Cannot assign to $PendingTasks"),
        ("$CurrentDedicated = 3", "Line 1, Col 1: Cannot assign to $CurrentDedicated"),
        ("TimeInterval_Hour = 3", "Line 1, Col 1: Cannot assign to TimeInterval_Hour"),
        ("terminate = 3", "Line 1, Col 1: Cannot assign to terminate"),
        (
            "$TargetDedicatedNodes = $PendingTasks.GetSample(1)",
            "Line 1, Col 1: Type mismatch: double expected, doubleVec found",
        ),
        ('$TargetDedicatedNodes = "3"', "Line 1, Col 1: Type mismatch: double expected, string found"),
        ("x = $pendingTasks", "Line 1, Col 5: Undefined symbol: $pendingTasks"),
        ("x = X", "Line 1, Col 5: Undefined symbol: X"),
    ],
)
def test_what_cannot_be_assigned_or_read_is_an_evaluation_error(statement: str, detail: str) -> None:
    error = evaluated(statement).error
    assert error is not None
    assert error.code == "AutoScalingFormulaEvaluationError"
    assert error.values[0][1].startswith(detail)


def test_only_what_is_needed_is_evaluated() -> None:
    assert value("1 ? 2 : missing") == "2"
    assert value("0 ? missing : 3") == "3"
    assert value("0 && missing") == "0"
    assert value("1 || missing") == "1"
    assert value("1 && missing") == "Line 1, Col 10: Undefined symbol: missing"


def test_a_sampled_variable_can_be_given_another_name() -> None:
    samples = steady({"$RunningTasks": 6})
    assert value("0; metric = $RunningTasks; x = avg(metric.GetSample(4)) + metric", samples) == "12"


def test_a_variable_may_be_named_like_a_function() -> None:
    assert value("0; max = 3; x = max(max, 5) + max") == "8"


def test_vectors_cannot_grow_without_end() -> None:
    error = evaluated("v = [1, 2];" + "v = [v, v];" * 99).error
    assert error is not None
    assert error.values[0][1].endswith("Too long: more than 1000000 elements of doubleVecs")


def test_an_evaluation_has_no_memory() -> None:
    formula = parse("a = 1; $TargetDedicatedNodes = $TargetDedicatedNodes + 1")
    assert evaluate(formula, RecordedSamples(), NOW, PRESENT) == evaluate(formula, RecordedSamples(), NOW, PRESENT)


_WORDS = st.sampled_from(
    [
        *sorted(VARIABLES)[:6],
        *"+-*/<>=!?:()[],.;",
        *("&&", "||", "==", "!=", "<=", ">="),
        *("$TargetDedicatedNodes", "$NodeDeallocationOption", "requeue", "a", "$b", "hour"),
        *("avg(", "val(", "time()", "stop()", "rand()", "percentile(", ".GetSample(", ".GetSamplePercent(", ".Count()"),
        *("TimeInterval_Minute", "TimeInterval_Year", "1e308", "0", "1", "2.5", '"2026-03-11"', "// c\n", "\n", " = "),
    ]
)
_HISTORY = steady({"$ActiveTasks": 3}, 5)


def _run(formula: str) -> Evaluation | FormulaInvalid:
    try:
        return evaluate(parse(formula), _HISTORY, NOW, PRESENT)
    except FormulaInvalid as refused:
        return refused


@settings(max_examples=300, deadline=None)
@given(st.lists(_WORDS, max_size=60).map(" ".join) | st.text(max_size=200))
def test_whatever_is_written_is_evaluated_or_refused(formula: str) -> None:
    outcome = _run(formula)
    assert isinstance(outcome, FormulaInvalid) or (outcome.error is None or outcome.targets == PRESENT)


_NUMBERS = st.floats(allow_nan=False, width=32).map(repr) | st.integers(-9, 99).map(str)
_TERMS = _NUMBERS | st.sampled_from(["[1, 2]", "time()", "TimeInterval_Day", '"t"', "$RunningTasks", "a", "(0 / 0)"])


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    signs = st.sampled_from(["+", "-", "*", "/", "<", "==", "&&", "||"])
    functions = st.sampled_from(["avg", "std", "norm", "lg", "round", "val", "percentile", "time", "vec", "len"])
    return (
        st.builds("({} {} {})".format, inner, signs, inner)
        | st.builds("({} ? {} : {})".format, inner, inner, inner)
        | st.builds("{}({}, {})".format, functions, inner, inner)
        | st.builds("$ActiveTasks.GetSample({}, {})".format, inner, inner)
    )


@settings(max_examples=300, deadline=None)
@given(st.recursive(_TERMS, _larger, max_leaves=25))
def test_every_well_formed_formula_has_an_evaluation(expression: str) -> None:
    outcome = _run(f"a = 1; x = {expression.replace('inf', '1e999')}; $TargetDedicatedNodes = x")
    assert isinstance(outcome, Evaluation)
