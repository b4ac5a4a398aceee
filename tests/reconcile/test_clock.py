"""Polling."""

from itertools import pairwise

import pytest

from batchspec.errors import TimedOut
from batchspec.reconcile.clock import SystemClock, polls
from tests.reconcile.builders import VirtualClock


async def test_polls_come_at_once_and_then_ever_more_slowly_until_the_deadline() -> None:
    clock = VirtualClock()
    moments: list[float] = []

    async def look() -> None:
        async for waited in polls(clock, deadline_s=100, what="Godot", shortest_s=1, longest_s=6):
            moments.append(round(waited, 1))

    with pytest.raises(TimedOut, match="waited 100 s for Godot"):
        await look()
    assert (moments[:4], moments[-1]) == ([0, 1, 2, 3], 100)
    assert max(after - before for before, after in pairwise(moments)) <= 6.1


async def test_a_deadline_of_nothing_still_looks_once() -> None:
    seen: list[float] = []

    async def look() -> None:
        async for waited in polls(VirtualClock(), deadline_s=0, what="it"):
            seen.append(waited)

    with pytest.raises(TimedOut):
        await look()
    assert seen == [0]


async def test_the_system_clock_never_goes_back() -> None:
    clock = SystemClock()
    before = clock.now()
    await clock.sleep(0)
    assert clock.now() >= before
