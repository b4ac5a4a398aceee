from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchspec.spec.durations import NotADuration, duration, duration_fault, moment_fault


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PT30M", timedelta(minutes=30)),
        ("PT1H30M", timedelta(hours=1, minutes=30)),
        ("P1DT12H", timedelta(days=1, hours=12)),
        ("P2W", timedelta(weeks=2)),
        ("PT0.5S", timedelta(seconds=0.5)),
        ("PT0S", timedelta()),
    ],
)
def test_a_duration_is_read(text: str, expected: timedelta) -> None:
    assert duration(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "P", "PT", "30", "30m", "PT30", "P1Y", "P1M", "pt30m", "PT1.5M", "-PT1S", "PT1S ", "P٣D"],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(NotADuration):
        duration(text)


@given(st.text(alphabet="PTWDHMS0123456789."))
def test_only_not_a_duration_is_raised(text: str) -> None:
    try:
        duration(text)
    except NotADuration:
        pass


@pytest.mark.parametrize(
    ("value", "word", "limit", "fault"),
    [
        ("PT5M", "x-shortest", "PT5M", None),
        ("PT299S", "x-shortest", "PT5M", "is too short; the least is PT5M"),
        ("PT168H", "x-longest", "P7D", None),
        ("P1W", "x-longest", "P7D", None),
        ("P7DT1S", "x-longest", "P7D", "is too long; the most is P7D"),
        ("no duration", "x-longest", "P7D", None),
    ],
)
def test_a_duration_beside_a_limit(value: str, word: str, limit: str, fault: str | None) -> None:
    assert duration_fault(value, word, limit) == fault


def test_a_moment_must_be_in_the_calendar() -> None:
    assert moment_fault("2028-02-29T24:00:00Z") is not None
    assert moment_fault("2028-02-29T06:00:00.1234567+02:00") is None
