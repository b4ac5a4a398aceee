"""Time for the stages that wait: one object, so that tests wait in virtual time.

Place in the pipeline: handed to everything that polls. Seconds are monotonic; nothing here is a wall-clock time.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Protocol

from batchspec.errors import TimedOut


class Clock(Protocol):
    """Monotonic seconds and a sleep."""

    def now(self) -> float:
        """Seconds since some fixed moment."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let `seconds` pass."""
        ...


class SystemClock:
    """The real one."""

    def now(self) -> float:
        """Seconds of `time.monotonic`."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """`asyncio.sleep`."""
        await asyncio.sleep(seconds)


async def polls(
    clock: Clock, *, deadline_s: float, what: str, shortest_s: float = 0.1, longest_s: float = 10.0
) -> AsyncIterator[float]:
    """Yield the seconds waited so far, at once and then ever more slowly: a tenth of what has passed between two.

    Raises TimedOut, saying `what` was waited for, once `deadline_s` has passed.
    """
    began = clock.now()
    while True:
        waited = clock.now() - began
        yield waited
        left = deadline_s - (clock.now() - began)
        if left <= 0:
            raise TimedOut(f"waited {deadline_s:.0f} s for {what}")
        await clock.sleep(min(max(waited / 10, shortest_s), longest_s, left))
