"""A text taken apart into literals and its `{{ }}`, so that texts that differ in their literals share a template.

Place in the pipeline: `template` compiles what this leaves of a text. In: a text. Out: `Pieces`. Pure.

A spec that a program wrote has thousands of commands that differ in a number or a name, and to compile a template costs
as much as to render it a hundred times. A text that holds anything but literals and simple `{{ }}` stays in one piece,
since only Jinja knows where what ends.
"""

import re
from dataclasses import dataclass

# No braces inside but in no text either, no escapes, and no `-` or `+` at the ends, which cut the literals beside.
_PRINT = re.compile(r"""\{\{(?![-+])(?:[^{}'"]++|'[^'\\{}]*+'|"[^"\\{}]*+")*+(?<![-+])\}\}""")


@dataclass(frozen=True, slots=True)
class Pieces:
    """A literal stands before each of the `prints` and behind the last; `starts` are their offsets in the text.

    Of a text in one piece there are no literals.
    """

    prints: tuple[str, ...]
    starts: tuple[int, ...] = (0,)
    literals: tuple[str, ...] = ()

    @property
    def template(self) -> str:
        """What is to be compiled: the prints alone."""
        return "".join(self.prints)

    def place(self, offset: int) -> int:
        """The offset in the text of one in the template."""
        before = 0
        for print_, start in zip(self.prints, self.starts, strict=True):
            if offset < before + len(print_):
                return start + offset - before
            before += len(print_)
        return self.starts[-1] + len(self.prints[-1])


def pieces_of(text: str) -> Pieces:
    """Take a text apart; in one piece where that is not certain to mean the same."""
    found = list(_PRINT.finditer(text))
    ends = [0, *(match.end() for match in found)]
    starts = [*(match.start() for match in found), len(text)]
    literals = [text[end:start] for end, start in zip(ends, starts, strict=True)]
    # A brace before a print belongs to it, `{%` rules over what follows, and Jinja changes the ends of lines.
    if not found or any("{{" in one or "{%" in one or "\r" in one or one.endswith("{") for one in literals):
        return Pieces((text,))
    return Pieces(tuple(match.group() for match in found), tuple(starts[:-1]), tuple(literals))
