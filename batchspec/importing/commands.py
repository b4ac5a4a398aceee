"""Command lines -> shell text, where batchspec's wrapping of that text gives the same command line again.

Place in the pipeline: `words` asks for every command line that has `command` beside it in a spec. In: a command line,
the pool's operating system. Out: the word to use and what to write. Never changes what runs.
"""

from batchspec.importing.pieces import Code, Text
from batchspec.render.shell import LINES, Os, joined, text_fault, wrapped
from batchspec.render.symbolic import OPEN

# Stands for an expression while a text is taken apart: a character that no text of a spec can hold.
_MARK = OPEN
_BEGINS = {"linux": ("/bin/bash -c '", "'"), "windows": ('cmd /c "', '"')}


def command(line: Text, os: Os) -> tuple[str, Text | list[Text]]:
    """`command` with a text, `commands` with texts, or `command_line` with the line as it is."""
    begin, end = _BEGINS[os]
    whole = "".join(piece if isinstance(piece, str) else _MARK for piece in line.pieces)
    inner = whole[len(begin) : -len(end)] if len(whole) > len(begin) + len(end) else ""
    shell = inner.replace("'\"'\"'", "'") if os == "linux" else inner
    codes = [piece for piece in line.pieces if isinstance(piece, Code)]
    if text_fault(shell, os, {}) or wrapped(shell, os) != whole:
        return "command_line", line
    lines = _lines(shell) if os == "linux" else None
    if lines is None:
        return "command", _marked(shell, codes)
    return "commands", [_marked(one, [codes.pop(0) for _ in range(one.count(_MARK))]) for one in lines]


def _lines(shell: str) -> list[str] | None:
    """The commands that were joined to this text; None when it is no list of them."""
    if not shell.startswith(LINES):
        return None
    rest = shell[len(LINES) :]
    lines = rest.split("\n")
    # One script with its own lines reads better as one text than as a list of pieces of commands.
    if any(not line.strip() or line[:1].isspace() for line in lines):
        lines = [rest]
    return lines if rest.strip() and joined(lines, "linux") == shell else None


def _marked(shell: str, codes: list[Code]) -> Text:
    literals = shell.split(_MARK)
    pieces: list[str | Code] = [literals[0]]
    for code, literal in zip(codes, literals[1:], strict=True):
        pieces += [code, literal]
    return Text(tuple(piece for piece in pieces if piece))
