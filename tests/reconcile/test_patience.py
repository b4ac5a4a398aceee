"""Looking again and again: how often, for how long, and what a silent service means."""

from collections.abc import Iterator

import pytest

from batchspec.errors import ServiceUnreachable
from batchspec.reconcile.patience import Patience
from batchspec.reconcile.report import Event, Noted
from tests.reconcile.builders import VirtualClock


class Service:
    """Answers what it is given, one a look, then the last again; an error is raised."""

    def __init__(self, *answers: str | Exception | None) -> None:
        self.answers = iter(answers)
        self.last: str | Exception | None = None
        self.looks: list[float] = []
        self.clock = VirtualClock()
        self.events: list[Event] = []

    async def look(self) -> str | None:
        self.looks.append(self.clock.now())
        self.last = next(self.answers, self.last)
        if isinstance(self.last, Exception):
            raise self.last
        return self.last

    async def wait(self, timeout_s: float = 3600) -> str | None:
        return await Patience(timeout_s, self.events.append, self.clock).until(self.look)


def gone(times: int) -> Iterator[Exception]:
    return (ServiceUnreachable("no answer") for _ in range(times))


async def test_it_ends_with_the_first_answer() -> None:
    service = Service(None, None, "done", "more")
    assert await service.wait() == "done"
    assert service.events == []


async def test_it_looks_at_once_then_ever_more_slowly_and_a_last_time_when_the_time_is_over() -> None:
    service = Service(None)
    assert await service.wait(600) is None
    began = service.looks[0]
    pauses = [round(after - before, 6) for before, after in zip(service.looks, service.looks[1:], strict=False)]
    assert pauses[:-1] == sorted(pauses[:-1])
    assert (pauses[0], max(pauses), service.looks[-1] - began) == (0.2, 10.0, 600)
    assert len(pauses) < 120


async def test_a_service_that_comes_back_is_told_of_once_each_time() -> None:
    service = Service(None, *gone(3), None, *gone(1), "done")
    assert await service.wait() == "done"
    away, back = Noted("no answer; trying again", warning=True), Noted("the service answers again")
    assert service.events == [away, back, away, back]


async def test_one_that_stays_away_for_half_a_minute_ends_the_wait() -> None:
    service = Service(None, *gone(1))
    with pytest.raises(ServiceUnreachable) as caught:
        await service.wait()
    assert caught.value.fix == "the run goes on where it can; when the service is back, run `apply` again"
    assert 30 < service.looks[-1] - service.looks[0] < 45


async def test_one_that_is_away_when_the_time_is_over_has_not_answered() -> None:
    service = Service(None, *gone(1))
    assert await service.wait(20) is None
