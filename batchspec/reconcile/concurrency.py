"""Doing several things at once, with a bound, and one error out.

Place in the pipeline: under every stage that talks to a service. `asyncio.TaskGroup` cancels the others when one fails,
which is what a stage wants, but raises a group; a person wants the one error that came first.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import TypeVar

Item = TypeVar("Item")


@asynccontextmanager
async def task_group() -> AsyncIterator[asyncio.TaskGroup]:
    """A TaskGroup whose first failure is raised itself, not inside a group."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as errors:
        raise _first(errors) from errors


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def for_each(items: Iterable[Item], work: Callable[[Item], Awaitable[object]], *, at_once: int) -> None:
    """`work` on every item, at most `at_once` at a time, drawing from `items` only as places come free.

    The first error ends the others and is raised.
    """
    iterator = iter(items)

    async def draw() -> None:
        for item in iterator:
            await work(item)

    async with task_group() as group:
        for _ in range(at_once):
            group.create_task(draw())
