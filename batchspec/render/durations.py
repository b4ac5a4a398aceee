"""ISO 8601 durations, as Azure Batch writes them, to `timedelta`.

Place in the pipeline: `desired` reads `wait.timeout` with it, `reconcile` compares lengths with it. Pure. Years and
months are refused, since their length depends on the date; Batch's "infinite" (`P10675199DT2H48M5.4775807S`) parses.
"""

import re
from datetime import timedelta

_DURATION = re.compile(
    r"P(?=.)(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=.)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)


def duration_from_text(text: str) -> timedelta | None:
    """The length of an ISO 8601 duration such as `PT20M` or `P7D`; None when it is not one or too long to hold."""
    match = _DURATION.fullmatch(text) if text.isascii() else None
    if match is None:
        return None
    try:
        return timedelta(**{unit: float(value) for unit, value in match.groupdict().items() if value is not None})
    except OverflowError:
        return None
