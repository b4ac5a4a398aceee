"""SAS that last."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.reconcile.builders import Workload, World


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    return Workload(tmp_path, downloads=False)


def grants(world: World) -> set[str]:
    return {name for operation, name in (*world.blobs.writes, *world.blobs.reads) if operation == "grant"}


async def test_while_a_task_is_to_run_the_pool_s_sas_is_extended_too(workload: Workload) -> None:
    world = World()
    await world.apply(workload.desired())
    await world.apply(replace(workload, texts={**workload.texts, "d.txt": "d"}).desired())
    assert grants(world) == {"words-application/r", "words-input/r", "words-output/cw"}


async def test_without_a_task_to_run_nothing_is_granted(workload: Workload) -> None:
    world = World()
    await world.apply(workload.desired())
    await world.apply(replace(workload, nodes=3).desired())
    assert ("words-input/r" in grants(world), "words-output/cw" in grants(world)) == (False, False)


async def test_tasks_that_wait_keep_their_sas_when_others_are_added(workload: Workload) -> None:
    world = World(exit_code=lambda task_id: None)
    await world.apply(workload.desired(), wait=False)
    world.blobs.grants.clear()
    await world.apply(replace(workload, nodes=3).desired(), wait=False)
    assert set(world.blobs.grants) == {("words-application", "r"), ("words-input", "r"), ("words-output", "cw")}


def held(world: World) -> str:
    """The address from which a node that boots now would fetch the script of the start task."""
    return str(world.batch.pools["words-pool"]["startTask"]["resourceFiles"][0]["httpUrl"])


async def test_a_start_task_whose_key_was_rotated_is_sent_again_before_tasks_run(workload: Workload) -> None:
    world = World()
    await world.apply(workload.desired())
    world.blobs.key = "NEW"
    await world.apply(workload.desired())
    assert (world.writes, held(world).endswith("sig=FAKE")) == ([], True)
    more = replace(workload, texts={**workload.texts, "d.txt": "d"})
    await world.apply(more.desired())
    assert [one for one in world.changes if "pool" in one[0]] == [("update_pool", "words-pool")]
    assert held(world).endswith("sig=NEW")
    assert (await world.plan(more.desired())).nothing_to_do
    await world.apply(replace(more, texts={**more.texts, "e.txt": "e"}).desired())
    assert [one for one in world.changes if "pool" in one[0]] == []


async def test_while_tasks_wait_the_nodes_that_come_for_them_can_fetch_their_start_task(workload: Workload) -> None:
    world = World(exit_code=lambda task_id: None)
    await world.apply(workload.desired(), wait=False)
    world.blobs.key = "NEW"
    world.clock.on_sleep = lambda: world.finish_all()
    await world.apply(workload.desired())
    assert (world.changes, held(world).endswith("sig=NEW")) == ([("update_pool", "words-pool")], True)


async def test_nodes_that_start_again_get_a_start_task_that_they_can_fetch(workload: Workload) -> None:
    world = World()
    await world.apply(workload.desired())
    world.batch.nodes["words-pool"][0]["state"] = "starttaskfailed"
    world.blobs.key = "NEW"
    await world.apply(workload.desired(), retry_failed=True)
    assert [operation for operation, _ in world.changes] == ["update_pool", "reboot_node"]
    assert held(world).endswith("sig=NEW")
