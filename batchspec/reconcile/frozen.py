"""A frozen plan: the file that `plan --out` writes and `apply --plan` reads.

Place in the pipeline: `plan` writes one, so that `apply` can be held to it (see `staleness`). In: what `freeze` makes,
or the bytes of a file that anybody may have written. Out: the file's text in pieces, or a `Frozen`. Pure.

The file is JSON: `batchspec_plan` (the version, 1), `spec_file` (where the spec is looked for, from the root of its
repository), `plan` (the text of `freeze`) and `digest` (of `plan`). One line holds one member or item, so that two of
them can be compared by eye. `spec_file` is not in the digest: a spec that stands elsewhere is the same spec.

Reading trusts nothing: size, number of values, depth, form and digest are checked. The digest tells a file that was cut
or edited by hand; whoever wants to deceive can make a new one, so it is no signature.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from batchspec.reconcile.asked import Asked
from batchspec.reconcile.change import Plan
from batchspec.reconcile.freeze import CHANGES, SEPARATOR, Freezing, canonical, digest_of, there
from batchspec.reconcile.observe import Observed

VERSION = 1
HEAD = '{"batchspec_plan":'
# A plan of a million tasks has about 160 MB and 8 million values.
MAX_BYTES = 256 * 1024 * 1024
MAX_VALUES = 10_000_000
# A spec is at most 100 deep.
MAX_DEPTH = 200

_MEMBERS = {"batchspec_plan", "spec_file", "plan", "digest"}
_TEXTS = ("name", "place")
_SUMS = ("files", "blobs", "rows")
_OBJECTS = ("asked", "spec", "variables", *_SUMS)
_LISTS = ("tasks", CHANGES)
_TOO_DEEP = "is no plan that batchspec has made: it is nested too deeply"
_ASKED = {"retry_failed", "refresh_secrets"}


class NotFrozen(ValueError):
    """Bytes that are no frozen plan; the message goes on after the file's name."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """A plan that was read back: `plan` is the text of `freeze` as data, of which `digest` is the digest."""

    spec_file: str
    plan: Mapping[str, Any]
    digest: str

    @property
    def name(self) -> str:
        """The spec's name."""
        return str(self.plan["name"])

    @property
    def asked(self) -> Asked:
        """What it was planned with; of failures, those that it has seen: another one is news."""
        planned = {one["id"].casefold(): one.get("there") for one in self.plan[CHANGES] if one["kind"] == "task"}
        asked = self.plan["asked"]
        return Asked(
            bool(asked["retry_failed"]),
            bool(asked["refresh_secrets"]),
            lambda task: planned.get(task.id.casefold()) == there(task),
        )

    @property
    def variables(self) -> dict[str, object]:
        """The variables whose values are not the defaults of the spec that was planned."""
        source = self.plan["source"]
        declared = source.get("vars") if isinstance(source, dict) else None
        defaults = declared if isinstance(declared, dict) else {}
        return {name: value for name, value in self.plan["variables"].items() if value != _default(defaults.get(name))}


def _default(declared: object) -> object:
    return declared.get("default") if isinstance(declared, dict) else declared


def file_text(freezing: Freezing, plan: Plan, observed: Observed, spec_file: str) -> Iterator[str]:
    """The file, in pieces; `plan` must have its digest."""
    yield f'{HEAD}{VERSION},\n"spec_file":{canonical(spec_file)},\n"plan":'
    for piece in freezing.text(plan, observed):
        yield ",\n" if piece == SEPARATOR else piece
    yield f',\n"digest":"{plan.digest}"}}\n'


def frozen_from(content: bytes) -> Frozen:
    """Read a file back. Raises NotFrozen."""
    whole = _parsed(content)
    if not isinstance(whole, dict) or "batchspec_plan" not in whole:
        raise NotFrozen("is no plan: it has no `batchspec_plan`")
    if whole["batchspec_plan"] != VERSION or isinstance(whole["batchspec_plan"], bool):
        raise NotFrozen(f"is of another version; this batchspec reads version {VERSION}")
    plan, spec_file, digest = whole.get("plan"), whole.get("spec_file"), whole.get("digest")
    if whole.keys() != _MEMBERS or not isinstance(plan, dict) or not isinstance(spec_file, str):
        raise NotFrozen(f"is no whole plan: expected the members {', '.join(sorted(_MEMBERS))}")
    if not all(_is_flat(plan.get(name)) for name in plan):
        raise NotFrozen(_TOO_DEEP)
    if digest != digest_of(plan):
        raise NotFrozen("was changed after it was made: its digest is not that of what it holds")
    if fault := _fault(plan):
        raise NotFrozen(f"is no plan that batchspec has made: {fault}")
    if not _is_inside(spec_file):
        raise NotFrozen("names a spec that is not in the repository")
    return Frozen(spec_file, plan, digest)


def _parsed(content: bytes) -> object:
    if len(content) > MAX_BYTES:
        raise NotFrozen(f"is larger than {MAX_BYTES:,} bytes")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotFrozen("is no plan: it is not UTF-8 text") from error
    if sum(map(text.count, ",[{")) > MAX_VALUES:
        raise NotFrozen(f"is no plan that batchspec has made: it has more than {MAX_VALUES:,} values")
    try:
        return json.loads(text)
    except RecursionError as error:
        raise NotFrozen(_TOO_DEEP) from error
    except ValueError as error:
        raise NotFrozen("is no plan: it is not JSON, or a part of it is missing") from error


def _is_flat(value: object) -> bool:
    """Whether a value is not nested deeper than a plan can be."""
    level: list[object] = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return True
    return False


def _fault(plan: Mapping[str, object]) -> str:
    """What has another form than `freeze` gives it; "" when all is well."""
    if plan.keys() != {*_TEXTS, *_OBJECTS, *_LISTS, "source"}:
        return "its members are others"
    for names, kind in ((_TEXTS, str), (_OBJECTS, dict), (_LISTS, list)):
        for name in names:
            if not isinstance(plan[name], kind):
                return f"`{name}` is something else"
    asked, tasks, changes = plan["asked"], plan["tasks"], plan[CHANGES]
    assert isinstance(asked, dict)
    assert isinstance(tasks, list)
    assert isinstance(changes, list)
    if asked.keys() != _ASKED or not all(isinstance(one, bool) for one in asked.values()):
        return "`asked` is something else"
    for name in _SUMS:
        sums = plan[name]
        if not isinstance(sums, dict) or not all(isinstance(one, str) for one in sums.values()):
            return f"`{name}` is something else"
    if not all(map(_is_task, tasks)):
        return "`tasks` is something else"
    return "" if all(map(_is_change, changes)) else f"`{CHANGES}` is something else"


def _is_task(value: object) -> bool:
    return isinstance(value, list) and len(value) == 3 and all(isinstance(one, str) for one in value)


def _is_change(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    steps, why = value.get("steps", []), value.get("why", [])
    texts = all(isinstance(value.get(name, ""), str) for name in ("action", "kind", "id", "there"))
    named = {"action", "kind", "id"} <= value.keys()
    return texts and named and _are(steps, str) and _are(why, dict) and all(_are([*one.values()], str) for one in why)


def _are(value: object, kind: type) -> bool:
    return isinstance(value, list) and all(isinstance(one, kind) for one in value)


def _is_inside(spec_file: str) -> bool:
    """Whether it is a path below some folder, written the way this module's callers write it."""
    path = PurePosixPath(spec_file)
    parts = spec_file.split("/")
    odd = {"", ".", "..", ".git"} & {part.lower() for part in parts} or any(one in spec_file for one in "\\:\0")
    return not odd and not path.is_absolute() and str(path) == spec_file and spec_file.isprintable()
