"""What may stand at a place in a Batch body, from the generated schema.

Place in the pipeline: `wire` asks for the REST name and the type of every property. In: nodes of the schema. Out:
`Shape`. Never reads a spec; never decides what is valid beyond types, choices and limits, which `spec.schema` checks
for literals and `wire` for what templates made.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from batchspec.render.filters import text
from batchspec.render.symbolic import Json, holds_marker
from batchspec.spec import expected, schema
from batchspec.spec.document import shown
from batchspec.spec.durations import duration_fault, moment_fault
from batchspec.spec.suggest import did_you_mean

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}
_LIMITS = ("minimum", "maximum", "minLength", "maxLength", "maxItems", "x-shortest", "x-longest", "x-moment")


@dataclass(frozen=True, eq=False)
class Shape:
    """A place: `nodes` are the alternatives of the schema that may stand there, the template's own one left out."""

    nodes: tuple[Mapping[str, Any], ...]

    @cached_property
    def kinds(self) -> frozenset[str]:
        """Names of JSON types; empty when anything may stand here."""
        return frozenset(kind for node in self.nodes for kind in _types(node))

    @cached_property
    def is_text(self) -> bool:
        """Whether a text belongs here, so that a template is rendered to text."""
        return "string" in self.kinds

    @cached_property
    def choices(self) -> tuple[Json, ...]:
        """The values of an enum; empty when there is none."""
        return tuple(value for node in self.nodes for value in node.get("enum", ()))

    @cached_property
    def properties(self) -> Mapping[str, Mapping[str, Any]]:
        """Schema nodes of the properties, by their name in a spec."""
        return {name: inner for node in self.nodes for name, inner in node.get("properties", {}).items()}

    @cached_property
    def models(self) -> tuple[str, ...]:
        """Names of the models of the schema that an object here may be."""
        return tuple(name for node in self.nodes if (name := schema.model_of(node)))

    @cached_property
    def items(self) -> "Shape":
        """The shape of each item of a list."""
        return _shape([node["items"] for node in self.nodes if isinstance(node.get("items"), Mapping)])

    @cached_property
    def patterns(self) -> tuple[re.Pattern[str], ...]:
        """What a text must match one of; empty when any will do."""
        found = [node.get("pattern") for node in self.nodes if "string" in _types(node)]
        return tuple(re.compile(one) for one in found if one is not None) if all(found) else ()

    @cache  # noqa: B019 - shapes live as long as the process
    def property(self, name: str) -> tuple[str, "Shape"]:
        """The REST name and the shape of a property; an object of free form keeps its names."""
        if not self.properties:
            return name, ANY
        node = self.properties.get(name, {})
        return rest_name(name, node), _shape([node])

    @cached_property
    def _words(self) -> Mapping[str, str]:
        return {rest_name(name, node): name for name, node in self.properties.items()}

    def in_words(self, made: Json) -> Any:
        """A value as it is sent, under the names of a spec."""
        if isinstance(made, list):
            return [self.items.in_words(item) for item in made]
        if not isinstance(made, dict) or not self.properties:
            return made
        named = {self._words.get(rest, rest): value for rest, value in made.items()}
        return {name: self.property(name)[1].in_words(value) for name, value in named.items()}

    def fault(self, value: Json) -> str | None:
        """What is wrong with a value that a template made, by type, choice and limit."""
        if not self.kinds:
            return None
        if not _is_any(value, self.kinds):
            return self._expected(value)
        if isinstance(value, dict):
            return None
        if self.choices and value not in self.choices:
            return self._expected(value)
        if isinstance(value, str) and self.patterns and not any(one.search(value) for one in self.patterns):
            return f"{_shown(value)} does not have the right form{self._example()}"
        return self._limit_fault(value)

    def adapted(self, value: Json) -> Json:
        """The value without harmless differences of type: `2.0` where an integer belongs, `5` where a text does."""
        if isinstance(value, float) and value.is_integer() and "integer" in self.kinds:
            return int(value)
        if self.kinds == {"string"} and isinstance(value, (bool, int, float)):
            return text(value)
        return value

    def _expected(self, value: Json) -> str:
        if self.choices and isinstance(value, str):
            known = [str(choice) for choice in self.choices]
            return f"{_shown(value)} is not one of {expected.listed(known)}{did_you_mean(value, known)}"
        return f"expected {expected.names(self.nodes)}, got {_seen(value)}"

    def _example(self) -> str:
        formats = {node.get("format") for node in self.nodes}
        if "date-time" in formats:
            return "; a moment looks like 2027-01-31T06:00:00Z"
        return "; a duration looks like PT30M or P1D" if "duration" in formats else ""

    def _limit_fault(self, value: Json) -> str | None:
        limits = self.limits
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            if value < limits.get("minimum", value):
                return f"{value} is too small; the least is {limits['minimum']}"
            if value > limits.get("maximum", value):
                return f"{value} is too large; the most is {limits['maximum']}"
        if isinstance(value, list) and len(value) > limits.get("maxItems", len(value)):
            return f"has {len(value)} items; at most {limits['maxItems']} are allowed"
        return self._text_fault(value) if isinstance(value, str) else None

    def _text_fault(self, value: str) -> str | None:
        limits = self.limits
        if len(value) < limits.get("minLength", 0):
            return expected.EMPTY_TEXT
        if len(value) > limits.get("maxLength", len(value)):
            return f"has {len(value):,} characters; at most {limits['maxLength']:,} are allowed"
        for word in ("x-shortest", "x-longest"):
            if word in limits and (fault := duration_fault(value, word, limits[word])):
                return f"{_shown(value)} {fault}"
        fault = moment_fault(value) if "x-moment" in limits else None
        return f"{_shown(value)} {fault}" if fault else None

    @cached_property
    def limits(self) -> Mapping[str, Any]:
        """Limits of numbers, texts, lists and durations, by the schema's word."""
        return {word: node[word] for node in self.nodes for word in _LIMITS if word in node}

    @cached_property
    def required(self) -> tuple[str, ...]:
        """Properties that an object must have."""
        return tuple(dict.fromkeys(name for node in self.nodes for name in node.get("required", ())))


ANY = Shape(())


@cache
def shape_of(name: str) -> Shape:
    """The shape of one of the SDK's models ("BatchPoolCreateOptions")."""
    return _shape([schema.definition(name)])


def rest_name(name: str, node: Mapping[str, Any]) -> str:
    """The name on the wire: as the schema says, else the snake_case name in camelCase."""
    if "x-rest-name" in node:
        return str(node["x-rest-name"])
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def _shape(nodes: list[Mapping[str, Any]]) -> Shape:
    return Shape(tuple(inner for node in nodes for inner in _alternatives(node) if not _is_template(inner)))


def _alternatives(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The node itself with every reference and every choice followed; a node that says nothing is left out."""
    reference = node.get("$ref")
    if isinstance(reference, str):
        yield from _alternatives(schema.definition(reference.rsplit("/", 1)[-1]))
    for word in ("anyOf", "oneOf", "allOf"):
        for inner in node.get(word, ()):
            yield from _alternatives(inner)
    if any(word in node for word in ("type", "enum", "properties", "items", "pattern", *_LIMITS)):
        yield node


def _is_template(node: Mapping[str, Any]) -> bool:
    return "{{" in str(node.get("pattern", "")).replace("\\", "")


def _types(node: Mapping[str, Any]) -> tuple[str, ...]:
    kind = node.get("type")
    if kind is None and "enum" in node:
        return tuple({"string" if isinstance(value, str) else "integer" for value in node["enum"]})
    return tuple(kind) if isinstance(kind, list) else (kind,) if kind else ()


def _is_any(value: Json, kinds: frozenset[str]) -> bool:
    if isinstance(value, bool):
        return "boolean" in kinds
    return any(isinstance(value, _TYPES[kind]) for kind in kinds if kind != "boolean")


def _shown(value: Json) -> str:
    if isinstance(value, str) and holds_marker(value):
        return "an address or a secret"
    return shown(value)


def _seen(value: Json) -> str:
    """A value in a message; a number is said to be one, since a text of digits looks the same."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return _shown(value)
    return f"the number {value}"
