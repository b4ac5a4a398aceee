"""Several things at once, with one error out."""

import asyncio
from collections.abc import Iterator

import pytest

from batchspec.reconcile.concurrency import for_each, task_group


async def test_every_item_is_worked_on_and_never_too_many_at_once() -> None:
    running, most, done = 0, 0, []

    async def work(item: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        done.append(item)

    await for_each(range(10), work, at_once=3)
    assert (sorted(done), most) == (list(range(10)), 3)


async def test_items_are_drawn_only_as_places_come_free() -> None:
    drawn: list[int] = []

    async def fail(item: int) -> None:
        raise ValueError(item)

    def stream() -> Iterator[int]:
        for item in range(1000):
            drawn.append(item)
            yield item

    with pytest.raises(ValueError, match="0"):
        await for_each(stream(), fail, at_once=2)
    assert len(drawn) <= 2


async def test_the_first_error_ends_the_others_and_is_raised_itself() -> None:
    ended: list[str] = []

    async def wait_for_ever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    async def fail() -> None:
        await asyncio.sleep(0)
        raise LookupError("first")

    async def both() -> None:
        async with task_group() as group:
            group.create_task(wait_for_ever())
            group.create_task(fail())

    with pytest.raises(LookupError, match="first"):
        await both()
    assert ended == ["cancelled"]


async def test_an_interruption_goes_through() -> None:
    async def wait_for_ever(item: int) -> None:
        await asyncio.Event().wait()

    working = asyncio.ensure_future(for_each(range(5), wait_for_ever, at_once=2))
    await asyncio.sleep(0)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
