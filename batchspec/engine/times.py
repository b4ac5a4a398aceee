"""Times, durations and ETags in the forms the service writes them.

Place: under everything. In: values. Out: values. A moment is kept as *ticks*, the service's own unit (100 ns since
the year 1), because one integer is then the time, its order and the ETag.
"""

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache

TICKS_PER_S = 10_000_000
_UNIX_EPOCH = 621_355_968_000_000_000
_YEAR_10000 = 3_155_378_976_000_000_000

INFINITE = "P10675199DT2H48M5.4775807S"
"""The longest duration a client can write; the service means "no limit" by it (.NET's `TimeSpan.MaxValue`)."""

_INFINITE_S = 922_337_203_685.0

_DURATION = re.compile(
    r"P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+(?:\.\d+)?)D)?"
    r"(?:T(?:(?P<hours>\d+(?:\.\d+)?)H)?(?:(?P<minutes>\d+(?:\.\d+)?)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)


def ticks_from_datetime(moment: datetime) -> int:
    """Ticks of a moment; one without a zone is taken as UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return _UNIX_EPOCH + (since.days * 86_400 + since.seconds) * TICKS_PER_S + since.microseconds * 10


def datetime_from_ticks(ticks: int) -> datetime:
    """The moment in UTC, to the microsecond."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=(ticks - _UNIX_EPOCH) // 10)


def text_from_ticks(ticks: int) -> str:
    """A moment as JSON bodies have it: `2025-07-13T20:39:32.7668991Z`."""
    seconds, fraction = divmod(ticks - _UNIX_EPOCH, TICKS_PER_S)
    # Not strftime: it writes the year 1, .NET's earliest moment, as `1`.
    return f"{datetime.fromtimestamp(seconds, UTC).isoformat()[:19]}.{fraction:07d}Z"


def ticks_from_text(text: str) -> int:
    """Ticks of an ISO 8601 or RFC 1123 moment. Raises ValueError."""
    ticks = ticks_from_datetime(_moment_from_text(text.strip()))
    if not 0 <= ticks < _YEAR_10000:
        raise ValueError(f"not a time between the years 1 and 9999 in UTC: {text!r}")
    return ticks


def _moment_from_text(text: str) -> datetime:
    if text[:1].isdigit():
        # Python keeps microseconds; the service writes a seventh decimal.
        return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    try:
        return parsedate_to_datetime(text)
    except (TypeError, IndexError) as error:
        raise ValueError(f"not a time: {text!r}") from error


def http_date(ticks: int) -> str:
    """A moment as headers have it, to the second."""
    return format_datetime(datetime_from_ticks(ticks).replace(microsecond=0), usegmt=True)


def etag_from_ticks(ticks: int) -> str:
    """The ETag of something last changed then; unquoted, as the service writes it."""
    return f"0x{ticks:X}"


@lru_cache(maxsize=256)
def seconds_from_duration(text: str) -> float:
    """Seconds of an ISO 8601 duration; infinity for the service's "no limit". Raises ValueError."""
    match = _DURATION.fullmatch(text.strip())
    parts = {name: float(value) for name, value in match.groupdict().items() if value} if match else {}
    if not parts:
        raise ValueError(f"not an ISO 8601 duration: {text!r}")
    seconds = 0.0
    for name, factor in (("weeks", 604_800), ("days", 86_400), ("hours", 3_600), ("minutes", 60), ("seconds", 1)):
        seconds += parts.get(name, 0.0) * factor
    return float("inf") if seconds >= _INFINITE_S else seconds


def duration_from_seconds(seconds: float) -> str:
    """An ISO 8601 duration as .NET writes it: days, hours, minutes, seconds, none of them zero."""
    if seconds == float("inf"):
        return INFINITE
    whole, fraction = divmod(round(seconds * TICKS_PER_S), TICKS_PER_S)
    minutes, secs = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    decimals = f".{fraction:07d}".rstrip("0") if fraction else ""
    clock = f"{f'{hours}H' if hours else ''}{f'{minutes}M' if minutes else ''}"
    clock += f"{secs}{decimals}S" if secs or fraction else ""
    text = f"P{f'{days}D' if days else ''}{f'T{clock}' if clock else ''}"
    return text if text != "P" else "PT0S"
