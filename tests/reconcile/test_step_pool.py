"""Making the pool: what another client or the service may do meanwhile."""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from batchspec.errors import PlanRefused, ServiceRefused
from batchspec.reconcile.marks import REBOOT_KEY, metadata_of
from batchspec.render.model import JsonObject
from batchspec.render.symbolic import Json
from tests.fakes import refused
from tests.reconcile.builders import Killed, MortalBatch, Reaper, Workload, World


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    return Workload(tmp_path, downloads=False)


async def test_a_pool_that_our_own_lost_request_made_is_ours(workload: Workload) -> None:
    world = World()
    world.batch.fail("create_pool", 1, refused("create pool", "words-pool", 409, "PoolExists"), after=True)
    await world.apply(workload.desired())
    assert (await world.plan(workload.desired())).nothing_to_do


async def test_a_pool_that_somebody_else_made_meanwhile_is_not(workload: Workload) -> None:
    world = World()
    body = {"id": "words-pool", "vmSize": "x"}
    world.batch.before(
        "create_pool", lambda name: world.batch.pools.update({"words-pool": {**body, "state": "active"}})
    )
    with pytest.raises(ServiceRefused, match="create pool words-pool: PoolExists"):
        await world.apply(workload.desired())


async def test_a_pool_of_another_run_of_this_spec_is_told(workload: Workload) -> None:
    world, other = World(), World()
    await other.apply(workload.desired())
    world.batch.before("create_pool", lambda name: world.batch.pools.update(other.batch.pools))
    with pytest.raises(PlanRefused, match="pool words-pool was just made by another run of this spec"):
        await world.apply(workload.desired())


async def test_reboots_that_are_owed_are_marked_until_they_are_done(workload: Workload) -> None:
    world = World()
    await world.apply(workload.desired())
    edited = replace(workload, script="new").desired()
    seen: list[str] = []
    world.batch.before(
        "reboot_node", lambda node: seen.append(metadata_of(world.batch.pools["words-pool"])[REBOOT_KEY])
    )
    await world.apply(edited)
    assert seen == ["pending", "pending"]
    assert REBOOT_KEY not in metadata_of(world.batch.pools["words-pool"])


async def test_a_resize_waits_until_the_last_one_has_ended(workload: Workload) -> None:
    world = World()
    await world.apply(workload.desired())
    world.batch.pools["words-pool"]["allocationState"] = "resizing"
    world.clock.on_sleep = lambda: world.batch.pools["words-pool"].update(allocationState="steady")
    await world.apply(replace(workload, nodes=4).desired(), wait=False)
    assert world.batch.pools["words-pool"]["targetDedicatedNodes"] == 4


class Resized(MortalBatch):
    """Writes down how nodes are let go."""

    options: ClassVar[list[Json]] = []

    async def resize_pool(self, pool_id: str, body: JsonObject) -> None:
        self.options.append(body.get("nodeDeallocationOption"))
        await super().resize_pool(pool_id, body)


async def test_nodes_that_a_resize_takes_away_finish_their_tasks(workload: Workload) -> None:
    world = World(batch=Resized())
    await world.apply(workload.desired())
    await world.apply(replace(workload, nodes=1).desired())
    assert Resized.options == ["taskcompletion"]


async def test_a_node_that_is_gone_needs_no_reboot(workload: Workload) -> None:
    world = World()
    await world.apply(workload.desired())
    world.batch.fail("reboot_node", 1, refused("reboot node", "n", 404, "NodeNotFound"))
    await world.apply(replace(workload, script="new").desired())
    assert "remove_nodes" not in {name for name, _ in world.batch.writes}


async def test_a_node_that_just_boots_takes_the_new_start_task_anyway(workload: Workload) -> None:
    world = World()
    await world.apply(workload.desired())
    world.batch.nodes["words-pool"][0]["state"] = "starting"
    world.batch.fail("reboot_node", 1, refused("reboot node", "n", 409, "NodeBeingCreated"))
    await world.apply(replace(workload, script="new").desired(), wait=False)
    assert "remove_nodes" not in {name for name, _ in world.batch.writes}


async def test_killed_between_taking_a_node_out_and_growing_again_it_grows_again(workload: Workload) -> None:
    world = World()
    await world.apply(workload.desired())
    world.batch.nodes["words-pool"][0]["state"] = "starttaskfailed"
    world.batch.fail("reboot_node", 1, refused("reboot node", "n", 409, "OperationInvalidForCurrentState"))
    edited = replace(workload, script="new").desired()
    world.reaper = Reaper()
    world.batch.before("resize_pool", lambda name: world.reaper.__setattr__("dead", True))
    world.batch.fail("resize_pool", 1, ServiceRefused("x", operation="x", resource="x", status=500))
    with pytest.raises((Killed, ServiceRefused)):
        await world.apply(edited)
    world.reaper = Reaper()
    world.batch._callbacks.clear()
    world.let_leases_end()
    await world.apply(edited)
    assert [node["state"] for node in world.batch.nodes["words-pool"]] == ["idle", "idle"]
    assert (await world.plan(edited)).nothing_to_do


@pytest.mark.parametrize("refuses", [False, True])
async def test_nodes_that_failed_start_again_when_asked(workload: Workload, refuses: bool) -> None:
    world = World()
    await world.apply(workload.desired())
    world.batch.nodes["words-pool"][0]["state"] = "starttaskfailed"
    if refuses:
        world.batch.fail("reboot_node", 1, refused("reboot node", "n", 409, "OperationInvalidForCurrentState"))
    unasked = await world.apply(workload.desired())
    assert (unasked.plan.nothing_to_do, unasked.plan.notes) == (
        True,
        ("1 node of pool words-pool has failed and can run nothing; --retry-failed starts it again",),
    )
    asked = await world.apply(workload.desired(), retry_failed=True)
    assert [(change.steps, change.reasons[0].text) for change in asked.plan.changes] == [
        (("restart",), "1 failed node starts again")
    ]
    assert [node["state"] for node in world.batch.nodes["words-pool"]] == ["idle", "idle"]
    assert (await world.apply(workload.desired(), retry_failed=True)).plan.nothing_to_do
