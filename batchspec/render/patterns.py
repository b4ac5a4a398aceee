"""Glob patterns on names with `/`: `*` stays in one folder, `**` is zero or more folders, `?`, `[abc]`, `[!abc]`.

Place in the pipeline: `files` matches local paths with it, `reconcile` blob names. Pure. A leading dot of a part
must be written in the pattern, as in a shell.
"""

import functools
import re


def matches(name: str, pattern: str) -> bool:
    """Whether the whole `name` matches `pattern`."""
    return _compiled(pattern).fullmatch(name) is not None


@functools.lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = pattern.split("/")
    text = ""
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        if part == "**":
            text += r"(?:(?!\.)[^/]+(?:/(?!\.)[^/]+)*)?" if last else r"(?:(?!\.)[^/]+/)*"
        else:
            text += regex_of_part(part) + ("" if last else "/")
    return re.compile(text, re.DOTALL)


def regex_of_part(part: str) -> str:
    """The regular expression of one part of a pattern, without slashes."""
    text, index = ("" if part.startswith(".") else r"(?!\.)"), 0
    while index < len(part):
        character = part[index]
        end = part.find("]", index + 3 if part[index + 1 : index + 2] in "!^" else index + 2)
        if character == "*":
            text += "[^/]*"
        elif character == "?":
            text += "[^/]"
        elif character == "[" and end > 0:
            text += _set(part[index + 1 : end])
            index = end
        else:
            text += re.escape(character)
        index += 1
    return text


def _set(inner: str) -> str:
    negated = inner[0] in "!^"
    members = inner[1:] if negated else inner
    escaped = re.sub(r"([\\\[\]^&~|])", r"\\\1", members)
    try:
        re.compile(f"[{escaped}]")
    except re.error:
        escaped = re.escape(members)
    return f"(?!/)[{'^' if negated else ''}{escaped}]"
