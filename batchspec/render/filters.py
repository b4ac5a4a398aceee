"""The filters a template can use, where Jinja's own would not do.

Place in the pipeline: `template` puts these into its environment. In: a value and arguments from a template. Out: a
value. Never reads a file, a clock or randomness, and makes nothing larger than `guard` allows.

Decisions: `text` is how any value becomes text: booleans, lists and mappings as JSON, since Python's `True` and `['a']`
help nobody in a command; nothing (null) and whole objects are refused rather than printed. Of a path, `stem` and
`suffix` look at the last part, and a leading dot begins no suffix.
"""

import json
import math
import posixpath
import shlex
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath

from batchspec.render import guard
from batchspec.render.ids import task_id
from batchspec.render.symbolic import OPEN
from batchspec.render.unknown import TEXT, Unknown

INFINITE = "makes a number that is too large, or none"


class Unusable(ValueError):
    """A value cannot be used in this way; the message says what can be done."""


def text(value: object) -> str:
    """The text of a value in a template's output."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(finite(value))
    if isinstance(value, int):
        guard.weight(value)
        return str(value)
    if value is None:
        raise Unusable("a value is nothing (null); use the filter default, or set it")
    if isinstance(value, (list, tuple, dict)):
        return tojson(value)
    if isinstance(value, Unknown):
        return TEXT
    raise Unusable(_whole_thing(value))


def finite(value: float) -> float:
    """The number back. Raises Unusable for infinities and NaN, which neither JSON nor a person can use."""
    if not math.isfinite(value):
        raise Unusable(INFINITE)
    return value


def tojson(value: object, indent: int | None = None) -> str:
    """JSON text, keys in their order; nothing is escaped for HTML."""
    guard.weight(value)
    if indent is not None:
        guard.check_padding(indent)
    if isinstance(value, str) and f"{OPEN}secret" in value:
        raise Unusable("a secret cannot be put into JSON, since its value is not known yet")
    try:
        return json.dumps(value, ensure_ascii=False, indent=indent, allow_nan=False)
    except TypeError as error:
        raise Unusable("only texts, numbers, booleans, lists and mappings can be JSON") from error


def sh(value: object) -> str:
    """One word for a POSIX shell, whatever the value holds."""
    return shlex.quote(text(value))


def stem(value: object) -> str:
    """The last part of a path without its last suffix: `a.b.c` for `dir/a.b.c.mp4`."""
    return PurePosixPath(text(value)).stem


def suffix(value: object) -> str:
    """The last suffix of a path with its dot: `.mp4`, or nothing."""
    return PurePosixPath(text(value)).suffix


def basename(value: object) -> str:
    """The last part of a path."""
    return posixpath.basename(text(value))


def dirname(value: object) -> str:
    """Everything before the last part of a path, without slash at the end."""
    return posixpath.dirname(text(value))


def with_suffix(value: object, new: str) -> str:
    """The path with its last suffix replaced: `a.b.mp3` for `a.b.mp4` and `.mp3`."""
    path = text(value)
    if new and (not new.startswith(".") or new == "." or "/" in new):
        raise Unusable(f"with_suffix takes a suffix with its dot, such as '.mp3', not {new!r}")
    if not posixpath.basename(path):
        raise Unusable("with_suffix needs a file name")
    old = suffix(path)
    return (path[: -len(old)] if old else path) + new


def as_task_id(value: object) -> str:
    """A legal, readable, stable task id for any text."""
    return task_id(text(value))


def join(value: Iterable[object], separator: str = "") -> str:
    """The texts of all items with `separator` between them."""
    parts = [text(item) for item in value]
    guard.check_length(sum(map(len, parts)) + len(text(separator)) * len(parts))
    return text(separator).join(parts)


def replace(value: object, old: str, new: str, count: int = -1) -> str:
    """The text with `old` replaced by `new`, at most `count` times."""
    guard.check_replace(text(value), text(old), text(new))
    return text(value).replace(text(old), text(new), count)


def indent(value: object, width: int = 4, first: bool = False, blank: bool = False) -> str:
    """The text with every line but the first moved right by `width` spaces."""
    guard.check_padding(width)
    lines = text(value).splitlines(keepends=True)
    guard.check_length(len(lines) * width + len(text(value)))
    pad = " " * width
    return "".join(
        pad + line if (number or first) and (blank or line.strip()) else line for number, line in enumerate(lines)
    )


def percent(value: object, *arguments: object, **named: object) -> str:
    """The text with its `%` places filled in."""
    return fill(text(value), named or arguments)


def fill(pattern: str, arguments: object) -> str:
    """`pattern % arguments`."""
    values = arguments.values() if isinstance(arguments, dict) else arguments
    several = list(values) if isinstance(values, Iterable) and not isinstance(values, str) else [values]
    guard.check_format(pattern, several)
    return pattern % arguments


def total(value: Iterable[object], start: float = 0) -> float:
    """The sum of numbers."""
    result = start
    for item in value:
        if not isinstance(item, (int, float)):
            raise Unusable("sum adds numbers only")
        result += item
    return result


def rounded(value: float, precision: int = 0) -> float:
    """The number rounded to so many digits; a whole number when that is 0."""
    guard.check_padding(precision)
    return round(value, precision) if precision else round(value)


def _whole_thing(value: object) -> str:
    parts = getattr(value, "PARTS", ())
    if parts:
        return f"this has parts, write one of them: {', '.join(parts)}"
    return f"a {type(value).__name__} cannot be written as text"


FILTERS: dict[str, Callable[..., object]] = {
    "sh": sh,
    "stem": stem,
    "suffix": suffix,
    "basename": basename,
    "dirname": dirname,
    "with_suffix": with_suffix,
    "task_id": as_task_id,
    "join": join,
    "replace": replace,
    "indent": indent,
    "format": percent,
    "sum": total,
    "round": rounded,
    "string": text,
    "tojson": tojson,
}
# Filters whose result may hold the address or secret that they were given; any other would break it.
KEEP_SYMBOLS = frozenset({"sh", "tojson", "join", "string", "default", "d", "format"})
