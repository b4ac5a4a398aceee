"""An error of the JSON Schema validator -> what a person can act on.

Place in the pipeline: `schema` asks for every error. In: an error with the document. Out: Findings: the value seen,
what was expected, and what was probably meant. Of alternatives (`anyOf`) only the one that the value was meant for
speaks. Never shows a part of the schema.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema.exceptions import ValidationError

from batchspec.spec import expected
from batchspec.spec.document import At, Document, Finding, shown
from batchspec.spec.elsewhere import choice_meant, property_meant
from batchspec.spec.instead import instead
from batchspec.spec.schema import schema
from batchspec.spec.suggest import did_you_mean
from batchspec.spec.words import has_template

_MOST_NAMES = 10
_NOT_EMPTY = "must not be empty; write at least one, or leave the word out"


def complaints(error: ValidationError, document: Document) -> Iterator[Finding]:
    """What to say about one error; several findings when it stands for several unknown names."""
    at: At = tuple(error.absolute_path)
    word, node = error.validator, _node(error)
    limit: Any = error.validator_value
    value: Any = error.instance
    if word == "anyOf":
        yield from _of_alternatives(error, document)
    elif word == "additionalProperties":
        yield from _unknown(at, node, value)
    elif word == "required":
        for name in limit:
            if name not in value:
                example = expected.example(name, node)
                yield Finding(
                    (*at, name), f"missing; {f'for example `{example}`' if example else 'it is required here'}"
                )
    elif word in ("type", "const", "enum"):
        yield _mismatch(at, [node], value, document, templates=False)
    elif word == "pattern":
        yield Finding(at, f"{shown(value)} does not have the right form; expected {expected.names([node])}")
    elif word in ("minItems", "minProperties"):
        yield Finding(at, _NOT_EMPTY)
    elif word == "minimum":
        yield Finding(at, f"{shown(value)} is too small; the least is {limit}")
    elif word == "maximum":
        yield Finding(at, f"{shown(value)} is too large; the most is {limit}")
    elif word == "minLength":
        yield Finding(at, expected.EMPTY_TEXT)
    elif word == "maxLength":
        if not has_template(value):
            yield Finding(at, f"has {len(value):,} characters; at most {limit:,} are allowed")
    elif word in ("x-shortest", "x-longest", "x-moment"):
        yield Finding(at, f"{shown(value)} {error.message}")
    elif word == "maxItems":
        yield Finding(at, f"has {len(value)} items; at most {limit} are allowed")
    else:
        yield Finding(at, f"{shown(value)} is not allowed here ({word})")


def _of_alternatives(error: ValidationError, document: Document) -> Iterator[Finding]:
    meant = _meant(error)
    if meant is not None:
        for inner in meant:
            yield from complaints(inner, document)
        return
    nodes = list(expected.alternatives(_node(error)))
    yield _mismatch(tuple(error.absolute_path), nodes, error.instance, document)


def _node(error: ValidationError) -> Mapping[str, Any]:
    return error.schema if isinstance(error.schema, Mapping) else {}


def _meant(error: ValidationError) -> list[ValidationError] | None:
    """The errors of the alternative that has the value's type, or None when no alternative has."""
    branches: dict[object, list[ValidationError]] = {}
    for inner in error.context or ():
        branches.setdefault(inner.relative_schema_path[0], []).append(inner)
    for errors in branches.values():
        if not any(_excludes(one) for one in errors):
            return errors
    return None


def _excludes(error: ValidationError) -> bool:
    """Whether this error of an alternative says that the value was not meant for it at all."""
    if error.relative_path:
        return False
    if error.validator == "anyOf":
        return _meant(error) is None
    return error.validator in ("type", "enum", "const", "pattern")


def _mismatch(
    at: At, nodes: list[Mapping[str, Any]], value: object, document: Document, *, templates: bool = True
) -> Finding:
    choices = [choice for node in nodes for choice in _choices(node)]
    wanted = expected.names(nodes)
    if isinstance(value, str) and ("{{" in value or "{%" in value) and not expected.takes_text(nodes):
        instead_of_it = "or one whole template: nothing may stand around {{ }}" if templates else "and no template"
        return Finding(at, f"expected {wanted}, {instead_of_it}")
    if choices and isinstance(value, str):
        meant = choice_meant(value, choices)
        hint = f"; did you mean '{meant}'?" if meant else did_you_mean(value, choices)
        return Finding(at, f"{shown(value)} is not one of {expected.listed(choices)}{hint}")
    written = document.written(at)
    way_out = instead(nodes, value, written, next((step for step in reversed(at) if isinstance(step, str)), ""))
    return Finding(at, f"expected {wanted}, got {_seen(value, written)}{way_out}")


def _choices(node: Mapping[str, Any]) -> list[str]:
    return [str(choice) for choice in node.get("enum", ())]


def _seen(value: object, written: str | None) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return shown(value)
    return f"the number {shown(value) if written is None else shown(written).strip(chr(39))}"


def _unknown(at: At, node: Mapping[str, Any], value: Mapping[str, object]) -> Iterator[Finding]:
    known: Mapping[str, Any] = node.get("properties", {})
    for name in value:
        if name not in known:
            hint = _suggestion(name, known, value) or _section(name, at)
            quoted = re.search(r"'(.*)'", hint)
            meant = quoted.group(1) if quoted else ""
            yield Finding((*at, name), f"unknown property{hint}", on_key=True, meant=meant)


def _suggestion(name: str, known: Mapping[str, Any], present: Mapping[str, object]) -> str:
    snake = re.sub(r"(?<=[a-z0-9])([A-Z])|(?<=[A-Z])([A-Z])(?=[a-z])", r"_\1\2", name).lower().replace("-", "_")
    for candidate, node in known.items():
        if candidate == snake or node.get("x-rest-name") in (name, expected.camel(name)):
            return f"; did you mean '{candidate}'?"
    if meant := property_meant(snake, known):
        return f"; did you mean '{meant}'?"
    for candidate, node in known.items():
        if any(snake in inner.get("properties", {}) for inner in expected.alternatives(node)):
            return f"; did you mean '{candidate}.{snake}'?"
    absent = [one for one in known if one not in present]
    if close := did_you_mean(snake, absent, 0.65) or did_you_mean(snake, known, 0.65):
        return close
    for candidate, node in known.items():
        items = [inner["items"] for inner in expected.alternatives(node) if "items" in inner]
        if any(snake in one.get("properties", {}) for item in items for one in expected.alternatives(item)):
            return f"; it belongs into an entry of `{candidate}`"
    few = len(known) <= _MOST_NAMES and snake not in schema()["properties"]
    return f"; known here: {', '.join(known)}" if few else ""


def _section(name: str, at: At) -> str:
    """What to say about the name of a section that stands inside of another one."""
    if name not in schema()["properties"]:
        return ""
    if at[:1] == ("schedule",):
        return (
            "; a schedule's jobs are described under `job_specification`, and its `job_manager_task` adds their tasks"
        )
    return "; it stands at the left margin, as a section of its own"
