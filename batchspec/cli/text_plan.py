"""A plan as lines: one per entry, reasons beneath what changes, then the totals, remarks and checks.

Place in the pipeline: `plan` and `apply` print with it. In: `Plan` and the `Desired` it is for. Out: lines on stdout,
of at most 100 columns where names and values allow. A thousand tasks are one line, unless all are asked for; ids and
values are harmless text. What is told is decided in `plan_entries`.
"""

from collections.abc import Callable, Iterator, Sequence
from textwrap import wrap

from batchspec.cli import phrases
from batchspec.cli.console import Console
from batchspec.cli.plan_entries import BAD, Entry, check_counts, entries, nothing_or_totals, remarks
from batchspec.cli.text_reasons import why
from batchspec.reconcile.change import Action, Check, Plan
from batchspec.render.model import Desired

SIGNS: dict[Action, str] = {"create": "+", "update": "~", "replace": "-/+", "delete": "-", "keep": " "}
_KIND_WIDTH = 11
_COLUMNS = 100
_TEXT_COLUMN = 4 + _KIND_WIDTH
_REASON_INDENT = " " * (_TEXT_COLUMN + 2)
_ID_INDENT = _REASON_INDENT + "  "
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
    for entry in entries(plan, desired):
        yield from _entry(entry, mark, all_tasks=all_tasks)
    yield nothing_or_totals(plan)
    yield from remarks(plan, all_tasks=all_tasks)
    yield from (f"  failed before: {phrases.harmless(one)}" for one in (plan.failed_tasks if all_tasks else ()))
    if verbose or not plan.nothing_to_do or any(one.verdict in BAD for one in plan.checks):
        yield from check_lines(plan.checks, verbose=verbose)
    if plan.digest and (verbose or not plan.nothing_to_do):
        yield f"Digest: {plan.short_digest}"


def check_lines(checks: Sequence[Check], *, verbose: bool = False) -> Iterator[str]:
    """How many checks came to which verdict, and those that a person must see, or all when `verbose`; nothing without.

    Each is one line, with the next step beneath one that is not fine.
    """
    if not checks:
        return
    yield f"Preflight: {check_counts(checks)}"
    for check in checks:
        if verbose or check.verdict in BAD:
            yield from one_check(check)


def one_check(check: Check) -> Iterator[str]:
    """The line of one check, and its next step."""
    fact = phrases.harmless(phrases.without_signatures(check.fact))
    yield f"  {check.verdict:{_VERDICT_WIDTH}}{phrases.harmless(check.name)}: {fact}"
    if check.fix and check.verdict != "ok":
        yield f"  {'':{_VERDICT_WIDTH}}{phrases.harmless(phrases.without_signatures(check.fix))}"


def _entry(entry: Entry, mark: Callable[[str], str], *, all_tasks: bool) -> Iterator[str]:
    sign = "" if entry.kind == "download" else SIGNS[entry.action]
    kind = "tasks" if entry.kind == "task" else entry.kind
    first, *more = _shown(entry, all_tasks=all_tasks)
    yield f"{' ' * (3 - len(sign))}{mark(sign) if sign else ''} {kind:{_KIND_WIDTH}}{first}"
    yield from (" " * _TEXT_COLUMN + line for line in more)
    yield from (_REASON_INDENT + line for line in _whys(entry))
    if entry.kind == "task" and all_tasks:
        yield from (_ID_INDENT + phrases.harmless(one) for one in entry.names)


def _shown(entry: Entry, *, all_tasks: bool) -> list[str]:
    """What stands behind the kind, in lines."""
    if entry.kind == "container":
        names = ", ".join(map(phrases.harmless, entry.names))
        return wrap(names, _COLUMNS - _TEXT_COLUMN, break_long_words=False, break_on_hyphens=False)
    if entry.kind in ("pool", "job", "schedule"):
        return [f"{phrases.harmless(entry.names[0]):18} {entry.what}".rstrip()]
    if entry.kind == "task" and not all_tasks:
        room = _COLUMNS - _TEXT_COLUMN - len(entry.what) - 2
        return [f"{entry.what}: {phrases.fitting(entry.names, room)}"]
    return [entry.what]


def _whys(entry: Entry) -> Iterator[str]:
    """The lines of all reasons."""
    width = _COLUMNS - len(_REASON_INDENT)
    for reason in entry.reasons:
        yield from why(reason, width)
    for ids, reasons in entry.differing:
        names = f"{phrases.some(ids)}:"
        if len(reasons) == 1:
            first, *more = why(reasons[0], width - len(names) - 1)
            yield from (f"{names} {first}", *more)
        else:
            yield names
            yield from (f"  {line}" for reason in reasons for line in why(reason, width - 2))
