"""The live display, on a real terminal."""

import signal

from tests.cli.terminal import OnTerminal

CODE = """
import os, sys, time
from batchspec.cli.console import Console
from batchspec.cli.progress import reporting
from batchspec.reconcile.report import Advanced, Finished, Noted, Started

one = Console(sys.stdout, sys.stderr, environ=os.environ)
with reporting(one) as report:
    report(Started("wait", 4))
    report(Advanced("wait", 1, 4, detail=(("running", 3), ("completed", 1))))
    one.request("GET /jobs 200")
    report(Noted("node [red]x[/red]\\x1b[2J rebooted", warning=True))
    time.sleep({pause})
    report(Finished("wait", "4 of 4 completed: 4 succeeded", 0.9))
print("end", flush=True)
"""


def test_bars_move_lines_stay_and_the_cursor_comes_back() -> None:
    terminal = OnTerminal(CODE.replace("{pause}", "0.4"))

    assert terminal.end() == 0
    text = terminal.text
    assert "1 of 4 completed: 3 running" in text
    assert "  > GET /jobs 200" in text
    assert "warning:" in text
    assert " node [red]x[/red]\\x1b[2J rebooted" in text
    assert "tasks       4 of 4 completed: 4 succeeded                       0.9 s\r\n" in text
    assert text.rstrip().endswith("end")
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")


def test_in_ci_and_on_a_dumb_terminal_nothing_moves() -> None:
    for environ in ({"CI": "true"}, {"TERM": "dumb"}):
        terminal = OnTerminal(CODE.replace("{pause}", "0"), **environ)

        assert terminal.end() == 0
        assert "\x1b[?25l" not in terminal.text


def test_without_colours_there_are_none() -> None:
    terminal = OnTerminal(CODE.replace("{pause}", "0.2"), NO_COLOR="1")

    assert terminal.end() == 0
    assert "\x1b[3" not in terminal.text
    assert "\x1b[9" not in terminal.text


def test_an_error_takes_the_bars_away() -> None:
    terminal = OnTerminal(CODE.replace("{pause}", "600"))
    terminal.see("1 of 4 completed")
    terminal.send(signal.SIGINT)

    assert terminal.end() != 0
    assert terminal.text.rindex("\x1b[?25h") > terminal.text.rindex("\x1b[?25l")
