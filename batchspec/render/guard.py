"""Limits on what a template may make.

Place in the pipeline: `template` and `filters` ask here before they make anything whose size the spec decides;
`metering` counts how much they do in all. In: values. Out: nothing, or TooMuch.

Decisions: a text may have a million characters, and numbers have a thousand digits. Containers are weighed whole
wherever they get a name, since `[x, x]` doubles what writing `x` costs without taking any memory yet.
"""

import re
from collections.abc import Sequence

MAX_CHARACTERS = 1_048_576
MAX_BITS = 4096
MAX_PADDING = 10_000
MAX_PARTS = 20

_NUMBERS = re.compile(r"[0-9]+")


class TooMuch(ValueError):
    """The template would make something too large, or take too long."""


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


def check_attributes(arguments: Sequence[object]) -> None:
    """Raises TooMuch for a name of a part of a part that nobody means: each item of a list is asked for all of it."""
    if any(isinstance(one, str) and one.count(".") >= MAX_PARTS for one in arguments):
        raise TooMuch(f"names more than {MAX_PARTS} parts of parts")


def check_padding(width: object) -> None:
    """Raises TooMuch for a width to pad to that nobody means."""
    if isinstance(width, int) and abs(width) > MAX_PADDING:
        raise TooMuch(f"pads to more than {MAX_PADDING:,} characters")
