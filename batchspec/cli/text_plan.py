"""A plan as lines: one per kind and action, reasons beneath what changes, then the totals.

Place in the pipeline: `plan`, `apply` and `delete` print with it. In: `Plan` and the `Desired` it is for, which knows
what a new pool looks like. Out: lines on stdout, of at most 100 columns where names and values allow. A thousand tasks
are one line, unless all are asked for; ids and values are harmless text.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from textwrap import wrap

from batchspec.cli import phrases
from batchspec.cli.console import Console
from batchspec.cli.text_reasons import why
from batchspec.reconcile.change import Action, Change, Check, Plan, Reason, Totals, Verdict
from batchspec.render.model import Desired, JsonObject

SIGNS: dict[Action, str] = {"create": "+", "update": "~", "replace": "-/+", "delete": "-", "keep": " "}
_ORDER: tuple[Action, ...] = ("create", "update", "replace", "delete")
_KIND_WIDTH = 11
_COLUMNS = 100
_TEXT_COLUMN = 4 + _KIND_WIDTH
_REASON_INDENT = " " * (_TEXT_COLUMN + 2)
_ID_INDENT = _REASON_INDENT + "  "
_NAMED_FILES = 3
_VERDICTS: tuple[Verdict, ...] = ("ok", "warning", "failed", "not checked")
_BAD = ("warning", "failed")
_VERDICT_WIDTH = len("not checked  ")


def print_plan(console: Console, plan: Plan, desired: Desired, *, all_tasks: bool = False) -> None:
    """The whole plan on stdout; `Nothing to do` when there is nothing."""
    for line in lines(plan, desired, console.mark, verbose=console.verbose, all_tasks=all_tasks):
        console.result(line)


def lines(
    plan: Plan,
    desired: Desired,
    mark: Callable[[str], str] = str,
    *,
    verbose: bool = False,
    all_tasks: bool = False,
) -> Iterator[str]:
    """The plan's lines; `mark` colours a sign; `verbose` tells of checks that are fine, too; `all_tasks` names all."""
    for change in change_lines((*plan.changes, *plan.tasks), desired, all_tasks=all_tasks):
        yield _marked(change, mark)
    if plan.downloads:
        total = phrases.size(sum(one.size for one in plan.downloads))
        yield f"    {'download':{_KIND_WIDTH}}{phrases.count(len(plan.downloads), 'file')} ({total})"
    yield nothing_or_totals(plan)
    yield from remarks(plan, all_tasks=all_tasks)
    if verbose or not plan.nothing_to_do or any(one.verdict in _BAD for one in plan.checks):
        yield from check_lines(plan.checks, verbose=verbose)
    if plan.digest and (verbose or not plan.nothing_to_do):
        yield f"Digest: {plan.short_digest}"


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
    """What a person should know beside the changes."""
    if plan.pending_tasks:
        them = "it" if plan.pending_tasks == 1 else "them"
        yield f"{phrases.count(plan.pending_tasks, 'unchanged task')} not finished yet: apply waits for {them}."
    if plan.failed_tasks:
        failed = phrases.count(len(plan.failed_tasks), "unchanged task")
        names = "" if all_tasks else f": {phrases.some(plan.failed_tasks)}"
        yield f"{failed} failed before{names}; --retry-failed runs them again."
        yield from (f"  {phrases.harmless(one)}" for one in (plan.failed_tasks if all_tasks else ()))
    for lacking in plan.unseen:
        yield f"Not in this plan: {phrases.harmless(phrases.without_signatures(lacking))}"
    for note in plan.notes:
        yield f"Note: {phrases.harmless(note)}"


def check_lines(checks: Sequence[Check], *, verbose: bool = False) -> Iterator[str]:
    """How many checks came to which verdict, and those that a person must see, or all when `verbose`; nothing without.

    Each is one line, with the next step beneath one that is not fine.
    """
    if not checks:
        return
    count = Counter(check.verdict for check in checks)
    counts = [f"{count[verdict]:,} {_counted(verdict, count[verdict])}" for verdict in _VERDICTS if count[verdict]]
    yield f"Preflight: {', '.join(counts)}"
    for check in checks:
        if verbose or check.verdict in _BAD:
            fact = phrases.harmless(phrases.without_signatures(check.fact))
            yield f"  {check.verdict:{_VERDICT_WIDTH}}{phrases.harmless(check.name)}: {fact}"
            if check.fix and check.verdict != "ok":
                yield f"  {'':{_VERDICT_WIDTH}}{phrases.harmless(phrases.without_signatures(check.fix))}"


def _counted(verdict: Verdict, number: int) -> str:
    return "warnings" if verdict == "warning" and number != 1 else verdict


def change_lines(changes: Iterable[Change], desired: Desired, *, all_tasks: bool = False) -> Iterator[tuple[str, str]]:
    """(sign, rest of the line) for each line; the sign is empty for a reason."""
    by_kind = groupby(changes, key=lambda change: change.kind)
    for kind, group in by_kind:
        members = list(group)
        for action in _ORDER:
            chosen = [change for change in members if change.action == action]
            if not chosen:
                continue
            if kind == "container":
                yield from _containers(action, chosen)
            elif kind == "upload":
                yield from _uploads(action, chosen, desired)
            elif kind == "task":
                yield from _tasks(action, chosen, all_tasks=all_tasks)
            else:
                yield from _single(action, chosen, desired)


def _marked(line: tuple[str, str], mark: Callable[[str], str]) -> str:
    sign, rest = line
    if not sign:
        return rest
    return " " * (3 - len(sign)) + mark(sign) + " " + rest


def _line(action: Action, kind: str, text: str) -> tuple[str, str]:
    return SIGNS[action], f"{kind:{_KIND_WIDTH}}{text}"


def _containers(action: Action, changes: Sequence[Change]) -> Iterator[tuple[str, str]]:
    names = ", ".join(phrases.harmless(change.id) for change in changes)
    first, *more = wrap(names, _COLUMNS - _TEXT_COLUMN, break_long_words=False, break_on_hyphens=False)
    yield _line(action, "container", first)
    yield from (("", " " * _TEXT_COLUMN + line) for line in more)
    yield from _reasons(changes)


def _uploads(action: Action, changes: Sequence[Change], desired: Desired) -> Iterator[tuple[str, str]]:
    places: dict[str, list[Change]] = {}
    for change in changes:
        places.setdefault(_container_key(change, desired), []).append(change)
    word = "from" if action == "delete" else "to"
    parts = []
    for place, members in places.items():
        part = f"{phrases.count(len(members), 'file')} {word} {phrases.harmless(place)}"
        if action != "create" and len(members) <= _NAMED_FILES:
            part += ": " + phrases.some([change.id.partition("/")[2] for change in members])
        parts.append(part)
    total = phrases.size(sum(change.size for change in changes))
    yield _line(action, "upload", f"{', '.join(parts)} ({total})")
    yield from _reasons(changes)


def _container_key(change: Change, desired: Desired) -> str:
    upload = desired.uploads.get(change.key)
    return upload.container if upload is not None else change.id.partition("/")[0]


def _single(action: Action, changes: Sequence[Change], desired: Desired) -> Iterator[tuple[str, str]]:
    for change in changes:
        pool = _made_with(change, desired) if action in ("create", "replace") else None
        new = describe_pool(pool) if pool is not None else ""
        how = {"update": "in place", "replace": _replaced(change, new)}.get(action, new)
        yield _line(action, change.kind, f"{phrases.harmless(change.id):18} {how}".rstrip())
        yield from _reasons([change])


def _replaced(change: Change, new: str) -> str:
    """How a replacement is told: a pool by the new one, a job with the pool that comes with it."""
    if not new:
        return "replaced"
    return f"replaced by {new}" if change.kind == "pool" else f"replaced, with {new}"


def _made_with(change: Change, desired: Desired) -> JsonObject | None:
    """The body of the pool that comes to be by a change: itself, or the auto pool of a job."""
    if change.kind == "pool":
        return desired.pool.body if desired.pool else None
    return desired.auto_pool if change.kind == "job" else None


_VERBS: dict[Action, str] = {
    "create": "new",
    "update": "to change in place",
    "replace": "to run again",
    "delete": "to delete",
}


def _tasks(action: Action, changes: Sequence[Change], *, all_tasks: bool) -> Iterator[tuple[str, str]]:
    """A line for all that have the same reasons, with the first ids, or with all of them beneath."""
    ways: dict[tuple[str, ...], list[Change]] = {}
    for change in changes:
        ways.setdefault(tuple(_whys([_in_general(change)])), []).append(change)
    for reasons, members in ways.items():
        ids = [one.id for one in members]
        verb = _VERBS[action]
        if action == "update" and any(reason.text.startswith("failed") for reason in members[0].reasons):
            verb = "to retry"
        text = f"{len(ids):,} {verb}"
        names = "" if all_tasks else f": {phrases.fitting(ids, _COLUMNS - _TEXT_COLUMN - len(text) - 2)}"
        yield _line(action, "tasks", text + names)
        yield from (("", _REASON_INDENT + reason) for reason in reasons)
        yield from (("", _REASON_INDENT + line) for line in _what_differs(members))
        yield from (("", _ID_INDENT + phrases.harmless(one)) for one in (ids if all_tasks else ()))


def _in_general(change: Change) -> Change:
    """A task that runs again without what differs in it alone."""
    if change.action != "replace":
        return change
    return replace(change, reasons=tuple(reason for reason in change.reasons if not reason.path))


def _what_differs(changes: Iterable[Change]) -> Iterator[str]:
    """What differs in single tasks that run again, where somebody has looked; the same in several is told once."""
    width = _COLUMNS - len(_REASON_INDENT)
    same: dict[tuple[str, ...], tuple[Reason, list[str]]] = {}
    for change in changes:
        for reason in change.reasons if change.action == "replace" else ():
            if reason.path:
                same.setdefault(tuple(why(reason, width)), (reason, []))[1].append(change.id)
    for reason, ids in same.values():
        names = f"{phrases.some(ids)}: "
        first, *more = why(reason, width - len(names))
        yield from (names + first, *more)


def _reasons(changes: Sequence[Change]) -> Iterator[tuple[str, str]]:
    yield from (("", _REASON_INDENT + line) for line in _whys(changes))


def _whys(changes: Iterable[Change]) -> list[str]:
    """The lines of all reasons, each reason once."""
    width = _COLUMNS - len(_REASON_INDENT)
    told = dict.fromkeys(tuple(why(reason, width)) for change in changes for reason in change.reasons)
    return [line for lines in told for line in lines]


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
