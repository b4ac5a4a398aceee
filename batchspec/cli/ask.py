"""Asks a person whether to go on.

Place in the pipeline: `apply`, `delete` and `engine reset` ask here before anything is replaced or deleted. In: a
question. Out: nothing, or Declined, after which nothing has been changed.
"""

import signal
import sys

from batchspec.cli.console import Console
from batchspec.errors import Declined, Interrupted


def ask(console: Console, question: str, *, yes: bool, again: str) -> None:
    """Go on after `y` or `yes`.

    `again` is the command that needs no answer. Raises Declined on any other answer and when nobody can be asked,
    Interrupted on Ctrl-C.
    """
    if yes:
        return
    if not console.can_ask:
        raise Declined(f"{question}? There is no terminal to ask on; nothing was changed", fix=f"if you agree: {again}")
    console.prompt(f"{question}? [y/N] ")
    if _answer() not in ("y", "yes"):
        raise Declined("not agreed to; nothing was changed")


def _answer() -> str:
    # A coroutine's handler would only note the signal, and the read would go on.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return sys.stdin.readline().strip().lower()
    except KeyboardInterrupt:
        raise Interrupted("interrupted; nothing was changed") from None
    finally:
        signal.signal(signal.SIGINT, before)
