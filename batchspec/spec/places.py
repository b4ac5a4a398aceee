"""Where a character of a scalar's text was written: through indentation, folding, quotes and escapes.

Place in the pipeline: `document` asks when something inside of a text is wrong. In: the file, the place where the
scalar begins, its text, an offset in that. Out: a Position, or None when text and file do not go together. Pure.

However a scalar is written, what its text has beyond white space stands in the file in the same order, and white space
is all that is added or taken away. So the n-th character that is no white space is the n-th one there.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

from batchspec.spec.position import Position

_BREAKS = "\r\n\x85\u2028\u2029"
_WHITE = f" \t{_BREAKS}"
_BREAK = re.compile(f"\r\n|[{_BREAKS}]")
_BEFORE = re.compile(rf"(?:!<[^>]*>|[&!][^{_WHITE},\[\]{{}}]*|#[^{_BREAKS}]*|[{_WHITE}]+)*")
_HEADER = re.compile(rf"[|>][^{_BREAKS}]*")
_PLAIN = re.compile(rf"[^{_WHITE}]")
_SINGLE_QUOTED = re.compile(rf"''|[^{_WHITE}']")
_ESCAPED_WHITE = r"[ \tntrNLP]|(?:x|u00|U000000)(?:0[9aAdD]|20|85)|(?:u|U0000)202[89]"
_DOUBLE_QUOTED = re.compile(
    rf"(?P<white>\\(?:{_ESCAPED_WHITE}|[{_BREAKS}]))|\\(?:x..|u.{{4}}|U.{{8}}|.)|[^{_WHITE}\"\\]", re.DOTALL
)


def place(source: str, start: Position, text: str, offset: int) -> Position | None:
    """The place of `text[offset]` in the scalar that begins at `start`; white space stands behind what is before it."""
    starts = _line_starts(source)
    before = text[: offset + 1]
    written = before.rstrip(_WHITE)
    count = sum(character not in _WHITE for character in written)
    if start.line > len(starts) or not count:
        return None
    begin = starts[start.line - 1] + start.column - 1
    match = next(islice(_characters(source, begin), count - 1, None), None)
    if match is None or (len(match[0]) == 1 and match[0] != written[-1]):
        return None
    index = match.start() if written == before and offset < len(text) else match.end()
    line = bisect_right(starts, index)
    return Position(line, index - starts[line - 1] + 1)


@lru_cache(maxsize=4)
def _line_starts(source: str) -> tuple[int, ...]:
    return (0, *(match.end() for match in _BREAK.finditer(source)))


def _characters(source: str, index: int) -> Iterator[re.Match[str]]:
    """What is no white space in the scalar that begins at an index, as it is written; beyond its end if it is asked."""
    before = _BEFORE.match(source, index)
    index = before.end() if before else index
    style = source[index : index + 1]
    if header := _HEADER.match(source, index):
        return _PLAIN.finditer(source, header.end())
    if style == "'":
        return _SINGLE_QUOTED.finditer(source, index + 1)
    if style == '"':
        return (match for match in _DOUBLE_QUOTED.finditer(source, index + 1) if match["white"] is None)
    return _PLAIN.finditer(source, index)
