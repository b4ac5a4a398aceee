"""Runs a command's coroutine so that Ctrl-C and SIGTERM end the client cleanly.

Place in the pipeline: between a command and the event loop. In: a coroutine. Out: its exit code, or Interrupted. The
first signal cancels the coroutine, which closes its connections on the way out; a second one ends the process at once.

Decision: our own handlers, not asyncio's. Those know SIGINT only, and their second Ctrl-C waits for threads.
"""

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Coroutine
from types import FrameType

from batchspec.cli.console import Console
from batchspec.errors import BatchspecError, Interrupted

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SHOW_CURSOR = "\x1b[?25h"


def run_to_end(
    console: Console, work: Callable[[], Coroutine[object, object, int]], *, told: Callable[[], str] = lambda: ""
) -> int:
    """Run `work` in a new event loop. Raises Interrupted, with `told()` as the next step, when a signal ended it."""
    # Without any handler Python prints warnings of libraries to stderr.
    logging.getLogger().addHandler(logging.NullHandler())
    stop = _Stop(console)
    before = {number: signal.signal(number, stop) for number in _SIGNALS}
    try:
        return asyncio.run(stop.watching(work()))
    except (asyncio.CancelledError, KeyboardInterrupt, BatchspecError, ExceptionGroup) as error:
        if stop.count or isinstance(error, KeyboardInterrupt):
            raise Interrupted("interrupted", fix=told()) from error
        if isinstance(error, Exception):
            raise
        # A cancellation that no signal caused: a bug, which gets to the boundary as an Exception.
        raise RuntimeError("cancelled, though nobody asked for it") from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Stop:
    """A signal handler that remembers how often it was called."""

    def __init__(self, console: Console) -> None:
        self.count = 0
        self._console = console
        self._cancel: Callable[[], object] | None = None

    async def watching(self, work: Coroutine[object, object, int]) -> int:
        """Await `work` so that a signal cancels it."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        # A handler runs between any two bytecodes; the loop may be asleep in its selector and must be woken.
        self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)
        if self.count:
            task.cancel()
        return await work

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Take one signal."""
        del number, frame
        self.count += 1
        if self.count > 1:
            self._leave()
        if self._cancel is not None:
            self._cancel()

    def _leave(self) -> None:
        if self._console.live:
            os.write(self._console.err.fileno(), _SHOW_CURSOR.encode())
        os._exit(Interrupted.exit_code)
