"""Adding, deleting and retrying tasks, and what the service may answer."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from batchspec.errors import ServiceRefused
from batchspec.reconcile.outcome import Counts
from batchspec.reconcile.ports import Added
from tests.fakes import Body, refused
from tests.reconcile.builders import MortalBatch, Workload, World


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    return Workload(tmp_path, downloads=False)


async def test_tasks_are_added_in_requests_of_at_most_100_and_700_kb(workload: Workload) -> None:
    world = World()
    many = replace(workload, texts={f"t{number:03}.txt": "x" for number in range(250)})
    await world.apply(many.desired())
    assert sum(name == "add_tasks" for name, _ in world.batch.writes) == 3
    big = World()
    padded = replace(workload, texts={f"t{n}.txt": "x" for n in range(10)}, task={"displayName": "x" * 200_000})
    await big.apply(padded.desired())
    assert sum(name == "add_tasks" for name, _ in big.batch.writes) == 4


def leave_in_the_way(world: World, task_id: str) -> None:
    """The task is there again whenever another one is added in its place."""
    old = dict(world.batch.tasks["words-job"][task_id])

    def put_back(job_id: str) -> None:
        world.batch.tasks[job_id].setdefault(task_id, old)

    world.batch.before("add_tasks", put_back)


async def test_a_task_whose_id_is_still_taken_is_added_when_it_is_free(workload: Workload) -> None:
    world = World()
    await world.apply(workload.desired())
    leave_in_the_way(world, "b")

    def free() -> None:
        if world.clock.seconds > 3:
            world.batch._callbacks.clear()
            world.batch.tasks["words-job"].pop("b", None)

    world.clock.on_sleep = free
    edited = replace(workload, texts={**workload.texts, "b.txt": "other"})
    applied = await world.apply(edited.desired())
    assert applied.outcome is not None
    assert (applied.outcome.counts, world.ran) == (Counts(completed=3, succeeded=3), {"a": 1, "b": 2, "c": 1})


async def test_an_id_that_stays_taken_is_an_error_that_names_the_task(workload: Workload) -> None:
    world = World()
    await world.apply(workload.desired())
    leave_in_the_way(world, "b")
    edited = replace(workload, texts={**workload.texts, "b.txt": "other"})
    with pytest.raises(ServiceRefused, match="add task b: TaskExists"):
        await world.apply(edited.desired())
    assert world.clock.seconds > 60


async def test_a_task_that_our_own_lost_request_added_is_not_added_twice(workload: Workload) -> None:
    """Even when it has already failed: it is the one of this run."""
    world = World(exit_code=lambda task_id: 3)

    async def add_first(job_id: str) -> None:
        world.batch._callbacks.clear()
        desired = workload.desired()
        bodies: list[Any] = [task.body for task in desired.tasks()]
        await world.batch.add_tasks(job_id, bodies[:1])

    world.batch.before("add_tasks", add_first)
    applied = await world.apply(workload.desired())
    assert applied.outcome is not None
    assert (applied.outcome.counts, world.ran) == (Counts(completed=3, failed=3), {"a": 1, "b": 1, "c": 1})
    assert world.clock.seconds == 0


class PickyBatch(MortalBatch):
    """Refuses the task `b`."""

    def _add(self, job_id: str, body: Body) -> Added:
        return Added("b", "InvalidPropertyValue", "no") if body["id"] == "b" else super()._add(job_id, body)


async def test_a_refused_task_is_named_with_the_service_s_code(workload: Workload) -> None:
    world = World(batch=PickyBatch())
    with pytest.raises(ServiceRefused, match="add task b: InvalidPropertyValue: no"):
        await world.apply(workload.desired())


async def failed_world(workload: Workload) -> World:
    world = World(exit_code=lambda task_id: 3 if task_id == "b" else 0)
    await world.apply(workload.desired())
    world.exit_code = lambda task_id: 0
    return world


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("TaskNotCompleted", [("reactivate_task", "words-job/b")]),
        ("TaskSucceeded", [("reactivate_task", "words-job/b")]),
        (
            "OperationInvalidForCurrentState",
            [("reactivate_task", "words-job/b"), ("delete_task", "words-job/b"), ("add_tasks", "words-job")],
        ),
    ],
)
async def test_a_task_that_cannot_be_reactivated(code: str, changes: list[Any], workload: Workload) -> None:
    world = await failed_world(workload)
    world.batch.fail("reactivate_task", 1, refused("reactivate task", "b", 409, code))
    await world.apply(workload.desired(), retry_failed=True, wait=False)
    assert world.changes == changes


async def test_a_job_that_ended_meanwhile_is_told_and_no_task_is_lost(workload: Workload) -> None:
    world = await failed_world(workload)
    world.batch.before("reactivate_task", lambda task: world.batch.jobs["words-job"].update(state="completed"))
    with pytest.raises(ServiceRefused, match="JobCompleted"):
        await world.apply(workload.desired(), retry_failed=True)
    assert set(world.batch.tasks["words-job"]) == {"a", "b", "c"}
