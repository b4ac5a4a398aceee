"""Whether what the service holds is what was asked for, value by value.

Place in the pipeline: used by `plan_pool`, `plan_job` and `plan_tasks`. In: a symbolic REST body and the body that the
service returns. Out: one `Reason` per property that differs. Pure; never asks a service.

The service fills in defaults, changes the case of enum values, reorders lists and never returns secrets, so comparison
is on normalised values: what a body does not name is not compared, except where `removable` says that its absence means
something; enum-like words ignore case; durations are compared by length, moments whatever their zone; list items that
have a name are compared by it; a symbol matches what it stands for: an address whatever its SAS, anything where that is
not known (a secret).

What the service holds may contain secrets that a spec handed in. They stay out of every Reason: values of settings and
metadata, texts that hold a secret in the spec, and properties that were sent with one are not shown, URLs are shown
without their query.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from batchspec.reconcile import filled_in
from batchspec.reconcile.addresses import Address, unknown, without_port
from batchspec.reconcile.change import Cause, Reason
from batchspec.reconcile.marks import held_secret, metadata_of, own_metadata, part_of
from batchspec.reconcile.secrets import NOT_SHOWN
from batchspec.render.model import JsonObject
from batchspec.render.symbolic import OPEN, Json, display, holds_secret, pieces
from batchspec.spec.durations import NotADuration, duration

# Values that a person chose and whose case matters; every other plain word is an enum or an Azure name.
_CASE_MATTERS = frozenset(
    {"commandLine", "value", "name", "filePath", "filePattern", "path", "blobPrefix", "displayName", "autoScaleFormula"}
)
# Never returned by the service (batch-service.md section 2; azure-batch docstrings "This property is never returned").
_NEVER_RETURNED = frozenset({"password", "sshPrivateKey", "accountKey", "sasKey", "protectedSettings"})
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*\Z")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]")
_QUERY = r"(?:\?[^\s'\"]*)?"
_ABSENT = object()
# What names an item of a list (environment settings, accounts, packages, extensions, mounts, exit codes).
_ITEM_KEYS = ("name", "id", "applicationId", "filePath", "code")
_SETTING = frozenset({"name", "value"})
# Where the service holds what a secret variable may have been.
_HIDDEN = frozenset({"value", "password", "protectedSettings", "mountOptions"})

# What no service fills in by itself: where it was never sent, somebody added it.
_NEVER_FILLED_IN = frozenset(
    {
        "applicationPackageReferences",
        "commonEnvironmentSettings",
        "displayName",
        "jobManagerTask",
        "jobPreparationTask",
        "jobReleaseTask",
        "mountConfiguration",
        "startTask",
        "userAccounts",
    }
)

REMOVED = "no longer in the spec"
ADDED = "not in the spec"
_OWN_METADATA = "batchspec:"


def differences(
    wanted: JsonObject,
    there: JsonObject,
    *,
    removable: frozenset[str] = frozenset(),
    ignore: frozenset[str] = frozenset(),
    parts: Mapping[str, str] | None = None,
    address: Address = unknown,
) -> Iterator[Reason]:
    """One Reason per top-level property of `wanted` that differs from `there`, in `wanted`'s order, then removed ones.

    `removable` names top-level properties whose absence in `wanted` differs from their presence in `there`. Nested
    differences are told at the deepest property that both sides have. `parts` are the fingerprints of the properties as
    they were sent: only they tell what the spec no longer says inside a property from what the service filled in, and
    what is new in the spec from what was changed in the service. `address` says what symbols stand for.
    """
    sent = parts or {}
    for key, value in wanted.items():
        if key not in ignore:
            seen = _Seen(address, held_secret(sent.get(key)))
            found = tuple(_compare(key, key, value, there.get(key, _ABSENT), seen))
            as_sent = sent.get(key) == part_of(value)
            if not found and key in sent and not as_sent and _has_more(value, there.get(key)):
                found = (Reason("something in it is " + REMOVED, key),)
            # The service may keep what holds a secret to itself.
            if not (as_sent and key not in there and holds_secret(value)):
                yield from (replace(one, cause="drift") for one in found) if as_sent else found
    for key in sorted(removable - wanted.keys() - ignore):
        if there.get(key):
            yield from _unsaid(key, _Seen(address, held_secret(sent.get(key))).shown(key, there[key]), sent)


@dataclass(frozen=True, slots=True)
class _Seen:
    """How what the service holds is looked at: what symbols stand for, and whether it may hold a secret."""

    address: Address
    secret: bool

    def shown(self, key: str, there: object, wanted: Json = None) -> Json:
        """An observed value for people."""
        return NOT_SHOWN if self.secret or holds_secret(wanted) else shown(key, there)


def _unsaid(key: str, old: Json, sent: Mapping[str, str]) -> Iterator[Reason]:
    """Why a property is there that the spec does not say."""
    if not sent or key in sent:
        yield Reason(REMOVED, key, old, None)
    elif key in _NEVER_FILLED_IN:
        yield Reason(ADDED, key, old, None, "drift")


def metadata_differences(
    wanted: JsonObject, there: JsonObject, parts: Mapping[str, str] | None = None
) -> Iterator[Reason]:
    """One Reason for each metadata item of a person (not of ours) that differs, by name; with `parts` as above."""
    cause: Cause = "drift" if (parts or {}).get("metadata") == part_of(own_metadata(wanted)) else "spec"
    asked, present = metadata_of(wanted), metadata_of(there)
    for name in sorted(asked.keys() | present.keys()):
        same = name in asked and name in present and _same_text("value", asked[name], present[name], unknown)
        if not same and not name.startswith(_OWN_METADATA):
            old = NOT_SHOWN if name in present else None
            yield Reason("changed", f"metadata.{name}", old, display(asked.get(name)), cause)


def _compare(path: str, key: str, wanted: Json, there: object, seen: _Seen) -> Iterator[Reason]:
    if key == "metadata" and isinstance(wanted, list):
        wanted, there = _unmarked(wanted), _unmarked(there) if isinstance(there, list) else there
    if there is _ABSENT or there is None:
        filled = wanted in filled_in.ANYWHERE.get(key, ())
        if key not in _NEVER_RETURNED and not _empty(wanted) and not filled:
            yield Reason("changed", path, None, display(wanted))
    elif isinstance(wanted, dict) and isinstance(there, dict):
        for name, value in wanted.items():
            yield from _compare(f"{path}.{name}", name, value, there.get(name, _ABSENT), seen)
    elif isinstance(wanted, list) and isinstance(there, list) and (named := _by_name(wanted, there)) is not None:
        yield from _compare_named(path, *named, seen)
    elif isinstance(wanted, list) and isinstance(there, list) and len(wanted) == len(there):
        for index, (one, other) in enumerate(zip(wanted, _aligned(wanted, there), strict=True)):
            yield from _compare(f"{path}[{index}]", key, one, other, seen)
    elif not _same(key, wanted, there, seen.address):
        yield Reason("changed", path, seen.shown(key, there, wanted), display(wanted))


def _compare_named(
    path: str, wanted: Mapping[str, JsonObject], there: Mapping[str, JsonObject], seen: _Seen
) -> Iterator[Reason]:
    """Items of a list by their names: those that differ or are new, then those that are no longer asked for.

    Of settings, which are nothing but a name and a value, the value is what is told.
    """
    for name, item in wanted.items():
        place, setting = f"{path}[{name}]", item.keys() <= _SETTING
        if name not in there:
            yield Reason("changed", place, None, display(item.get("value", "") if setting else item))
        elif setting:
            yield from _compare(place, "value", item.get("value"), there[name].get("value"), seen)
        else:
            yield from _compare(place, "", item, there[name], seen)
    for name, left in there.items():
        if name not in wanted:
            setting = left.keys() <= _SETTING
            yield Reason("changed", f"{path}[{name}]", NOT_SHOWN if setting else seen.shown("", left), None)


def _unmarked(items: list[Any]) -> list[Any]:
    """The items of a metadata list without marks of ours, which the pool that comes with a job has inside of it."""
    return [one for one in items if not (isinstance(one, dict) and str(one.get("name")).startswith(_OWN_METADATA))]


def _has_more(wanted: Json, there: object) -> bool:
    """Whether `there` holds something that `wanted` does not name and that is not just a default of the service."""
    if isinstance(wanted, dict) and isinstance(there, dict):
        left = (key for key in there.keys() - wanted.keys() if there[key])
        more = any(there[key] not in filled_in.ANYWHERE.get(key, ()) for key in left)
        return more or any(_has_more(value, there.get(key)) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(there, list):
        return any(map(_has_more, wanted, _aligned(wanted, there)))
    return False


def _empty(value: Json) -> bool:
    return value is None or value == 0 or value == [] or value == {}


def _aligned(wanted: list[Json], there: list[object]) -> list[object]:
    """The items of `there` in the order of `wanted`, as far as their names (or, of plain values, they) are the same."""
    if (named := _by_name(wanted, there)) is not None and named[0].keys() == named[1].keys():
        return [named[1][name] for name in named[0]]
    if all(isinstance(item, str | int | float) for item in (*wanted, *there)):
        left = list(there)
        same = [left.pop(left.index(item)) if item in left else _ABSENT for item in wanted]
        return [left.pop(0) if item is _ABSENT else item for item in same]
    return there


def _by_name(wanted: list[Json], there: list[object]) -> tuple[dict[str, JsonObject], dict[str, JsonObject]] | None:
    """The items of both by name, in their order; None when they have none, or when two have the same."""
    for key in _ITEM_KEYS:
        names, others = _names(key, wanted), _names(key, there)
        if names is not None and others is not None and (names or others):
            return names, others
    return None


def _names(key: str, items: Sequence[object]) -> dict[str, JsonObject] | None:
    names: dict[str, JsonObject] = {str(item[key]): item for item in items if isinstance(item, dict) and key in item}
    return names if len(names) == len(items) else None


def _same(key: str, wanted: Json, there: object, address: Address) -> bool:
    if isinstance(wanted, str) and isinstance(there, str):
        return _same_text(key, wanted, there, address)
    return wanted == there


def _same_text(key: str, wanted: str, there: str, address: Address) -> bool:
    if wanted == there:
        return True
    if OPEN in wanted:
        return re.fullmatch(_pattern(wanted, address), without_port(there), re.DOTALL) is not None
    if key in _CASE_MATTERS:
        return False
    if wanted.startswith("P") and there.startswith("P"):
        return _length(wanted) == _length(there)
    if _MOMENT.match(wanted) and _MOMENT.match(there):
        return _moment(wanted) == _moment(there)
    return bool(_WORD.match(wanted)) and wanted.casefold() == there.casefold()


def _pattern(wanted: str, address: Address) -> str:
    """What a text with symbols can be: each stands for its address, with or without a query, or for anything."""
    found = ""
    for piece in pieces(wanted):
        stands_for = piece if isinstance(piece, str) else address(piece)
        if stands_for is None:
            found += ".*"
        else:
            query = "" if isinstance(piece, str) else _QUERY
            found += re.escape(without_port(stands_for)) + query
    return found


def _moment(text: str) -> datetime | str:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return text


def _length(text: str) -> timedelta | str:
    try:
        return duration(text)
    except NotADuration:
        return text


def shown(key: str, there: object) -> Json:
    """An observed value for people: no query of any URL (it may hold a SAS), no value that may be a secret."""
    if isinstance(there, dict):
        return {str(name): shown(str(name), value) for name, value in there.items()}
    if isinstance(there, list):
        return [shown(key, value) for value in there]
    if key in _HIDDEN:
        return NOT_SHOWN
    if isinstance(there, str):
        return re.sub(r"(https?://[^\s?'\"]*)\?[^\s'\"]*", r"\1", there)
    return there if isinstance(there, int | float | bool) else None
