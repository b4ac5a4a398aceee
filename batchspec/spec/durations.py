"""ISO 8601 durations and moments.

Place in the pipeline: `schema` and `render` hold durations against their limits with this, `desired` reads
`wait.timeout`. In: text. Out: timedelta, or what is wrong. Years and months are refused, since their length depends on
the date (as Batch does).
"""

import re
from datetime import datetime, timedelta

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


def duration_fault(value: str, word: str, limit: str) -> str | None:
    """What is wrong with a duration beside the limit of `x-shortest` or `x-longest`, or None; what is none has none."""
    try:
        length, bound = duration(value), duration(limit)
    except NotADuration:
        return None
    if word == "x-shortest":
        return f"is too short; the least is {limit}" if length < bound else None
    return f"is too long; the most is {limit}" if length > bound else None


def moment_fault(value: str) -> str | None:
    """What is wrong with a moment of the right form, or None."""
    try:
        datetime.fromisoformat(value)
    except ValueError as error:
        return f"is no moment: {error}"
    return None
