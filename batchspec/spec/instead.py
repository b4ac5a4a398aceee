"""What to write instead of a value that has the wrong type or form.

Place in the pipeline: the end of a message of `complaints`. In: what the schema expects, the value, how it was written.
Out: `; write PT10M`, or nothing when nobody can tell. Never guesses a unit that was not said. Pure.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any

from batchspec.spec import expected, long_forms
from batchspec.spec.durations import PATTERN
from batchspec.spec.leaks import secret_in

_TRUE = ("yes", "on", "y", "true", "1")
_FALSE = ("no", "off", "n", "false", "0")
_LONGEST_SHOWN = 40
_MOST_NAMES = 10

_NUMBER_AND_UNIT = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)\s*([a-z]+)\W*")
_ISO_PARTS = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)([wdhms])")
_SECONDS = {"W": 604_800, "D": 86_400, "H": 3_600, "M": 60, "S": 1}
_ENDLESS = ("infinite", "infinity", "unlimited", "never", "none", "forever", "-1")
_UNITS = {
    **dict.fromkeys(("w", "week", "weeks"), "W"),
    **dict.fromkeys(("d", "day", "days"), "D"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "H"),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), "M"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "S"),
}
_SETTING = re.compile(r"([A-Za-z_]\w*)=(.*)")
_CLOCK = re.compile(r"(\d{1,3}):(\d{2}):(\d{2})")
_SPAN = re.compile(r"(-?\d{1,9})\s*(?:\.\.|-|:)\s*(-?\d{1,9})")


def instead(nodes: Sequence[Mapping[str, Any]], value: object, written: str | None, word: str) -> str:
    """The end of the message about `value`, which stands below `word` and was written so if it is a scalar."""
    formats = {node.get("format") for node in nodes}
    kinds = {kind for node in nodes for kind in expected.kinds(node)}
    as_text = str(value) if written is None else written
    if "duration" in formats:
        return _duration(as_text.strip(), word) if isinstance(value, (str, int, float)) else ""
    if "date-time" in formats:
        return _moment(as_text.strip()) if isinstance(value, str) else ""
    if value is None and kinds == {"string", "number", "boolean"}:
        return '; write "" for an empty text'
    if isinstance(value, (dict, list)) or value is None:
        return _of_collection(nodes, kinds, value, word)
    if expected.takes_text(nodes) and not isinstance(value, str):
        return f'; write it in quotes: "{as_text}"' if len(as_text) < _LONGEST_SHOWN else "; write it in quotes"
    if "boolean" in kinds:
        return _flag(as_text.lower())
    if kinds & {"integer", "number"} or any("const" in node for node in nodes):
        return _number(as_text.strip(), word, kinds) if isinstance(value, str) else ""
    if kinds == {"array"}:
        one = f"[{as_text}]" if re.fullmatch(r"[\w.-]{1,40}", as_text) and not secret_in(as_text) else "`- ...`"
        return "; one text belongs under `command`" if word == "commands" else f"; write a list: {one}"
    if kinds == {"object", "array"} and isinstance(value, str) and (named := _SETTING.fullmatch(value)):
        return f"; write {{{named[1]}: {long_forms.quoted(named[2])}}}"
    if (
        kinds == {"object", "array"}
        and (shown := long_forms.quoted(value) if isinstance(value, str) else as_text) != "..."
    ):
        return f"; write a list: [{shown}]"
    return _mapping_of(nodes, value, word) if kinds == {"object"} else ""


def _duration(text: str, word: str) -> str:
    """ISO 8601 for a duration as people write it; for a bare number all that it may mean."""
    if re.fullmatch(r"\d{1,9}", text):
        return f"; write PT{text}S, PT{text}M or PT{text}H"
    plain = text.lower().replace(" and ", " ").strip()
    if months := re.fullmatch(r"p(\d{1,9})([my])", plain):
        guess = f"PT{months[1]}M if minutes are meant, else " if months[2] == "m" else ""
        return f"; write {guess}days, such as P30D: months and years have no fixed length"
    if re.fullmatch(r"p[0-9wdthms.]+", plain):
        return f"; write {plain.upper()}" if _is_duration(plain.upper()) else _whole(_ISO_PARTS.findall(plain))
    if plain in _ENDLESS and word == "max_wall_clock_time":
        return "; leave the word out for no limit"
    if clock := _CLOCK.fullmatch(plain):
        hours, minutes, seconds = (int(part) for part in clock.groups())
        parts = [f"{number}{unit}" for number, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if number]
        return f"; write PT{''.join(parts) or '0S'}"
    pairs = _NUMBER_AND_UNIT.findall(plain)
    if not pairs or _NUMBER_AND_UNIT.sub("", plain).strip() or any(unit not in _UNITS for _, unit in pairs):
        return ""
    if any("." in number for number, _ in pairs):
        return _whole(pairs)
    found = [f"{int(number)}{_UNITS[unit]}" for number, unit in pairs]
    days = "".join(one for one in found if one[-1] in "WD")
    times = "".join(one for one in found if one[-1] not in "WD")
    iso = f"P{days}" + (f"T{times}" if times else "")
    return f"; write {iso}" if _is_duration(iso) else ""


def _whole(pairs: Sequence[tuple[str, str]]) -> str:
    """A duration of fractions in the largest unit that needs none; nothing when even seconds do."""
    seconds = sum(Fraction(number) * _SECONDS[_UNITS[unit]] for number, unit in pairs)
    for unit, length in (("H", 3_600), ("M", 60), ("S", 1)):
        if seconds and seconds % length == 0:
            return f"; write PT{seconds // length}{unit}"
    return ""


def _is_duration(text: str) -> bool:
    return PATTERN.fullmatch(text) is not None


def _moment(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return ""
    zone = moment.strftime("%z")
    return f"; write {moment:%Y-%m-%dT%H:%M:%S}" + (f"{zone[:3]}:{zone[3:5]}" if zone else "Z, if UTC is meant")


def _flag(text: str) -> str:
    plain = "true" if text in _TRUE else "false" if text in _FALSE else ""
    return f"; write {plain}" if plain else ""


def _number(text: str, word: str, kinds: set[str]) -> str:
    plain = text.replace(",", "").replace("_", "")
    unit = {"gb": "gi?b?", "percent": "%"}.get(word.rsplit("_", 1)[-1])
    if re.fullmatch(r"[+-]?\d{1,18}", plain):
        return f"; write {int(plain)}" + (", without quotes" if plain == text else "")
    if unit and (match := re.fullmatch(rf"(\d{{1,18}})\s*{unit}", plain.lower())):
        return f"; write {int(match[1])}"
    if "object" in kinds and (span := _SPAN.fullmatch(text)):
        return f"; write {{start: {int(span[1])}, end: {int(span[2])}}}"
    return ""


def _of_collection(nodes: Sequence[Mapping[str, Any]], kinds: set[str], value: object, word: str) -> str:
    if kinds == {"string"} and isinstance(value, list) and word == "command":
        return "; a list belongs under `commands`"
    if kinds == {"array"} and isinstance(value, dict):
        return "; begin each item with `- `"
    return _mapping_of(nodes, value, word) if kinds == {"object"} and isinstance(value, list) else ""


def _mapping_of(nodes: Sequence[Mapping[str, Any]], value: object, word: str) -> str:
    """The mapping that says the same; else that of the one word that it has or needs; else its words, if few."""
    known = [name for node in nodes for name in node.get("properties", ())]
    required = [name for node in nodes for name in node.get("required", ())]
    if isinstance(value, str) and (form := long_forms.of_text(value, known)):
        return f"; write {form}"
    if isinstance(value, list) and (form := long_forms.of_list(value, word, known)):
        return f"; write {form}"
    sole = known if len(known) == 1 else required
    if len(sole) == 1:
        return f"; write {{{sole[0]}: {long_forms.quoted(value) if isinstance(value, str) else '...'}}}"
    if known and len(known) <= _MOST_NAMES:
        return f"; known here: {', '.join(known)}"
    return "; write `name: value` lines" + ", without `- `" * isinstance(value, list)
