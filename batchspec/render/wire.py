"""Properties in snake_case -> makers of Batch REST JSON.

Place in the pipeline: `desired` compiles the pool and the job with this, `tasks` every task template, once each; the
makers then run once per task. In: properties as written, the shape of the model they belong to. Out: makers. Never does
I/O; what is wrong is noted in a scope: in the compiler's own when nothing needs to be rendered to see it, else in the
scope a maker is called with.

Our shorthands inside Azure's models are in `shorthand`. A text is rendered once: what a `{{ }}` gives is data, in which
no template is looked for.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast

from batchspec.render import autoscale, filters, shorthand, template
from batchspec.render import scope as making
from batchspec.render.model import DesiredUpload, LocalFile
from batchspec.render.scope import Made, Maker, Scope, fixed
from batchspec.render.shape import Shape, shape_of
from batchspec.render.shell import Os
from batchspec.render.suggest import suggestion
from batchspec.render.symbolic import Json
from batchspec.spec.checks.models import has_rules, of_model
from batchspec.spec.checks.tree import Part
from batchspec.spec.document import shown
from batchspec.spec.load import At

Special = Callable[["Wire", object, Shape, At], Maker]

_SPECIAL: Mapping[str, Special] = {
    "environment_settings": shorthand.named_values,
    "common_environment_settings": shorthand.named_values,
    "metadata": shorthand.named_values,
    "resource_files": shorthand.resource_files,
    "common_resource_files": shorthand.resource_files,
    "output_files": shorthand.output_files,
}


@dataclass(frozen=True)
class Resources:
    """What bodies can refer to: `broken` are keys of uploads that are named but could not be listed.

    `unsigned` are keys of containers of other accounts that have no SAS; `identity` is the resource id of the managed
    identity with which containers are used instead of a SAS ("" for none).
    """

    os: Os
    containers: Collection[str]
    uploads: Mapping[str, DesiredUpload]
    broken: Collection[str] = ()
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    unsigned: Collection[str] = ()
    identity: str = ""

    @cached_property
    def files(self) -> Mapping[str, Mapping[str, LocalFile]]:
        """Files by upload and name."""
        return {key: {file.name: file for file in upload.files} for key, upload in self.uploads.items()}


@dataclass(frozen=True)
class Wire:
    """A compiler. `scope` takes the faults of compiling; `raw` is set inside data that a template gave.

    `sound` says that what is written has no fault. Only then what templates made of it is held against the rules: what
    they miss might else be what was left out.
    """

    resources: Resources
    scope: Scope
    raw: bool = False
    sound: bool = True

    def body(self, model: str, properties: Mapping[str, object], at: At) -> Maker:
        """A maker of one of the SDK's models, its properties in the order they were written."""
        shape = shape_of(model)
        return self.ruled(making.object_of(self.fields(properties, shape, at)), properties, shape, at)

    def fields(self, properties: Mapping[str, object], shape: Shape, at: At) -> dict[str, Maker]:
        """Makers of the properties of an object, by REST name."""
        made: dict[str, Maker] = {}
        for name, value in properties.items():
            if name in ("command", "commands") and name in shape.properties:
                made["commandLine"] = shorthand.command_line(self, value, (*at, name))
            elif name not in ("image", "autoscale") or name not in shape.properties:
                rest, inner = shape.property(name)
                made[rest] = self.special(name, value, inner, (*at, name))
        if "virtual_machine_configuration" in shape.properties:
            shorthand.image(self, properties, made, at)
            autoscale.settings(self, properties, made, at)
        return made

    def special(self, name: str, value: object, shape: Shape, at: At) -> Maker:
        """A maker of a property, which may be one with a shorthand of ours."""
        if name == "auto_scale_formula" and shape.kinds:
            return autoscale.formula(self, value, shape, at)
        compile_ = _SPECIAL.get(name)
        if compile_ is None or not shape.kinds:
            return self.value(value, shape, at)
        if isinstance(value, str) and not self.raw:
            return self.whole(value, at, lambda wire, inner: compile_(wire, inner, shape, at))
        return compile_(self, value, shape, at)

    def value(self, value: object, shape: Shape, at: At) -> Maker:
        """A maker of any value."""
        if isinstance(value, str):
            return self._string(value, shape, at)
        if isinstance(value, Mapping):
            known = {str(key): inner for key, inner in value.items()}
            if self.raw:
                self.check_given(known, shape, at)
            maker = self.ruled(making.object_of(self.fields(known, shape, at)), known, shape, at)
        elif isinstance(value, (list, tuple)):
            maker = making.list_of([self.value(item, shape.items, (*at, i)) for i, item in enumerate(value)])
        elif value is None:
            return fixed(making.OMIT)
        else:
            maker = fixed(_number(value))
        return making.then(maker, self._finish(shape, at), self.scope)

    def text(self, value: object, at: At) -> Maker:
        """A maker of a text; numbers and booleans are written as in JSON."""
        if value is None:
            return fixed(making.OMIT)
        if isinstance(value, str):
            return fixed(value) if self.raw else making.text(value, at, self.scope)
        if isinstance(value, (bool, int, float)):
            return fixed(filters.text(value))
        return fixed(self.scope.fault(at, f"expected a text, got {shown(value)}"))

    def data(self, value: object, at: At) -> Maker:
        """A maker of plain data of any form, every text in it rendered; one whole `{{ }}` keeps its type."""
        if not self.raw and not _has_template(value):  # as most of the 10,000 items of a list
            return fixed(cast("Json", value))
        if isinstance(value, Mapping):
            return making.object_of({str(key): self.data(inner, (*at, str(key))) for key, inner in value.items()})
        if isinstance(value, (list, tuple)):
            return making.list_of([self.data(item, (*at, i)) for i, item in enumerate(value)])
        if not isinstance(value, str) or not template.is_template(value) or self.raw:
            return fixed(value if value is None or isinstance(value, str) else _number(value))
        if not template.is_whole(value):
            return making.text(value, at, self.scope)
        return making.native(value, at, self.scope, lambda given, scope: given)

    def _string(self, source: str, shape: Shape, at: At) -> Maker:
        if self.raw or not template.is_template(source):
            return making.then(fixed(source), self._finish(shape, at), self.scope)
        if shape.is_text or (not shape.kinds and not template.is_whole(source)):
            return making.then(making.text(source, at, self.scope), self._finish(shape, at), self.scope)
        return self.whole(source, at, lambda wire, value: wire.value(value, shape, at))

    def whole(self, source: str, at: At, compile_: Callable[["Wire", object], Maker]) -> Maker:
        """A maker from the value of one whole `{{ }}`, which is compiled as data when it is known."""
        if not template.is_template(source):
            return compile_(replace(self, raw=True), source)

        def finish(value: object, scope: Scope) -> Made:
            return compile_(replace(self, scope=scope, raw=True), value)(scope)

        return making.native(source, at, self.scope, finish)

    def _finish(self, shape: Shape, at: At) -> Callable[[Made, Scope], Made]:
        def check(made: Made, scope: Scope) -> Made:
            if isinstance(made, making.Omit):
                return made
            value = shape.adapted(made)
            fault = shape.fault(value)
            return scope.fault(at, fault) if fault else value

        return check

    def ruled(self, maker: Maker, written: object, shape: Shape, at: At) -> Maker:
        """The same maker; what it makes of a mapping with templates is held against the rules of the mapping's model.

        What is written without templates was, and so was all that one whole template gives.
        """
        if self.raw or not self.sound or not any(map(has_rules, shape.models)) or not _has_template(written):
            return maker

        def make(scope: Scope) -> Made:
            before = len(scope.faults)
            made = maker(scope)
            if isinstance(made, dict) and len(scope.faults) == before:
                self._check_rules({**shape.in_words(made), **self._beside(shape)}, shape, at, scope)
            return made

        return make

    def _beside(self, shape: Shape) -> Mapping[str, str]:
        """What the rules read of a pool that is not sent."""
        return {"os": self.resources.os} if "os" in shape.properties else {}

    def _check_rules(self, words: Mapping[str, Any], shape: Shape, at: At, scope: Scope) -> None:
        for model in shape.models:
            for finding in of_model(model, Part(at, words)):
                scope.fault(finding.at, finding.message)

    def check_given(self, value: Mapping[str, Any], shape: Shape, at: At) -> None:
        """Note what is wrong with a mapping that a template gave: names that are unknown or lacking, broken rules."""
        for name in value:
            if shape.properties and name not in shape.properties:
                self.scope.fault(at, f"the value has an unknown property '{name}'{suggestion(name, shape.properties)}")
        lacking = [name for name in shape.required if name not in value]
        if lacking and shape.properties:
            self.scope.fault(at, f"the value lacks {', '.join(map(repr, lacking))}, which Azure Batch needs here")
            return
        self._check_rules(value, shape, at, self.scope)


def _has_template(value: object) -> bool:
    if isinstance(value, str):
        return template.is_template(value)
    if isinstance(value, (list, tuple)):
        return any(map(_has_template, value))
    return isinstance(value, Mapping) and any(map(_has_template, value.values()))


def _number(value: object) -> Json:
    assert isinstance(value, (bool, int, float))
    return value
