"""Events of a run as moving bars on a terminal; finished stages become plain lines above them.

Place in the pipeline: the other reporter, used when stderr is a terminal; the only module that imports rich. In:
events. Out: stderr. Messages that other parts print meanwhile are put above the bars (`Console.above`).
"""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console as Terminal
from rich.progress import BarColumn, Progress, ProgressColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from batchspec.cli import phrases
from batchspec.cli.console import Console
from batchspec.cli.progress import LABEL_WIDTH, advanced_phrase, finished_line, label, noted_line
from batchspec.reconcile.report import Advanced, Event, Finished, Noted, Stage, Started

_STAGES_WITH_RATE = ("uploads", "tasks", "wait", "download", "delete", "cleanup")
_RATE_AFTER_S = 1.0
# From how many columns of the terminal on there is room for a bar and the time, for the rate, for a long bar.
_BAR_FROM, _RATE_FROM, _WIDE_FROM = 80, 100, 120


@contextmanager
def live_display(console: Console) -> Iterator["Live"]:
    """A reporter whose bars are gone, and the cursor back, when the block is left in whatever way."""
    live = Live(console)
    try:
        yield live
    finally:
        live.close()


def _columns(width: int) -> list[ProgressColumn]:
    """What fits: numbers always; a bar, and then the time, where there is room."""
    columns: list[ProgressColumn] = [TextColumn("{task.description}", markup=False)]
    if width >= _BAR_FROM:
        columns.append(BarColumn(bar_width=24 if width >= _WIDE_FROM else 10))
    columns.append(TextColumn("{task.fields[phrase]}", markup=False))
    if width >= _BAR_FROM:
        columns.append(TimeElapsedColumn())
    return columns


class Live:
    """Draws events. The display starts with the first stage, so that a question can be asked before."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._terminal = Terminal(file=console.err, highlight=False, markup=False, emoji=False, soft_wrap=True)
        self._width = self._terminal.width
        self._progress = Progress(
            *_columns(self._width),
            console=self._terminal,
            transient=True,
            refresh_per_second=8,
        )
        self._bars: dict[Stage, TaskID] = {}

    def __call__(self, event: Event, /) -> None:
        """Take one event."""
        match event:
            case Started():
                self._begin(event.stage, event.total)
            case Advanced():
                self._advance(event)
            case Finished():
                self._end(event.stage)
                self._above(finished_line(event))
            case Noted():
                self._console.message(noted_line(event, self._console))

    def close(self) -> None:
        """Take the bars away."""
        self._console.above = None
        self._progress.stop()

    def _begin(self, stage: Stage, total: int) -> TaskID:
        if self._console.above is None:
            self._console.above = self._above
            self._progress.start()
        if stage not in self._bars:
            name = f"{label(stage):{LABEL_WIDTH - 1}}"
            self._bars[stage] = self._progress.add_task(name, total=total or None, phrase="")
        return self._bars[stage]

    def _advance(self, event: Advanced) -> None:
        bar = self._begin(event.stage, event.total)
        total, done = (event.total_bytes, event.done_bytes) if event.total_bytes else (event.total, event.done)
        self._progress.update(bar, total=total or None, completed=done)
        self._progress.update(bar, phrase=advanced_phrase(event) + self._rate(event, bar))

    def _rate(self, event: Advanced, bar: TaskID) -> str:
        """Rate and time left, once there is something to reckon with."""
        task = next(one for one in self._progress.tasks if one.id == bar)
        if (
            self._width < _RATE_FROM
            or event.stage not in _STAGES_WITH_RATE
            or not task.speed
            or (task.elapsed or 0) < _RATE_AFTER_S
        ):
            return ""
        rate = f"{phrases.size(round(task.speed))}/s" if event.total_bytes else f"{task.speed:,.1f}/s"
        left = f", {phrases.duration(task.time_remaining)} left" if task.time_remaining else ""
        return f"  {rate}{left}"

    def _end(self, stage: Stage) -> None:
        bar = self._bars.pop(stage, None)
        if bar is not None:
            self._progress.remove_task(bar)

    def _above(self, text: str) -> None:
        self._terminal.print(Text.from_ansi(text))
