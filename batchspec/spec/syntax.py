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


def problem(error: Exception, text: str, name: str) -> Problem:
    """The problem that a YAMLError stands for."""
    complaint = str(getattr(error, "problem", None) or "cannot be read as YAML")
    mark = getattr(error, "problem_mark", None)
    if mark is None or "end of stream" in complaint or "expected ':'" in complaint:
        mark = getattr(error, "context_mark", None) or mark
    line, column = (mark.line, mark.column) if mark is not None else (0, 0)
    lines = re.split(r"\r\n|[\r\n\x85\u2028\u2029]", text)
    here = lines[line] if line < len(lines) else ""
    for candidate in (line, line - 1):
        if 0 <= candidate < len(lines) and (hint := _hint(lines[candidate], column if candidate == line else None)):
            if "mapping values" in complaint and (candidate, hint[0]) > (line, column):
                continue  # the colon comes first
            return Problem(name, candidate + 1, hint[0] + 1, "", hint[1])
    return Problem(name, line + 1, column + 1, "", _plain_words(complaint, here))


def tag_message(tag: str) -> str:
    """What to say about a tag that means something to a programming language, or nothing to us."""
    short = tag.replace("tag:yaml.org,2002:", "!!")
    return f"tag {shown(short)} is not supported; write the value without a tag"


def no_anchor(name: str, known: Iterable[str]) -> str:
    """What to say about an alias without anchor, which is mostly a glob without quotes."""
    close = get_close_matches(name, list(known), 1)
    better = (
        f"; did you mean `*{close[0]}`?" if close else f'; text that begins with `*` must stand in quotes: "*{name}"'
    )
    return f"no anchor `&{name}` before this alias{better}"


def _hint(line: str, column: int | None) -> tuple[int, str] | None:
    indent = line[: len(line) - len(line.lstrip())]
    if "\t" in indent and (column is None or column <= len(indent)):
        return indent.index("\t"), "a tab in the indentation; indent with spaces"
    if match := _TEMPLATE_START.search(line):
        return match.start(1), f'a value that begins with `{match.group(1)}` must stand in quotes: "{{{{ ... }}}}"'
    if match := _GLOB_START.search(line):
        return match.start(1), 'a value that begins with `*` must stand in quotes: "*.txt"'
    if column is not None and (match := _ODD_START.search(line)):
        return match.start(1), f"a value that begins with `{match.group(1)}` must stand in quotes"
    return None


def _plain_words(complaint: str, line: str) -> str:
    if "mapping values are not allowed" in complaint:
        return "`: ` inside a text, or wrong indentation; put the text in quotes or use `|` and a new line"
    if "did not find expected key" in complaint or "expected <block end>" in complaint:
        return f"not a key or item at this indentation; check the indentation and the quotes near {shown(line.strip())}"
    if "unexpected end of stream" in complaint or "found unexpected end" in complaint:
        return "a quote or bracket is never closed"
    if "expected ',' or" in complaint:
        return "a `,` or the closing bracket is missing, or a bracket begins a text that must stand in quotes"
    if "escape" in complaint:
        return "in double quotes a backslash begins an escape; write it twice, or use single quotes"
    if "could not find expected ':'" in complaint:
        return f"a `:` is missing after the key near {shown(line.strip())}"
    return f"not valid YAML: {complaint}; near {shown(line.strip())}"
