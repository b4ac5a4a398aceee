"""`batchspec status`: the live state of what a spec made.

In: a spec. Out: pool, nodes, job, task counts and failures on stdout; with `--watch` again when it has changed, looked
at ever more slowly, until all tasks have ended (as JSON: one object per line). Exit code 0 whatever the state is.
"""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from batchspec.cli import as_json
from batchspec.cli.console import Console
from batchspec.cli.given import Given
from batchspec.cli.progress import reporting
from batchspec.cli.session import online
from batchspec.cli.text_outcome import status_lines
from batchspec.reconcile.outcome import Status
from batchspec.reconcile.ports import Services
from batchspec.render.model import Desired

if TYPE_CHECKING:
    from batchspec.reconcile.patience import Patience


def status(console: Console, spec: str, given: Given, *, watch: bool) -> int:
    """Show the state once, or until all tasks have ended."""

    async def work(desired: Desired, services: Services) -> int:
        from math import inf

        from batchspec.reconcile.clock import SystemClock
        from batchspec.reconcile.patience import Patience
        from batchspec.reconcile.status import status as observed

        def show(found: Status, again: bool) -> None:
            _print(console, found, given, spec, last=not watch or _ended(found), again=again)

        if watch:
            with reporting(console) as report:
                await follow(desired, services, Patience(inf, report, SystemClock()), show)
        else:
            show(await observed(desired, services), False)
        return 0

    return online(console, spec, given, work)


async def follow(
    desired: Desired, services: Services, patience: "Patience", show: Callable[[Status, bool], None]
) -> None:
    """Show the state, and `again` when it has changed, until all tasks have ended.

    Raises ServiceRefused, and ServiceUnreachable after half a minute without an answer.
    """
    from batchspec.reconcile.status import status as observed

    shown: Status | None = None

    async def look() -> Status | None:
        nonlocal shown
        found = await observed(desired, services)
        if found != shown:
            show(found, shown is not None)
            shown = found
        return found if _ended(found) else None

    await patience.until(look)


def _ended(found: Status) -> bool:
    """Whether nothing is left to wait for: all tasks are completed or blocked, or there is no job."""
    if found.job_state is None or found.job_state == "completed":
        return True
    counts = found.counts
    return counts.total > 0 and counts.completed + found.blocked >= counts.total


def _print(console: Console, found: Status, given: Given, spec: str, *, last: bool, again: bool) -> None:
    if console.as_json:
        console.answer |= as_json.status_object(found)
        if not last:
            console.result(json.dumps({**console.answer, "exit_code": None, "error": None}, ensure_ascii=False))
            console.flush()
        return
    if again:
        console.result("")
    for line in status_lines(found, given, spec):
        console.result(line)
    console.flush()
