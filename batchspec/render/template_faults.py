"""What is wrong with a template, in words.

Place in the pipeline: `template` raises `TemplateFault` with the words made here. In: Jinja's complaints, names. Out:
one-line messages with what was probably meant. Pure.
"""

import re
from collections.abc import Collection, Mapping

from jinja2 import TemplateSyntaxError, Undefined
from jinja2.utils import missing

from batchspec.render.suggest import suggestion
from batchspec.render.unknown import Unknown

_RAW = "; to have {{ or {% literally, write {% raw %} before and {% endraw %} after it"
_NO_FILTER = re.compile(r"No filter named '(\w+)'")


class TemplateFault(Exception):
    """A template is wrong, or cannot be rendered with these names; `line` counts from 1 inside it, None if unknown.

    `names_nothing` says that it uses a name that there is not, which is so whatever values the others have.
    """

    def __init__(self, message: str, line: int | None = None, *, names_nothing: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.names_nothing = names_nothing


def unknown_words(name: str, owner: object, names: Mapping[str, object], always: Collection[str]) -> str:
    """What to say about a name, or about a part of `owner`, that there is not; `always` are not worth a mention."""
    if owner is missing:
        known = [one for one in names if one not in always]
        return f"unknown name '{name}'{suggestion(name, known)}"
    if isinstance(owner, Undefined):
        return str(owner)
    if isinstance(owner, dict):
        where = next((f"`{one}`" for one, value in names.items() if value is owner), "the mapping")
        return f"{where} has no '{name}'{suggestion(name, [str(key) for key in owner])}"
    if isinstance(owner, (list, tuple)):
        return f"a list of {len(owner)} has no '{name}'"
    known = list(getattr(owner, "PARTS", ()))
    return f"{_kind(owner)} has no '{name}'{suggestion(name, known) if known else ''}"


def _kind(owner: object) -> str:
    """What a value is, in words."""
    if owner is None or isinstance(owner, Unknown):
        return "nothing (null)" if owner is None else "this"
    words = {str: "a text", bool: "true or false", int: "a number", float: "a number"}
    return words.get(type(owner), f"a {type(owner).__name__.lower()}")


def syntax_words(error: TemplateSyntaxError, filters: Collection[str]) -> str:
    """Jinja's complaint with the way out: the name of a filter that is near, or how to write braces as they are."""
    message = plain(error.message)
    if unknown := _NO_FILTER.match(message):
        return f"there is no filter '{unknown[1]}'{suggestion(unknown[1], filters)}"
    return f"{message}{_RAW}"


def plain(message: str | None) -> str:
    """A complaint of Python or Jinja on one line."""
    return " ".join((message or "").split()).rstrip(".")[:300]
