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
_NO_TAG = re.compile(r"Encountered unknown tag '(\w+)'")
_NEVER_CLOSED = re.compile(r"innermost block that needs to be closed is '(\w+)'")
_SIGNS = {"'end of print statement'": "`}}`", "'end of statement block'": "`%}`"}
_KINDS = {
    "str": "a text",
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
    "NoneType": "nothing",
    "list": "a list",
    "tuple": "a list",
    "dict": "a mapping",
    "range": "a list",
}
_OPERANDS = re.compile(r"unsupported operand type\(s\) for ([^\w\s]+)(?: or pow\(\))?: '(\w+)' and '(\w+)'")
_JOINED = re.compile(r"can only concatenate (\w+) \(not \"(\w+)\"\) to \w+")
_COMPARED = re.compile(r"'(\S+)' not supported between instances of '(\w+)' and '(\w+)'")
_CALLED = re.compile(r"(?:\w+\.)*([a-z]\w*)\(\)")
_LACKING = re.compile(r"\(\) missing \d+ required (?:positional|keyword-only) arguments?: (.+)")
_TOO_MANY = re.compile(r"\(\) takes .* positional arguments? but \d+ (?:were|was) given")
_NO_ARGUMENT = re.compile(r"got an unexpected keyword argument '(\w+)'")
_NO_SUCH_PART = re.compile(r"'(\w+)' object has no attribute")
_NO_LIST = re.compile(r"'(\w+)' object is not iterable")


class TemplateFault(Exception):
    """A template is wrong, or cannot be rendered with these names; `offset` is the place inside it, None if unknown.

    `names_nothing` says that it uses a name that there is not, which is so whatever values the others have. `others`
    are what is wrong behind it in the same text.
    """

    def __init__(self, message: str, offset: int | None = None, *, names_nothing: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.names_nothing = names_nothing
        self.others: tuple[TemplateFault, ...] = ()


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
    if never_closed(message):
        return f"`{{% {never_closed(message)} %}}` is never closed; write `{{% end{never_closed(message)} %}}` after it"
    if message.startswith("unexpected end of template, expected 'end of"):
        opening, closing = ("{{", "}}") if "print" in message else ("{%", "%}")
        return f"`{opening}` is never closed; write `{closing}` after it{_RAW}"
    if unknown := _NO_TAG.match(message):
        return f"there is no tag '{unknown[1]}'; a template here can use if, for, set and with{_RAW}"
    for sign, written in _SIGNS.items():
        message = message.replace(sign, written)
    return f"{message[:1].lower()}{message[1:]}{_RAW}"


def never_closed(message: str | None) -> str:
    """The tag ("if") that a complaint says is open at the end, or ""."""
    found = _NEVER_CLOSED.search(message or "")
    return found[1] if found else ""


def running_words(message: str, filter_name: str) -> str:
    """What Python says about values that do not go together, in the words of a template; else what it says."""
    if found := _OPERANDS.search(message) or _JOINED.search(message):
        sign, one, other = found.groups() if len(found.groups()) == 3 else ("+", *found.groups())
        joins = "; `~` joins texts" if sign == "+" and "str" in (one, other) else ""
        return f"`{sign}` does not go with {_named(one)} and {_named(other)}{joins}"
    if found := _COMPARED.search(message):
        return f"`{found[1]}` does not compare {_named(found[2])} and {_named(found[3])}"
    called = _CALLED.match(message)
    subject = f"`{called[1]}()`" if called else "what is called"
    if filter_name:
        subject = f"the filter `{filter_name}`"
    if found := _LACKING.search(message):
        return f"{subject} lacks its argument {found[1]}"
    if _TOO_MANY.search(message):
        return f"{subject} takes fewer arguments"
    if found := _NO_ARGUMENT.search(message):
        return f"{subject} has no argument '{found[1]}'"
    if found := _NO_SUCH_PART.search(message):
        return f"{subject} cannot use {_named(found[1])} there"
    if found := _NO_LIST.search(message):
        return f"{_named(found[1])} stands where a list belongs"
    return message


def _named(kind: str) -> str:
    return _KINDS.get(kind, f"a {kind}")


def plain(message: str | None) -> str:
    """A complaint of Python or Jinja on one line."""
    return " ".join((message or "").split()).rstrip(".")[:300]
