"""Questions: an answer on a terminal, and none without."""

import pytest

from batchspec.cli.ask import ask
from batchspec.errors import Declined
from tests.cli.made import console, shown
from tests.cli.terminal import OnTerminal

CODE = """
import os, sys
from batchspec.cli.ask import ask
from batchspec.cli.boundary import run_guarded
from batchspec.cli.console import Console

one = Console(sys.stdout, sys.stderr, environ=os.environ)

def command():
    ask(one, "Replace 1", yes=False, again="x --yes")
    one.result("goes on")
    return 0

sys.exit(run_guarded(one, command))
"""


def test_without_a_terminal_a_question_is_a_refusal_that_says_what_to_do() -> None:
    one = console()
    with pytest.raises(Declined, match="no terminal to ask on") as caught:
        ask(one, "Delete 3 resources", yes=False, again="x --yes")

    assert caught.value.fix == "if you agree: x --yes"
    assert shown(one) == ("", "")


def test_who_said_yes_is_not_asked() -> None:
    one = console()
    ask(one, "Delete 3 resources", yes=True, again="")

    assert shown(one) == ("", "")


@pytest.mark.parametrize(
    ("answer", "code"), [("y\n", 0), ("Yes\n", 0), ("\n", 6), ("n\n", 6), ("\x04", 6), ("\x03", 130)]
)
def test_only_yes_goes_on(answer: str, code: int) -> None:
    terminal = OnTerminal(CODE)
    terminal.see("Replace 1? [y/N] ")
    if answer == "\x03":
        terminal.interrupt()
    else:
        terminal.type(answer)

    assert terminal.end() == code
    assert ("goes on" in terminal.text) == (code == 0)
    assert "Traceback" not in terminal.text
