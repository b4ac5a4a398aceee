"""The schema file: up to date, complete, and a valid schema."""

import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import run
from typing import Any

import pytest
from jsonschema.validators import Draft202012Validator

from batchspec.spec.schema import schema
from schemas import generate
from tests.schemas.reflected import MODELS, hints, wire_name

ROOT = Path(__file__).parents[2]
LARGEST_BYTES = 400_000


def test_generating_gives_the_checked_in_files_byte_for_byte() -> None:
    for file, text in generate.texts().items():
        assert file.read_bytes() == text.encode(), f"{file.name}: run `make schema`"


def test_check_says_whether_the_files_are_up_to_date() -> None:
    done = run([sys.executable, "-m", "schemas.generate", "--check"], cwd=ROOT, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_the_schema_is_valid_and_not_too_large() -> None:
    Draft202012Validator.check_schema(schema())
    assert generate.FILE.stat().st_size < LARGEST_BYTES


def test_every_reference_leads_somewhere() -> None:
    found = {node["$ref"] for node in nodes(schema()) if "$ref" in node}
    assert found <= {f"#/$defs/{name}" for name in schema()["$defs"]}


def nodes(value: object) -> Iterator[dict[str, Any]]:
    """Every mapping in the schema."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from nodes(inner)


def test_all_models_are_found() -> None:
    assert len(MODELS) >= 70


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_property_of_a_model_is_in_the_schema_under_the_name_that_goes_over_the_wire(name: str) -> None:
    properties = schema()["$defs"][name]["properties"]
    wanted = hints(MODELS[name])
    assert wanted.keys() <= properties.keys()
    for word in wanted:
        first, *rest = word.split("_")
        camel = first + "".join(part.capitalize() for part in rest)
        assert properties[word].get("x-rest-name", camel) == wire_name(MODELS[name], word)
