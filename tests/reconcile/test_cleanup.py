"""Clean-up after a success."""

from dataclasses import replace
from pathlib import Path

import pytest

from batchspec.reconcile.cleanup import clean_up
from batchspec.reconcile.report import Finished
from tests.fakes import FakeContainer
from tests.reconcile.builders import Workload, World

EVERYTHING = ("container.input", "container.output", "pool", "job")


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    return Workload(tmp_path)


async def test_it_removes_what_is_named_and_says_so(workload: Workload) -> None:
    world = World()
    await world.apply(workload.desired())
    world.batch.slow_deletes = 2
    world.events.clear()
    clean = replace(workload, cleanup=(*EVERYTHING, "container.application")).desired()
    await clean_up(clean, world.services, world.events.append, world.clock)
    assert (world.batch.pools, world.batch.jobs, world.blobs.containers) == ({}, {}, {})
    assert [event.summary for event in world.events if isinstance(event, Finished)] == [
        "container.input, container.output, pool, job, container.application removed"
    ]


async def test_it_removes_only_what_is_ours(workload: Workload) -> None:
    world = World()
    await world.batch.create_pool({"id": "words-pool", "vmSize": "x"})
    await world.batch.create_job({"id": "words-job", "poolInfo": {"poolId": "p"}})
    world.blobs.containers["words-input"] = FakeContainer({"batchspec_name": "other"}, '"1"')
    world.batch.forget()
    clean = replace(workload, cleanup=EVERYTHING).desired()
    await clean_up(clean, world.services, world.events.append, world.clock)
    assert (world.batch.writes, world.blobs.writes) == ([], [])


async def test_it_removes_nothing_that_the_spec_says_exists(workload: Workload) -> None:
    world = World()
    await world.apply(workload.desired())
    world.batch.forget()
    world.blobs.forget()
    clean = replace(workload, cleanup=EVERYTHING, existing=frozenset({"pool", "job", "input", "output"})).desired()
    await clean_up(clean, world.services, world.events.append, world.clock)
    assert (world.batch.writes, world.blobs.writes) == ([], [])


async def test_while_another_client_works_nothing_is_cleaned_up_and_that_is_told(workload: Workload) -> None:
    world = World()
    clean = replace(workload, cleanup=("container.input",)).desired()

    await world.apply(workload.desired())
    await world.blobs.acquire("words-application", "somebody", lambda _: False)
    applied = await world.apply(clean)
    assert applied.outcome is not None
    assert "words-input" in world.blobs.containers
    assert world.notes == ["nothing is cleaned up: container words-application is locked by somebody"]
    world.let_leases_end()
    await world.apply(clean)
    assert "words-input" not in world.blobs.containers
