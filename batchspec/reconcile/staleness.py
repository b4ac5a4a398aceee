"""Whether a frozen plan still holds, and where it does not: was, is.

Place in the pipeline: `apply --plan` asks before it writes, and again under the lock. In: a `Frozen`, and what is
planned now. Out: differences, none when the plan holds. Pure.

What the plan rests on (spec, variables, inputs, account, flags) must be the same. Of what is there, a change that the
plan wants is accepted when it is done, or half done: that is where a run of this very plan is that was killed, and why
it can be run again until it is through. A plan that is done has nothing left to do. Any other change that is needed now
is news to whoever reviewed the plan.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from batchspec.errors import Difference
from batchspec.reconcile.change import Change, Plan
from batchspec.reconcile.freeze import CHANGES, Freezing, canonical, digest_of_rest, entry
from batchspec.reconcile.frozen import Frozen
from batchspec.reconcile.observe import Observed
from batchspec.reconcile.plan_job import FINISHES
from batchspec.reconcile.secrets import SENT_AGAIN
from batchspec.render.hashes import fingerprint
from batchspec.render.model import Desired
from batchspec.spec.document import At, dotted

NOT_THERE = "not there"
ANOTHER = "another value"
_MD5_DIGITS, _DIGITS = 32, 12
_ABSENT = object()
_MARKED = ("pool", "job", "schedule")
_Entry = Mapping[str, Any]


def differences(frozen: Frozen, freezing: Freezing, plan: Plan, observed: Observed) -> Iterator[Difference]:
    """Where the plan that was frozen is not what would be carried out now, most telling first."""
    if freezing.digest_of_rest() == digest_of_rest(frozen.plan):
        yield from _news(frozen, freezing.desired, plan, observed)
        return
    now = json.loads("".join(freezing.rest()) + "}")
    found = False
    for one in _in_what_it_rests_on(frozen.plan, now):
        found = True
        yield one
    if not found:
        ordered = frozen.plan["tasks"] == now["tasks"]
        yield Difference("something else" if ordered else "the order of the tasks", "as reviewed", "another")


def _in_what_it_rests_on(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Difference]:
    if was["name"] != now["name"]:
        yield Difference("the spec's name", was["name"], now["name"])
        return
    if was["place"] != now["place"]:
        yield Difference("the account", _place(was["place"]), _place(now["place"]))
    for name in sorted(now["asked"]):
        if was["asked"][name] != now["asked"][name]:
            said = ("not said", "said")
            option = "--" + name.replace("_", "-")
            yield Difference(option, said[was["asked"][name]], said[now["asked"][name]])
    told = list(_in_source(was, now))
    yield from told
    for name, what in (("rows", "rows of"), ("files", "file"), ("blobs", "blob")):
        inputs = list(_in_sums(what, was[name], now[name]))
        yield from inputs
        told += inputs
    if not told:
        yield from _in_values((), was["spec"], now["spec"], _rendered)
    yield from _in_tasks(was["tasks"], now["tasks"])


def _place(place: str) -> str:
    return "the local engine" if place == "local" else place


def _in_source(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Difference]:
    """What a person wrote: the variables, then the spec. One that was declared or not stands in the spec."""
    for name in sorted(was["variables"].keys() & now["variables"].keys()):
        before, after = was["variables"][name], now["variables"][name]
        if canonical(before) != canonical(after):
            yield Difference(f"variable {name}", before, after)
    yield from _in_values((), was["source"], now["source"], _written)


def _written(at: At) -> tuple[str, str]:
    return (f"spec, {dotted(at)}" if at else "spec"), ""


def _rendered(at: At) -> tuple[str, str]:
    return str(at[0]), dotted(at[1:])


def _in_values(at: At, was: object, now: object, named: Callable[[At], tuple[str, str]]) -> Iterator[Difference]:
    """Where two values differ, as deep as both have the same form; `named` makes `what` and `path` of a place."""
    if _text(was) == _text(now):
        return
    if isinstance(was, dict) and isinstance(now, dict):
        for key in dict.fromkeys((*was, *now)):
            yield from _in_values((*at, key), was.get(key, _ABSENT), now.get(key, _ABSENT), named)
    elif isinstance(was, list) and isinstance(now, list):
        for index, before, after in _paired(was, now):
            yield from _in_values((*at, index), before, after, named)
    else:
        what, path = named(at)
        before, after = (NOT_THERE if one is _ABSENT else one for one in (was, now))
        yield Difference(what, before, after, path)


def _text(value: object) -> str:
    """The same for equal values only."""
    return "" if value is _ABSENT else canonical(value)


def _paired(was: list[object], now: list[object]) -> Iterator[tuple[int, object, object]]:
    """The items that differ, without what both lists begin and end with, by their place in the new one."""
    before, after = list(map(canonical, was)), list(map(canonical, now))
    start = 0
    while start < min(len(was), len(now)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(was), len(now)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    old, new = was[start : len(was) - end], now[start : len(now) - end]
    for offset in range(max(len(old), len(new))):
        one, other = (some[offset] if offset < len(some) else _ABSENT for some in (old, new))
        yield start + offset, one, other


def _in_sums(what: str, was: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Difference]:
    for name in sorted(was.keys() | now.keys()):
        if was.get(name) != now.get(name):
            yield Difference(f"{what} {name}", _sum(was.get(name)), _sum(now.get(name)))


def _sum(text: str | None) -> str:
    """An MD5 or, where there is none, an ETag, and the size, for people."""
    if text is None:
        return NOT_THERE
    content, _, size = text.rpartition(" ")
    content = content.partition(" ")[0]
    return f"{size} bytes (MD5 {content[:_DIGITS]})" if len(content) == _MD5_DIGITS else f"{size} bytes ({content})"


def _in_tasks(was: list[list[str]], now: list[list[str]]) -> Iterator[Difference]:
    before, after = ({one[0]: one[1:] for one in some} for some in (was, now))
    for task_id in dict.fromkeys((*after, *before)):
        old, new = before.get(task_id), after.get(task_id)
        if old != new:
            both = old is not None and new is not None
            told = ("as reviewed", "with another command, setting or input") if both else map(_there, (old, new))
            yield Difference(f"task {task_id}", *told)


def _there(task: object) -> str:
    return NOT_THERE if task is None else "there"


def _news(frozen: Frozen, desired: Desired, plan: Plan, observed: Observed) -> Iterator[Difference]:
    """What must be changed now and is neither in the frozen plan nor a rest of what is."""
    planned = {(one["kind"], one["id"]): one for one in frozen.plan[CHANGES]}
    for change in (*plan.changes, *plan.tasks):
        now = entry(change, observed)
        was = planned.get((change.kind, change.id))
        if not _is_same(was, now) and not _is_rest(was, now, _mark(desired, change), frozen.asked.refresh_secrets):
            yield from _told(change, was, now)


def _is_same(was: _Entry | None, now: _Entry) -> bool:
    """Whether a change is the one that was planned. A task or blob that goes is known by its mark, whatever is told."""
    if was is None or now["kind"] in _MARKED or now["action"] == "update":
        return was == now
    return all(was.get(name) == now.get(name) for name in ("action", "steps", "there"))


def _mark(desired: Desired, change: Change) -> str:
    """The mark that a pool, job or schedule has once it is as the spec says."""
    part = {"pool": desired.pool, "job": desired.job, "schedule": desired.schedule}.get(change.kind)
    return part.hash if part is not None else ""


def _is_rest(was: _Entry | None, now: _Entry, mark: str, refresh_secrets: bool) -> bool:
    """Whether a change is what is left to do of one that was planned."""
    why = now.get("why", [])
    if refresh_secrets and now["kind"] == "task" and [one["text"] for one in why] == [SENT_AGAIN]:
        return True  # whatever waits is sent again
    if was is None:
        return False
    if now["action"] == "create":
        anew = was["action"] == "update" and {"add", "reactivate"} & set(was.get("steps", []))
        return was["action"] in ("create", "replace") or bool(anew)
    if now["action"] != "update" or now["kind"] not in _MARKED:
        return False
    old = {(one.get("path"), one.get("old")) for one in was.get("why", [])}
    known = all((one.get("path"), one.get("old")) in old for one in why if one.get("path") and one["text"] != FINISHES)
    if was["action"] == "update":
        steps = set(now.get("steps", [])) <= {*was.get("steps", []), "finish"}
        return known and steps and now.get("there") in (was.get("there"), mark)
    return known and now.get("there") == mark


def _told(change: Change, was: _Entry | None, now: _Entry) -> Iterator[Difference]:
    """A change that is news: each property that somebody has changed, or else what would be done."""
    name = f"{change.kind} {change.id}"
    old = {one.get("path"): one.get("old") for one in (was or {}).get("why", [])}
    # The spec is the same: what now differs of something that stays, somebody has changed.
    stays = was is None or was["action"] == now["action"] == "update"
    new = [one for one in change.reasons if one.path and one.text != FINISHES and (stays or one.cause == "drift")]
    new = [one for one in new if one.path not in old or (stays and old[one.path] != fingerprint(one.old))]
    for reason in new:
        yield Difference(name, ANOTHER if reason.path in old else reason.new, reason.old, reason.path)
    if not new:
        before, after = _meant(was), _meant(now)
        by = [f" by {', '.join(one.get('steps', []))}" if one and before == after else "" for one in (was, now)]
        yield Difference(name, before + by[0], after + by[1])


_VERBS = {"create": "to be created", "update": "to be changed", "replace": "to be replaced", "delete": "to be deleted"}


def _found(one: _Entry) -> str:
    return _sum(str(one["there"])) if one["kind"] == "upload" else f"mark {str(one['there'])[:40]}"


def _meant(one: _Entry | None) -> str:
    """What shall be done with something, and how it was found."""
    if one is None:
        return "to stay as it is"
    texts = [str(reason.get("text")) for reason in one.get("why", []) if reason.get("text") != "changed"]
    found = [f"found with {_found(one)}"] if one.get("there") else []
    aside = "; ".join([*texts, *found])
    verb = _VERBS.get(str(one["action"]), "changed in another way")
    return f"{verb} ({aside})" if aside else verb
