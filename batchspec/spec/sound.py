"""Whether data is what the schema asks for: yes or no, at once.

Place in the pipeline: `validator` asks before it looks for errors, so that these are looked for only where there are
some: almost all of a long spec is right, and to find that out with the words for what is wrong takes twenty times as
long. In: the schema, one of its nodes, data. Out: a bool. Never says what is wrong.

The schema's nodes are turned into functions once. A word that is not known here is a mistake in the schema: KeyError.
"""

import re
from collections.abc import Callable, Mapping, Sized
from typing import Any

from batchspec.spec.durations import duration_fault, moment_fault
from batchspec.spec.words import has_template

Check = Callable[[Any], bool]
Node = Mapping[str, Any]

_SAYS_NOTHING = frozenset(
    {"$schema", "$id", "$defs", "title", "description", "examples", "format", "x-rest-name", "deprecated"}
)


class Soundness:
    """The checks of one schema, each made when it is first asked for."""

    def __init__(self, root: Node) -> None:
        self._root = root
        self._made: dict[int, Check] = {}

    def of(self, node: Node | bool) -> Check:
        """The check of one node of the schema."""
        if isinstance(node, bool):
            return lambda value: node
        check = self._made.get(id(node))
        if check is None:
            words = (one for one in node if one not in _SAYS_NOTHING)
            check = self._made[id(node)] = _every([_CHECKS[word](self, node[word], node) for word in words])
        return check

    def reference(self, pointer: str) -> Check:
        """The check of the node that a `$ref` names, which may hold that reference itself."""
        node: Any = self._root
        for step in pointer.removeprefix("#/").split("/"):
            node = node[step]
        return lambda value: self.of(node)(value)


def _every(checks: list[Check]) -> Check:
    if len(checks) == 1:
        return checks[0]

    def every(value: Any) -> bool:
        for check in checks:  # noqa: SIM110 - half as fast with all()
            if not check(value):
                return False
        return True

    return every


def _any(soundness: Soundness, nodes: list[Node], node: Node) -> Check:
    checks = [soundness.of(one) for one in nodes]

    def some(value: Any) -> bool:
        for check in checks:  # noqa: SIM110 - half as fast with any()
            if check(value):
                return True
        return False

    return some


def _properties(soundness: Soundness, properties: Mapping[str, Node], node: Node) -> Check:
    checks = {name: soundness.of(one) for name, one in properties.items()}

    def sound(value: Any) -> bool:
        if isinstance(value, dict):
            for name, inner in value.items():
                check = checks.get(name)
                if check is not None and not check(inner):
                    return False
        return True

    return sound


def _additional(soundness: Soundness, extra: Node | bool, node: Node) -> Check:
    known, check = node.get("properties", {}), soundness.of(extra)
    return lambda value: (
        not isinstance(value, dict) or all(name in known or check(inner) for name, inner in value.items())
    )


def _items(soundness: Soundness, items: Node | bool, node: Node) -> Check:
    check = soundness.of(items)
    return lambda value: not isinstance(value, list) or all(map(check, value))


_TYPES: Mapping[str, Check] = {
    "array": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: (
        not isinstance(value, bool) and (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))
    ),
    "null": lambda value: value is None,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "string": lambda value: isinstance(value, str),
}


def _type(names: str | list[str]) -> Check:
    if isinstance(names, str):
        return _TYPES[names]
    checks = [_TYPES[name] for name in names]
    return lambda value: any(check(value) for check in checks)


def _is_one_of(choices: list[object]) -> Check:
    return lambda value: any(value == one and isinstance(value, bool) == isinstance(one, bool) for one in choices)


def _number(fits: Callable[[Any, Any], bool]) -> Callable[[Soundness, Any, Node], Check]:
    is_number = _TYPES["number"]
    return lambda soundness, limit, node: lambda value: not is_number(value) or fits(value, limit)


def _length(kind: type[Sized], fits: Callable[[int, Any], bool]) -> Callable[[Soundness, Any, Node], Check]:
    return lambda soundness, limit, node: lambda value: not isinstance(value, kind) or fits(len(value), limit)


def _duration(word: str) -> Callable[[Soundness, str, Node], Check]:
    return lambda soundness, limit, node: (
        lambda value: not isinstance(value, str) or has_template(value) or duration_fault(value, word, limit) is None
    )


def _pattern(soundness: Soundness, pattern: str, node: Node) -> Check:
    search = re.compile(pattern).search
    return lambda value: not isinstance(value, str) or search(value) is not None


_CHECKS: Mapping[str, Callable[[Soundness, Any, Node], Check]] = {
    "$ref": lambda soundness, pointer, node: soundness.reference(pointer),
    "additionalProperties": _additional,
    "anyOf": _any,
    "const": lambda soundness, wanted, node: _is_one_of([wanted]),
    "enum": lambda soundness, choices, node: _is_one_of(choices),
    "items": _items,
    "maxItems": _length(list, lambda length, limit: length <= limit),
    "maxLength": _length(str, lambda length, limit: length <= limit),
    "maximum": _number(lambda value, limit: value <= limit),
    "minItems": _length(list, lambda length, limit: length >= limit),
    "minLength": _length(str, lambda length, limit: length >= limit),
    "minProperties": _length(dict, lambda length, limit: length >= limit),
    "minimum": _number(lambda value, limit: value >= limit),
    "pattern": _pattern,
    "properties": _properties,
    "required": lambda soundness, names, node: (
        lambda value: not isinstance(value, dict) or all(name in value for name in names)
    ),
    "type": lambda soundness, names, node: _type(names),
    "x-longest": _duration("x-longest"),
    "x-moment": lambda soundness, wanted, node: lambda value: not isinstance(value, str) or moment_fault(value) is None,
    "x-shortest": _duration("x-shortest"),
}
