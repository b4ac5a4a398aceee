"""Our own words: each described and shown for editors and people, with an example that the schema takes."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema.validators import Draft202012Validator

from batchspec.spec.schema import schema
from schemas import reference
from schemas.own_words import ADDED_PROPERTIES, DEFINITIONS

LONGEST_DESCRIPTION = 200


def ours() -> Iterator[tuple[str, str]]:
    """Each of our own words, with the model or definition that has it; "" is the whole spec."""
    yield from (("", word) for word in schema()["properties"])
    for name, node in DEFINITIONS.items():
        if any("properties" in one for one in (node, *node.get("anyOf", ()))):
            yield from ((name, word) for word in reference.words(schema()["$defs"][name]))
    for name, words in ADDED_PROPERTIES.items():
        yield from ((name, word) for word in words)


WORDS = list(ours())


def node(owner: str, word: str) -> dict[str, Any]:
    found: dict[str, Any] = reference.words(schema()["$defs"][owner] if owner else schema())[word]
    return found


def described(found: dict[str, Any]) -> str:
    """What an editor shows of a node: its own description, or that of what it refers to."""
    referred = schema()["$defs"][found["$ref"].rsplit("/", 1)[1]] if "$ref" in found else {}
    return str(found.get("description", referred.get("description", "")))


@pytest.mark.parametrize(("owner", "word"), WORDS)
def test_a_word_of_ours_has_a_short_description_that_ends_with_a_full_stop(owner: str, word: str) -> None:
    text = described(node(owner, word))

    assert re.fullmatch(r"[A-Za-z`].{5,}\.", text)
    assert len(text) <= LONGEST_DESCRIPTION


@pytest.mark.parametrize(("owner", "word"), WORDS)
def test_a_word_of_ours_has_an_example_that_the_schema_takes(owner: str, word: str) -> None:
    found = node(owner, word)

    (example,) = found["examples"]
    Draft202012Validator({**found, "$defs": schema()["$defs"]}).validate(example)


@pytest.mark.parametrize(("owner", "word"), WORDS)
def test_a_word_of_ours_stands_in_the_readme(owner: str, word: str) -> None:
    (title,) = (title for title, owners in reference.TABLES if owner in owners)
    table = reference.README.read_text().split(f"\n### {title}\n")[1].split("\n### ")[0]

    assert f"| `{word}` | " in table


def test_every_property_of_azure_has_a_description() -> None:
    models = [(name, model) for name, model in schema()["$defs"].items() if name[0].isupper()]

    bare = [
        f"{name}.{word}" for name, model in models for word, one in model["properties"].items() if not described(one)
    ]
    assert bare == []


def test_every_model_of_azure_has_a_table_of_all_its_properties() -> None:
    text = reference.PROPERTIES.read_text()
    for name, model in schema()["$defs"].items():
        if name[0].isupper():
            table = text.split(f"\n## {name}\n")[1].split("\n## ")[0]
            listed = set(re.findall(r"(?m)^\| `(\w+)` \|", table))
            assert listed == model["properties"].keys() - ADDED_PROPERTIES.get(name, {}).keys()


def test_links_between_the_references_lead_to_headings() -> None:
    text = reference.PROPERTIES.read_text()
    headings = {title.lower() for title in re.findall(r"(?m)^## (.*)$", text)}

    inside = set(re.findall(r"\]\(#([^)]+)\)", text))
    assert inside <= headings
    assert set(re.findall(r"schemas/PROPERTIES\.md#([^)]+)\)", reference.README.read_text())) <= headings
