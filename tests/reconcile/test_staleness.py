"""A frozen plan is applied again until it is through, however often it is killed, and refused when something is new."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from batchspec.errors import Difference, PlanStale
from batchspec.reconcile.apply import Applied
from batchspec.reconcile.asked import Asked
from batchspec.reconcile.change import Plan
from batchspec.reconcile.freeze import Freezing
from batchspec.reconcile.frozen import Frozen, file_text, frozen_from
from batchspec.reconcile.observe import Observed, observe
from batchspec.reconcile.plan import plan
from batchspec.reconcile.staleness import ANOTHER, differences
from batchspec.render.model import Blob, BlobQuery, Desired, Listing, LocalFile, Secret
from batchspec.render.symbolic import symbol
from tests.reconcile.builders import Killed, Reaper, Workload, World


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    return Workload(tmp_path / "one")


@pytest.fixture
def world() -> World:
    return World()


async def frozen(desired: Desired, world: World, **asked: bool) -> Frozen:
    """A plan that is made now, as it is read back from its file."""
    seen = await observe(desired, world.services)
    said = Asked(asked.get("retry_failed", False), asked.get("refresh_secrets", False))
    made = plan(desired, seen, said)
    freezing = Freezing(desired, "local", said)
    made = replace(made, digest=freezing.digest(made, seen))
    return frozen_from("".join(file_text(freezing, made, seen, "specs/words.yaml")).encode())


async def apply(desired: Desired, world: World, held_to: Frozen, *, wait: bool = True, place: str = "local") -> Applied:
    """Apply exactly a plan. Raises PlanStale with all that differs."""
    freezing = Freezing(desired, place, held_to.asked)

    def refuse(made: Plan, seen: Observed) -> None:
        found = list(differences(held_to, freezing, made, seen))
        if found:
            raise PlanStale("stale", differences=found)

    return await world.apply(
        desired,
        refuse=refuse,
        wait=wait,
        retry_failed=held_to.asked.retry_failed,
        refresh_secrets=held_to.asked.refresh_secrets,
        retried=held_to.asked.retried,
    )


async def stale(desired: Desired, world: World, held_to: Frozen, *, place: str = "local") -> list[Difference]:
    """What differs, when the plan is refused; nothing was written then."""
    before = world.state()
    with pytest.raises(PlanStale) as refused:
        await apply(desired, world, held_to, place=place)
    assert world.state() == before
    return list(refused.value.differences)


Before = Callable[[World, Workload], Awaitable[object]]
Edit = Callable[[Workload], Workload]


async def applied(world: World, one: Workload) -> None:
    await world.apply(one.desired())


async def nothing(world: World, one: Workload) -> None:
    """No history."""


async def failing(world: World, one: Workload) -> None:
    world.exit_code = lambda task_id: 0 if task_id == "a" else 3
    await world.apply(one.desired())
    world.exit_code = lambda task_id: 0


async def waiting(world: World, one: Workload) -> None:
    world.exit_code = lambda task_id: None
    await world.apply(one.desired(), wait=False)


def with_secret(one: Workload) -> Workload:
    body: dict[str, Any] = {"displayName": symbol("secret", "pw")}
    return replace(one, task=body, secrets={"pw": Secret("geheim")})


RUNS: dict[str, tuple[Before, Edit, Edit, dict[str, bool]]] = {
    "a first run": (nothing, lambda one: one, lambda one: one, {}),
    "a job that ends with its tasks": (
        nothing,
        lambda one: replace(one, job={"onAllTasksComplete": "terminatejob"}),
        lambda one: one,
        {},
    ),
    "edited inputs": (
        applied,
        lambda one: one,
        lambda one: replace(one, texts={**one.texts, "b.txt": "something else", "d.txt": "new"}),
        {},
    ),
    "another start task": (applied, lambda one: one, lambda one: replace(one, script="count better"), {}),
    "another pool": (applied, lambda one: one, lambda one: replace(one, vm_size="standard_d4s_v3"), {}),
    "a larger pool": (applied, lambda one: one, lambda one: replace(one, nodes=3), {}),
    "a larger pool and another start task": (
        applied,
        lambda one: one,
        lambda one: replace(one, nodes=3, script="count better"),
        {},
    ),
    "another job": (applied, lambda one: one, lambda one: replace(one, job={"usesTaskDependencies": True}), {}),
    "a job changed in place": (applied, lambda one: one, lambda one: replace(one, job={"priority": 5}), {}),
    "a task more for a completed job": (
        applied,
        lambda one: replace(one, job={"onAllTasksComplete": "terminatejob"}),
        lambda one: replace(one, texts={**one.texts, "d.txt": "new"}),
        {},
    ),
    "failures retried": (failing, lambda one: one, lambda one: one, {"retry_failed": True}),
    "cleaned up": (
        nothing,
        lambda one: replace(one, cleanup=("container.input", "container.application", "pool")),
        lambda one: one,
        {},
    ),
    "edited after a clean-up": (
        applied,
        lambda one: replace(one, cleanup=("container.input", "container.application")),
        lambda one: replace(one, texts={**one.texts, "b.txt": "something else"}),
        {},
    ),
    "pruned": (
        applied,
        lambda one: replace(one, prune=True),
        lambda one: replace(one, texts={"a.txt": one.texts["a.txt"]}),
        {},
    ),
    "unfinished tasks that go": (
        waiting,
        lambda one: one,
        lambda one: replace(one, texts={"a.txt": one.texts["a.txt"]}),
        {},
    ),
    "new secrets": (waiting, with_secret, lambda one: one, {"refresh_secrets": True}),
}


@pytest.mark.parametrize("name", RUNS)
async def test_a_plan_that_was_killed_at_any_write_is_applied_again_until_it_is_through(
    name: str, tmp_path: Path
) -> None:
    before, given, edit, asked = RUNS[name]

    async def play(folder: Path, reaper: Reaper) -> tuple[dict[str, Any], int]:
        one = given(Workload(folder))
        world, edited = World(), edit(one).desired()
        world.batch.slow_deletes = 2
        await before(world, one)
        held_to = await frozen(edited, world, **asked)
        world.exit_code = lambda task_id: 0
        world.reaper = reaper
        try:
            await apply(edited, world, held_to, wait=before is not waiting)
        except Killed:
            world.reaper = Reaper()
            world.let_leases_end()
            await apply(edited, world, held_to, wait=before is not waiting)
        writes = reaper.seen
        world.reaper = Reaper()
        world.finish_all()
        again = await apply(edited, world, held_to)
        assert asked.get("refresh_secrets") or again.plan.nothing_to_do or not again.plan.totals, again.plan
        await world.let_deletions_end()
        return world.state(), writes

    undisturbed, writes = await play(tmp_path / "undisturbed", Reaper())
    assert writes > 0
    for at in range(1, writes + 1):
        for after in (False, True):
            state, _ = await play(tmp_path / f"{at}{after}", Reaper(at, after))
            assert state == undisturbed, f"{'after' if after else 'before'} write {at}"


NOT_THERE = "not there"


async def test_a_plan_that_was_carried_out_by_somebody_else_has_nothing_left_to_do(
    workload: Workload, world: World
) -> None:
    held_to = await frozen(workload.desired(), world)
    await world.apply(workload.desired())

    again = await apply(workload.desired(), world, held_to)

    assert again.plan.nothing_to_do


INPUTS: dict[str, tuple[Edit, list[Difference]]] = {
    "a file with another content": (
        lambda one: replace(one, texts={**one.texts, "b.txt": "bb"}),
        [
            Difference("file words-input/b.txt", "1 bytes (MD5 92eb5ffee6ae)", "2 bytes (MD5 21ad0bd836b9)"),
            Difference("task b", "as reviewed", "with another command, setting or input"),
        ],
    ),
    "a file more": (
        lambda one: replace(one, texts={**one.texts, "d.txt": "b"}),
        [
            Difference("file words-input/d.txt", NOT_THERE, "1 bytes (MD5 92eb5ffee6ae)"),
            Difference("task d", NOT_THERE, "there"),
        ],
    ),
    "a file less": (
        lambda one: replace(one, texts={name: text for name, text in one.texts.items() if name != "b.txt"}),
        [
            Difference("file words-input/b.txt", "1 bytes (MD5 92eb5ffee6ae)", NOT_THERE),
            Difference("task b", "there", NOT_THERE),
        ],
    ),
    "a property of the pool": (
        lambda one: replace(one, nodes=3),
        [
            Difference("pool", 2, 3, "targetDedicatedNodes"),
        ],
    ),
    "the name": (lambda one: replace(one, name="other"), [Difference("the spec's name", "words", "other")]),
    "the clean-up": (lambda one: replace(one, cleanup=("pool",)), [Difference("cleanup", NOT_THERE, "pool", "[0]")]),
}


@pytest.mark.parametrize("name", INPUTS)
async def test_what_the_plan_rests_on_must_be_the_same(name: str, workload: Workload, world: World) -> None:
    held_to = await frozen(workload.desired(), world)
    edit, expected = INPUTS[name]

    found = await stale(edit(workload).desired(), world, held_to)

    assert [one for one in found if "metadata" not in one.path] == expected


async def test_what_was_written_and_given_is_told_rather_than_what_it_is_rendered_to(
    workload: Workload, world: World
) -> None:
    one, other = workload.desired(), replace(workload, nodes=3).desired()
    source = {"pool": {"target_dedicated_nodes": "{{ vars.n }}"}, "tasks": [{"command": "a"}, {"command": "z"}]}
    edited = {"pool": source["pool"], "tasks": [{"command": "a"}, {"command": "b"}, {"command": "z"}], "wait": {}}
    held_to = await frozen(replace(one, source=source, variables={"n": 2, "gone": 1}), world)

    found = await stale(replace(other, source=edited, variables={"n": 3, "new": 1}), world, held_to)

    assert found == [
        Difference("variable n", 2, 3),
        Difference("spec, tasks[1]", NOT_THERE, {"command": "b"}),
        Difference("spec, wait", NOT_THERE, {}),
    ]


async def test_blobs_and_rows_that_tasks_are_made_of_are_inputs_too(
    workload: Workload, world: World, tmp_path: Path
) -> None:
    query, rows = BlobQuery("raw", "raw", "", "*.txt"), tmp_path / "rows.csv"

    def desired(*blobs: Blob, content: str) -> Desired:
        rows.write_text(content)
        file = LocalFile("rows.csv", rows, len(content))
        return replace(workload.desired(), listings={query: Listing(blobs)}, rows={"rows.csv": file})

    one, other = Blob("a.txt", 1, bytes.fromhex("92" * 16), "e1"), Blob("b.txt", 7, None, "0x8DC")
    held_to = await frozen(desired(one, other, content="a,b\n"), world)

    found = await stale(desired(replace(other, etag="0x8DD"), content="a,c\n"), world, held_to)

    assert found == [
        Difference("rows of rows.csv", "4 bytes (MD5 f69f5b72bc79)", "4 bytes (MD5 6baffcf0e20e)"),
        Difference("blob raw/a.txt", "1 bytes (MD5 929292929292)", NOT_THERE),
        Difference("blob raw/b.txt", "7 bytes (0x8DC)", "7 bytes (0x8DD)"),
    ]


async def test_another_account_and_other_flags_make_a_plan_stale(workload: Workload, world: World) -> None:
    held_to = await frozen(workload.desired(), world)
    seen = await observe(workload.desired(), world.services)
    made = plan(workload.desired(), seen)

    elsewhere = Freezing(workload.desired(), "https://a.example.com", Asked(retry_failed=True))

    assert list(differences(held_to, elsewhere, made, seen)) == [
        Difference("the account", "the local engine", "https://a.example.com"),
        Difference("--retry-failed", "not said", "said"),
    ]


async def test_the_order_of_tasks_counts(workload: Workload, world: World) -> None:
    one = workload.desired()
    held_to = await frozen(one, world)
    turned = replace(one, tasks=lambda: iter(reversed(list(one.tasks()))))

    assert await stale(turned, world, held_to) == [Difference("the order of the tasks", "as reviewed", "another")]


async def test_a_new_secret_makes_no_plan_stale(workload: Workload, world: World) -> None:
    one = with_secret(workload)
    held_to = await frozen(one.desired(), world)

    await apply(replace(one, secrets={"pw": Secret("neu")}).desired(), world, held_to)

    assert "neu" in str(world.batch.tasks)
    assert "geheim" not in str(held_to.plan)


Meanwhile = Callable[[World], object]


def _edited_task(world: World) -> None:
    task = world.batch.tasks["words-job"]["a"]
    for setting in task["environmentSettings"]:
        if setting["name"] == "BATCHSPEC_TASK_HASH":
            setting["value"] = "words:0123"


MEANWHILE: dict[str, tuple[Meanwhile, list[Difference]]] = {
    "a container is deleted": (
        lambda world: world.blobs.containers.pop("words-output"),
        [Difference("container words-output", "to stay as it is", "to be created")],
    ),
    "an uploaded blob is deleted": (
        lambda world: world.blobs.containers["words-input"].blobs.pop("a.txt"),
        [Difference("upload words-input/a.txt", "to stay as it is", "to be created")],
    ),
    "the pool is deleted": (
        lambda world: world.batch.pools.pop("words-pool"),
        [Difference("pool words-pool", "to stay as it is", "to be created")],
    ),
    "the pool is resized": (
        lambda world: world.batch.pools["words-pool"].update(targetDedicatedNodes=7),
        [Difference("pool words-pool", 2, 7, "targetDedicatedNodes")],
    ),
    "the job has another priority": (
        lambda world: world.batch.jobs["words-job"].update(priority=77),
        [Difference("job words-job", 5, 77, "priority")],
    ),
    "a task is deleted": (
        lambda world: world.batch.tasks["words-job"].pop("a"),
        [Difference("task a", "to stay as it is", "to be created")],
    ),
    "a task is another one": (
        _edited_task,
        [
            Difference(
                "task a",
                "to stay as it is",
                "to be replaced (command, settings or an input changed; found with mark words:0123)",
            )
        ],
    ),
}


@pytest.mark.parametrize("name", MEANWHILE)
async def test_what_somebody_did_meanwhile_is_news(name: str, workload: Workload, world: World) -> None:
    one = replace(workload, job={"priority": 5})
    await world.apply(one.desired())
    edited = replace(one, texts={**one.texts, "d.txt": "new"}).desired()
    held_to = await frozen(edited, world)
    meanwhile, expected = MEANWHILE[name]
    meanwhile(world)

    assert await stale(edited, world, held_to) == expected


@pytest.mark.parametrize("name", ["pool", "job"])
async def test_what_the_plan_changes_must_have_the_value_that_it_had(
    name: str, workload: Workload, world: World
) -> None:
    one = replace(workload, job={"priority": 5})
    await world.apply(one.desired())
    edited = replace(one, job={"priority": 6}, nodes=4).desired()
    held_to = await frozen(edited, world)
    expected = {
        "pool": Difference("pool words-pool", ANOTHER, 3, "targetDedicatedNodes"),
        "job": Difference("job words-job", ANOTHER, 77, "priority"),
    }
    if name == "pool":
        world.batch.pools["words-pool"].update(targetDedicatedNodes=3)
    else:
        world.batch.jobs["words-job"].update(priority=77)

    assert await stale(edited, world, held_to) == [expected[name]]


async def test_constraints_that_somebody_gave_a_task_are_told(workload: Workload) -> None:
    world = World(exit_code=lambda task_id: None)
    one = replace(workload, task={"constraints": {"maxTaskRetryCount": 1}})
    await world.apply(one.desired(), wait=False)
    edited = replace(one, texts={**one.texts, "d.txt": "new"}).desired()
    held_to = await frozen(edited, world)
    world.batch.tasks["words-job"]["a"]["constraints"]["maxTaskRetryCount"] = 4

    assert await stale(edited, world, held_to) == [Difference("task a", 1, 4, "constraints.maxTaskRetryCount")]


async def test_what_the_plan_replaces_must_be_what_it_was(workload: Workload, world: World) -> None:
    await world.apply(workload.desired())
    edited = replace(workload, texts={**workload.texts, "a.txt": "other"}).desired()
    held_to = await frozen(edited, world)
    await world.apply(replace(workload, texts={**workload.texts, "a.txt": "something between"}).desired())

    found = await stale(edited, world, held_to)

    assert [one.what for one in found] == ["upload words-input/a.txt", "task a"]
    assert re.search(r"\(content differs; found with 5 bytes \(MD5 \w{12}\)\)", str(found[0].was))
    assert re.search("; found with mark words:", str(found[1].was))
    assert all(one.was != one.now for one in found)


async def test_what_shall_be_new_must_not_be_something_else(workload: Workload, world: World) -> None:
    held_to = await frozen(workload.desired(), world)
    await world.apply(replace(workload, nodes=5, script="other").desired())

    found = await stale(workload.desired(), world, held_to)

    assert [one.what for one in found][:2] == ["upload words-application/script.py", "pool words-pool"]
    assert all(one.was == "to be created" for one in found)


async def test_a_failure_that_the_plan_has_not_seen_is_not_retried(workload: Workload, world: World) -> None:
    world.exit_code = lambda task_id: 3 if task_id == "a" else None
    await world.apply(workload.desired(), wait=False)
    held_to = await frozen(workload.desired(), world, retry_failed=True)
    world.finish_all(exit_code=4)
    await world.clock.sleep(1)

    done = await apply(workload.desired(), world, held_to)
    again = await apply(workload.desired(), world, held_to)

    assert [(one.id, one.steps) for one in done.plan.tasks] == [("a", ("reactivate",))]
    assert (again.plan.tasks, again.plan.failed_tasks) == ((), ("a", "b", "c"))
