"""`batchspec delete`: lists exactly what the spec owns, asks, deletes it, and waits until it is gone.

In: a spec. Out: the list on stdout, one line per resource (one for all tasks in a job of others), then `Deleted ...`.
Things that are not the spec's own, and containers with `keep: true`, stay.
"""

from collections.abc import Iterable

from batchspec.cli import phrases
from batchspec.cli.ask import ask
from batchspec.cli.console import Console
from batchspec.cli.given import Given
from batchspec.cli.progress import reporting
from batchspec.cli.session import online
from batchspec.errors import UsageError
from batchspec.reconcile.change import Change
from batchspec.reconcile.ports import Services
from batchspec.render.model import Desired


def delete(console: Console, spec: str, given: Given, *, yes: bool, keep: Iterable[str]) -> int:
    """Delete what the spec owns, but for what `keep` names (`pool`, `job`, `schedule`, `container.KEY`)."""
    kept = frozenset(name.strip() for text in keep for name in text.split(",") if name.strip())

    keep_options = ["--keep", ",".join(sorted(kept))] if kept else []

    async def work(desired: Desired, services: Services) -> int:
        from batchspec.reconcile.delete import delete as deleted
        from batchspec.reconcile.delete import deletion

        found = await deletion(desired, services, keep=kept)
        for change in found.items:
            if change.kind != "task":
                console.result(_line(change, console.mark("-")))
        tasks = [change.id for change in found.items if change.kind == "task"]
        if tasks and desired.job is not None:
            named = f"{len(tasks):,} of job {phrases.harmless(desired.job.id)}"
            console.result(f"  {console.mark('-')} {'tasks':11}{named}: {phrases.some(tasks)}")
        for note in found.notes:
            console.result(f"Note: {phrases.harmless(note)}")
        if not found.items:
            console.result("Nothing to delete")
            return 0
        console.flush()
        question = f"Delete {phrases.count(len(found.items), 'resource')} of {desired.name}"
        ask(console, question, yes=yes, again=given.suggest("delete", spec, "--yes", *keep_options))
        with reporting(console) as report:
            await deleted(found, services, report=report)
        console.result(f"Deleted {phrases.count(len(found.items), 'resource')}")
        return 0

    again = given.suggest("delete", spec)
    return online(
        console,
        spec,
        given,
        work,
        check=lambda desired: _check_names(kept, desired),
        told=lambda: f"go on with: {again}",
    )


def _line(change: Change, sign: str) -> str:
    why = "; ".join(reason.text for reason in change.reasons)
    return f"  {sign} {change.kind:11}{phrases.harmless(change.id)}" + (f"  ({phrases.harmless(why)})" if why else "")


def _check_names(kept: frozenset[str], desired: Desired) -> None:
    work = "schedule" if desired.schedule is not None else "job"
    known = ["pool", work, *(f"container.{key}" for key in desired.containers)]
    unknown = sorted(kept - set(known))
    if unknown:
        raise UsageError(
            f"--keep {phrases.harmless(unknown[0])}: not a part of this spec", fix=f"it can be {', '.join(known)}"
        )
