"""Small pieces of text: sizes, times, counts, property names, and names from outside made harmless.

Place in the pipeline: the printers put lines together from these. In: values. Out: one-line text. Never prints.
"""

import json
import re
import shlex
from collections.abc import Iterable, Sequence

from batchspec.render.symbolic import Json, display

_SIG = re.compile(r"(?i)([?&;\s\"']sig=)[^&\s\"']+")
# What a build machine takes for an order when a line begins with it: GitHub Actions, Azure Pipelines.
_ORDER = re.compile(r"\s*(?=::|##\[|##vso)")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# What shows nothing, or turns the direction of a line.
NOT_SHOWN = re.compile(
    "[\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_VALUE_CHARACTERS = 120
_SHORTEST_SECRET, _SHORTEST_NUMBER = 4, 6
_WORDS = ("true", "false", "null")
# The longest duration of the service, its default where there is no limit.
_INFINITE = "P10675199DT2H48M5.4775807S"


def is_order(line: str) -> bool:
    """Whether a build machine that prints this line would obey it."""
    return _ORDER.match(line) is not None


def harmless(text: str) -> str:
    """A text from outside on one line, as `visible`; one that would be an order to a build machine, as the name of a
    file can be, begins with a sign that is shown so, too."""
    if order := _ORDER.match(text):
        text = f"{text[: order.end()]}\\x{ord(text[order.end()]):02x}{text[order.end() + 1 :]}"
    return visible(text)


def visible(text: str) -> str:
    """A text in which what is not printable (escapes of a terminal, line ends) is shown as `\\x1b`."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)


def shown_json(text: str) -> str:
    """JSON in which characters that would not be seen are written by number; it means the same."""
    return NOT_SHOWN.sub(lambda found: json.dumps(found.group())[1:-1], text)


def harmless_line(text: str) -> str:
    """A line of a program's output: as `harmless`, without colours, tabs as spaces, and what follows a `\\r` wins."""
    return harmless(_COLOUR.sub("", text).rstrip("\r\n").rsplit("\r", 1)[-1].expandtabs(8).rstrip())


def size(count: int) -> str:
    """Bytes for people, in decimal units: 812 B, 7.1 kB, 3.2 GB."""
    if count < 1000:
        return f"{count} B"
    value = float(count)
    for unit in ("kB", "MB", "GB", "TB"):
        value /= 1000
        if value < 999.95:
            return f"{value:.1f} {unit}"
    return f"{value:,.1f} TB"


def duration(seconds: float) -> str:
    """Seconds for people: 0.9 s, 42 s, 3 min 20 s, 2 h 05 min."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def count(number: int, thing: str) -> str:
    """`1 file`, `3 files`, `1,200 tasks`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def some(names: Sequence[str], limit: int = 5) -> str:
    """The first names, and how many more there are."""
    shown = ", ".join(harmless(name) for name in names[:limit])
    return f"{shown} and {len(names) - limit:,} more" if len(names) > limit else shown


def fitting(names: Sequence[str], columns: int, limit: int = 5) -> str:
    """As `some`, with fewer names when they are so long that more would need more than `columns`; never without one."""
    return next(text for many in range(limit, 0, -1) if len(text := some(names, many)) <= columns or many == 1)


def snake(path: str) -> str:
    """A dotted REST path as the spec writes it: `virtualMachineConfiguration.nodeAgentSKUId` in snake_case.

    Names of items, which stand in brackets, are a person's own and stay.
    """
    pieces = re.split(r"(\[.*?\](?=\.|\[|$))", path)
    return "".join(piece if place % 2 else _snake(piece) for place, piece in enumerate(pieces))


def _snake(words: str) -> str:
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", words)
    return re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", spaced).lower()


def value(json_value: Json) -> str:
    """A property's value on one short line; symbols as people read them, signatures masked."""
    return cut(whole_value(json_value), _VALUE_CHARACTERS)


def whole_value(json_value: Json) -> str:
    """As `value`, however long."""
    shown = display(json_value)
    if shown is None:
        return "(not set)"
    if shown == _INFINITE:
        return "unlimited"
    text = shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False)
    return harmless(without_signatures(text)) or "''"


def cut(text: str, characters: int) -> str:
    """The text, or as much of its beginning as fits with `...` behind it."""
    return text if len(text) <= characters else text[: characters - 3] + "..."


def without_signatures(text: str) -> str:
    """A text in which the signature of every SAS is replaced."""
    return _SIG.sub(r"\1<masked>", text)


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """A text without these values, as they are, as JSON writes them, and each line of one that has several.

    What has fewer than 4 characters stays, and so do the words of JSON and short numbers: they would be found in many
    lines, and they hide nothing.
    """
    forms = {form for secret in secrets for form in (secret, json.dumps(secret)[1:-1], *secret.splitlines())}
    for form in sorted(forms, key=len, reverse=True):
        if len(form.strip()) >= (_SHORTEST_NUMBER if form.isdigit() else _SHORTEST_SECRET) and form not in _WORDS:
            text = text.replace(form, "<masked>")
    return text


def command_line(words: Iterable[str]) -> str:
    """A command that can be pasted into a shell."""
    return harmless(" ".join(map(shlex.quote, words)))
