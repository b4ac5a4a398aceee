"""Logs of tasks and start tasks."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest

from batchspec.errors import PlanRefused, UsageError
from batchspec.reconcile.logs import Writer, logs
from batchspec.reconcile.outcome import NodeTask
from tests.reconcile.builders import Workload, World


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    return Workload(tmp_path)


@pytest.fixture
async def world(workload: Workload) -> World:
    """A world in which no task has ended."""
    world = World(exit_code=lambda task_id: None)
    await world.apply(workload.desired(), wait=False)
    return world


async def read(
    world: World,
    workload: Workload,
    *,
    task: str | None = "a",
    node: str | None = None,
    kind: Literal["start task"] | NodeTask = "start task",
    stream: Literal["stdout", "stderr"] = "stdout",
    follow: bool = False,
) -> str:
    parts: list[str] = []
    await logs(
        workload.desired(),
        world.services,
        Writer(task) if task is not None else Writer(str(node), kind),
        stream=stream,
        follow=follow,
        write=parts.append,
        clock=world.clock,
    )
    return "".join(parts)


async def test_a_file_of_any_size_is_shown_whole(workload: Workload, world: World) -> None:
    text = "0123456789abcdef" * 200_000
    world.batch.files["words-job", "a", "stdout.txt"] = text.encode()
    assert await read(world, workload) == text


async def test_a_start_task_s_file_is_shown(workload: Workload, world: World) -> None:
    node = world.batch.nodes["words-pool"][0]["id"]
    world.batch.node_files["words-pool", node, "startup/stderr.txt"] = b"oops"
    assert await read(world, workload, task=None, node=node, stream="stderr") == "oops"


async def test_what_a_job_prepares_and_releases_is_shown_from_where_the_service_says(
    workload: Workload, world: World
) -> None:
    infos = {
        f"job{name}TaskExecutionInfo": {"state": "completed", "taskRootDirectory": f"workitems/{name}"}
        for name in ("Preparation", "Release")
    }
    world.batch.preparations["words-job"] = [
        {"poolId": "other", "nodeId": "m"},
        {"poolId": "other", "nodeId": "n", **infos},
    ]
    for name in ("Preparation", "Release"):
        world.batch.node_files["other", "n", f"workitems/{name}/stdout.txt"] = name.encode()

    kinds: tuple[NodeTask, ...] = ("job preparation task", "job release task")
    assert [await read(world, workload, task=None, node="n", kind=kind) for kind in kinds] == ["Preparation", "Release"]
    for node in ("m", "k"):
        with pytest.raises(PlanRefused, match=f"the job release task of job words-job on node {node} is not there"):
            await read(world, workload, task=None, node=node, kind="job release task")


async def test_a_task_is_followed_to_its_end(workload: Workload, world: World) -> None:
    steps = iter([b"one\n", b"one\ntwo\n", None])

    def go_on() -> None:
        content = next(steps)
        if content is None:
            world.batch.files["words-job", "a", "stdout.txt"] += b"three\n"
            world.finish_all()
        else:
            world.batch.files["words-job", "a", "stdout.txt"] = content

    world.clock.on_sleep = go_on
    assert await read(world, workload, follow=True) == "one\ntwo\nthree\n"


async def test_another_attempt_of_a_followed_task_is_shown_from_its_beginning(workload: Workload, world: World) -> None:
    world.batch.files["words-job", "a", "stdout.txt"] = b"the first attempt\n"

    def retry() -> None:
        world.batch.files["words-job", "a", "stdout.txt"] = b"again\n"
        world.finish_all()

    world.clock.on_sleep = retry
    assert await read(world, workload, follow=True) == "the first attempt\nagain\n"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "task a of job words-job has no stdout.txt: it is active and has written nothing yet"),
        ({"task": None, "node": "n"}, "the start task of node n of pool words-pool is not there"),
    ],
)
async def test_what_cannot_be_shown_is_told(
    asked: dict[str, Any], message: str, workload: Workload, world: World
) -> None:
    with pytest.raises(PlanRefused) as caught:
        await read(world, workload, **asked)
    assert str(caught.value) == message


@pytest.mark.parametrize("follow", [False, True])
async def test_an_unknown_task_is_a_mistake_of_whoever_asks(follow: bool, workload: Workload, world: World) -> None:
    with pytest.raises(UsageError, match=re.escape("no task 'nosuch' in job words-job; there are: a, b, c")):
        await read(world, workload, task="nosuch", follow=follow)


async def test_a_task_that_the_service_does_not_have_yet_is_told(workload: Workload) -> None:
    with pytest.raises(PlanRefused, match="task a of job words-job is not there"):
        await read(World(), workload)


async def test_a_task_that_failed_before_it_ran_says_so_beside_empty_files(workload: Workload, world: World) -> None:
    world.batch.finish("words-job", "a", exit_code=1, code="BlobNotFound")
    del world.batch.tasks["words-job"]["a"]["executionInfo"]["exitCode"]
    world.batch.files["words-job", "a", "stdout.txt"] = b""
    with pytest.raises(PlanRefused, match="wrote nothing: it failed before it ran, with BlobNotFound: failed"):
        await read(world, workload)


async def test_a_task_that_failed_before_it_ran_says_why_there_is_nothing(workload: Workload, world: World) -> None:
    world.batch.finish("words-job", "a", exit_code=1, code="BlobNotFound")
    del world.batch.tasks["words-job"]["a"]["executionInfo"]["exitCode"]
    with pytest.raises(PlanRefused, match=r"no stdout.txt: it failed before it ran, with BlobNotFound: failed"):
        await read(world, workload)


@pytest.mark.parametrize(("part", "node"), [("job", None), ("pool", "n")])
async def test_a_spec_without_tasks_or_pool_has_no_logs(
    part: Literal["job", "pool"], node: str | None, workload: Workload, world: World
) -> None:
    desired = replace(workload.desired(), job=None)
    desired = replace(desired, pool=None) if part == "pool" else desired
    with pytest.raises(PlanRefused, match=f"the spec has no {part}"):
        await logs(
            desired,
            world.services,
            Writer(node, "start task") if node else Writer("a"),
            stream="stdout",
            follow=False,
            write=print,
        )
