"""`batchspec render`: everything that would be sent, rendered, deterministic, with secrets masked; offline.

In: a spec. Out: one object on stdout, as YAML or JSON: `containers`, `uploads`, `pool`, `schedule`, `job`, `tasks`,
where pool, job and each task are the exact REST bodies. With `--out` it goes to a file instead; with `--check` it is
compared with one: exit code 5 and a unified diff on stdout when they differ, so that a checked-in rendering shows a
reviewer the commands that a change of the spec makes.
"""

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from batchspec.cli import phrases
from batchspec.cli.console import Console
from batchspec.cli.desired import desired_from
from batchspec.cli.given import Given
from batchspec.cli.text_rendering import Format, rendering
from batchspec.errors import LocalIOFailed, UsageError

EXIT_DIFFERS = 5


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for; without `format` the file's suffix says it, and YAML is the rest."""

    format: Format | None = None
    task: str | None = None
    limit: int | None = None
    check: str | None = None
    out: str | None = None

    @property
    def written_as(self) -> Format:
        """The format to write."""
        suffix = Path(self.check or self.out or "").suffix.lower()
        return self.format or ("json" if suffix == ".json" else "yaml")

    def words(self, out: str) -> list[str]:
        """These options as typed, with `--out`."""
        task = [] if self.task is None else ["--task", self.task]
        limit = [] if self.limit is None else ["--limit", str(self.limit)]
        format = [] if self.format is None else ["--format", self.format]
        return [*format, *task, *limit, "--out", out]


def render(console: Console, spec: str, given: Given, options: Options) -> int:
    """Print the rendered spec, write it to a file, or compare it with one."""
    desired = desired_from(console, spec, given, given.offline_target, need="bodies")
    pieces = rendering(desired, options.written_as, task=options.task, limit=options.limit)
    if options.check is not None:
        update = given.suggest("render", spec, *options.words(options.check))
        return _check(console, spec, pieces, options.check, update)
    if options.out is not None:
        return _write(console, spec, pieces, options.out)
    for piece in pieces:
        console.raw(piece)
    return 0


def _write(console: Console, spec: str, pieces: Iterator[str], name: str) -> int:
    from batchspec.cli.output_file import write_file

    path = Path(name)
    if path.exists() and path.samefile(spec):
        raise UsageError(f"--out {name} is the spec itself", fix="give the rendering a file of its own")
    write_file(path, pieces)
    console.message(f"{phrases.harmless(name)}: written")
    return 0


def _check(console: Console, spec: str, pieces: Iterator[str], name: str, update: str) -> int:
    """Print how the file differs, and the command that updates it."""
    from batchspec.cli.text_diff import Tally, lines_of, unified

    tally, header = Tally(), False
    with closing(_lines(Path(name), update)) as checked_in:
        for line in unified(checked_in, lines_of(pieces), tally):
            if not header:
                console.result(f"--- {phrases.harmless(name)}\n+++ rendered from {phrases.harmless(spec)}")
            header = True
            console.result(_coloured(console, line))
    if not header:
        console.message(f"{phrases.harmless(name)}: up to date")
        return 0
    console.message(f"{phrases.harmless(name)} is not what {phrases.harmless(spec)} renders to: {tally.summary()}")
    console.message(f"  Update it with: {update}")
    return EXIT_DIFFERS


def _lines(path: Path, update: str) -> Generator[str, None, None]:
    """The file's lines. Raises LocalIOFailed; UsageError when it is no text."""
    try:
        with path.open(encoding="utf-8") as file:
            yield from file
    except FileNotFoundError as error:
        raise LocalIOFailed("read", path, error, fix=f"write it with: {update}") from error
    except OSError as error:
        raise LocalIOFailed("read", path, error) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no rendering: it is not UTF-8 text", fix=f"write one with: {update}") from error


def _coloured(console: Console, line: str) -> str:
    shown = "\n".join(map(phrases.harmless, line.removesuffix("\n").split("\n")))
    return console.mark(shown[0], shown) if shown[0] in "+-" else shown
