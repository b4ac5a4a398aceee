"""What the schema expects at a place, in words.

Place in the pipeline: `complaints` asks. In: nodes of the schema. Out: words for messages. Pure.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from batchspec.spec.schema import definition

_NAMES = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}
_MOST_CHOICES = 12

EMPTY_TEXT = "must not be empty"


def alternatives(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The nodes without choices that a node stands for, templates left out."""
    reference = node.get("$ref", "")
    if reference.endswith("/template"):
        return
    if reference:
        yield from alternatives(definition(reference.rsplit("/", 1)[-1]))
    for inner in node.get("anyOf", ()):
        yield from alternatives(inner)
    if any(word in node for word in ("type", "enum", "const")) and not _is_template(node):
        yield node


def kinds(node: Mapping[str, Any]) -> list[str]:
    """The JSON types that a node allows, null left out."""
    kind = node.get("type", [])
    return [one for one in ([kind] if isinstance(kind, str) else kind) if one != "null"]


def takes_text(nodes: Iterable[Mapping[str, Any]]) -> bool:
    """Whether any text may stand there, so that a template anywhere in it would do."""
    return any("string" in kinds(node) and "pattern" not in node for node in nodes)


def names(nodes: Iterable[Mapping[str, Any]]) -> str:
    """What may stand there: "a text or a list"."""
    found: list[str] = []
    for node in nodes:
        if "const" in node:
            found.append(str(node["const"]))
        elif "enum" in node:
            found.append(f"one of {listed([str(choice) for choice in node['enum']])}")
        elif node.get("format") == "duration":
            found.append("an ISO 8601 duration such as PT30M or P1D")
        elif node.get("format") == "date-time":
            found.append("a moment with its time zone such as 2027-01-31T06:00:00Z")
        else:
            found += [_NAMES[kind] for kind in kinds(node)]
    return " or ".join(dict.fromkeys(found)) or "something else"


def example(name: str, node: Mapping[str, Any]) -> str:
    """How a property of this node is written, on one line of YAML; "" where the schema has no example of it."""
    found = node.get("properties", {}).get(name, {}).get("examples", ())
    plain = found and isinstance(found[0], (str, int))
    return f"{name}: {found[0]}" if plain else f"{name}: {json.dumps(found[0])}" if found else ""


def listed(choices: list[str]) -> str:
    """The choices, as many as one can take in."""
    more = ", ..." if len(choices) > _MOST_CHOICES else ""
    return ", ".join(choices[:_MOST_CHOICES]) + more


def camel(name: str) -> str:
    """A snake_case name in camelCase."""
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def _is_template(node: Mapping[str, Any]) -> bool:
    return "{{" in str(node.get("pattern", "")).replace("\\", "")
