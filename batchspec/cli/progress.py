"""Events of a run as lines: the same words for the live display and for plain output, and the plain printer itself.

Place in the pipeline: a reporter is given to `apply`, `download` and `delete`; events come in, lines go to stderr. This
module serves pipes, files and CI: one line per event, and a line about how far a stage is at most every 10 seconds.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from batchspec.cli import phrases
from batchspec.cli.console import Console
from batchspec.reconcile.report import Advanced, Event, Finished, Noted, Reporter, Stage, Started

LABEL_WIDTH = 12
_SECONDS_COLUMN = 69
_SHOWN_FROM_S = 0.1
_PLAIN_INTERVAL_S = 10.0
_LABELS: dict[Stage, str] = {"wait": "tasks", "tasks": "tasks"}


@contextmanager
def reporting(console: Console) -> Iterator[Reporter]:
    """The reporter that suits the terminal: live where it can move, else plain lines; nothing with `-q`."""
    if console.live:
        from batchspec.cli.live import live_display

        with live_display(console) as reporter:
            yield reporter
    else:
        yield Plain(console)


class Plain:
    """Prints events as plain lines. `clock` gives seconds that only grow."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._since: dict[Stage, float] = {}
        self._last = ""

    def __call__(self, event: Event, /) -> None:
        """Take one event."""
        match event:
            case Started():
                self._since[event.stage] = self._clock()
            case Advanced():
                self._advanced(event)
            case Finished():
                self._console.message(finished_line(event))
            case Noted():
                self._console.message(noted_line(event, self._console))

    def _advanced(self, event: Advanced) -> None:
        now = self._clock()
        waits = now - self._since.setdefault(event.stage, now) < _PLAIN_INTERVAL_S
        if waits or (event.total and event.done >= event.total):  # at the end the stage's own last line follows
            return
        line = advanced_line(event)
        if line != self._last:
            self._since[event.stage], self._last = now, line
            self._console.message(line)


def label(stage: Stage) -> str:
    """The word a stage's line begins with."""
    return _LABELS.get(stage, stage)


def finished_line(event: Finished) -> str:
    """`pool        2 of 2 nodes idle      1.2 s`: what was done and, where it took a while, how long."""
    text = f"{label(event.stage):{LABEL_WIDTH}}{phrases.harmless(event.summary)}"
    if event.done_bytes:
        text += f"  {phrases.size(event.done_bytes)}"
    if event.seconds < _SHOWN_FROM_S:
        return text
    took = phrases.duration(event.seconds)
    return f"{text}{took.rjust(max(_SECONDS_COLUMN - len(text), len(took) + 2))}"


def advanced_line(event: Advanced) -> str:
    """How far a stage is: numbers, bytes, and its details."""
    return f"{label(event.stage):{LABEL_WIDTH}}{advanced_phrase(event)}"


def advanced_phrase(event: Advanced) -> str:
    """The same without the stage's name."""
    thing = {"pool": " nodes usable", "wait": " completed"}.get(event.stage, "")
    text = (f"{event.done:,} of {event.total:,}" if event.total else f"{event.done:,}") + thing
    if event.total_bytes:
        text += f"  {phrases.size(event.done_bytes)} of {phrases.size(event.total_bytes)}"
    elif event.done_bytes:
        text += f"  {phrases.size(event.done_bytes)}"
    details = ", ".join(f"{number:,} {phrases.harmless(word)}" for word, number in _details(event))
    return f"{text}: {details}" if details else text


def _details(event: Advanced) -> Iterator[tuple[str, int]]:
    implied = "completed" if dict(event.detail).get("failed") else "succeeded"
    for word, number in event.detail:
        if number and word not in ("completed", implied):
            yield ("waiting" if word == "active" else word), number


def noted_line(event: Noted, console: Console) -> str:
    """A note, marked when it is a warning."""
    text = phrases.harmless(event.text)
    return f"{console.mark('warning', 'warning:', stream=console.err)} {text}" if event.warning else text
