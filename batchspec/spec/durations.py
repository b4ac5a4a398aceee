"""ISO 8601 durations.

Place in the pipeline: `schema` and `render` hold durations against their limits with this, `desired` reads
`wait.timeout`. In: text. Out: timedelta. Years and months are refused, since their length depends on the date (as Batch
does).
"""

import re
from datetime import timedelta

PATTERN = re.compile(
    r"P(?!$)(?:(?P<weeks>\d{1,7})W)?(?:(?P<days>\d{1,9})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,9})H)?(?:(?P<minutes>\d{1,9})M)?(?:(?P<seconds>\d{1,9}(?:\.\d{1,7})?)S)?)?",
    re.ASCII,
)


class NotADuration(ValueError):
    """The text is no duration; the message says what is."""


def duration(text: str) -> timedelta:
    """The duration. Raises NotADuration."""
    match = PATTERN.fullmatch(text)
    if match is None:
        raise NotADuration(f"{text[:60]!r} is no duration; write one such as PT30M, PT1H30M or P1DT12H")
    parts = {unit: float(number) for unit, number in match.groupdict().items() if number is not None}
    try:
        return timedelta(**parts)
    except OverflowError as error:
        raise NotADuration(f"{text!r} is longer than any wait") from error
