"""When a schedule's next job is due, missed times included."""

import pytest

from batchspec.engine.schedules import current_due
from batchspec.engine.times import TICKS_PER_S

MINUTE = 60 * TICKS_PER_S


@pytest.mark.parametrize(
    ("plan", "due", "not_after", "now", "expected"),
    [
        ({}, 10, None, 5, 10),
        ({}, 10, None, 500, 10),
        ({}, None, None, 5, None),
        ({"startWindow": "PT1M"}, 10, None, 10, 10),
        ({"startWindow": "PT1M"}, 10, None, 12, None),
        ({"recurrenceInterval": "PT10M"}, 10, None, 19, 10),
        ({"recurrenceInterval": "PT10M"}, 10, None, 20, 20),
        ({"recurrenceInterval": "PT10M"}, 10, None, 47, 40),
        ({"recurrenceInterval": "PT10M", "startWindow": "PT2M"}, 10, None, 47, 50),
        ({"recurrenceInterval": "PT10M", "startWindow": "PT20M"}, 10, None, 47, 40),
        ({"recurrenceInterval": "PT10M"}, 50, 45, 44, None),
        ({"recurrenceInterval": "PT10M"}, 40, 45, 44, 40),
        ({"recurrenceInterval": "PT10M"}, 40, 45, 46, None),
    ],
)
def test_what_was_missed_is_skipped(
    plan: dict[str, str], due: int | None, not_after: int | None, now: int, expected: int | None
) -> None:
    def ticks(minutes: int | None) -> int | None:
        return None if minutes is None else minutes * MINUTE

    assert current_due(plan, ticks(due), ticks(not_after), now * MINUTE) == ticks(expected)
