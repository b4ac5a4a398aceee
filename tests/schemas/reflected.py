"""The SDK's models by reflection: which there are, what they declare, how they send it. Nothing here knows our
schema."""

import sys
import types
import typing
from collections.abc import Iterator, MutableMapping
from typing import Any

import azure.batch.models as models

TOP = ("BatchPoolCreateOptions", "BatchJobCreateOptions", "BatchTaskCreateOptions", "BatchJobScheduleCreateOptions")
READ_ONLY = {("BatchVmImageReference", "exact_version")}


def model(name: str) -> type:
    """One of the SDK's models by its name."""
    found = getattr(models, name)
    assert isinstance(found, type)
    return found


def hints(model: type) -> dict[str, Any]:
    """The declared types of the attributes of a model that can be written, in the SDK's order, bases first."""
    known = {**vars(sys.modules[model.__module__]), "_models": models}
    declared = typing.get_type_hints(model, known)
    return {
        name: hint
        for name, hint in declared.items()
        if not name.startswith("_") and (model.__name__, name) not in READ_ONLY
    }


def leaves(hint: Any) -> Iterator[type]:
    """The classes that a type is made of."""
    inner = typing.get_args(hint)
    for one in inner:
        yield from leaves(one)
    if not inner and isinstance(hint, type):
        yield hint


def is_model(kind: object) -> bool:
    """Whether a class is one of the SDK's models."""
    return isinstance(kind, type) and kind.__module__.startswith("azure") and issubclass(kind, MutableMapping)


def reachable(model: type, seen: dict[str, type]) -> dict[str, type]:
    """Every model that a model can hold, itself too."""
    if model.__name__ not in seen:
        seen[model.__name__] = model
        for hint in hints(model).values():
            for inner in leaves(hint):
                if is_model(inner):
                    reachable(inner, seen)
    return seen


MODELS = {name: found for top in TOP for name, found in reachable(model(top), {}).items()}


def is_optional(hint: Any) -> bool:
    """Whether a property may be left out."""
    return type(None) in typing.get_args(hint)


def plain(hint: Any) -> Any:
    """The type without Optional, and of a choice between an enum and a text the enum."""
    if typing.get_origin(hint) not in (typing.Union, types.UnionType):
        return hint
    kinds = [one for one in typing.get_args(hint) if one is not type(None)]
    return next((one for one in kinds if one is not str), kinds[0])


def wire_name(model: type, word: str) -> str:
    """The name under which the SDK itself sends a property."""
    made = model({})
    setattr(made, word, "x")
    return str(next(iter(dict(made))))
