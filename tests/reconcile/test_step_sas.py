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
