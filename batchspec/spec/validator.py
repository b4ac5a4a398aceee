"""JSON Schema with three words of ours: limits of durations, and texts that a calendar must have.

Place in the pipeline: `schema` validates with this. In: the schema and data. Out: the validator's errors. The words:
`x-shortest` and `x-longest` limit a duration (which is a text, so that `minimum` cannot), `x-moment` asks that a moment
of time exists. What has a template is checked once it is rendered (`render.shape`).
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from jsonschema.exceptions import ValidationError
from jsonschema.validators import Draft202012Validator, extend

from batchspec.spec.durations import NotADuration, duration
from batchspec.spec.words import has_template


def moment_fault(value: str) -> str | None:
    """What is wrong with a moment of the right form, or None."""
    try:
        datetime.fromisoformat(value)
    except ValueError as error:
        return f"is no moment: {error}"
    return None


def duration_fault(value: str, word: str, limit: str) -> str | None:
    """What is wrong with a duration beside the limit of one of our two words, or None; what is none has no limits."""
    try:
        length, bound = duration(value), duration(limit)
    except NotADuration:
        return None
    if word == "x-shortest":
        return f"is too short; the least is {limit}" if length < bound else None
    return f"is too long; the most is {limit}" if length > bound else None


def _limit(word: str) -> Any:
    def check(validator: object, limit: str, value: object, node: object) -> Iterator[ValidationError]:
        fault = duration_fault(value, word, limit) if isinstance(value, str) and not has_template(value) else None
        if fault:
            yield ValidationError(fault)

    return check


def _moment(validator: object, wanted: object, value: object, node: object) -> Iterator[ValidationError]:
    fault = moment_fault(value) if isinstance(value, str) else None
    if fault:
        yield ValidationError(fault)


Validator: Any = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {"x-shortest": _limit("x-shortest"), "x-longest": _limit("x-longest"), "x-moment": _moment},
)
