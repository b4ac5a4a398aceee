"""Types of variables.

Place in the pipeline: the check of declarations, `build` and `variables` ask. Pure.
"""

_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "string": ((str,), "a text"),
    "integer": ((int,), "a whole number"),
    "number": ((int, float), "a number"),
    "boolean": ((bool,), "true or false"),
    "list": ((list,), "a list"),
    "object": ((dict,), "a mapping"),
}

_STAND_INS: dict[str, object] = {"integer": 1, "number": 1, "boolean": False, "list": [], "object": {}}


def fits(value: object, kind: str) -> bool:
    """Whether a value has a type ("integer"); true is no number."""
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _TYPES[kind][0])


def type_in_words(kind: str) -> str:
    """The type as messages say it."""
    return _TYPES[kind][1]


def stand_in(kind: str | None, name: str) -> object:
    """What stands for a value that is missing or broken, so that the rest can be looked at; a legal id for texts."""
    return _STAND_INS.get(kind or "string", name)
