"""Looking again and again until the service has come to something: how often, and what a silent service means.

Place in the pipeline: every wait at the end of `apply` (for tasks, a schedule, nodes, release tasks) and `status
--watch` look through it.
In: a look that answers None while it goes on. Out: its answer, or None when the time is over.

A wait is hours long, and whatever it waits for goes on without it: a service that does not answer is looked at again
for half a minute, besides the retries of each request, and told of when it goes away and comes back.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from batchspec.errors import ServiceUnreachable
from batchspec.reconcile.clock import Clock
from batchspec.reconcile.report import Noted, Reporter

Answer = TypeVar("Answer")

_SHORTEST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 10.0
_RECONNECT_FOR_S = 30.0


@dataclass(slots=True)
class Patience:
    """One wait of `timeout_s` seconds, counted from the moment `until` is called."""

    timeout_s: float
    report: Reporter
    clock: Clock
    _silent_since: float | None = None

    async def until(self, look: Callable[[], Awaitable[Answer | None]]) -> Answer | None:
        """What the first look answers that is not None; None when there was none in time.

        Looks at once, then ever more slowly: a tenth of the time that has passed between two, 10 s at most. Raises what
        `look` raises, but ServiceUnreachable only after half a minute without an answer.
        """
        began = self.clock.now()
        deadline = began + self.timeout_s
        while (answer := await self._answer(look)) is None:
            now = self.clock.now()
            if now >= deadline:
                return None
            pause = min(max((now - began) / 10, _SHORTEST_PAUSE_S), _LONGEST_PAUSE_S)
            await self.clock.sleep(min(pause, deadline - now))
        return answer

    async def _answer(self, look: Callable[[], Awaitable[Answer | None]]) -> Answer | None:
        try:
            answer = await look()
        except ServiceUnreachable as error:
            self._unreachable(error)
            return None
        if self._silent_since is not None:
            self._silent_since = None
            self.report(Noted("the service answers again"))
        return answer

    def _unreachable(self, error: ServiceUnreachable) -> None:
        now = self.clock.now()
        if self._silent_since is None:
            self._silent_since = now
            self.report(Noted(f"{error}; trying again", warning=True))
        elif now - self._silent_since > _RECONNECT_FOR_S:
            error.fix = error.fix or "the run goes on where it can; when the service is back, run `apply` again"
            raise error
