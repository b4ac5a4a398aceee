"""Where a character of a scalar's text was written: through indentation, folding, quotes and escapes.

Place in the pipeline: `document` asks when something inside of a text is wrong. In: the file, the place where the
scalar begins, its text, an offset in that. Out: a Position, or None when text and file do not go together. Pure.

The text is followed through the file character by character: what the file has beyond it is white space or the way in
which a quoted text writes a character. Of several places that a folded space may stand for, one is given.
"""

import re
from bisect import bisect_right
from functools import lru_cache

from batchspec.spec.position import Position

_BREAKS = "\r\n\x85\u2028\u2029"
_BREAK = re.compile(f"\r\n|[{_BREAKS}]")
_PROPERTIES = re.compile(r"(?:[&!][^\s,\[\]{}]*\s+)*")
_HEADER = re.compile(f"[|>][^{_BREAKS}]*(?:\r\n|[{_BREAKS}])?")
_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)")
_CONTINUATION = re.compile(f"\\\\(?:\r\n|[{_BREAKS}])\\s*")


def place(source: str, start: Position, text: str, offset: int) -> Position | None:
    """The place of `text[offset]`, in the scalar that begins at `start`; of its last character behind the end."""
    starts = _line_starts(source)
    if start.line > len(starts):
        return None
    index = _followed(source, starts[start.line - 1] + start.column - 1, text[: offset + 1])
    if index is None:
        return None
    line = bisect_right(starts, index)
    return Position(line, index - starts[line - 1] + 1)


@lru_cache(maxsize=4)
def _line_starts(source: str) -> tuple[int, ...]:
    return (0, *(match.end() for match in _BREAK.finditer(source)))


def _followed(source: str, index: int, text: str) -> int | None:
    """Where the last character of `text` stands in the source."""
    match = _PROPERTIES.match(source, index)
    index = match.end() if match else index
    style = source[index : index + 1]
    if header := _HEADER.match(source, index):
        index = header.end()
    elif style in ("'", '"'):
        index += 1
    at = index
    for character in text:
        found = _next(source, index, character, style)
        if found is None:
            return None
        at, index = found
    return at


def _next(source: str, index: int, character: str, style: str) -> tuple[int, int] | None:
    """Where a character stands, from an index on, and where the one after it may begin."""
    while index < len(source):
        seen = source[index]
        if style == '"' and seen == "\\":
            if continued := _CONTINUATION.match(source, index):
                index = continued.end()
                continue
            escape = _ESCAPE.match(source, index)
            return (index, escape.end()) if escape else None
        if style == "'" and source.startswith("''", index):
            return (index, index + 2) if character == "'" else None
        if seen in _BREAKS and character in (" ", "\n", seen):
            return index, index + (2 if source.startswith("\r\n", index) else 1)
        if seen == character:
            return index, index + 1
        if not seen.isspace():
            return None
        index += 1
    return None
