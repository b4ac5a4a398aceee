"""A formula cut into words.

Place in the pipeline: before `check`. In: a text. Out: words with their places, without spaces and `//` comments; the
last one is empty and stands behind the text. Pure.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_WORD = re.compile(
    r"(?P<space>[ \t\r\n\f\v\ufeff]+|//[^\n]*)"
    r"|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>\$?[A-Za-z_]\w*)"
    r'|(?P<text>"[^"\n]*")'
    r"|(?P<sign>==|!=|<=|>=|&&|\|\||[-+*/<>=!?:;,.()\[\]])",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column in a formula, both from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Word:
    """A word as it is written; `kind` is number, name, text, sign or end."""

    kind: str
    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class FormulaFault:
    """What is wrong at a place of a formula."""

    place: Place
    message: str


class Unreadable(Exception):
    """The reading of a formula ends here."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.fault = FormulaFault(place, message)


def words(formula: str) -> Iterator[Word]:
    """The words in order. Raises Unreadable at the first character that begins none."""
    offset, line, begin = 0, 1, 0
    while offset < len(formula):
        place = Place(line, offset - begin + 1)
        match = _WORD.match(formula, offset)
        if match is None:
            raise Unreadable(place, _odd(formula[offset]))
        kind, offset = str(match.lastgroup), match.end()
        if kind != "space":
            yield Word(kind, match.group(), place)
        line += match.group().count("\n")
        begin = formula.rfind("\n", 0, offset) + 1
    yield Word("end", "", Place(line, offset - begin + 1))


def _odd(character: str) -> str:
    if character == '"':
        return 'a text that begins here lacks its closing " on the same line'
    meant = {"&": "&&", "|": "||", "'": '"', "#": "//"}.get(character)
    return f"unexpected {character!r}" + (f"; did you mean {meant}?" if meant else "")
