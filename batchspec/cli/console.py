"""Where a command's words go: results to stdout, everything else to stderr.

Place in the pipeline: `main` makes one `Console` per run; commands and printers write through it. In JSON mode a
command fills `answer` and the boundary prints it once, at the end, so that stdout holds exactly one object however the
run ends. Nothing else in batchspec writes to stdout or stderr.

Decisions:
- A reader that went away (`batchspec render x | head`) raises OutputClosed, which ends the run quietly. It has its own
  type since a BrokenPipeError may as well come from a socket.
- What an encoding cannot hold is written as an escape instead of failing.
- A closed stderr never fails a run.
- `secrets` are masked in everything that is written, whoever wrote it: a task can print what it was given.
"""

import errno
import io
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TextIO

from batchspec.cli.phrases import without_secrets
from batchspec.errors import LocalIOFailed
from batchspec.render.symbolic import Json

_COLOURS = {"+": "32", "~": "33", "-/+": "31", "-": "31", "error": "31", "warning": "33"}


class OutputClosed(Exception):
    """Whoever read stdout has gone."""


class Console:
    """Both streams of one run and what the person wants to see on them."""

    def __init__(
        self,
        out: TextIO,
        err: TextIO,
        *,
        environ: Mapping[str, str],
        quiet: bool = False,
        verbose: bool = False,
    ) -> None:
        self.out = out
        self.err = err
        self.environ = environ
        self.quiet = quiet
        self.verbose = verbose
        self.as_json = False
        self.answer: dict[str, Json] = {}
        self.secrets: list[str] = []
        self.above: Callable[[str], None] | None = None
        for stream in (out, err):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")

    def result(self, text: str) -> None:
        """A line (or several) of the result, on stdout."""
        self.raw(text + "\n")

    def raw(self, text: str) -> None:
        """Text for stdout as it is, without a line end. Raises OutputClosed, LocalIOFailed."""
        try:
            self.out.write(self.masked(text))
        except OSError as error:
            raise _closed(error) from error

    def flush(self) -> None:
        """Hand over what is buffered. Raises OutputClosed, LocalIOFailed."""
        try:
            self.out.flush()
        except OSError as error:
            raise _closed(error) from error

    def message(self, text: str) -> None:
        """A line for the person, on stderr; not with `-q`."""
        if not self.quiet:
            self.error(text)

    def error(self, text: str) -> None:
        """A line on stderr, also with `-q`; above the live display when there is one."""
        text = self.masked(text)
        if self.above is not None:
            self.above(text)
            return
        try:
            self.err.write(text + "\n")
            self.err.flush()
        except (OSError, ValueError):
            pass

    def masked(self, text: str) -> str:
        """A text without the values of secrets: what a task has printed may hold one."""
        return without_secrets(text, self.secrets) if self.secrets else text

    def prompt(self, text: str) -> None:
        """A question on stderr; the answer is typed behind it."""
        self.err.write(text)
        self.err.flush()

    def request(self, line: str) -> None:
        """One request to a service, for `-v`."""
        self.error(f"  > {line}")

    @property
    def live(self) -> bool:
        """Whether progress may move: stderr is a terminal that can, and nobody asked for silence."""
        dumb = self.environ.get("TERM", "") in ("dumb", "") or bool(self.environ.get("CI"))
        return not self.quiet and not dumb and _is_terminal(self.err)

    @property
    def can_ask(self) -> bool:
        """Whether a person can read a question and answer it."""
        return sys.stdin is not None and _is_terminal(sys.stdin) and _is_terminal(self.err)

    def mark(self, sign: str, text: str | None = None, *, stream: TextIO | None = None) -> str:
        """`text` (by default the sign itself) in the sign's colour, where the stream is a terminal with colours."""
        shown = sign if text is None else text
        plain = bool(self.environ.get("NO_COLOR")) or self.environ.get("TERM", "") in ("dumb", "")
        if plain or not _is_terminal(self.out if stream is None else stream):
            return shown
        return f"\x1b[{_COLOURS[sign]}m{shown}\x1b[0m"


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:
        return False


def _closed(error: OSError) -> Exception:
    if isinstance(error, BrokenPipeError) or error.errno == errno.EPIPE:
        return OutputClosed()
    return LocalIOFailed("write to", Path("standard output"), error)


def drop_output(console: Console) -> None:
    """Send what is still buffered for stdout nowhere, so that the interpreter's last flush does not fail."""
    try:
        number = console.out.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, number)
        os.close(nowhere)
    except (OSError, ValueError):
        pass
