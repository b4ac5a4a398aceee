"""What becomes of the pool."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from batchspec.reconcile.change import Change, Reason
from batchspec.reconcile.compare import REMOVED
from batchspec.reconcile.plan_pool import patched_properties, pool_change
from batchspec.render.model import JsonObject
from tests.reconcile.builders import Workload, World

START: JsonObject = {"commandLine": "other"}


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    return Workload(tmp_path)


async def change(before: Workload, after: Workload, *, needed: bool = True, **there: Any) -> Change | None:
    """The pool's change from a pool of `before`, with some of its properties set, to what `after` asks for."""
    from batchspec.reconcile.observe import observe

    world = World()
    await world.apply(before.desired(), wait=False)
    world.batch.pools["words-pool"].update(there)
    desired = after.desired()
    assert desired.pool is not None
    return pool_change(desired.pool, await observe(desired, world.services), needed=needed)


async def steps(before: Workload, after: Workload, **there: Any) -> tuple[str, tuple[str, ...]] | None:
    found = await change(before, after, **there)
    return None if found is None else (found.action, found.steps)


UPDATE, REPLACE = "update", ("replace", ("delete", "create"))


async def test_an_unchanged_pool_has_no_change_whatever_it_does_now(workload: Workload) -> None:
    assert await change(workload, workload, allocationState="resizing", currentDedicatedNodes=1) is None


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"metadata": []}, None),
        ({"displayName": "new"}, REPLACE),
        ({"networkConfiguration": {"subnetId": "x"}}, REPLACE),
        ({"taskSlotsPerNode": 2}, REPLACE),
        ({"taskSlotsPerNode": 1}, (UPDATE, ("patch",))),
        ({"targetLowPriorityNodes": 3}, (UPDATE, ("patch", "resize"))),
        ({"applicationPackageReferences": [{"applicationId": "x"}]}, (UPDATE, ("patch", "reboot"))),
        ({"networkConfiguration": {"subnetId": "x", "acceleratedNetworking": True}}, REPLACE),
        ({"resizeTimeout": "PT30M"}, (UPDATE, ("patch",))),
        ({"startTask": START}, (UPDATE, ("patch",))),
    ],
)
async def test_what_changed_decides_how(
    properties: JsonObject, expected: tuple[str, tuple[str, ...]] | None, workload: Workload
) -> None:
    if "metadata" in properties:
        properties = {}
    assert await steps(workload, replace(workload, pool=properties)) == expected


async def test_an_empty_pool_takes_nearly_everything_in_place(workload: Workload) -> None:
    empty = replace(workload, nodes=0)
    named = replace(empty, pool={"displayName": "new", "networkConfiguration": {"subnetId": "x"}})
    assert await steps(empty, named) == (UPDATE, ("patch",))
    assert await steps(empty, named, allocationState="resizing") == REPLACE


async def test_what_a_patch_cannot_take_away_is_a_replacement(workload: Workload) -> None:
    found = await change(replace(workload, nodes=0, pool={"displayName": "old"}), replace(workload, nodes=0))
    assert found == Change(
        "replace",
        "pool",
        "words-pool",
        (Reason(REMOVED, "displayName", "old", None, replaces=True),),
        steps=("delete", "create"),
    )


async def test_packages_can_be_taken_away(workload: Workload) -> None:
    packages: Any = {"applicationPackageReferences": [{"applicationId": "x"}]}
    assert await steps(replace(workload, pool=packages), workload) == (UPDATE, ("patch", "reboot"))


async def test_what_is_taken_away_inside_a_property_is_seen_though_the_service_fills_in_others(
    workload: Workload,
) -> None:
    more: Any = {"networkConfiguration": {"subnetId": "x", "acceleratedNetworking": True}}
    less: Any = {"networkConfiguration": {"subnetId": "x"}}
    found = await change(replace(workload, pool=more), replace(workload, pool=less))
    reason = Reason("something in it is no longer in the spec", "networkConfiguration", replaces=True)
    assert found == Change("replace", "pool", "words-pool", (reason,), steps=("delete", "create"))
    filled_in = {"networkConfiguration": {"subnetId": "x", "dynamicVNetAssignmentScope": "none"}}
    resized = replace(workload, pool=less, nodes=3)
    assert await steps(replace(workload, pool=less), resized, **filled_in) == (UPDATE, ("patch", "resize"))


async def test_a_changed_script_reboots_and_says_why(workload: Workload) -> None:
    found = await change(workload, replace(workload, script="new", nodes=3))
    assert found == Change(
        "update",
        "pool",
        "words-pool",
        (
            Reason("changed", "targetDedicatedNodes", 2, 3),
            Reason("nodes are rebooted for the new start task, inputs or packages; their tasks finish first"),
        ),
        steps=("patch", "reboot", "resize"),
    )


async def test_without_nodes_there_is_nothing_to_reboot(workload: Workload) -> None:
    empty = replace(workload, nodes=0)
    assert await steps(empty, replace(empty, script="new")) == (UPDATE, ("patch",))


async def test_a_pool_that_is_being_deleted_is_made_anew(workload: Workload) -> None:
    reason = Reason("the pool of this id is being deleted; waited for")
    assert await change(workload, workload, state="deleting") == Change("create", "pool", "words-pool", (reason,))


async def test_a_failed_resize_is_tried_again_when_the_pool_is_needed(workload: Workload) -> None:
    errors = [{"code": "AllocationFailed", "message": "no room"}]
    assert await change(workload, workload, needed=False, resizeErrors=errors) is None
    assert await change(workload, workload, resizeErrors=errors, allocationState="resizing") is None
    found = await change(workload, workload, resizeErrors=errors)
    assert found is not None
    assert (found.action, found.steps) == (UPDATE, ("resize",))


def test_a_patch_takes_what_it_may_at_any_time_and_what_differs() -> None:
    body: JsonObject = {"id": "p", "vmSize": "x", "displayName": "d", "startTask": {}, "metadata": []}
    found = Change("update", "pool", "p", (Reason("changed", "vmSize", "y", "x"),))
    assert patched_properties(body, found) == ["vmSize", "startTask", "metadata"]
