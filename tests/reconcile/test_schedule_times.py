"""When a job schedule makes its jobs."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from batchspec.reconcile.schedule_times import Times, times_of

NOW = datetime(2027, 1, 1, tzinfo=UTC)
LATER = "2027-01-02T00:00:00Z"


def test_times_are_read_from_a_body() -> None:
    plan: Any = {"doNotRunUntil": LATER, "doNotRunAfter": "2027-01-03T00:00:00.1234567Z", "recurrenceInterval": "PT1H"}
    found = times_of({"schedule": plan})
    end = datetime(2027, 1, 3, microsecond=123456, tzinfo=UTC)
    assert found == Times(NOW + timedelta(days=1), end, timedelta(hours=1))


@pytest.mark.parametrize(
    "plan", [None, {}, {"doNotRunUntil": "soon", "recurrenceInterval": 5, "doNotRunAfter": "2027"}]
)
def test_what_cannot_be_read_is_not_there(plan: Any) -> None:
    assert times_of({"schedule": plan}) == Times(None, None, None)


@pytest.mark.parametrize(
    ("plan", "last"),
    [
        ({}, NOW),
        ({"doNotRunUntil": LATER}, NOW + timedelta(days=1)),
        ({"doNotRunUntil": "2026-01-02T00:00:00Z"}, NOW),
        ({"recurrenceInterval": "P1D"}, None),
        ({"recurrenceInterval": "P1D", "doNotRunAfter": LATER}, NOW + timedelta(days=1)),
        ({"doNotRunAfter": LATER}, NOW),
        ({"doNotRunAfter": "2026-12-31T00:00:00Z"}, NOW - timedelta(days=1)),
    ],
)
def test_the_last_job_begins_at_the_latest(plan: Any, last: datetime | None) -> None:
    assert times_of({"schedule": plan}).last_begin(NOW) == last
