"""One operation, tried until it is answered: bounded, patient where the service asks for it.

Place in the pipeline: under every request of `batch` and `blobs`. The SDKs' own retries are switched off (ten of them
on a stray 5xx look like a hang, and they tell nobody that a request was repeated); here all operations share one rule.
Every write is safe to repeat, so every method is retried; `repeated` tells the caller that an earlier attempt may have
taken effect, so that "it exists already" can be recognised as its own doing.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

from batchspec.cloud.faults import FOREIGN, is_throttled, is_timeout, is_transient, retry_after, translated

Answer = TypeVar("Answer")
Sleep = Callable[[float], Awaitable[object]]
Spread = Callable[[float], float]

# Seconds before each further attempt: a refused connection surfaces after 9 s, throttling after some minutes.
_BROKEN = (0.3, 0.6, 1.2, 2.4, 4.8)
_THROTTLED = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0)
_TIMED_OUT = (1.0, 2.0)
_BRIEFLY = (0.3, 0.6)
_LONGEST_S = 120.0


def spread(seconds: float) -> float:
    """A little longer, by chance: requests that were throttled together must not come back together."""
    return seconds * random.uniform(1.0, 1.25)


class Tries:
    """The attempts at one operation; `operation` and `resource` are for the error, `where` is the service's URL."""

    def __init__(
        self, operation: str, resource: str, *, where: str, sleep: Sleep = asyncio.sleep, spread: Spread = spread
    ) -> None:
        self.operation = operation
        self.resource = resource
        self.repeated = False
        self._where = where
        self._sleep = sleep
        self._spread = spread
        self._delays: dict[str, Iterator[float]] = {
            "broken": iter(_BROKEN),
            "throttled": iter(_THROTTLED),
            "timed out": iter(_TIMED_OUT),
        }

    def briefly(self) -> "Tries":
        """The same with less patience: for what mends itself when it is not done."""
        self._delays = {kind: iter(_BRIEFLY) for kind in self._delays}
        return self

    async def run(self, call: Callable[[], Awaitable[Answer]]) -> Answer:
        """What `call` returns; raises ServiceRefused, ServiceUnreachable or UsageError instead of an SDK's error."""
        while True:
            try:
                return await call()
            except FOREIGN as error:
                delay = self._delay(error)
                if delay is None:
                    raise translated(error, self.operation, self.resource, where=self._where) from error
            self.repeated = True
            await self._sleep(delay)

    def _delay(self, error: BaseException) -> float | None:
        if not is_transient(error):
            return None
        kind = "throttled" if is_throttled(error) else "timed out" if is_timeout(error) else "broken"
        delay = next(self._delays[kind], None)
        asked = retry_after(error)
        if delay is not None and asked is not None:
            delay = min(max(asked, 0.05), _LONGEST_S)
        return self._spread(delay) if delay is not None and kind == "throttled" else delay
