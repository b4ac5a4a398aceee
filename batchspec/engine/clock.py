"""The engine's only source of time.

Place: under everything; handed to `Engine`. In: nothing. Out: the time, and callbacks later. Nothing else in the
engine core reads the wall clock or sleeps, so that a run can be simulated in virtual time. (Processes are real and
are limited in real time, by `process.py`.)
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol


class Timer(Protocol):
    """Something due later that can still be called off."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """Time as the engine sees it."""

    def now(self) -> datetime:
        """The time, in UTC."""
        ...

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Timer:
        """Call `callback` in the event loop after `delay_s` seconds."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Timer:
        return asyncio.get_running_loop().call_later(max(delay_s, 0.0), callback)
