"""Words from outside as Markdown that GitHub shows as they are: nothing in them is markup, a link or a mention.

Place in the pipeline: `markdown_plan` puts a document together from these. In: any text. Out: Markdown on one line, or
lines. Pure.

Decisions:
- Names and values are code: GitHub looks for no mention, link or markup in it. A fence is longer than any run of
  backticks within.
- Sentences have words from outside in their middle. What is markup (GitHub Flavored Markdown 0.29 and its formulas) is
  escaped. Mentions, references and addresses GitHub finds in the text as it is shown, where escapes no longer help: a
  space of no width behind the sign that makes them takes it from there. In front of what would begin a list or rule it
  does the same.
- Sizes are bytes of UTF-8: whatever GitHub counts, characters or UTF-16, there are no more of them.
"""

import re
from collections.abc import Callable, Iterable, Sequence

from batchspec.cli.phrases import harmless

_NO_WIDTH = "&#8203;"
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_STARTS_A_BLOCK = re.compile(r"[-+=]|\d+[.)]|\Z")
_SPECIAL = re.compile(r"(?P<entity>[&<>])|(?P<markup>[\\`*_\[\]|~$^!])|(?P<link>[@#]|:(?=\S)|(?i:www(?=\.)|gh(?=-)))")


def code(text: str) -> str:
    """A name or value as a code span."""
    plain = harmless(text) or "''"
    pad = " " if not plain.isspace() and {plain[0], plain[-1]} & {"`", " "} else ""
    fence = "`" * (_longest_run([plain]) + 1)
    return f"{fence}{pad}{plain}{pad}{fence}"


def prose(text: str) -> str:
    """A sentence, or a piece of one."""
    plain = harmless(text).strip()
    return (_NO_WIDTH if _STARTS_A_BLOCK.match(plain) else "") + _SPECIAL.sub(_inert, plain)


def _inert(special: re.Match[str]) -> str:
    sign = special[0]
    if special["entity"]:
        return _ENTITIES[sign]
    return f"\\{sign}" if special["markup"] else sign + _NO_WIDTH


def block(lines: Sequence[str]) -> list[str]:
    """Lines as a block of code."""
    plain = [harmless(line) for line in lines]
    fence = "`" * max(3, _longest_run(plain) + 1)
    return [f"{fence}text", *plain, fence]


def folded(title: str, lines: Iterable[str]) -> list[str]:
    """Lines that are seen after a click on `title`, which is words of ours."""
    return ["", f"<details><summary>{title}</summary>", "", *lines, "", "</details>"]


def _longest_run(texts: Iterable[str]) -> int:
    return max((len(run) for text in texts for run in re.findall("`+", text)), default=0)


def size(lines: Iterable[str]) -> int:
    """How many bytes the lines have, with their ends."""
    return sum(len(line.encode()) + 1 for line in lines)


def fitting(lines: Sequence[str], room: int, more: Callable[[int], str]) -> list[str]:
    """The lines, or as many as have room with a last one that tells `more(how many)` there are."""
    if size(lines) <= room:
        return list(lines)
    room -= size([more(len(lines))])
    kept: list[str] = []
    for line in lines:
        room -= size([line])
        if room < 0:
            break
        kept.append(line)
    return [*kept, more(len(lines) - len(kept))]
