"""SDK models -> `schemas/batchspec-v1.schema.json`, and the references of it for people.

Run `make schema` (`python -m schemas.generate`) after azure-batch was upgraded or `own_words` or `examples` changed;
`--check` changes nothing and exits 1 when a file is not what it should be. In: the models of azure-batch,
`schemas.own_words` and `schemas.examples`. Out: the schema file, and what `schemas.reference` makes of it; byte for
byte the same for the same input.

Decisions:
- Every property that can be written is there, under its snake_case name; `x-rest-name` is given where the name on the
  wire is not that name in camelCase. The first sentence of the SDK's documentation is the description.
- What we fill in (ids, command lines, the node agent) is not required, though Batch requires it.
- Where no text belongs, one whole `{{ }}` may stand instead, so that it can be computed.
"""

import argparse
import datetime
import enum
import json
import re
import sys
import types
import typing
from collections.abc import Iterator
from pathlib import Path

from azure.batch import models

from schemas import own_words, reference
from schemas.examples import EXAMPLES
from schemas.own_words import Node, ref, string

FILE = Path(__file__).parent / "batchspec-v1.schema.json"
ROOTS = (
    *("BatchPoolCreateOptions", "BatchJobCreateOptions", "BatchTaskCreateOptions", "BatchJobScheduleCreateOptions"),
)

_SENTENCE = re.compile(r"(.+?\.)(?:\s+[A-Z`]|\s*$)", re.DOTALL)
_IVAR = re.compile(r":ivar (\w+): (.*?)\n\s*:vartype", re.DOTALL)
_LINK = re.compile(r"`([^`<]+?)\s*<[^`]*>`_+")
_LONGEST_DESCRIPTION = 240


def schema() -> Node:
    """The whole schema."""
    definitions: dict[str, Node] = {}
    for name in ROOTS:
        _define(getattr(models, name), definitions)
    for (name, word), description in own_words.DESCRIBED.items():
        definitions[name]["properties"][word]["description"] = description
    for name, change in own_words.ADDED_PROPERTIES.items():
        definitions[name]["properties"] = {**change, **definitions[name]["properties"]}
    for name, words in own_words.OPTIONAL.items():
        required = [word for word in definitions[name].pop("required", []) if word not in words]
        definitions[name] |= {"required": required} if required else {}
    for node in definitions.values():
        for word in node.get("required", ()):
            if node["properties"][word].get("type") == "string" and word not in own_words.MAY_BE_EMPTY:
                node["properties"][word]["minLength"] = 1
    for (name, word), limits in own_words.LIMITS.items():
        definitions[name]["properties"][word] |= limits
    ordered = {name: definitions[name] for name in sorted(definitions)}
    # A copy of its own for each place where a node of ours stands, since their examples differ.
    whole: Node = json.loads(json.dumps({**own_words.ROOT, "$defs": {**own_words.DEFINITIONS, **ordered}}))
    for name, examples in EXAMPLES.items():
        ours = reference.words(whole["$defs"][name] if name else whole)
        for word, example in examples.items():
            ours[word]["examples"] = [example]
    return whole


def texts() -> dict[Path, str]:
    """What belongs into each file."""
    made = schema()
    readme = reference.README.read_text(encoding="utf-8")
    return {
        FILE: json.dumps(made, indent=1, ensure_ascii=False) + "\n",
        reference.README: reference.readme(made, readme),
        reference.PROPERTIES: reference.properties(made),
    }


def main() -> int:
    """Write the files, or with `--check` say whether they are up to date."""
    parser = argparse.ArgumentParser(description="Generate the schema and the references of it from azure-batch.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when a file is out of date")
    wanted = texts()
    if not parser.parse_args().check:
        for file, text in wanted.items():
            file.write_text(text, encoding="utf-8")
        return 0
    old = [file.name for file, text in wanted.items() if not file.exists() or file.read_text(encoding="utf-8") != text]
    if old:
        sys.stderr.write(f"out of date: {', '.join(old)}; run: make schema\n")
    return int(bool(old))


def _define(model: type, definitions: dict[str, Node]) -> None:
    if model.__name__ in definitions:
        return
    definitions[model.__name__] = node = {"type": "object", "additionalProperties": False}
    described = _descriptions(model)
    properties: Node = {}
    required = []
    for name, field in _fields(model):
        hint = _hints(model)[name]
        properties[name] = _property(hint, definitions, described.get(name, ""))
        if (rest := field._rest_name_input or name) != _camel(name):
            properties[name] = {"x-rest-name": rest, **properties[name]}
        if type(None) not in typing.get_args(hint):
            required.append(name)
    node["properties"] = properties
    if required:
        node["required"] = required


def _fields(model: type) -> Iterator[tuple[str, typing.Any]]:
    """Name and rest field of every property that can be written, those of base models first."""
    for one in reversed(model.__mro__):
        for name, field in vars(one).items():
            if hasattr(field, "_rest_name_input") and field._visibility != ["read"]:
                yield name, field


def _hints(model: type) -> dict[str, typing.Any]:
    return typing.get_type_hints(model, {**vars(sys.modules[model.__module__]), "_models": models})


def _property(hint: typing.Any, definitions: dict[str, Node], description: str) -> Node:
    node = _type(hint, definitions)
    return {**node, "description": description} if description else node


def _type(hint: typing.Any, definitions: dict[str, Node]) -> Node:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        kinds = [one for one in arguments if one is not type(None)]
        choices = [one for one in kinds if isinstance(one, type) and issubclass(one, enum.Enum)]
        return _choices(choices[0]) if choices else _type(kinds[0], definitions)
    if origin is list:
        return _list(_type(arguments[0], definitions))
    if origin is dict:
        return {"anyOf": [{"type": "object"}, ref("template")]}
    simple = {
        str: string(),
        int: ref("integer"),
        bool: ref("boolean"),
        datetime.timedelta: ref("duration"),
        datetime.datetime: ref("datetime"),
    }
    if hint in simple:
        return simple[hint]
    if issubclass(hint, enum.Enum):
        return _choices(hint)
    _define(hint, definitions)
    return {"anyOf": [ref(hint.__name__), ref("template")]}


def _list(items: Node) -> Node:
    kinds = [one["$ref"].rsplit("/", 1)[1] for one in items.get("anyOf", ()) if "$ref" in one]
    either = own_words.ALSO_A_MAPPING.get(kinds[0] if kinds else "")
    mapping = [ref(either)] if either is not None else []
    return {"anyOf": [{"type": "array", "items": items}, *mapping, ref("template")]}


def _choices(kind: type[enum.Enum]) -> Node:
    return {"anyOf": [{"enum": [one.value for one in kind]}, ref("template")]}


def _descriptions(model: type) -> dict[str, str]:
    return {name: _first_sentence(found) for name, found in _IVAR.findall(model.__doc__ or "")}


def _first_sentence(documentation: str) -> str:
    plain = " ".join(_LINK.sub(r"\1", documentation).split())
    plain = re.sub(r"\(This property is not available by default\.[^)]*\)\.?\s*", "", plain)
    plain = re.sub(r"\s*(?:Required|Known values are: .*|Is one of .*)\.?\s*$", "", plain)
    match = _SENTENCE.match(plain)
    sentence = match.group(1) if match else plain
    return sentence if len(sentence) <= _LONGEST_DESCRIPTION else ""


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


if __name__ == "__main__":
    raise SystemExit(main())
