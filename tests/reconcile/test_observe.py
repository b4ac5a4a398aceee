"""What is read for a plan, and what it costs."""

from dataclasses import replace
from pathlib import Path

import pytest

from batchspec.reconcile.account import PoolInUse, Use
from batchspec.reconcile.observe import Strays, find_strays, observe, state_of, time_of
from batchspec.render.model import DesiredDownload
from tests.fakes import FakeContainer
from tests.reconcile.builders import Workload, World


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    return Workload(tmp_path)


async def test_an_unchanged_spec_costs_a_dozen_reads(workload: Workload) -> None:
    world = World()
    await world.apply(workload.desired())
    world.batch.forget()
    world.blobs.forget()
    await observe(workload.desired(), world.services)
    assert sorted([*world.batch.reads, *world.blobs.reads]) == [
        ("get_container", "words-application"),
        ("get_container", "words-input"),
        ("get_container", "words-output"),
        ("get_job", "words-job"),
        ("get_pool", "words-pool"),
        ("list_blobs", "words-application"),
        ("list_blobs", "words-input"),
        ("list_blobs", "words-output"),
        ("list_containers", ""),
        ("list_jobs", ""),
        ("list_nodes", "words-pool"),
        ("list_pools", ""),
        ("list_schedules", ""),
        ("list_tasks", "words-job"),
    ]


async def test_nodes_are_listed_only_when_they_may_have_to_boot_again(workload: Workload) -> None:
    world = World()
    await world.apply(workload.desired())
    same = await observe(workload.desired(), world.services)
    changed = await observe(replace(workload, script="new").desired(), world.services)
    assert (same.nodes, [node.state for node in changed.nodes]) == ((), ["idle", "idle"])


async def test_a_container_is_listed_once_below_what_its_uploads_and_downloads_share(workload: Workload) -> None:
    world = World()
    for name in ("run/in/a", "run/out/b", "rest/c", "z"):
        world.blobs.put("words-output", name, b"x")
    desired = workload.desired()
    downloads = tuple(
        DesiredDownload("output", Path(), "results", prefix, "**", ()) for prefix in ("run/in/", "run/out", "re")
    )
    seen = (await observe(replace(desired, downloads=downloads), world.services)).blobs["words-output"]
    assert set(seen) == {"run/in/a", "run/out/b", "rest/c"}


async def test_strays_carry_our_mark_and_are_not_named(workload: Workload) -> None:
    world = World()
    await world.apply(workload.desired())
    for name in ("WORDS-POOL", "old", "dying"):
        world.batch.pools[name] = {**world.batch.pools["words-pool"], "id": name}
    world.batch.pools["dying"]["state"] = "deleting"
    await world.batch.create_job({"id": "foreign", "poolInfo": {"poolId": "p"}})
    world.blobs.containers["words-old"] = FakeContainer({"batchspec_name": "words"}, '"1"')
    world.blobs.containers["words-new"] = FakeContainer({"batchspec_name": "words2"}, '"1"')
    assert await find_strays(workload.desired(), world.services) == Strays(("old",), containers=("words-old",))


async def test_what_the_account_has_is_counted_from_the_same_lists(workload: Workload) -> None:
    world = World()
    await world.batch.create_pool({"id": "other", "vmSize": "standard_d4s_v3", "targetLowPriorityNodes": 3})
    world.batch.pools["other"]["currentDedicatedNodes"] = 1
    for name, state in (("one", "active"), ("two", "disabled"), ("three", "completed"), ("four", "deleting")):
        await world.batch.create_job({"id": name, "poolInfo": {"poolId": "other"}})
        world.batch.jobs[name]["state"] = state
    seen = await observe(workload.desired(), world.services)
    assert seen.use == Use((PoolInUse("other", "standard_d4s_v3", 1, 3),), ("one", "two"))


async def test_images_are_read_when_they_are_asked_for(workload: Workload) -> None:
    world = World()
    world.batch.images = [{"nodeAgentSKUId": "batch.node.ubuntu 24.04"}]
    await world.apply(workload.desired())
    seen = [await observe(workload.desired(), world.services, thorough=thorough) for thorough in (False, True)]
    assert [len(one.images) for one in seen] == [0, 1]


def test_a_time_of_seven_decimals_is_read() -> None:
    moment = time_of("2025-07-13T20:39:32.7668991Z")
    assert moment is not None
    assert (moment.isoformat(), time_of(None)) == ("2025-07-13T20:39:32.766899+00:00", None)


@pytest.mark.parametrize(
    ("state", "result", "expected"),
    [
        ("active", None, "active"),
        ("preparing", None, "running"),
        ("Running", None, "running"),
        ("completed", "success", "succeeded"),
        ("Completed", "Failure", "failed"),
        ("completed", None, "succeeded"),
    ],
)
def test_where_a_task_is(state: str, result: str | None, expected: str) -> None:
    assert state_of({"id": "a", "state": state, "executionInfo": {"result": result}}) == expected
