"""How long one operation is tried."""

from collections.abc import Awaitable, Callable

import pytest
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    ServiceRequestError,
    ServiceResponseTimeoutError,
)

from batchspec.cloud.retry import Spread, Tries, spread
from batchspec.errors import ServiceRefused, ServiceUnreachable, UsageError
from tests.cloud.test_faults import refused


class Sleeps(list[float]):
    """Sleeps by writing the seconds down."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


def failing(*errors: Exception) -> Callable[[], Awaitable[str]]:
    left = list(errors)

    async def call() -> str:
        if left:
            raise left.pop(0)
        return "answer"

    return call


def tries(sleeps: Sleeps, spread: Spread = float) -> Tries:
    return Tries("get pool", "p", where="http://127.0.0.1:1", sleep=sleeps, spread=spread)


async def test_an_answer_at_once_is_not_a_repetition() -> None:
    attempt = tries(sleeps := Sleeps())
    assert await attempt.run(failing()) == "answer"
    assert (attempt.repeated, sleeps) == (False, [])


async def test_a_broken_connection_is_tried_again_and_that_is_remembered() -> None:
    attempt = tries(sleeps := Sleeps())
    assert await attempt.run(failing(ServiceRequestError("x"), refused(500))) == "answer"
    assert (attempt.repeated, sleeps) == (True, [0.3, 0.6])


async def test_a_refused_connection_surfaces_within_ten_seconds() -> None:
    sleeps = Sleeps()
    with pytest.raises(ServiceUnreachable):
        await tries(sleeps).run(failing(*[ServiceRequestError("x")] * 20))
    assert 5 <= sum(sleeps) <= 10


async def test_no_answer_in_time_is_tried_three_times_at_most() -> None:
    sleeps = Sleeps()
    with pytest.raises(ServiceUnreachable, match="no answer in time"):
        await tries(sleeps).run(failing(*[ServiceResponseTimeoutError("x")] * 20))
    assert sleeps == [1.0, 2.0]


async def test_throttling_is_waited_out_as_long_as_the_service_asks() -> None:
    sleeps = Sleeps()
    errors = [refused(503, headers={"Retry-After": "7"}), refused(429), refused(429, headers={"Retry-After": "9999"})]
    assert await tries(sleeps).run(failing(*errors)) == "answer"
    assert sleeps == [7.0, 2.0, 120.0]


async def test_requests_that_were_throttled_together_do_not_come_back_together() -> None:
    refusals = [refused(429), refused(503, headers={"Retry-After": "10"}), refused(408)]
    doubled, by_chance = Sleeps(), [Sleeps() for _ in range(20)]
    await tries(doubled, lambda seconds: 2 * seconds).run(failing(*refusals))
    for sleeps in by_chance:
        await tries(sleeps, spread).run(failing(*refusals))
    assert doubled == [2.0, 20.0, 0.3]
    assert len({tuple(sleeps) for sleeps in by_chance}) > 1
    # Never sooner than the service asks.
    assert all(10 <= sleeps[1] <= 12.5 for sleeps in by_chance)


async def test_throttling_without_end_is_an_error_in_the_end() -> None:
    with pytest.raises(ServiceRefused, match="503"):
        await tries(Sleeps()).run(failing(*[refused(503)] * 50))


@pytest.mark.parametrize(
    ("error", "becomes"), [(refused(400), ServiceRefused), (ClientAuthenticationError("x"), UsageError)]
)
async def test_what_waiting_cannot_help_is_raised_at_once(error: AzureError, becomes: type[Exception]) -> None:
    sleeps = Sleeps()
    with pytest.raises(becomes):
        await tries(sleeps).run(failing(error))
    assert sleeps == []


async def test_what_mends_itself_is_given_up_on_soon() -> None:
    sleeps = Sleeps()
    with pytest.raises(ServiceUnreachable):
        await tries(sleeps).briefly().run(failing(*[ServiceRequestError("x")] * 20))
    assert sleeps == [0.3, 0.6]
