"""Waiting for nodes alone."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from batchspec.errors import ServiceUnreachable, StartTaskFailed, TimedOut
from batchspec.reconcile.watch_pool import wait_for_nodes
from batchspec.render.model import Desired
from tests.reconcile.builders import Workload, World


@pytest.fixture
def desired(tmp_path: Path) -> Desired:
    whole = Workload(tmp_path, timeout=timedelta(seconds=60)).desired()
    return replace(whole, job=None, tasks=lambda: iter(()), downloads=())


@pytest.fixture
async def world(desired: Desired) -> World:
    world = World()
    await world.apply(desired, wait=False)
    return world


async def wait(desired: Desired, world: World) -> None:
    await wait_for_nodes(desired, world.services, world.events.append, world.clock)


async def test_nodes_that_are_up_are_not_waited_for(desired: Desired, world: World) -> None:
    await wait(desired, world)
    assert world.clock.seconds == 0


async def test_a_pool_without_nodes_or_that_scales_by_itself_is_not_waited_for(desired: Desired, world: World) -> None:
    world.batch.nodes["words-pool"].clear()
    world.batch.pools["words-pool"] |= {"targetDedicatedNodes": 0}
    await wait(desired, world)
    world.batch.pools["words-pool"] |= {"targetDedicatedNodes": 5, "enableAutoScale": True}
    await wait(desired, world)
    await wait(replace(desired, pool=None), world)
    assert world.clock.seconds == 0


async def test_a_service_that_comes_back_is_waited_for(desired: Desired, world: World) -> None:
    world.batch.fail("node_counts", 1, ServiceUnreachable("no answer from the engine"))
    await wait(desired, world)
    assert world.notes == ["no answer from the engine; trying again", "the service answers again"]


async def test_nodes_that_do_not_come_are_told_with_what_is_there(desired: Desired, world: World) -> None:
    world.batch.nodes["words-pool"].pop()
    with pytest.raises(TimedOut) as caught:
        await wait(desired, world)
    assert str(caught.value) == ("waited 60 s for the nodes of pool words-pool; pool words-pool: 1 idle of 2 wanted")
    assert caught.value.fix == "`apply` again waits again, or give `wait.timeout` more time"


async def test_a_node_that_failed_among_others_is_told_and_not_waited_for(desired: Desired, world: World) -> None:
    world.batch.nodes["words-pool"][1]["state"] = "starttaskfailed"
    await wait(desired, world)
    assert (world.clock.seconds, len(world.notes)) == (0, 2)


async def test_an_unchanged_pool_is_looked_at_again(desired: Desired, world: World) -> None:
    world.events.clear()
    again = await world.apply(desired)
    assert (again.plan.nothing_to_do, world.events) == (True, [])
    for node in world.batch.nodes["words-pool"]:
        node["state"] = "starttaskfailed"
    with pytest.raises(StartTaskFailed):
        await world.apply(desired)
    world.batch.nodes["words-pool"][0]["state"] = "waitingforstarttask"
    world.clock.on_sleep = lambda: world.batch.nodes["words-pool"][0].update(state="idle")
    await world.apply(desired)
    assert world.clock.seconds > 0


async def test_nodes_that_all_failed_end_the_wait(desired: Desired, world: World) -> None:
    for node in world.batch.nodes["words-pool"]:
        node["state"] = "starttaskfailed"
    with pytest.raises(StartTaskFailed):
        await wait(desired, world)
