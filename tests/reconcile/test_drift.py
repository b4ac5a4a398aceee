"""The spec changed, or the service did."""

from dataclasses import replace
from pathlib import Path

import pytest

from batchspec.reconcile.change import Reason
from batchspec.reconcile.drift import Rules, reasons_for
from batchspec.reconcile.marks import sent_metadata
from batchspec.render.model import JsonObject
from tests.reconcile.builders import Workload, World


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    return Workload(tmp_path, job={"priority": 5})


async def applied(workload: Workload) -> World:
    world = World(exit_code=lambda task_id: None)
    await world.apply(workload.desired(), wait=False)
    return world


async def why(world: World, workload: Workload) -> list[Reason]:
    return [reason for change in (await world.plan(workload.desired())).changes for reason in change.reasons]


async def test_a_property_that_only_the_service_changed_is_drift(workload: Workload) -> None:
    world = await applied(workload)
    world.batch.jobs["words-job"]["priority"] = 7
    world.batch.pools["words-pool"]["targetDedicatedNodes"] = 4
    assert await why(world, workload) == [
        Reason("changed", "targetDedicatedNodes", 4, 2, "drift"),
        Reason("changed", "priority", 7, 5, "drift"),
    ]


async def test_a_pool_that_the_service_brought_down_to_no_nodes_is_drift_and_grows_again(workload: Workload) -> None:
    world = await applied(workload)
    world.batch.pools["words-pool"]["targetDedicatedNodes"] = 0
    world.batch.nodes["words-pool"].clear()
    assert await why(world, workload) == [Reason("changed", "targetDedicatedNodes", 0, 2, "drift")]
    await world.apply(workload.desired(), wait=False)
    assert (len(world.batch.nodes["words-pool"]), await why(world, workload)) == (2, [])


async def test_when_both_changed_each_property_has_its_own_cause(workload: Workload) -> None:
    world = await applied(workload)
    world.batch.jobs["words-job"]["priority"] = 7
    edited = replace(workload, job={**workload.job, "maxParallelTasks": 3})
    assert await why(world, edited) == [
        Reason("changed", "priority", 7, 5, "drift"),
        Reason("changed", "maxParallelTasks", -1, 3, "spec"),
    ]


async def test_a_default_that_the_spec_never_said_can_drift_too(workload: Workload) -> None:
    world = await applied(workload)
    world.batch.jobs["words-job"]["constraints"] = {"maxTaskRetryCount": 9}
    assert await why(world, workload) == [Reason("changed", "constraints.maxTaskRetryCount", 9, 0, "drift")]


def test_metadata_of_a_person_that_was_changed_by_hand_is_drift() -> None:
    def body(team: str) -> JsonObject:
        return {"metadata": [{"name": "team", "value": team}, {"name": "batchspec:name", "value": "words"}]}

    there: JsonObject = {"metadata": sent_metadata(body("a"), {})}
    items = there["metadata"]
    assert isinstance(items, list)
    items[0] = {"name": "team", "value": "b"}
    rules = Rules(frozenset(), frozenset({"metadata"}))
    for wanted, cause in (("a", "drift"), ("c", "spec")):
        found = reasons_for(body(wanted), there, rules, unchanged=False)
        assert [(one.path, one.old, one.new, one.cause) for one in found] == [
            ("metadata.team", "(not shown)", wanted, cause)
        ]


async def test_what_was_added_by_hand_is_drift_and_what_the_spec_dropped_is_not(workload: Workload) -> None:
    world = await applied(workload)
    world.batch.jobs["words-job"]["displayName"] = "x"
    assert await why(world, workload) == [Reason("not in the spec", "displayName", "x", None, "drift", replaces=True)]

    named = replace(workload, job={**workload.job, "displayName": "x"})
    world = await applied(named)
    assert await why(world, workload) == [Reason("no longer in the spec", "displayName", "x", None, replaces=True)]


async def test_a_resource_file_that_was_swapped_for_another_is_seen(workload: Workload) -> None:
    world = await applied(workload)
    start = world.batch.pools["words-pool"]["startTask"]
    url = start["resourceFiles"][0]["httpUrl"]
    start["resourceFiles"][0]["httpUrl"] = url.replace("script.py", "other.py")
    assert (await why(world, workload))[0] == Reason(
        "changed",
        "startTask.resourceFiles[script.py].httpUrl",
        "https://fake.blob.example/words-application/other.py",
        "<blob_sas_url application script.py>",
        "drift",
    )
    change = (await world.plan(workload.desired())).changes[0]
    assert (change.action, change.steps) == ("update", ("patch", "reboot"))
