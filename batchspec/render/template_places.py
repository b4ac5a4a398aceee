"""Where in its source a template is wrong.

Place in the pipeline: `template` compiles with this lexer and asks here for the place of a fault. In: sources, offsets
that Jinja carries, the name that is at fault. Out: offsets in the source, from 0. Pure.

Jinja knows lines only. Since it never computes with them, its tokens are given offsets instead of lines: parser,
compiler and traceback then tell offsets. They tell one inside of the `{{ }}` or `{% %}` at fault; the name there is
found in its text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from jinja2 import TemplateSyntaxError
from jinja2.lexer import Lexer

from batchspec.render.template_faults import never_closed

_LEXER_PLACE = re.compile(r" at (\d+)$")
_OPENING = re.compile(r"\{[{%][-+]?\s*")


@dataclass(frozen=True, slots=True)
class Culprit:
    """The name that a fault is about: one that stands alone, a filter after `|`, or a part of `owner` after `.`."""

    word: str
    sign: str = ""
    owner: str = ""

    def patterns(self) -> tuple[str, ...]:
        """How it may be written, the likeliest first; the group `word` is it."""
        word = rf"(?P<word>{re.escape(self.word)})(?!\w)"
        if self.sign == "|":
            return (rf"\|\s*{word}",)
        if self.sign == ".":
            part = rf"\s*(?:\.\s*|\[\s*['\"]){word}"
            return (rf"(?<![\w.]){re.escape(self.owner)}{part}", part) if self.owner else (part,)
        return (rf"(?<![\w.'\"]){word}",)


class OffsetLexer(Lexer):
    """Jinja's lexer, whose tokens have their offset in the source (from 1) where Jinja's have their line."""

    def tokeniter(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> Iterator[tuple[int, str, str]]:
        """The tokens of a source."""
        after = 0
        try:
            for _, kind, value in super().tokeniter(source, name, filename, state):
                found = source.find(value, after)
                begin = after if found < 0 else found  # line ends are changed by Jinja, white space may be cut
                after = begin + len(value)
                yield begin + 1, kind, value
        except TemplateSyntaxError as error:
            place = _LEXER_PLACE.search(error.message or "")
            message = _LEXER_PLACE.sub("", error.message or "")
            raise TemplateSyntaxError(message, int(place[1]) + 1 if place else after + 1, name, filename) from error


def of_syntax(source: str, offset: int, message: str | None) -> int:
    """The place of a complaint of the parser; of what is never closed it is where that begins."""
    tag = never_closed(message)
    if not tag and not (message or "").startswith("unexpected end of template, expected 'end of"):
        return offset
    opening = rf"\{{%[-+]?\s*{tag}\b" if tag else r"\{[{%]"
    return max((match.start() for match in re.finditer(opening, source)), default=offset)


def narrowed(source: str, offset: int, culprit: Culprit | None) -> int:
    """The place of the culprit in the construct around an offset; without one the place where its expression begins."""
    begin = max(source.rfind("{{", 0, offset + 2), source.rfind("{%", 0, offset + 2), 0)
    end = min((at for at in (source.find(sign, offset) for sign in ("}}", "%}")) if at >= 0), default=len(source))
    for pattern in culprit.patterns() if culprit else ():
        if match := re.compile(pattern).search(source, begin, end):
            return match.start("word")
    opening = _OPENING.match(source, begin)
    return opening.end() if opening else begin
