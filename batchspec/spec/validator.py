"""JSON Schema with three words of ours: limits of durations, and texts that a calendar must have.

Place in the pipeline: `schema` looks for errors with this where `sound` says that there are some. In: the schema and
data. Out: the validator's errors, of each alternative at most as many as anyone reads. The words: `x-shortest` and
`x-longest` limit a duration (which is a text, so that `minimum` cannot), `x-moment` asks that a moment of time exists.
What has a template is checked once it is rendered (`render.shape`).
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from jsonschema.exceptions import ValidationError
from jsonschema.validators import Draft202012Validator, extend

from batchspec.spec.durations import duration_fault, moment_fault
from batchspec.spec.sound import Soundness
from batchspec.spec.words import has_template

MAX_ERRORS = 1_000
Errors = Iterator[ValidationError]


def _limit(word: str) -> Any:
    def check(validator: object, limit: str, value: object, node: object) -> Errors:
        fault = duration_fault(value, word, limit) if isinstance(value, str) and not has_template(value) else None
        if fault:
            yield ValidationError(fault)

    return check


def _moment(validator: object, wanted: object, value: object, node: object) -> Errors:
    fault = moment_fault(value) if isinstance(value, str) else None
    if fault:
        yield ValidationError(fault)


class _Only:
    """The schema's words that go down into data, which go only where something is wrong."""

    def __init__(self, soundness: Soundness) -> None:
        self._sound = soundness.of

    def any_of(self, validator: Any, nodes: list[Any], value: object, node: object) -> Errors:
        """No alternative fits: the errors of each."""
        if any(self._sound(one)(value) for one in nodes):
            return
        each = (validator.descend(value, one, schema_path=index) for index, one in enumerate(nodes))
        context = [error for errors in each for error in islice(errors, MAX_ERRORS)]
        yield ValidationError("fits no alternative", context=context)

    def properties(self, validator: Any, properties: Mapping[str, Any], value: object, node: object) -> Errors:
        """The properties that are there."""
        if not isinstance(value, dict):
            return
        for name in properties:
            if name in value and not self._sound(properties[name])(value[name]):
                yield from validator.descend(value[name], properties[name], path=name, schema_path=name)

    def additional(self, validator: Any, extra: Any, value: object, node: Mapping[str, Any]) -> Errors:
        """The properties that have no name of their own in the schema."""
        if not isinstance(value, dict):
            return
        names = [name for name in value if name not in node.get("properties", {})]
        if extra is False and names:
            yield ValidationError("names what there is not")
        for name in names:
            if isinstance(extra, Mapping) and not self._sound(extra)(value[name]):
                yield from validator.descend(value[name], extra, path=name)

    def items(self, validator: Any, items: Any, value: object, node: object) -> Errors:
        """The items of a list."""
        for index, item in enumerate(value if isinstance(value, list) else ()):
            if not self._sound(items)(item):
                yield from validator.descend(item, items, path=index)


def errors(schema: Mapping[str, Any], soundness: Soundness, data: object) -> Errors:
    """What is wrong with data; `soundness` is of the same schema."""
    only = _Only(soundness)
    validator: Any = extend(  # type: ignore[no-untyped-call]
        Draft202012Validator,
        {
            "anyOf": only.any_of,
            "properties": only.properties,
            "additionalProperties": only.additional,
            "items": only.items,
            "x-shortest": _limit("x-shortest"),
            "x-longest": _limit("x-longest"),
            "x-moment": _moment,
        },
    )
    yield from validator(schema).iter_errors(data)
