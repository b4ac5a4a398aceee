"""`batchspec import`: a spec of what is there, which a plan then has nothing to do for.

In: ids of a pool, of a job or a schedule. Out: the spec on stdout or in a file, notes on stderr. Reads only; with many
tasks a file of rows goes beside the spec. Nothing is overwritten unless asked.
"""

from pathlib import Path

from batchspec.cli import phrases
from batchspec.cli.console import Console
from batchspec.cli.given import Given
from batchspec.cli.interrupt import run_to_end
from batchspec.cli.output_file import write_file
from batchspec.cloud.target import target
from batchspec.errors import UsageError
from batchspec.importing.live import Wanted
from batchspec.reconcile.ports import Services


def import_(console: Console, given: Given, wanted: Wanted, *, out: str | None, force: bool) -> int:
    """Describe what is wanted. Raises UsageError, NotThere when something of it is not there, LocalIOFailed."""
    if wanted.pool is None and wanted.job is None and wanted.schedule is None:
        raise UsageError("import what? --pool ID, --job ID or --schedule ID", fix="see: batchspec import --help")
    if wanted.job is not None and wanted.schedule is not None:
        raise UsageError("--job and --schedule exclude each other: a spec has one of the two", fix="import each alone")
    path = None if out is None else Path(out)
    if path is not None and not force and (path.exists() or path.is_symlink()):
        raise UsageError(f"there already: {phrases.harmless(str(path))}; nothing was written", fix=_OVERWRITE)
    chosen = target(given.target, console.environ)
    verbose = console.request if console.verbose else None

    async def run() -> int:
        from batchspec.cloud.connect import connect

        async with connect(chosen, verbose=verbose, say=console.message) as services:
            console.message(f"import from {services.shown_as}")
            return await _import(console, services, wanted, path, force=force)

    return run_to_end(console, run)


_OVERWRITE = "give another FILE, or --force to overwrite"


async def _import(console: Console, services: Services, wanted: Wanted, path: Path | None, *, force: bool) -> int:
    from batchspec.importing.describe import describe
    from batchspec.importing.live import live

    made = await describe(await live(wanted, services), rows_name=f"{path.stem}-tasks" if path is not None else None)
    for note in made.told:
        console.message(f"Note: {phrases.harmless(note)}")
    if path is None:
        console.raw(made.spec)
        return 0
    others = {path.with_name(name): lines for name, lines in made.rows.items()}
    there = [str(one) for one in others if one.exists() or one.is_symlink()]
    if there and not force:
        raise UsageError(f"there already: {phrases.some(there)}; nothing was written", fix=_OVERWRITE)
    for other, lines in others.items():
        write_file(other, lines)
    write_file(path, [made.spec])
    console.message(f"written: {phrases.some([str(one) for one in (path, *others)])}")
    console.message(f"see what it means with: {phrases.command_line(['batchspec', 'plan', str(path)])}")
    return 0
