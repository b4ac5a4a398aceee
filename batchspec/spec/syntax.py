"""What to say about broken YAML: one line, its place, and the way out.

Place in the pipeline: `load` asks. In: libyaml's complaint and the text. Out: a `Problem`, or a message. Never parses.
libyaml's own words are kept only where nothing better is known; the usual slips (a tab, a template, a glob or a colon
without quotes) are recognised by the line that they stand on.
"""

import re
from collections.abc import Iterable
from difflib import get_close_matches

from batchspec.errors import Problem
from batchspec.spec.document import shown
from batchspec.spec.position import Position

EMPTY = "the file is empty; a spec begins with `version: 1` and `name:`"
SEVERAL = (
    "a second document starts here; a spec is one document, so remove the `---` and what follows, or split the file"
)
UNQUOTED_TEMPLATE = 'a value that begins with `{{` must stand in quotes: "{{ ... }}"'
COMPLEX_KEY = "a list cannot be a key; a key is text"

PLAIN_TAGS: dict[str, tuple[type, ...]] = {
    "tag:yaml.org,2002:int": (int,),
    "tag:yaml.org,2002:float": (float, int),
    "tag:yaml.org,2002:bool": (bool,),
    "tag:yaml.org,2002:null": (type(None),),
}

_VALUE_START = r"(?:^\s*|[:-]\s+|[,\[]\s*)"
_TEMPLATE_START = re.compile(_VALUE_START + r"(\{[{%])")
_GLOB_START = re.compile(_VALUE_START + r"(\*)")
_ODD_START = re.compile(_VALUE_START + r"([@`%])")
_DIRECTIVE = re.compile(r"%[A-Z]")
_APOSTROPHE = re.compile(r"'\w+'\w")
_TEMPLATES = {"{{": "{{ ... }}", "{%": "{% ... %}"}
_NEVER_CLOSED = "a quote or bracket is never closed"


def problem(error: Exception, text: str, name: str, bracket: Position | None = None) -> Problem:
    """The problem that a YAMLError stands for; `bracket` is where one stands that is open."""
    complaint = str(getattr(error, "problem", None) or "cannot be read as YAML")
    mark = getattr(error, "problem_mark", None)
    if mark is None or "end of stream" in complaint or "expected ':'" in complaint:
        mark = getattr(error, "context_mark", None) or mark
    line, column = (mark.line, mark.column) if mark is not None else (0, 0)
    lines = re.split(r"\r\n|[\r\n\x85\u2028\u2029]", text)
    here = lines[line] if line < len(lines) else ""
    if bracket is not None and not "".join([here[column:], *lines[line + 1 :]]).strip():
        return Problem(name, bracket.line, bracket.column, "", _NEVER_CLOSED)
    for candidate in (line, line - 1):
        if 0 <= candidate < len(lines) and (hint := _hint(lines[candidate], column if candidate == line else None)):
            if "mapping values" in complaint and (candidate, hint[0]) > (line, column):
                continue  # the colon comes first
            return Problem(name, candidate + 1, hint[0] + 1, "", hint[1])
    message = _plain_words(complaint, here)
    if bracket is not None and bracket.line <= line and "closing bracket" in message:
        message += f"; the bracket opens on line {bracket.line}"
    return Problem(name, line + 1, column + 1, "", message)


def tag_message(tag: str) -> str:
    """What to say about a tag that means something to a programming language, or nothing to us."""
    short = tag.replace("tag:yaml.org,2002:", "!!")
    return f"tag {shown(short)} is not supported; write the value without a tag"


def no_anchor(name: str, known: Iterable[str], *, merged: bool = False) -> str:
    """What to say about an alias without anchor, which is mostly a glob without quotes (but not below `<<`)."""
    close = get_close_matches(name, list(known), 1)
    quoted = f'; text that begins with `*` must stand in quotes: "*{name}"'
    better = f"; did you mean `*{close[0]}`?" if close else "" if merged else quoted
    return f"no anchor `&{name}` before this alias{better}"


def _hint(line: str, column: int | None) -> tuple[int, str] | None:
    indent = line[: len(line) - len(line.lstrip())]
    if "\t" in indent and (column is None or column <= len(indent)):
        return indent.index("\t"), "a tab in the indentation; indent with spaces"
    if match := _TEMPLATE_START.search(line):
        return match.start(
            1
        ), f'a value that begins with `{match.group(1)}` must stand in quotes: "{_TEMPLATES[match.group(1)]}"'
    if match := _GLOB_START.search(line):
        return match.start(1), 'a value that begins with `*` must stand in quotes: "*.txt"'
    if column is not None and not _DIRECTIVE.match(line) and (match := _ODD_START.search(line)):
        sign = "'`'" if match.group(1) == "`" else f"`{match.group(1)}`"
        return match.start(1), f"a value that begins with {sign} must stand in quotes"
    return None


def _plain_words(complaint: str, line: str) -> str:
    if "mapping values are not allowed" in complaint:
        return "`: ` inside a text, or wrong indentation; put the text in quotes or use `|` and a new line"
    if _APOSTROPHE.search(line) and ("expected ',' or" in complaint or "expected key" in complaint):
        return "in single quotes a `'` is written twice: 'it''s'; or use double quotes"
    if "did not find expected key" in complaint or "expected <block end>" in complaint:
        return f"not a key or item at this indentation; check the indentation and the quotes near {shown(line.strip())}"
    if "unexpected end of stream" in complaint or "found unexpected end" in complaint:
        return _NEVER_CLOSED
    if "expected '-' indicator" in complaint:
        return "neither an item of the list above nor in its last item; begin it with `- `, or indent it as the item is"
    if "block sequence entries" in complaint:
        return "a list begins on a line of its own, or is written [a, b]; text that begins with `- ` needs quotes"
    if "expected comment or line break" in complaint:
        return "after `|` or `>` the text begins on a new line; a text that begins with one of them needs quotes"
    if "alphabetic or numeric" in complaint:
        return "`&` and `*` begin the name of an anchor; a text that begins with one of them needs quotes"
    if "incompatible YAML" in complaint or "directive" in complaint:
        return "a line that begins with `%` is for the YAML reader; remove it, or put the text in quotes"
    if "expected ',' or" in complaint:
        return "a `,` or the closing bracket is missing, or a bracket begins a text that must stand in quotes"
    if "escape" in complaint:
        return "in double quotes a backslash begins an escape; write it twice, or use single quotes"
    if "could not find expected ':'" in complaint:
        return f"a `:` is missing after the key near {shown(line.strip())}"
    return f"not valid YAML: {complaint}; near {shown(line.strip())}"
