"""Every word of ours in the schema is the subject of at least one example's exact message: a new word needs one."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from batchspec.spec import schema
from schemas import own_words

EXAMPLES = Path(__file__).parents[1] / "examples"
WORD = tuple[str, str]  # the schema's definition ("" is the whole spec) and a property of it

_STEP = re.compile(r"\.?([^.\[\]]+)|\[(?:(\d+)|'((?:[^'])*)')\]")


def own() -> set[WORD]:
    """Every word that is ours."""
    words = set(_words("", own_words.ROOT))
    for name, node in own_words.DEFINITIONS.items():
        words |= set(_words(name, node))
    for name, added in own_words.ADDED_PROPERTIES.items():
        words |= set(_words(name, {"properties": added}))
    return words


def _words(name: str, node: Mapping[str, Any]) -> Iterator[WORD]:
    for word, inner in node.get("properties", {}).items():
        yield name, word
        yield from _words(f"{name}.{word}", inner)
    others = [node.get("items"), node.get("additionalProperties"), *node.get("anyOf", ())]
    for inner in others:
        if isinstance(inner, Mapping):
            yield from _words(name, inner)


def steps(path: str) -> list[str | int]:
    """A dotted path as keys and indexes."""
    return [int(index) if index else word or key for word, index, key in _STEP.findall(path)]


def told(path: str) -> set[WORD]:
    """The word that a message with this path is about; none when its last name is not in the schema."""
    found: set[WORD] = set()
    nodes: list[tuple[str, Mapping[str, Any]]] = list(_alternatives("", schema.schema()))
    for step in steps(path):
        after: list[tuple[str, Mapping[str, Any]]] = []
        named: set[WORD] = set()
        for name, node in nodes:
            below, inner = name, node.get("items" if isinstance(step, int) else "additionalProperties")
            if step in node.get("properties", {}):
                below, inner = f"{name}.{step}", node["properties"][step]
                named.add((name, str(step)))
            if isinstance(inner, Mapping):
                after += _alternatives(below, inner)
        if not after and not named:
            return found if isinstance(step, int) else set()
        found = named or found
        nodes = after
    return found


def _alternatives(name: str, node: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield name, node
    for inner in node.get("anyOf", ()):
        yield from _alternatives(name, inner)
    reference = str(node.get("$ref", "")).rsplit("/", 1)[-1]
    if reference:
        yield from _alternatives(reference, schema.definition(reference))


def expected_paths() -> Iterator[str]:
    """The path of every message that an example expects."""
    for folder in ("invalid", "rendered"):
        for file in (EXAMPLES / folder).glob("*.yaml"):
            for line in file.read_text(encoding="utf-8").splitlines():
                if not line.startswith("# "):
                    break
                yield line.split(": ")[1]


def test_every_word_of_ours_has_an_example_of_what_is_wrong_with_it() -> None:
    assert own() - {word for path in expected_paths() for word in told(path)} == set()


def test_a_message_is_about_the_last_word_of_its_path() -> None:
    assert told("tasks[0].needs[1]") == {("BatchTaskCreateOptions", "needs")}
    assert told("containers['a b'].sas.from_env") == {("container.sas", "from_env")}
    assert told("vars.n.allowed[2]") == {("variable", "allowed")}
    assert told("pool.image.nothing") == set()
