"""The whole plan, and what it refuses. What each part becomes is tested beside that part, the effects with `apply`."""

from dataclasses import replace
from pathlib import Path

import pytest

from batchspec.errors import PlanRefused, UsageError
from batchspec.reconcile.change import Change, Plan
from batchspec.render.model import BlobQuery
from batchspec.render.symbolic import Json
from tests.reconcile.builders import Workload, World


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    return Workload(tmp_path, texts={"a.txt": "a", "b.txt": "b"})


async def test_a_plan_of_everything(workload: Workload) -> None:
    assert await World().plan(workload.desired()) == Plan(
        name="words",
        changes=(
            Change("create", "container", "words-application", key="application"),
            Change("create", "container", "words-input", key="input"),
            Change("create", "container", "words-output", key="output"),
            Change("create", "upload", "words-application/script.py", key="script", size=11),
            Change("create", "upload", "words-input/a.txt", key="texts", size=1),
            Change("create", "upload", "words-input/b.txt", key="texts", size=1),
            Change("create", "pool", "words-pool"),
            Change("create", "job", "words-job"),
        ),
        tasks=(Change("create", "task", "a"), Change("create", "task", "b")),
        kept_tasks=0,
        downloads=(),
        failed_tasks=(),
        orphaned_tasks=(),
        pending_tasks=0,
        notes=(),
        cleaned_up=False,
    )


async def test_a_plan_reads_and_never_writes(workload: Workload) -> None:
    world = World()
    await world.apply(workload.desired())
    world.batch.forget()
    world.blobs.forget()
    await world.plan(replace(workload, script="new", nodes=5).desired())
    assert (world.batch.writes, world.blobs.writes) == ([], [])


async def test_of_a_container_that_nobody_may_look_into_nothing_is_planned_and_that_is_told(workload: Workload) -> None:
    world = World()
    await world.apply(workload.desired())
    unset = UsageError("THE_SAS is not set")
    world.blobs.closed = {"words-input": unset, "words-output": unset}
    (workload.results / "a_OUTPUT.txt").unlink()
    listings = {BlobQuery("input", "words-input", "", ""): None}
    edited = replace(workload, texts={"b.txt": "new"}, script="new").desired()
    shown = await world.plan(replace(edited, tasks=lambda: iter(()), listings=listings))

    assert shown.unseen == (
        "the tasks made of its blobs and uploads to it (words-input): THE_SAS is not set",
        "downloads from it (words-output): THE_SAS is not set",
    )
    assert {one.id for one in shown.changes} == {"words-application/script.py", "words-pool"}
    assert (shown.tasks, shown.orphaned_tasks, shown.downloads, shown.nothing_to_do) == ((), (), (), False)


async def test_downloads_that_are_missing_here_are_planned(workload: Workload) -> None:
    world = World()
    await world.apply(workload.desired())
    (workload.results / "a_OUTPUT.txt").unlink()
    shown = await world.plan(workload.desired())
    assert ([one.id for one in shown.downloads], bool(shown.totals)) == (["words-output/a_OUTPUT.txt"], False)


async def test_a_job_that_is_disabled_is_told(workload: Workload) -> None:
    world = World(exit_code=lambda task_id: None)
    await world.apply(workload.desired(), wait=False)
    world.batch.jobs["words-job"]["state"] = "disabled"
    assert (await world.plan(workload.desired())).notes == (
        "job words-job is disabled: its tasks wait until it is enabled",
    )


@pytest.mark.parametrize("state", ["deleting", None])
async def test_an_existing_pool_that_is_going_counts_as_missing(state: str | None, workload: Workload) -> None:
    world = World()
    if state:
        await world.batch.create_pool({"id": "words-pool", "vmSize": "x"})
        world.batch.pools["words-pool"]["state"] = state
    with pytest.raises(PlanRefused, match="not there, though the spec says `existing: true`: pool words-pool"):
        await world.plan(replace(workload, existing=frozenset({"pool"})).desired())


async def test_when_most_of_a_large_job_changed_the_job_is_replaced(workload: Workload) -> None:
    many = replace(workload, texts={f"t{number:04}.txt": "x" for number in range(1100)}, downloads=False)
    world = World()
    await world.apply(many.desired())
    shown = await world.plan(replace(many, task={"commandLine": "other"}).desired())
    assert [(one.action, one.reasons[0].text) for one in shown.changes] == [
        ("replace", "1100 of 1100 tasks changed: all of them run again in a new job")
    ]
    assert (len(shown.tasks), {one.action for one in shown.tasks}) == (1100, {"create"})


async def test_a_pool_that_outlived_its_job_is_told(workload: Workload) -> None:
    world = World()
    await world.apply(workload.desired())
    world.batch.jobs["words-job"]["executionInfo"]["poolId"] = "night_2"
    marks: list[Json] = [{"name": "batchspec:name", "value": "words"}, {"name": "batchspec:auto", "value": "true"}]
    for pool_id in ("night_1", "night_2"):
        await world.batch.create_pool({"id": pool_id, "vmSize": "x", "metadata": marks})
    assert (await world.plan(workload.desired())).notes == (
        "pool night_1 came with a job of this spec that is over, and stays; `batchspec delete` removes it",
    )
