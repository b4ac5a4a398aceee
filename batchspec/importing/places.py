"""Where a property of Azure Batch stands in a spec: REST names -> the spec's names.

Place in the pipeline: `words` asks at every property. In: the generated schema. Out: `Place`. Pure.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from batchspec.reconcile.filled_in import BY_MODEL
from batchspec.render.model import JsonObject
from batchspec.render.shape import Shape, rest_name, shape_of


@dataclass(frozen=True, eq=False)
class Place:
    """A place: its shape, and the SDK's model that belongs there ("" for none)."""

    shape: Shape
    model: str

    @cached_property
    def names(self) -> Mapping[str, str]:
        """The spec's names of its properties by their REST names."""
        return {rest_name(name, node): name for name, node in self.shape.properties.items()}

    @cached_property
    def required(self) -> frozenset[str]:
        """The spec's names of the properties that must be written."""
        return frozenset(name for node in self.shape.nodes for name in node.get("required", ()))

    @property
    def filled_in(self) -> JsonObject:
        """What the service fills in here, by REST name."""
        return BY_MODEL.get(self.model, {})

    @cache  # noqa: B019 - places live as long as the process
    def property(self, name: str) -> "Place":
        """The place of a property, by the spec's name."""
        _, shape = self.shape.property(name)
        node: Mapping[str, Any] = self.shape.properties.get(name, {})
        return Place(shape, next(_models(node), ""))

    @cached_property
    def items(self) -> "Place":
        """The place of each item of a list; its model is the list's."""
        return Place(self.shape.items, self.model)

    def choice(self, value: str) -> str | None:
        """The value as the schema writes it, None when it is none of its choices; any will do without choices."""
        if not self.shape.choices:
            return value
        choices = {str(one).casefold(): str(one) for one in self.shape.choices}
        return choices.get(value.casefold())


@cache
def place_of(model: str) -> Place:
    """The place of one of the SDK's models ("BatchPoolCreateOptions")."""
    return Place(shape_of(model), model)


def _models(node: Mapping[str, Any]) -> Iterator[str]:
    """The names of the models that a node of the schema refers to, of a list those of its items."""
    reference = node.get("$ref")
    if isinstance(reference, str) and reference.rsplit("/", 1)[-1][:1].isupper():
        yield reference.rsplit("/", 1)[-1]
    for inner in (*node.get("anyOf", ()), *([node["items"]] if "items" in node else [])):
        yield from _models(inner)
