"""The schema -> references for people: our own words in README.md, and every property of Azure Batch in PROPERTIES.md.

Called by `schemas.generate`. In: the schema, and the readme as it is. Out: the readme with a new text between its two
markers, and the whole of PROPERTIES.md. Never changes another part of the readme.

Decisions:
- Words of ours that stand in one of Azure's models are told in the readme, the others of that model in PROPERTIES.md.
- The description says the default ("; 0 by default"), as editors show it; there is no column for it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from schemas.own_words import ADDED_PROPERTIES, DEFINITIONS, Node

README = Path(__file__).parents[1] / "README.md"
PROPERTIES = Path(__file__).parent / "PROPERTIES.md"
MARKERS = ("<!-- made by `make schema`: begin -->\n", "<!-- made by `make schema`: end -->\n")

# Titles of the readme's tables, and whose words they tell; models with the same words share one.
TABLES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("A spec", ("",)),
    ("vars: NAME", ("variable",)),
    ("containers: KEY", ("container",)),
    ("uploads: KEY", ("upload",)),
    ("pool", ("BatchPoolCreateOptions",)),
    ("pool: image", ("image",)),
    ("pool: autoscale", ("autoscale",)),
    ("auto_pool_specification: pool", ("BatchPoolSpecification",)),
    ("job", ("BatchJobCreateOptions",)),
    ("schedule", ("BatchJobScheduleCreateOptions",)),
    ("tasks", ("BatchTaskCreateOptions",)),
    ("for_each", ("generator",)),
    ("for_each: range", ("range",)),
    (
        "start_task, and the tasks of a job",
        ("BatchStartTask", "BatchJobManagerTask", "BatchJobPreparationTask", "BatchJobReleaseTask"),
    ),
    ("resource_files", ("ResourceFile",)),
    ("output_files", ("OutputFile",)),
    ("downloads", ("download",)),
)
TOP = {
    "pool": "BatchPoolCreateOptions",
    "job": "BatchJobCreateOptions",
    "tasks": "BatchTaskCreateOptions",
    "schedule": "BatchJobScheduleCreateOptions",
}
_MICROSOFT = "https://learn.microsoft.com/python/api/azure-batch/azure.batch.models"
_PLAIN = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "array": "list",
    "object": "mapping",
    "null": "nothing",
    "duration": "duration",
    "datetime": "date and time",
    "plainValue": "text, number, true or false",
    "environmentSettings": "mapping of names to values",
    "metadata": "mapping of names to values",
    "listOrGenerator": "list or a `for_each`",
    "template": "",
}
_PLURALS = {"text": "texts", "whole number": "whole numbers"}


def words(node: Mapping[str, Any]) -> Node:
    """The words of a mapping, also where it is one of several forms. Raises StopIteration where none is one."""
    found: Node = next(one["properties"] for one in (node, *node.get("anyOf", ())) if "properties" in one)
    return found


def readme(schema: Node, text: str) -> str:
    """The readme's text with the tables of our words between the markers."""
    begin, end = MARKERS
    before, rest = text.split(begin)
    return f"{before}{begin}{''.join(_tables(schema))}{end}{rest.split(end)[1]}"


def properties(schema: Node) -> str:
    """The whole of PROPERTIES.md."""
    links = {name: f"[{name}](#{_anchor(name)})" for name in _models(schema)}
    parts = [_HEAD]
    for name, ways in _models(schema).items():
        node = schema["$defs"][name]
        azures = {word: one for word, one in node["properties"].items() if word not in ADDED_PROPERTIES.get(name, ())}
        required = node.get("required", ())
        rows = [(f"`{word}`", _takes(one, word in required, links), _meaning(one)) for word, one in azures.items()]
        parts.append(f"\n## {name}\n\n{ways}, in [Microsoft's words]({_MICROSOFT}.{name.lower()}).\n\n")
        parts.append(_table(("property", "takes", "meaning"), rows))
    return "".join(parts)


_HEAD = """# Every property of Azure Batch

Made by `make schema` from the models of `azure-batch`, the Python SDK, under whose names the properties are written in
`pool`, `job`, `tasks` and `schedule`. The meanings are the first sentences of its documentation (© Microsoft
Corporation, MIT License). [README.md](../README.md#reference) has the words that are batchspec's own.

Everywhere one whole `{{ }}` may stand instead of a value. Properties that are *required* must be written unless
batchspec fills them in.
"""


def _tables(schema: Node) -> Iterator[str]:
    files = {name: f"schemas/PROPERTIES.md#{_anchor(name)}" for name in _models(schema)}
    titles = {owner: f"#{_anchor(title)}" for title, owners in TABLES for owner in owners}
    links = {name: f"[mapping]({target})" for name, target in (files | titles).items()}
    for title, owners in TABLES:
        owner = schema["$defs"][owners[0]] if owners[0] else schema
        ours = ADDED_PROPERTIES.get(owners[0]) or words(owner)
        rows = [row for word in ours for row in _rows(word, words(owner)[word], _required(owner), links)]
        more = " or ".join(f"[{name}]({files[name]})" for name in owners if name in ADDED_PROPERTIES)
        yield f"\n### {title}\n\n" + (f"Every property of {more}, and:\n\n" if more else "")
        yield _table(("word", "takes", "meaning", "example"), rows)
    yield "\n"


def _rows(word: str, node: Node, required: Sequence[str], links: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """The row of a word, and those of the words of a mapping that stands in it."""
    yield f"`{word}`", _takes(node, word in required, links), _meaning(node), _example(word, node)
    for inner, one in node.get("properties", {}).items():
        yield f"`{word}.{inner}`", _takes(one, inner in node.get("required", ()), links), _meaning(one), ""


def _required(node: Node) -> Sequence[str]:
    return next((one["required"] for one in (node, *node.get("anyOf", ())) if "required" in one), ())


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n".replace("|  |", "| |") for line in lines)


def _meaning(node: Node) -> str:
    told = node if "description" in node else DEFINITIONS.get(next(_references(node), ""), {})
    return str(told.get("description", "")).replace("|", r"\|")


def _example(word: str, node: Node) -> str:
    written = yaml.safe_dump({word: node["examples"][0]}, default_flow_style=True, width=10**6, sort_keys=False).strip()
    return f"`{written[1:-1]}`".replace("'", '"').replace("|", r"\|")


def _takes(node: Node, required: bool, links: Mapping[str, str]) -> str:
    return ", ".join(filter(None, (_kind(node, links), _limits(node), "*required*" if required else "")))


def _kind(node: Node, links: Mapping[str, str]) -> str:
    if "const" in node:
        return f"`{node['const']}`"
    if "enum" in node:
        return ", ".join(f"`{one}`" for one in node["enum"])
    if "$ref" in node:
        name = node["$ref"].rsplit("/", 1)[1]
        return links.get(name, _PLAIN.get(name, ""))
    if "anyOf" in node:
        return " or ".join(dict.fromkeys(filter(None, (_kind(one, links) for one in node["anyOf"]))))
    if node.get("type") == "array" and "items" in node:
        kind = _kind(node["items"], links)
        return f"list of {_PLURALS.get(kind, kind).replace('[mapping]', '[mappings]')}"
    if isinstance(named := node.get("additionalProperties"), dict):
        return f"mapping of names to {_kind(named, links)}"
    kinds = node.get("type", "anything")
    return " or ".join(_PLAIN.get(one, one) for one in ([kinds] if isinstance(kinds, str) else kinds))


def _limits(node: Node) -> str:
    """The limits of a value: of its size, of a text's length, of a list's."""
    for least, most in (("minimum", "maximum"), ("x-shortest", "x-longest")):
        if least in node and most in node:
            return f"{node[least]} to {node[most]}"
        if least in node:
            return f"at least {node[least]}"
        if most in node:
            return f"at most {node[most]}"
    if "maxLength" in node:
        return f"at most {node['maxLength']} characters"
    return f"at most {node['maxItems']}" if "maxItems" in node else ""


def _models(schema: Node) -> dict[str, str]:
    """Azure's models in the order in which a spec leads to them, with the ways there, in words."""
    ways: dict[str, list[str]] = {model: [f"`{part}`"] for part, model in TOP.items()}
    for name in (pending := list(ways)):
        for word, node in schema["$defs"][name]["properties"].items():
            for inner in _references(node):
                if inner not in ways and schema["$defs"][inner].get("properties") and inner not in DEFINITIONS:
                    ways[inner] = []
                    pending.append(inner)
                if inner in ways and inner not in TOP.values() and (way := f"`{word}` of {name}") not in ways[inner]:
                    ways[inner].append(way)
    return {name: f"What is written as {', '.join(found)}" for name, found in ways.items()}


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"].rsplit("/", 1)[1]
        node = list(node.values())
    for one in node if isinstance(node, list) else ():
        yield from _references(one)


def _anchor(title: str) -> str:
    """The fragment that GitHub makes of a heading."""
    return re.sub(r"[^\w -]", "", title).lower().replace(" ", "-")
