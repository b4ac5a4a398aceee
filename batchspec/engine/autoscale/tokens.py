"""A formula cut into words.

Place: before `syntax.py`. In: the text of a formula. Out: tokens with their positions, an `END` last; comments (`//`
to the end of the line, the only form Microsoft's own editor knows) and white space are gone. Never: knows what a
word means.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from batchspec.engine.autoscale.faults import SYNTAX_ERROR, FormulaInvalid, Position


class Kind(Enum):
    """What a token is; the names are those of the groups in the pattern."""

    NUMBER = "number"
    TEXT = "text"
    NAME = "name"
    SIGN = "sign"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a formula, as written (a text without its quotes)."""

    kind: Kind
    text: str
    at: Position


_PATTERN = re.compile(
    r"(?P<blank>[ \t\r\n\f\v\ufeff]+|//[^\n]*)"
    r"|(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>\$?[A-Za-z_][A-Za-z0-9_]*)"
    r'|"(?P<text>[^"\n]*)"'
    r"|(?P<sign>[<>=!]=|&&|\|\||[-+*/<>=!?:()\[\],.;])"
)


def tokens(source: str) -> Iterator[Token]:
    """The words of a formula in order. Raises `FormulaInvalid` at the first character that starts none."""
    index, line, line_start = 0, 1, 0
    while index < len(source):
        at = Position(line, index - line_start + 1)
        match = _PATTERN.match(source, index)
        if match is None:
            raise FormulaInvalid(SYNTAX_ERROR, f"{at}: {_why_no_token(source[index])}")
        group = match.lastgroup
        if group is not None and group != "blank":
            yield Token(Kind(group), match[group], at)
        breaks = source.count("\n", index, match.end())
        if breaks:
            line, line_start = line + breaks, source.rindex("\n", index, match.end()) + 1
        index = match.end()
    yield Token(Kind.END, "", Position(line, index - line_start + 1))


def _why_no_token(character: str) -> str:
    if character == '"':
        return 'Text without a closing " on its line'
    return f"Unexpected character: {character}"
