"""Glob patterns on names with `/`: `*` stays in one folder, `**` is zero or more folders, `?`, `[abc]`, `[!abc]`.

Place in the pipeline: `files` matches local paths with it, `reconcile` blob names. Pure. A leading dot of a part
must be written in the pattern, as in a shell.

Decision: what stands between two stars is looked for once, as far to the left as it can be, and never again (an atomic
group): that is always as good as any later place, and no pattern, however many stars it has, takes long.
"""

import functools
import re
from collections.abc import Sequence

# What a path can have on Linux, and four times what the name of a blob can.
MAX_PATTERN = 4_096

_FOLDERS = r"(?:(?!\.)[^/]+/)*"
_ALL_BELOW = r"(?:(?!\.)[^/]+(?:/(?!\.)[^/]+)*)?"


def matches(name: str, pattern: str) -> bool:
    """Whether the whole `name` matches `pattern`."""
    return _compiled(pattern).fullmatch(name) is not None


@functools.lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    *folders, last = pattern.split("/")
    between = [""]
    for part in folders:
        if part == "**":
            between.append("")
        else:
            between[-1] += regex_of_part(part) + "/"
    between[-1] += _ALL_BELOW if last == "**" else regex_of_part(last)
    return re.compile(_with_stars(between, _FOLDERS), re.DOTALL)


def regex_of_part(part: str) -> str:
    """The regular expression of one part of a pattern, without slashes; it has at least one character."""
    if part and not part.strip("*"):
        return r"(?!\.)[^/]+"
    between, index = [""], 0
    while index < len(part):
        character = part[index]
        end = part.find("]", index + 3 if part[index + 1 : index + 2] in "!^" else index + 2)
        if character == "*":
            between.append("")
        elif character == "?":
            between[-1] += "[^/]"
        elif character == "[" and end > 0:
            between[-1] += _set(part[index + 1 : end])
            index = end
        else:
            between[-1] += re.escape(character)
        index += 1
    return ("" if part.startswith(".") else r"(?!\.)") + _with_stars(between, "[^/]*")


def _with_stars(between: Sequence[str], star: str) -> str:
    """What stands before, between and behind stars, put together."""
    if len(between) == 1:
        return between[0]
    first, *middle, last = between
    return first + "".join(f"(?>{star}?{one})" for one in middle) + star + last


def _set(inner: str) -> str:
    negated = inner[0] in "!^"
    members = inner[1:] if negated else inner
    escaped = re.sub(r"([\\\[\]^&~|])", r"\\\1", members)
    try:
        re.compile(f"[{escaped}]")
    except re.error:
        escaped = re.escape(members)
    return f"(?!/)[{'^' if negated else ''}{escaped}]"
