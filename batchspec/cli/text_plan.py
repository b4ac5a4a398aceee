"""A plan as lines: one per kind and action, reasons beneath what changes, then the totals.

Place in the pipeline: `plan`, `apply` and `delete` print with it. In: `Plan` and the `Desired` it is for, which knows
what a new pool looks like. Out: lines on stdout. A thousand tasks are one line; ids and values are harmless text.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from batchspec.cli import phrases
from batchspec.cli.console import Console
from batchspec.reconcile.change import Action, Change, Check, Plan, Reason, Totals, Verdict
from batchspec.render.model import Desired, JsonObject

SIGNS: dict[Action, str] = {"create": "+", "update": "~", "replace": "-/+", "delete": "-", "keep": " "}
_ORDER: tuple[Action, ...] = ("create", "update", "replace", "delete")
_KIND_WIDTH = 11
_REASON_INDENT = " " * 17
_NAMED_FILES = 3
_VERDICTS: tuple[Verdict, ...] = ("ok", "warning", "failed", "not checked")
_BAD = ("warning", "failed")
_VERDICT_WIDTH = len("not checked  ")


def print_plan(console: Console, plan: Plan, desired: Desired) -> None:
    """The whole plan on stdout; `Nothing to do` when there is nothing."""
    for line in lines(plan, desired, console.mark, verbose=console.verbose):
        console.result(line)


def lines(plan: Plan, desired: Desired, mark: Callable[[str], str] = str, *, verbose: bool = False) -> Iterator[str]:
    """The plan's lines; `mark` colours a sign; `verbose` tells of checks that are fine, too."""
    for change in change_lines((*plan.changes, *plan.tasks), desired):
        yield _marked(change, mark)
    if plan.downloads:
        total = phrases.size(sum(one.size for one in plan.downloads))
        yield f"    {'download':{_KIND_WIDTH}}{phrases.count(len(plan.downloads), 'file')} ({total})"
    yield nothing_or_totals(plan)
    yield from remarks(plan)
    if verbose or not plan.nothing_to_do or any(one.verdict in _BAD for one in plan.checks):
        yield from check_lines(plan.checks, verbose=verbose)
    if plan.digest:
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


def remarks(plan: Plan) -> Iterator[str]:
    """What a person should know beside the changes."""
    if plan.pending_tasks:
        them = "it" if plan.pending_tasks == 1 else "them"
        yield f"{phrases.count(plan.pending_tasks, 'unchanged task')} not finished yet: apply waits for {them}."
    if plan.failed_tasks:
        failed = phrases.count(len(plan.failed_tasks), "unchanged task")
        yield f"{failed} failed before: {phrases.some(plan.failed_tasks)}; --retry-failed runs them again."
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


def change_lines(changes: Iterable[Change], desired: Desired) -> Iterator[tuple[str, str]]:
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
                yield from _tasks(action, chosen)
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
    yield _line(action, "container", ", ".join(phrases.harmless(change.id) for change in changes))
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
        text = phrases.harmless(change.id)
        pool = _made_with(change, desired) if action in ("create", "replace") else None
        if pool is not None:
            text = f"{text:18} {describe_pool(pool)}"
        yield _line(action, change.kind, text.rstrip())
        yield from _reasons([change])


def _made_with(change: Change, desired: Desired) -> JsonObject | None:
    """The body of the pool that comes to be by a change: itself, or the auto pool of a job."""
    if change.kind == "pool":
        return desired.pool.body if desired.pool else None
    return desired.auto_pool if change.kind == "job" else None


def _tasks(action: Action, changes: Sequence[Change]) -> Iterator[tuple[str, str]]:
    if action == "create":
        yield _line(action, "tasks", f"{len(changes):,} new")
        return
    ways: dict[tuple[str, ...], list[Change]] = {}
    for change in changes:
        ways.setdefault(tuple(dict.fromkeys(_reason(reason) for reason in change.reasons)), []).append(change)
    for reasons, members in ways.items():
        verb = {"update": "to update", "replace": "to run again", "delete": "to delete"}.get(action, "")
        if action == "update" and any(reason.text.startswith("failed") for reason in members[0].reasons):
            verb = "to retry"
        yield _line(action, "tasks", f"{len(members):,} {verb}: {phrases.some([one.id for one in members])}")
        yield from (("", _REASON_INDENT + reason) for reason in reasons)


def _reasons(changes: Sequence[Change]) -> Iterator[tuple[str, str]]:
    texts = dict.fromkeys(_reason(reason) for change in changes for reason in change.reasons)
    for text in texts:
        yield "", _REASON_INDENT + text


def _reason(reason: Reason) -> str:
    if not reason.path:
        return phrases.harmless(phrases.without_signatures(reason.text))
    text = f"{phrases.harmless(phrases.snake(reason.path))}: {phrases.value(reason.old)} -> {phrases.value(reason.new)}"
    why = [reason.text] if reason.text not in ("", "changed") else []
    why += ["changed in the service, not in the spec"] if reason.cause == "drift" else []
    return f"{text} ({phrases.harmless('; '.join(why))})" if why else text


def describe_pool(body: JsonObject) -> str:
    """`2 x standard_d2s_v3, ubuntu 24.04` from a pool's body; what the body does not say is left out."""
    if body.get("enableAutoScale"):
        nodes = "autoscaled"
    else:
        dedicated, spot = (_number(body.get(f"target{sort}Nodes")) for sort in ("Dedicated", "LowPriority"))
        parts = [str(dedicated)] if dedicated or not spot else []
        nodes = " + ".join([*parts, *([f"{spot} spot"] if spot else [])])
    size = str(body.get("vmSize", ""))
    text = f"{nodes} x {size}" if size else nodes
    image = _image(body)
    return phrases.harmless(f"{text}, {image}" if image else text)


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
