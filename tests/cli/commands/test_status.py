"""What `status --watch` shows, and when it ends."""

from math import inf
from pathlib import Path

import pytest

from batchspec.cli.commands.status import follow
from batchspec.errors import ServiceUnreachable
from batchspec.reconcile.outcome import Counts, Status
from batchspec.reconcile.patience import Patience
from batchspec.render.model import Desired
from tests.reconcile.builders import Workload, World


@pytest.fixture
def desired(tmp_path: Path) -> Desired:
    return Workload(tmp_path, downloads=False).desired()


@pytest.fixture
async def world(desired: Desired) -> World:
    """Three tasks that wait."""
    world = World(exit_code=lambda task_id: None)
    await world.apply(desired, wait=False)
    return world


async def follow_all(desired: Desired, world: World) -> list[tuple[Counts, bool]]:
    shown: list[tuple[Counts, bool]] = []

    def show(found: Status, again: bool) -> None:
        shown.append((found.counts, again))

    await follow(desired, world.services, Patience(inf, world.events.append, world.clock), show)
    return shown


async def test_it_is_shown_when_it_has_changed_and_ends_with_the_tasks(desired: Desired, world: World) -> None:
    looks = 0

    def step() -> None:
        nonlocal looks
        looks += 1
        if looks == 3:
            world.batch.finish("words-job", "a")
        if looks == 6:
            world.finish_all()

    world.clock.on_sleep = step

    shown = await follow_all(desired, world)

    assert [(one.completed, again) for one, again in shown] == [(0, False), (1, True), (3, True)]


async def test_a_service_that_comes_back_is_waited_for_and_one_that_stays_away_is_not(
    desired: Desired, world: World
) -> None:
    world.batch.fail("get_job", 2, ServiceUnreachable("no answer from the engine"))
    world.clock.on_sleep = lambda: world.finish_all() if len(world.notes) == 2 else None
    await follow_all(desired, world)
    assert world.notes == ["no answer from the engine; trying again", "the service answers again"]

    for nth in range(1, 400):
        world.batch.fail("get_job", nth, ServiceUnreachable("no answer from the engine"))
    with pytest.raises(ServiceUnreachable):
        await follow_all(desired, world)
