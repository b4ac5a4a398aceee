"""Deleting what a spec owns, and nothing else."""

from dataclasses import replace
from pathlib import Path

import pytest

from batchspec.errors import Locked
from batchspec.reconcile.change import Change, Reason
from batchspec.reconcile.delete import Deletion, delete, deletion
from batchspec.reconcile.report import Finished
from batchspec.render.model import TASK_HASH_SETTING, Desired
from batchspec.render.symbolic import Json
from tests.fakes import FakeContainer
from tests.reconcile.builders import Workload, World


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    return Workload(tmp_path)


@pytest.fixture
async def world(workload: Workload) -> World:
    """A world in which the workload has run."""
    world = World()
    await world.apply(workload.desired())
    world.batch.forget()
    world.blobs.forget()
    world.events.clear()
    return world


async def agreed(world: World, desired: Desired, *keep: str) -> Deletion:
    return await deletion(desired, world.services, keep=frozenset(keep))


async def carry_out(world: World, one: Deletion) -> None:
    await delete(one, world.services, report=world.events.append, clock=world.clock)


def mine(desired: Desired) -> tuple[Change, ...]:
    return (
        Change("delete", "job", "words-job"),
        Change("delete", "pool", "words-pool"),
        Change("delete", "container", "words-application", key="application"),
        Change("delete", "container", "words-input", key="input"),
        Change("delete", "container", "words-output", key="output"),
    )


async def test_everything_of_the_spec_is_listed_and_then_gone(workload: Workload, world: World) -> None:
    world.batch.slow_deletes = 3
    await world.batch.create_pool({"id": "other", "vmSize": "x"})
    world.blobs.containers["other"] = FakeContainer({}, '"1"')
    found = await agreed(world, workload.desired())
    assert (found.items, found.notes) == (mine(workload.desired()), ())
    await carry_out(world, found)
    assert (set(world.batch.pools), set(world.batch.jobs), set(world.blobs.containers)) == ({"other"}, set(), {"other"})
    assert [event.summary for event in world.events if isinstance(event, Finished)] == ["5 deleted"]
    assert (await agreed(world, workload.desired())).items == ()


async def test_the_lock_s_container_goes_last(workload: Workload, world: World) -> None:
    await carry_out(world, await agreed(world, workload.desired()))
    deleted = [name for operation, name in world.blobs.writes if operation == "delete_container"]
    assert (deleted[-1], len(deleted)) == ("words-application", 3)


async def test_what_is_kept_stays_and_its_sas_dies(workload: Workload, world: World) -> None:
    kept = replace(workload, keep=frozenset({"output"})).desired()
    found = await agreed(world, kept, "container.input")
    assert found.notes == (
        "container words-input stays (--keep)",
        "container words-output stays (keep: true)",
    )
    await carry_out(world, found)
    assert set(world.blobs.containers) == {"words-input", "words-output"}
    assert {container for container, _ in world.blobs.grants} == {"words-application"}


async def test_the_sas_lives_on_with_the_job_that_holds_it(workload: Workload, world: World) -> None:
    kept = replace(workload, keep=frozenset({"output"})).desired()
    found = await agreed(world, kept, "job", "pool")
    assert (found.revoked, found.notes[:2]) == ((), ("job words-job stays (--keep)", "pool words-pool stays (--keep)"))
    await carry_out(world, found)
    assert (set(world.batch.jobs), set(world.batch.pools)) == ({"words-job"}, {"words-pool"})


async def test_foreign_things_of_our_names_are_told_of_and_stay(workload: Workload) -> None:
    world = World()
    await world.batch.create_pool({"id": "words-pool", "vmSize": "x"})
    await world.batch.create_job({"id": "words-job", "poolInfo": {"poolId": "words-pool"}})
    world.blobs.containers["words-input"] = FakeContainer({"batchspec_name": "other"}, '"1"')
    found = await agreed(world, workload.desired())
    assert (found.items, found.notes) == (
        (),
        (
            "job words-job is not this spec's and stays",
            "pool words-pool is not this spec's and stays",
            "container words-input is not this spec's and stays",
        ),
    )


async def test_what_became_somebody_else_s_after_the_question_stays(workload: Workload, world: World) -> None:
    found = await agreed(world, workload.desired())
    world.batch.pools["words-pool"]["metadata"] = []
    world.blobs.containers["words-input"] = FakeContainer({}, '"9"')
    await carry_out(world, found)
    assert (set(world.batch.pools), set(world.blobs.containers)) == ({"words-pool"}, {"words-input"})


async def test_what_existed_before_is_not_touched_but_our_uploads_in_it_go(workload: Workload) -> None:
    world = World()
    await world.blobs.create_container("words-input", {})
    world.blobs.put("words-input", "foreign.txt", b"x")
    await world.batch.create_pool({"id": "words-pool", "vmSize": "x"})
    shared = replace(workload, existing=frozenset({"pool", "input"})).desired()
    await world.apply(shared)
    await carry_out(world, await agreed(world, shared))
    assert (set(world.batch.pools), set(world.batch.jobs)) == ({"words-pool"}, set())
    assert {name: set(one.blobs) for name, one in world.blobs.containers.items()} == {"words-input": {"foreign.txt"}}


async def test_our_tasks_in_a_job_of_others_go_and_theirs_stay(workload: Workload) -> None:
    world = World()
    await world.batch.create_pool({"id": "words-pool", "vmSize": "x"})
    await world.batch.create_job({"id": "words-job", "poolInfo": {"poolId": "words-pool"}})
    theirs: list[Json] = [{"name": TASK_HASH_SETTING, "value": "others:1f"}]
    await world.batch.add_tasks("words-job", [{"id": "theirs", "commandLine": "x", "environmentSettings": theirs}])
    shared = replace(workload, existing=frozenset({"pool", "job"})).desired()
    await world.apply(shared)
    ours = [task.id for task in shared.tasks()]
    assert [one.kind for one in (await agreed(world, shared, "job")).items] == ["container"] * 3
    found = await agreed(world, shared)
    assert [one.id for one in found.items if one.kind == "task"] == ours
    await carry_out(world, found)
    assert [task["id"] async for task in world.batch.list_tasks("words-job")] == ["theirs"]
    assert (await agreed(world, shared)).items == ()


async def test_what_the_spec_no_longer_names_goes_too(workload: Workload, world: World) -> None:
    renamed = replace(workload, name="words").desired()
    renamed = replace(renamed, pool=None, job=None, containers={})
    renamed = replace(renamed, uploads={}, downloads=(), tasks=lambda: iter(()))
    stray = (Reason("no longer in the spec"),)
    found = await agreed(world, renamed)
    assert found.items == (
        Change("delete", "job", "words-job", stray),
        Change("delete", "pool", "words-pool", stray),
        Change("delete", "container", "words-application", stray),
        Change("delete", "container", "words-input", stray),
        Change("delete", "container", "words-output", stray),
    )
    await carry_out(world, found)
    assert (world.batch.pools, world.batch.jobs, world.blobs.containers) == ({}, {}, {})


async def test_while_another_client_applies_nothing_is_deleted(workload: Workload, world: World) -> None:
    found = await agreed(world, workload.desired())
    await world.blobs.acquire("words-application", "somebody", lambda _: False)
    world.blobs.forget()
    with pytest.raises(Locked, match="somebody"):
        await carry_out(world, found)
    assert (world.batch.writes, world.blobs.writes) == ([], [("acquire", "words-application")])


async def test_a_pool_that_came_with_a_job_goes_with_it_and_stays_with_it(workload: Workload, world: World) -> None:
    marks: list[Json] = [{"name": "batchspec:name", "value": "words"}, {"name": "batchspec:auto", "value": "true"}]
    await world.batch.create_pool({"id": "night_1", "vmSize": "x", "metadata": marks})
    other: list[Json] = [{"name": "batchspec:name", "value": "other"}, {"name": "batchspec:auto", "value": "true"}]
    await world.batch.create_pool({"id": "night_2", "vmSize": "x", "metadata": other})
    desired = workload.desired()
    with_job = Change("delete", "pool", "night_1", (Reason("came with a job of this spec"),))
    assert (await agreed(world, desired)).items == (*mine(desired)[:2], with_job, *mine(desired)[2:])
    assert (await agreed(world, desired, "job")).items == mine(desired)[1:]
    await carry_out(world, await agreed(world, desired))
    assert set(world.batch.pools) == {"night_2"}
