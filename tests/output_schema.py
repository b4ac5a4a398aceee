"""The schema of what `--format json` prints, for tests: closed, so that a property that it does not describe fails."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema.validators import Draft202012Validator

FILE = Path(__file__).parents[1] / "schemas/batchspec-output-v1.schema.json"
COMMANDS = ("plan", "apply", "status", "doctor")


def check(answer: object) -> None:
    """Raise AssertionError unless the schema describes the object, and all of it."""
    faults = [f"{one.json_path}: {one.message}" for one in _validator().iter_errors(answer)]
    assert not faults, "\n".join([*faults, json.dumps(answer)])


def check_output(arguments: tuple[str, ...], stdout: str) -> None:
    """Check what a command printed, when it is one that the schema is for, and was asked for JSON."""
    if arguments[:1] and arguments[0] in COMMANDS and "json" in arguments[1:]:
        for line in stdout.splitlines():
            check(json.loads(line))


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(_closed(json.loads(FILE.read_text(encoding="utf-8"))))


def _closed(schema: Any, *, use: bool = True) -> Any:
    """The schema with nothing beside what it describes; `use` is whether it is that of a value, no part of another."""
    if isinstance(schema, list):
        return [_closed(one, use=False) for one in schema]
    if not isinstance(schema, dict):
        return schema
    whole: dict[str, Any] = {}
    for word, value in schema.items():
        if word == "properties":
            whole[word] = {name: _closed(one) for name, one in value.items()}
        elif word in ("$defs", "dependentSchemas"):
            whole[word] = {name: _closed(one, use=False) for name, one in value.items()}
        else:
            whole[word] = _closed(value, use=word == "items")
    if use and schema.keys() & {"$ref", "anyOf", "properties"}:
        whole["unevaluatedProperties"] = False
    return whole
