"""Texts that were found in the service, as they must be written in a spec to arrive there as they were.

Place in the pipeline: `texts` makes these of what the service holds, `written` asks for their template. In: literal
pieces and the expressions between them. Out: a template. Pure.
"""

import json
import re
from dataclasses import dataclass

_ACTIVE = re.compile(r"\{*\r|\{\{|\{%")


@dataclass(frozen=True, slots=True)
class Code:
    """An expression of a template, without its braces."""

    source: str


@dataclass(frozen=True, slots=True)
class Text:
    """Literal texts and expressions in their order; no piece is empty."""

    pieces: tuple[str | Code, ...]

    @property
    def plain(self) -> str | None:
        """The text when it is the same for every rendering, else None."""
        if not self.pieces:
            return ""
        first = self.pieces[0]
        return first if len(self.pieces) == 1 and isinstance(first, str) else None

    @property
    def template(self) -> str:
        """What to write, so that rendering gives the literal pieces as they are."""
        plain = self.plain
        if plain is not None and "{{" not in plain and "{%" not in plain:
            return plain
        following = [*self.pieces[1:], ""]
        return "".join(
            f"{{{{ {piece.source} }}}}" if isinstance(piece, Code) else _literal(piece, isinstance(after, Code))
            for piece, after in zip(self.pieces, following, strict=True)
        )

    def with_literals(self, literals: "list[str | Code]") -> "Text":
        """The same with other literal pieces, in their order."""
        rest = iter(literals)
        return Text(tuple(piece if isinstance(piece, Code) else next(rest) for piece in self.pieces))

    @property
    def literals(self) -> list[str]:
        """The literal pieces."""
        return [piece for piece in self.pieces if isinstance(piece, str)]


# What a spec says, and a mapping of it.
Value = Text | int | float | bool | None | list["Value"] | dict[str, "Value"]
Words = dict[str, Value]


def text(value: str) -> Text:
    """A literal text."""
    return Text((value,) if value else ())


def joined(pieces: list[str | Code]) -> Text:
    """A text of these pieces, of which some may be empty or follow a literal one."""
    made: list[str | Code] = []
    for piece in pieces:
        if isinstance(piece, str) and made and isinstance(made[-1], str):
            made[-1] += piece
        elif piece:
            made.append(piece)
    return Text(tuple(made))


def quoted(value: str) -> str:
    """A text as an expression of a template."""
    return "'" + json.dumps(value, ensure_ascii=False)[1:-1].replace('\\"', '"').replace("'", "\\'") + "'"


def _literal(piece: str, before_code: bool) -> str:
    """A literal in a template. Jinja takes `{{` and `{%` for its own, and writes every line end as a line feed."""
    body = piece.rstrip("{") if before_code else piece
    braces = piece[len(body) :]
    piece, end = body, f"{{{{ {quoted(braces)} }}}}" if braces else ""
    if not _ACTIVE.search(piece):
        return piece + end
    if "endraw" in piece or "\r" in piece or piece.endswith("{"):
        return _ACTIVE.sub(lambda match: f"{{{{ {quoted(match.group())} }}}}", piece) + end
    return f"{{% raw %}}{piece}{{% endraw %}}{end}"
