"""The shapes of bodies against the models of the official SDK: they drift apart only with a failing test."""

import datetime
import enum
import sys
import typing
from typing import Any

from azure.batch import models
from azure.batch.models import _models

from batchspec.engine.shapes import OLDER, SHAPES

OWN = {
    "TaskUpdate",
    "EngineFault",
    "EnginePreemption",
    "EngineQuotas",
    "Certificate",
    "CertificateReference",
    "CloudServiceConfiguration",
}


def kind_of(annotation: Any) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Union:
        given = [part for part in arguments if part is not type(None)]
        enums = [part for part in given if isinstance(part, type) and issubclass(part, enum.Enum)]
        return kind_of((enums or given)[0])
    if origin is list:
        return f"[{kind_of(arguments[0])}]"
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return "/".join(str(member.value) for member in annotation)
    named = {str: "string", bool: "bool", int: "int", datetime.datetime: "datetime", datetime.timedelta: "duration"}
    return "object" if origin is dict else named.get(annotation) or str(annotation.__name__)


def shape_of(model: Any) -> dict[str, str]:
    model.__new__(model)
    names = {**vars(sys.modules[model.__module__]), "_models": models, "datetime": datetime}
    hints = typing.get_type_hints(model, globalns=names)
    return {
        f"{entry._rest_name}{'' if type(None) in typing.get_args(hints[name]) else '!'}": kind_of(hints[name])
        for name, entry in model._attr_to_rest_field.items()
    }


def test_every_shape_is_the_sdks_model() -> None:
    assert {name: shape_of(getattr(_models, name)) for name in SHAPES if name not in OWN} == {
        name: shape for name, shape in SHAPES.items() if name not in OWN
    }


def test_older_versions_only_add_properties() -> None:
    for name, shape in OLDER.items():
        assert not shape.keys() & {key.removesuffix("!") for key in SHAPES[name]}
