"""Document -> problems, by JSON Schema; and the schema itself.

Place in the pipeline: after `load`. In: a document. Out: what the schema finds wrong, in words for people. The schema
lies beside this module in a wheel and in `schemas/` in a checkout; `render` reads its definitions of Azure's models.
Never checks the schema itself (a test does), and never fetches anything.
"""

import json
from collections.abc import Mapping
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from batchspec.errors import Problem
from batchspec.spec.document import Document, Finding
from batchspec.spec.sound import Soundness

MAX_FINDINGS = 1_000
MANY = "has more problems than these; put them right first"
FILE_NAME = "batchspec-v1.schema.json"
OTHERS = {"plan": "batchspec-plan-v1.schema.json", "output": "batchspec-output-v1.schema.json"}


def problems(document: Document) -> list[Problem]:
    """Every way in which the document's data is not what the schema asks for, in the order of the file."""
    return sorted({finding.problem(document) for finding in findings(document)})


def findings(document: Document) -> list[Finding]:
    """The same without places, each with its path."""
    if _soundness().of(schema())(document.data):
        return []
    from batchspec.spec.complaints import complaints
    from batchspec.spec.validator import errors

    every = errors(schema(), _soundness(), document.data)
    found = (one for error in every for one in complaints(error, document))
    return list(dict.fromkeys(islice(found, MAX_FINDINGS)))


def definition(name: str) -> Mapping[str, Any]:
    """The schema's node for one of the models of Azure Batch ("BatchPoolCreateOptions"). Raises KeyError."""
    node: Mapping[str, Any] = schema()["$defs"][name]
    return node


def model_of(node: Mapping[str, Any]) -> str | None:
    """The name of the model that this very node of the schema is the definition of."""
    return _names().get(id(node))


@cache
def _names() -> Mapping[int, str]:
    return {id(node): name for name, node in schema()["$defs"].items()}


@cache
def _soundness() -> Soundness:
    return Soundness(schema())


@cache
def schema() -> Mapping[str, Any]:
    """The whole schema; read once, not to be changed."""
    loaded: Mapping[str, Any] = json.loads(text())
    return loaded


def text(name: str = FILE_NAME) -> str:
    """The schema, or one of the `OTHERS` of what the program writes, as it is in its file."""
    shipped = Path(__file__).with_name(name)
    file = shipped if shipped.exists() else Path(__file__).parents[2] / "schemas" / name
    return file.read_text(encoding="utf-8")
