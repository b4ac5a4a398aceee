"""Limits on what one rendering of one template may cost.

Place in the pipeline: `template` and `filters` ask here before they do anything whose cost the spec decides. In:
values. Out: nothing, or TooMuch. Never looks at a clock: the same template passes or fails on every machine.

Decisions: a text may have a million characters, numbers have a few thousand digits, and everything made, looped over
or called while rendering one template draws on one budget. Containers are weighed whole wherever they get a name, since
`[x, x]` doubles what writing `x` costs without taking any memory yet.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

MAX_CHARACTERS = 1_048_576
MAX_WORK = 10_000_000
MAX_BITS = 4096
MAX_PADDING = 10_000

_NUMBERS = re.compile(r"[0-9]+")


class TooMuch(ValueError):
    """The template would make something too large, or take too long."""


class Work:
    """What one rendering may still spend; a unit is about a character, an item or a call."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MAX_WORK

    def start(self) -> None:
        """Give a new rendering its full budget."""
        self.left = MAX_WORK

    def spend(self, amount: int) -> None:
        """Take this much. Raises TooMuch when it is more than is left."""
        self.left -= amount
        if self.left < 0:
            raise TooMuch(f"takes too long: it loops over or makes more than {MAX_WORK:,} things")

    def each(self, items: Iterable[object]) -> Iterator[object]:
        """The items, each of which is paid for when it is taken."""
        for item in items:
            self.spend(1)
            yield item

    def made(self, value: object) -> object:
        """The value, paid for by its weight."""
        self.spend(weight(value))
        return value


def weight(value: object) -> int:
    """How many characters and items a value has, nested ones counted as often as they would be written."""
    if isinstance(value, str):
        return check_length(len(value)) + 1
    if not isinstance(value, (list, tuple, dict)):
        return check_bits(value.bit_length()) if isinstance(value, int) else 1
    total, waiting = 0, [value]
    while waiting:
        one: object = waiting.pop()
        if isinstance(one, (list, tuple)):
            waiting += one
        elif isinstance(one, dict):
            waiting += one.keys()
            waiting += one.values()
        total += len(one) + 1 if isinstance(one, str) else 1
        if total + len(waiting) > MAX_CHARACTERS:
            check_length(total + len(waiting))
    return total


def check_length(characters: int) -> int:
    """The number back. Raises TooMuch when a text of so many characters is not allowed."""
    if characters > MAX_CHARACTERS:
        raise TooMuch(f"makes a value of more than {MAX_CHARACTERS:,} characters")
    return characters


def check_bits(bits: int) -> int:
    """One unit of work. Raises TooMuch when a number of so many bits is not allowed."""
    if bits > MAX_BITS:
        raise TooMuch(f"makes a number of more than {MAX_BITS:,} bits")
    return 1


def check_product(left: object, right: object) -> None:
    """Raises TooMuch when `left * right` would be too large: repeated texts and lists, long numbers."""
    if isinstance(left, int) and isinstance(right, int):
        check_bits(left.bit_length() + right.bit_length())
    for one, times in ((left, right), (right, left)):
        if isinstance(one, (str, list, tuple)) and isinstance(times, int):
            check_length(weight(one) * max(times, 0))


def check_sum(left: object, right: object) -> None:
    """Raises TooMuch when `left + right` would be too large."""
    check_length(weight(left) + weight(right))


def check_power(left: object, right: object) -> None:
    """Raises TooMuch when `left ** right` would be a very long number."""
    if isinstance(left, int) and isinstance(right, int):
        check_bits(left.bit_length() * abs(right))


def check_format(pattern: str, arguments: Sequence[object]) -> None:
    """Raises TooMuch when a `%` or `{}` pattern could make much more than it is given."""
    if any(len(number) > 4 for number in _NUMBERS.findall(pattern)) or re.search(r"%[^a-z%]*\*|\{[^{}]*\{", pattern):
        raise TooMuch("pads to a width that is computed or has more than four digits")
    fields = pattern.count("%") + pattern.count("{")
    longest = max((weight(one) for one in arguments), default=1)
    widest = max((int(number) for number in _NUMBERS.findall(pattern)), default=1)
    check_length(len(pattern) + fields * (2 * longest + widest + 64))


def check_replace(text: str, old: str, new: str) -> None:
    """Raises TooMuch when the text with every `old` replaced by `new` would be too long."""
    check_length(len(text) + text.count(old) * len(new))


def check_padding(width: object) -> None:
    """Raises TooMuch for a width to pad to that nobody means."""
    if isinstance(width, int) and abs(width) > MAX_PADDING:
        raise TooMuch(f"pads to more than {MAX_PADDING:,} characters")
