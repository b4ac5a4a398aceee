"""What any other JSON Schema validator (an editor's, say) makes of the schema: it takes every valid spec, and refuses
every one in which the schema itself finds something."""

from pathlib import Path

import pytest
from jsonschema.validators import Draft202012Validator

from batchspec.errors import SpecInvalid
from batchspec.spec import schema
from batchspec.spec.document import Document
from batchspec.spec.load import load

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "tests" / "examples"
VALID = [*sorted((EXAMPLES / "valid").glob("*.yaml")), *sorted((ROOT / "specs").glob("*.yaml"))]
OURS = ("is too short; the least is", "is too long; the most is", "is no moment")  # words that no other validator knows


def readable() -> list[Document]:
    """Every wrong example that is YAML."""
    found = []
    for folder in ("invalid", "rendered"):
        for path in sorted((EXAMPLES / folder).glob("*.yaml")):
            try:
                found.append(load(path, path.stem))
            except SpecInvalid:
                continue
    return found


def test_the_schema_says_which_draft_it_is() -> None:
    assert schema.schema()["$schema"] == Draft202012Validator.META_SCHEMA["$id"]


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_a_valid_spec_is_valid_anywhere(path: Path) -> None:
    assert [error.message for error in Draft202012Validator(schema.schema()).iter_errors(load(path).data)] == []


@pytest.mark.parametrize("document", readable(), ids=lambda document: document.shown_as)
def test_what_the_schema_finds_is_found_anywhere(document: Document) -> None:
    found = [one for one in schema.findings(document) if not any(words in one.message for words in OURS)]
    assert Draft202012Validator(schema.schema()).is_valid(document.data) == (not found)
