"""Every place in a spec where one of Azure's models, or one of ours, is written.

Place in the pipeline: the checks by model walk with this, so that a rule about a model holds wherever the model occurs:
in a pool, in the pool that a job describes, in a schedule's jobs. In: data, the schema. Out: names of models with their
Parts. What has the wrong type is passed over. Pure.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from batchspec.spec import schema
from batchspec.spec.checks.tree import Part
from batchspec.spec.document import At


@dataclass(frozen=True, slots=True)
class _Place:
    """What may stand at a place: a mapping of one of `models` (or of any keys, each a `named` place), or a list."""

    models: tuple[str, ...]
    items: "_Place | None"
    named: "_Place | None"


def models(spec: Part) -> Iterator[tuple[str, Part]]:
    """Name and Part of each mapping that is meant for a model of the schema, outer ones first."""
    yield from _in_mapping(_ROOT, spec.data, ())


_ROOT = ""


def _in_mapping(model: str, data: Mapping[str, Any], at: At) -> Iterator[tuple[str, Part]]:
    if model:
        yield model, Part(at, data)
    places = _places(model)
    for word, value in data.items():
        if isinstance(value, (dict, list)) and (place := places.get(word)) is not None:
            yield from _in_place(place, value, (*at, word))


def _in_place(place: _Place, value: object, at: At) -> Iterator[tuple[str, Part]]:
    if isinstance(value, dict):
        for model in place.models:
            yield from _in_mapping(model, value, at)
        if place.named is not None:
            for key, inner in value.items():
                yield from _in_place(place.named, inner, (*at, key))
    elif isinstance(value, list) and place.items is not None:
        for index, item in enumerate(value):
            if isinstance(item, (dict, list)):
                yield from _in_place(place.items, item, (*at, index))


@cache
def _places(model: str) -> Mapping[str, _Place]:
    """The properties of a model (of the whole spec: "") below which models can stand."""
    node = schema.definition(model) if model else schema.schema()
    found = {word: _place(inner) for word, inner in node.get("properties", {}).items()}
    return {word: place for word, place in found.items() if place is not None}


def _place(node: Mapping[str, Any]) -> _Place | None:
    names, items, named = [], None, None
    for one in _alternatives(node):
        reference = str(one.get("$ref", "")).rsplit("/", 1)[-1]
        if reference and schema.definition(reference).get("properties"):
            names.append(reference)
        if isinstance(one.get("items"), Mapping):
            items = _place(one["items"])
        if isinstance(one.get("additionalProperties"), Mapping):
            named = _place(one["additionalProperties"])
    return _Place(tuple(names), items, named) if names or items or named else None


def _alternatives(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The node and what it may be instead; references to models are left as they are."""
    yield node
    for inner in node.get("anyOf", ()):
        yield from _alternatives(inner)
    reference = str(node.get("$ref", "")).rsplit("/", 1)[-1]
    if reference:
        target = schema.definition(reference)
        if not target.get("properties"):
            yield from _alternatives(target)
