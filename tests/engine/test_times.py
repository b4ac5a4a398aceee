"""Times, durations and ETags."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchspec.engine.times import (
    INFINITE,
    datetime_from_ticks,
    duration_from_seconds,
    etag_from_ticks,
    http_date,
    seconds_from_duration,
    text_from_ticks,
    ticks_from_datetime,
    ticks_from_text,
)

# Hypothesis wants its bounds without a zone.
EPOCH, FAR = (datetime(year, 1, 1, tzinfo=UTC).replace(tzinfo=None) for year in (1970, 2100))


def test_a_recorded_moment_and_its_etag_are_the_same_number() -> None:
    ticks = ticks_from_text("2016-09-06T06:59:15.1161429Z")
    assert (etag_from_ticks(ticks)[:10], text_from_ticks(ticks)) == ("0x8D3D6235", "2016-09-06T06:59:15.1161420Z")


@given(st.datetimes(min_value=EPOCH, max_value=FAR, timezones=st.just(UTC)))
def test_moments_survive_the_way_through_text(moment: datetime) -> None:
    ticks = ticks_from_datetime(moment)
    assert (datetime_from_ticks(ticks), ticks_from_text(text_from_ticks(ticks))) == (moment, ticks)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00.0000000Z", "9999-12-31T23:59:59.9999990Z"])
def test_the_first_and_the_last_moment_of_net_survive(text: str) -> None:
    assert text_from_ticks(ticks_from_text(text)) == text


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_moment_that_utc_has_no_year_for_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="between the years"):
        ticks_from_text(text)


def test_both_forms_of_a_moment_are_read() -> None:
    assert ticks_from_text("Sun, 01 Jun 2025 10:00:00 GMT") == ticks_from_text("2025-06-01T12:00:00+02:00")


def test_headers_have_whole_seconds() -> None:
    assert http_date(ticks_from_text("2025-06-01T10:00:00.9Z")) == "Sun, 01 Jun 2025 10:00:00 GMT"


@pytest.mark.parametrize(
    ("text", "seconds", "normal"),
    [
        ("PT20M", 1200, "PT20M"),
        ("PT90M", 5400, "PT1H30M"),
        ("P7D", 604_800, "P7D"),
        ("P1W", 604_800, "P7D"),
        ("PT0S", 0, "PT0S"),
        ("P1DT0.5S", 86_400.5, "P1DT0.5S"),
        (INFINITE, float("inf"), INFINITE),
    ],
)
def test_durations_are_read_and_written_as_net_does(text: str, seconds: float, normal: str) -> None:
    assert (seconds_from_duration(text), duration_from_seconds(seconds)) == (seconds, normal)


@pytest.mark.parametrize("text", ["", "P", "PT", "20m", "-PT1S", "P1Y", "PT1H2"])
def test_what_is_no_duration_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="not an ISO 8601 duration"):
        seconds_from_duration(text)
