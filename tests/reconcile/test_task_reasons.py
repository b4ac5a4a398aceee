"""What differs in the first tasks that run again."""

from dataclasses import replace
from pathlib import Path

import pytest

from batchspec.reconcile.change import Plan, Reason
from batchspec.reconcile.observe import observe
from batchspec.reconcile.plan import plan
from batchspec.reconcile.task_reasons import LOOKED_AT, with_task_reasons
from batchspec.render.hashes import HELD_SECRET
from batchspec.render.model import Desired
from tests.reconcile.builders import Workload, World

GENERAL = Reason("command, settings or an input changed")


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    return Workload(tmp_path / "one")


@pytest.fixture
def world() -> World:
    return World()


async def told(desired: Desired, world: World) -> Plan:
    seen = await observe(desired, world.services)
    return await with_task_reasons(plan(desired, seen), desired, seen, world.batch)


def reasons(found: Plan) -> dict[str, tuple[Reason, ...]]:
    return {change.id: change.reasons for change in found.tasks}


async def test_properties_are_told_with_their_old_and_new_value(workload: Workload, world: World) -> None:
    await world.apply(workload.desired())
    found = reasons(await told(replace(workload, task={"commandLine": "count better"}).desired(), world))

    assert found == {
        name: (GENERAL, Reason("changed", "commandLine", f"count {name}.txt", "count better")) for name in "abc"
    }


async def test_an_input_of_new_content_is_named(workload: Workload, world: World) -> None:
    await world.apply(workload.desired())
    found = reasons(await told(replace(workload, texts={**workload.texts, "b.txt": "b b"}).desired(), world))

    ((_, input_),) = found.values()
    assert (input_.text, input_.path.startswith("resourceFiles["), "/b.txt]" in input_.path) == (
        "its content changed", True, True
    )  # fmt: skip


async def test_what_nodes_are_prepared_with_is_named_when_its_content_changed(workload: Workload, world: World) -> None:
    await world.apply(workload.desired())
    found = reasons(await told(replace(workload, script="count all words").desired(), world))

    container = workload.desired().containers["application"].name
    brought = Reason("its content changed", f"startTask.resourceFiles[{container}/script.py]")
    assert found == dict.fromkeys("abc", (GENERAL, brought))


async def test_an_input_that_was_cleaned_up_and_is_sent_again_has_not_changed(workload: Workload, world: World) -> None:
    await world.apply(workload.desired())
    for container in world.blobs.containers.values():
        container.blobs.clear()
    found = reasons(await told(replace(workload, task={"commandLine": "count better"}).desired(), world))

    assert [[reason.path for reason in why] for why in found.values()] == [["", "commandLine"]] * 3


async def test_no_old_value_of_a_task_that_held_a_secret_is_shown(workload: Workload, world: World) -> None:
    await world.apply(workload.desired())
    for body in world.batch.tasks[workload.desired().job.id].values():  # type: ignore[union-attr]
        body["commandLine"] = "run --password hunter2"
        for setting in body["environmentSettings"]:
            if setting["name"] == "BATCHSPEC_TASK_HASH":
                setting["value"] += HELD_SECRET
    found = reasons(await told(workload.desired(), world))

    assert found
    assert "hunter2" not in repr(found)
    assert all(why[1].path == "commandLine" for why in found.values())


async def test_only_the_first_tasks_are_read(workload: Workload, world: World) -> None:
    many = replace(workload, texts={f"{number:03}.txt": "x" for number in range(50)})
    await world.apply(many.desired())
    changed = replace(many, task={"commandLine": "count better"}).desired()
    world.batch.reads.clear()
    found = await told(changed, world)

    assert [operation for operation, _ in world.batch.reads].count("get_task") == LOOKED_AT
    assert [len(change.reasons) for change in found.tasks] == [2] * LOOKED_AT + [1] * (50 - LOOKED_AT)
