"""The named formulas: read without a fault, evaluated by the engine as the service would, and what is wrong with their
words."""

from datetime import UTC, datetime
from typing import Any

import pytest

from batchspec.engine.autoscale import RecordedSamples, Sample, Samples, Targets, evaluate, parse
from batchspec.spec.formula import named
from batchspec.spec.formula.check import faults
from tests.engine.autoscale.measured import NEW, NOW, PRESENT, steady

PENDING: dict[str, Any] = {"formula": "scale_to_pending_tasks", "max_nodes": 10}
IDLE: dict[str, Any] = {"formula": "scale_down_when_idle", "max_nodes": 10}
WORKDAY: dict[str, Any] = {"formula": "workday", "max_nodes": 10}
EVERY = [
    PENDING,
    {**PENDING, "min_nodes": 2, "tasks_per_node": 4, "node_type": "low_priority"},
    {**IDLE, "idle": "PT1H30M"},
    WORKDAY,
    {**WORKDAY, "days": ["sunday"], "from_hour": 22, "until_hour": 6, "utc_offset": -5.5},
]


def measured(pending: float, preempted: float = 0, slots: float = 1) -> Samples:
    return steady({"$PendingTasks": pending, "$PreemptedNodeCount": preempted, "$TaskSlotsPerNode": slots})


def targets(words: dict[str, Any], samples: Samples, now: datetime = NOW) -> Targets:
    evaluation = evaluate(parse(named.text(words)), samples, now, PRESENT)
    assert (evaluation.error, evaluation.deallocation) == (None, "taskcompletion")
    return evaluation.targets


@pytest.mark.parametrize("words", EVERY)
def test_a_named_formula_is_a_right_one(words: dict[str, Any]) -> None:
    assert list(named.problems(words)) == []
    assert faults(named.text(words)) == []


def test_pending_tasks_get_a_node_each_or_as_many_as_a_node_takes() -> None:
    assert targets(PENDING, measured(7)) == Targets(7, 0)
    assert targets(PENDING, measured(7, slots=4)) == Targets(2, 0)
    assert targets({**PENDING, "tasks_per_node": 3}, measured(7, slots=4)) == Targets(3, 0)
    assert targets(PENDING, measured(99)) == Targets(10, 0)
    assert targets({**PENDING, "node_type": "low_priority"}, measured(7)) == Targets(0, 7)


def test_without_tasks_the_least_number_of_nodes_stays() -> None:
    assert targets(PENDING, measured(0)) == Targets(0, 0)
    assert targets({**PENDING, "min_nodes": 3}, measured(0)) == Targets(3, 0)


def test_a_new_pool_begins_with_a_node_or_as_many_as_are_wanted_until_tasks_are_counted() -> None:
    assert targets(PENDING, NEW) == Targets(1, 0)
    assert targets({**PENDING, "start_nodes": 4}, NEW) == Targets(4, 0)
    assert targets({**PENDING, "start_nodes": 0}, NEW) == Targets(0, 0)
    assert targets({**PENDING, "min_nodes": 3}, NEW) == Targets(3, 0)
    assert targets({**PENDING, "start_nodes": 4}, measured(7)) == Targets(7, 0)
    assert targets({**PENDING, "start_nodes": 4}, measured(0)) == Targets(0, 0)


def test_preempted_nodes_are_asked_for_on_top_while_there_is_work() -> None:
    assert targets(PENDING, measured(4, preempted=3)) == Targets(7, 0)
    assert targets(PENDING, measured(0, preempted=3)) == Targets(0, 0)
    assert targets({**IDLE, "min_nodes": 2}, measured(0, preempted=3)) == Targets(5, 0)


def test_an_idle_pool_goes_down_and_a_new_or_busy_one_has_all_its_nodes() -> None:
    assert targets(IDLE, NEW) == Targets(10, 0)
    assert targets(IDLE, measured(1)) == Targets(10, 0)
    assert targets({**IDLE, "min_nodes": 1}, measured(0)) == Targets(1, 0)


def test_a_pool_is_not_idle_before_its_time() -> None:
    past = [Sample(datetime(2026, 3, 11, 14, minute, tzinfo=UTC), float(minute < 20)) for minute in range(60)]
    now = datetime(2026, 3, 11, 15, 0, tzinfo=UTC)
    samples = RecordedSamples({"$PendingTasks": [one for one in past for _ in range(2)]})
    assert targets({**IDLE, "idle": "PT50M"}, samples, now) == Targets(10, 0)
    assert targets({**IDLE, "idle": "PT30M"}, samples, now) == Targets(0, 0)


@pytest.mark.parametrize(
    ("words", "now", "wanted"),
    [
        ({}, "2026-03-11T08:00", 10),
        ({}, "2026-03-11T17:59", 10),
        ({}, "2026-03-11T18:00", 0),
        ({}, "2026-03-14T12:00", 0),
        ({"utc_offset": 2}, "2026-03-11T06:00", 10),
        ({"utc_offset": -5.5}, "2026-03-11T13:00", 0),
        ({"days": ["sunday"]}, "2026-03-15T12:00", 10),
        ({"from_hour": 22, "until_hour": 6}, "2026-03-11T23:00", 10),
        ({"from_hour": 22, "until_hour": 6}, "2026-03-11T05:00", 10),
        ({"from_hour": 22, "until_hour": 6, "min_nodes": 1}, "2026-03-11T12:00", 1),
    ],
)
def test_a_workday_has_all_nodes_between_its_hours(words: dict[str, Any], now: str, wanted: int) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert targets({**WORKDAY, **words}, NEW, moment) == Targets(wanted, 0)


@pytest.mark.parametrize(
    ("words", "problems"),
    [
        ({**PENDING, "start_nodes": 11}, [("start_nodes", "11 is more than `max_nodes` (10)")]),
        ({"formula": "workday"}, [("max_nodes", "missing; `workday` never asks for more nodes than this")]),
        ({**IDLE, "min_nodes": 11}, [("min_nodes", "11 is more than `max_nodes` (10)")]),
        (
            {**IDLE, "from_hour": 3},
            [("from_hour", "belongs to the formula `workday`, not to `scale_down_when_idle`; remove it")],
        ),
        ({"max_nodes": 3}, []),
        ({"formula": "$TargetDedicatedNodes = 1;", "interval": "PT5M"}, []),
    ],
)
def test_words_that_do_not_go_together_are_told(words: dict[str, Any], problems: list[tuple[str, str]]) -> None:
    assert list(named.problems(words)) == problems
