"""What these tests measure: a pool with steady numbers for two hours, and a pool just made."""

from collections.abc import Mapping
from datetime import UTC, datetime

from batchspec.engine.autoscale import SAMPLE_PERIOD, VARIABLES, Evaluation, RecordedSamples, Sample, Targets, parse
from batchspec.engine.autoscale.evaluate import evaluate

NOW = datetime(2026, 3, 11, 14, 30, 15, 500_000, tzinfo=UTC)
"""A Wednesday, within working hours."""

PRESENT = Targets(dedicated=2, low_priority=1)

NEW = RecordedSamples(now={"$TaskSlotsPerNode": 4})


def steady(values: Mapping[str, float], count: int = 240) -> RecordedSamples:
    """`count` samples of every variable, the newest at NOW; those that are not named are 0."""
    times = [NOW - index * SAMPLE_PERIOD for index in reversed(range(count))]
    return RecordedSamples({name: [Sample(at, values.get(name, 0.0)) for at in times] for name in VARIABLES})


def counting(variable: str, count: int) -> RecordedSamples:
    """Samples 1, 2, ... `count` of one variable, the newest at NOW."""
    return RecordedSamples(
        {variable: [Sample(NOW - (count - number) * SAMPLE_PERIOD, float(number)) for number in range(1, count + 1)]}
    )


def evaluated(formula: str, samples: RecordedSamples = NEW) -> Evaluation:
    """A formula evaluated at NOW on a pool with PRESENT targets."""
    return evaluate(parse(formula), samples, NOW, PRESENT)


def value(expression: str, samples: RecordedSamples = NEW) -> str:
    """What one expression comes to, as `results` shows it, or what is wrong with it."""
    evaluation = evaluated(f"x = {expression}", samples)
    if evaluation.error is not None:
        return evaluation.error.values[0][1]
    return evaluation.results.rpartition(";x=")[2].partition(";")[0]
