"""What a plain YAML scalar means: the core schema of YAML 1.2, made a little safer.

Place in the pipeline: `load` asks for the value of each unquoted scalar. In: its text. Out: str, int, float, bool or
None. Never guesses: YAML 1.1's surprises (`no`, `on`, `1:30`, `2026-01-02`, `1_000`) stay text, and so do digits with a
leading zero (`0755`, `007`), which nobody writes meaning the number.
"""

import math
import re

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_OCTAL_OR_HEX = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
LARGEST_INTEGER = 2**63 - 1
_LONGEST_NUMBER = 400

Scalar = str | int | float | bool | None


class NotANumber(ValueError):
    """The text is a number by its form, but not one that JSON can carry; the message says why."""


def scalar_from_plain(text: str) -> Scalar:
    """The value of an unquoted scalar. Raises NotANumber for infinities, NaN and numbers out of range."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "-+.0123456789":
        return text
    if _NOT_FINITE.fullmatch(text):
        raise NotANumber("is not a finite number")
    if len(text) > _LONGEST_NUMBER:
        return text
    if _INTEGER.fullmatch(text):
        return _in_range(int(text))
    if _OCTAL_OR_HEX.fullmatch(text):
        return _in_range(int(text, 0))
    if _FLOAT.fullmatch(text):
        number = float(text)
        if not math.isfinite(number):
            raise NotANumber("is too large for a number")
        return number
    return text


def _in_range(number: int) -> int:
    if abs(number) > LARGEST_INTEGER:
        raise NotANumber("is too large for a 64-bit number")
    return number
