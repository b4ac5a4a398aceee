"""What is told of a plan, whatever it is printed as: one entry per kind and action, totals, remarks, counts of checks.

Place in the pipeline: `text_plan` and `markdown_plan` put these into words of their format. In: `Plan` and the
`Desired` it is for, which knows what a new pool looks like. Out: entries and sentences; ids and names in an entry are
as they are, sentences are harmless text without signatures. Never prints.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from batchspec.cli import phrases
from batchspec.cli.text_reasons import DRIFTED
from batchspec.reconcile.change import Action, Change, Check, Kind, Plan, Reason, Totals, Verdict
from batchspec.reconcile.preflight_facts import spoken
from batchspec.reconcile.schedule_times import times_of
from batchspec.render.model import Desired, JsonObject

BAD: tuple[Verdict, ...] = ("warning", "failed")
_VERDICTS: tuple[Verdict, ...] = ("ok", "warning", "failed", "not checked")
_ORDER: tuple[Action, ...] = ("create", "update", "replace", "delete")
NAMED_FILES = 3
_VERBS: dict[Action, str] = {
    "create": "new",
    "update": "to change in place",
    "replace": "to run again",
    "delete": "to delete",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """What shall happen to one resource, or to all of a kind in the same way.

    `names` are those of containers or tasks, that of a pool, job or schedule, or blobs as `container/blob`; `what` says
    how or how many, and is empty where the names say all. `reasons` are told once each. `differing` is what differs in
    single tasks that run again, where somebody has looked, by the ids of those in which it does.
    """

    action: Action
    kind: Kind
    what: str
    names: tuple[str, ...]
    reasons: tuple[Reason, ...] = ()
    differing: tuple[tuple[tuple[str, ...], tuple[Reason, ...]], ...] = ()


def entries(plan: Plan, desired: Desired) -> Iterator[Entry]:
    """The plan's entries in the order of its changes, downloads last."""
    for kind, group in groupby((*plan.changes, *plan.tasks), key=lambda change: change.kind):
        members = list(group)
        for action in _ORDER:
            chosen = [change for change in members if change.action == action]
            if chosen:
                yield from _of_kind(kind, action, chosen, desired)
    if plan.downloads:
        total = phrases.size(sum(one.size for one in plan.downloads))
        what = f"{phrases.count(len(plan.downloads), 'file')} ({total})"
        yield Entry("create", "download", what, tuple(one.id for one in plan.downloads))


def apply_options(plan: Plan) -> list[str]:
    """What `apply` wants said to carry out this plan and nothing else; nothing where there is no digest."""
    return ["--digest", plan.short_digest, *["--force"] * bool(plan.too_much)] if plan.digest else []


def nothing_or_totals(plan: Plan) -> str:
    """`Plan: 12 to create, ...`, or `Nothing to do`."""
    if plan.nothing_to_do:
        return "Nothing to do"
    totals: Totals = plan.totals
    if plan.unseen and not (totals or plan.downloads or plan.pending_tasks or plan.cleanup_due):
        return "Nothing to do in what could be looked at"
    return (
        f"Plan: {totals.create:,} to create, {totals.change:,} to change, "
        f"{totals.replace:,} to replace, {totals.delete:,} to delete."
    )


def remarks(plan: Plan, *, all_tasks: bool = False) -> Iterator[str]:
    """What a person should know beside the changes; with `all_tasks` the failed ones are named elsewhere."""
    if plan.pending_tasks:
        them = "it" if plan.pending_tasks == 1 else "them"
        yield f"{phrases.count(plan.pending_tasks, 'unchanged task')} not finished yet: apply waits for {them}."
    drifted = [one for change in (*plan.changes, *plan.tasks) for one in change.reasons if one.cause == "drift"]
    of_blobs = sum(not one.path for one in drifted)
    for number, one, many in ((len(drifted) - of_blobs, "property", "properties"), (of_blobs, "blob", "blobs")):
        differ = f"1 {one} differs since it was" if number == 1 else f"{number:,} {many} differ since they were"
        if number:
            yield f"{differ} {DRIFTED}: apply puts the spec's back."
    if plan.cleanup_due:
        yield f"Every task has succeeded: apply removes {', '.join(plan.cleanup_due)}, as the spec's cleanup says."
    if plan.failed_tasks:
        failed = phrases.count(len(plan.failed_tasks), "unchanged task")
        names = "" if all_tasks else f": {phrases.some(plan.failed_tasks)}"
        them = "it" if len(plan.failed_tasks) == 1 else "them"
        yield f"{failed} failed before{names}; --retry-failed runs {them} again."
    for lacking in plan.unseen:
        yield f"Not in this plan: {phrases.harmless(phrases.without_signatures(lacking))}"
    for note in plan.notes:
        yield f"Note: {phrases.harmless(note)}"


def check_counts(checks: Sequence[Check]) -> str:
    """How many checks came to which verdict: `9 ok, 1 warning`."""
    count = Counter(check.verdict for check in checks)
    return ", ".join(
        f"{count[verdict]:,} {_counted(verdict, count[verdict])}" for verdict in _VERDICTS if count[verdict]
    )


def _counted(verdict: Verdict, number: int) -> str:
    return "warnings" if verdict == "warning" and number != 1 else verdict


def _of_kind(kind: Kind, action: Action, changes: Sequence[Change], desired: Desired) -> Iterator[Entry]:
    if kind == "task":
        yield from _tasks(action, changes)
    elif kind == "upload":
        for reasons, some in _by_reasons(changes):
            yield Entry(action, kind, _uploads(action, some, desired), _ids(some), reasons)
    elif kind == "container":
        yield Entry(action, kind, "", _ids(changes))
    else:
        yield from (Entry(action, kind, _single(one, desired), (one.id,), _spec_first(one.reasons)) for one in changes)


def _spec_first(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    """What changed in the spec, then what changed in the service."""
    return tuple(sorted(reasons, key=lambda reason: reason.cause == "drift"))


def _ids(changes: Iterable[Change]) -> tuple[str, ...]:
    return tuple(change.id for change in changes)


def _by_reasons(changes: Iterable[Change]) -> Iterator[tuple[tuple[Reason, ...], list[Change]]]:
    """The changes that have the same reasons together."""
    ways: dict[tuple[Reason, ...], list[Change]] = {}
    for change in changes:
        ways.setdefault(change.reasons, []).append(change)
    yield from ways.items()


def _uploads(action: Action, changes: Sequence[Change], desired: Desired) -> str:
    places: dict[str, list[Change]] = {}
    for change in changes:
        places.setdefault(_container_key(change, desired), []).append(change)
    word = "from" if action == "delete" else "to"
    parts = []
    for place, members in places.items():
        part = f"{phrases.count(len(members), 'file')} {word} {phrases.harmless(place)}"
        if action != "create" and len(members) <= NAMED_FILES:
            part += ": " + phrases.some([change.id.partition("/")[2] for change in members])
        parts.append(part)
    return f"{', '.join(parts)} ({phrases.size(sum(change.size for change in changes))})"


def _container_key(change: Change, desired: Desired) -> str:
    upload = desired.uploads.get(change.key)
    return upload.container if upload is not None else change.id.partition("/")[0]


def _tasks(action: Action, changes: Sequence[Change]) -> Iterator[Entry]:
    """An entry for all that have the same reasons."""
    ways: dict[str, list[Change]] = {}
    for change in changes:
        ways.setdefault(repr(_in_general(change)), []).append(change)
    for members in ways.values():
        reasons, differing = _in_general(members[0]), tuple(_differing(members))
        retried = action == "update" and any(reason.text.startswith("failed") for reason in reasons)
        anew = action == "update" and "add" in members[0].steps
        verb = "to retry" if retried else "to add anew" if anew else _VERBS[action]
        if {name for names, _ in differing for name in names} >= set(_ids(members)):
            reasons = ()  # each is told in particular
        yield Entry(action, "task", f"{len(members):,} {verb}", _ids(members), reasons, differing)


def _in_general(change: Change) -> tuple[Reason, ...]:
    """The reasons without what differs in a task that runs again alone."""
    return tuple(reason for reason in change.reasons if change.action != "replace" or not reason.path)


def _differing(changes: Sequence[Change]) -> Iterator[tuple[tuple[str, ...], tuple[Reason, ...]]]:
    """What differs in tasks that run again: the ids of those in which the same does, and what."""
    tasks: dict[str, tuple[Reason, list[str]]] = {}
    for change in changes:
        for reason in change.reasons if change.action == "replace" else ():
            if reason.path:
                tasks.setdefault(repr(reason), (reason, []))[1].append(change.id)
    reasons: dict[tuple[str, ...], list[Reason]] = {}
    for reason, ids in tasks.values():
        reasons.setdefault(tuple(ids), []).append(reason)
    yield from ((ids, tuple(some)) for ids, some in reasons.items())


def _single(change: Change, desired: Desired) -> str:
    """How a pool, job or schedule is made, changed or replaced."""
    pool = _made_with(change, desired) if change.action in ("create", "replace") else None
    new = describe_pool(pool) if pool is not None else ""
    if change.kind == "schedule" and change.action in ("create", "replace") and desired.schedule is not None:
        new = ", ".join(filter(None, (_rhythm(desired.schedule.body), new)))
    return {"update": "in place", "replace": _replaced(change, new)}.get(change.action, new)


def _replaced(change: Change, new: str) -> str:
    """How a replacement is told: a pool or schedule by the new one, a job with the pool that comes with it."""
    if not new:
        return "replaced, and all its tasks with it" if change.kind == "job" else "replaced"
    return f"replaced, with its tasks and {new}" if change.kind == "job" else f"replaced by {new}"


def _made_with(change: Change, desired: Desired) -> JsonObject | None:
    """The body of the pool that comes to be by a change: itself, or the auto pool of a job or a schedule."""
    if change.kind == "pool":
        return desired.pool.body if desired.pool else None
    return desired.auto_pool if change.kind in ("job", "schedule") else None


def _rhythm(schedule: JsonObject | None) -> str:
    """How often a schedule makes a job."""
    interval = times_of(schedule).interval
    return f"a job every {spoken(interval)}" if interval is not None else "one job"


def describe_pool(body: JsonObject) -> str:
    """`2 x standard_d2s_v3, ubuntu 24.04` from a pool's body; what the body does not say is left out."""
    size = str(body.get("vmSize", ""))
    nodes = f"{_nodes(body)} x {size}" if size else _nodes(body)
    if body.get("enableAutoScale"):
        nodes = f"autoscaled, {size}" if size else "autoscaled"
    image = _image(body)
    return phrases.harmless(f"{nodes}, {image}" if image else nodes)


def _nodes(body: JsonObject) -> str:
    dedicated, spot = (_number(body.get(f"target{sort}Nodes")) for sort in ("Dedicated", "LowPriority"))
    parts = [str(dedicated)] if dedicated or not spot else []
    return " + ".join([*parts, *([f"{spot} spot"] if spot else [])])


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _image(body: JsonObject) -> str:
    machine = body.get("virtualMachineConfiguration")
    reference = machine.get("imageReference") if isinstance(machine, dict) else None
    if not isinstance(reference, dict):
        return ""
    offer, sku = str(reference.get("offer", "")), str(reference.get("sku", ""))
    if offer.startswith("ubuntu-"):
        return "ubuntu " + offer.removeprefix("ubuntu-").removesuffix("-lts").replace("_", ".")
    return f"{offer} {sku}".strip() or str(reference.get("virtualMachineImageId", "")).rpartition("/")[2]
