"""Time series as formulas read them."""

from datetime import timedelta

from batchspec.engine.autoscale.samples import (
    ALIASES,
    PERIOD_TICKS,
    VARIABLES,
    RecordedSamples,
    Sample,
    newest,
    percent,
    window,
)
from batchspec.engine.times import ticks_from_datetime
from tests.engine.autoscale.measured import NOW, counting, evaluated

SERIES = counting("$RunningTasks", 6).series("$RunningTasks")
TICKS = ticks_from_datetime(NOW)


def test_a_window_leaves_out_its_older_end_and_holds_its_newer_one() -> None:
    assert list(window(SERIES, TICKS - 2 * PERIOD_TICKS, TICKS)) == list(SERIES[-2:])
    assert list(window(SERIES, TICKS, TICKS - 2 * PERIOD_TICKS)) == list(SERIES[-2:])
    assert list(window(SERIES, TICKS, TICKS)) == []


def test_the_newest_samples_are_those_up_to_a_moment() -> None:
    assert list(newest(SERIES, 2, until=TICKS - PERIOD_TICKS)) == list(SERIES[3:5])
    assert list(newest(SERIES, 9, until=TICKS)) == list(SERIES)
    assert list(newest((), 1, until=TICKS)) == []


def test_a_percentage_is_between_nothing_and_everything() -> None:
    assert [percent(found, 0, 10 * PERIOD_TICKS) for found in (0, 9, 10, 11)] == [0.0, 90.0, 100.0, 100.0]
    assert percent(1, 0, PERIOD_TICKS // 2) == 100.0
    assert percent(0, 7, 7) == 0.0


def test_a_variable_is_what_is_given_or_its_newest_sample_or_nothing() -> None:
    series = [Sample(NOW - timedelta(minutes=1), 3.0), Sample(NOW, 5.0)]
    recorded = RecordedSamples({"$RunningTasks": series, "$ActiveTasks": series}, {"$ActiveTasks": 9.0})
    assert [recorded.current(name) for name in ("$RunningTasks", "$ActiveTasks", "$FailedTasks")] == [5.0, 9.0, 0.0]


def test_every_variable_and_alias_can_be_read() -> None:
    names = sorted(VARIABLES | ALIASES.keys())
    evaluation = evaluated("x = " + " + ".join(f"({name} + {name}.Count())" for name in names))
    assert (evaluation.error, evaluation.results.rpartition(";")[2]) == (None, "x=4")
