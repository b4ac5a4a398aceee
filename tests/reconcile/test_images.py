"""Node agent SKUs."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from batchspec.errors import PlanRefused
from batchspec.reconcile.images import node_agent_sku
from batchspec.render.model import Desired
from batchspec.render.symbolic import symbol
from tests.reconcile.builders import Workload, World

REFERENCE = {"publisher": "canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"}


def image(agent: str, verified: bool = True, **changes: str) -> dict[str, Any]:
    verification = "verified" if verified else "unverified"
    return {"nodeAgentSKUId": agent, "verificationType": verification, "imageReference": {**REFERENCE, **changes}}


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    machine: Any = {"imageReference": dict(REFERENCE), "nodeAgentSKUId": symbol("node_agent_sku")}
    return Workload(tmp_path, pool={"virtualMachineConfiguration": machine})


def test_names_ignore_case_and_the_best_verified_entry_wins(workload: Workload) -> None:
    images = [image("a 18"), image("b 99", False), image("a 24", publisher="Canonical"), image("z", sku="other")]
    assert node_agent_sku(workload.desired(), images) == "a 24"


def test_a_pool_that_names_its_sku_needs_no_list(tmp_path: Path) -> None:
    assert node_agent_sku(Workload(tmp_path).desired(), []) == ""


async def test_an_image_the_service_does_not_know_is_refused_by_the_plan_with_near_names(workload: Workload) -> None:
    world = World()
    world.batch.images = [image("a", offer="ubuntu-22_04-lts"), image("b", publisher="microsoft", offer="windows")]
    with pytest.raises(PlanRefused) as caught:
        await world.plan(workload.desired())
    assert str(caught.value) == (
        "the service supports no image 'canonical ubuntu-24_04-lts server' (publisher offer sku); "
        "near: canonical ubuntu-22_04-lts server"
    )


async def test_an_image_of_a_gallery_has_no_node_agent_to_look_up(workload: Workload) -> None:
    machine: Any = {
        "imageReference": {"virtualMachineImageId": "/subscriptions/s"},
        "nodeAgentSKUId": symbol("node_agent_sku"),
    }
    own = replace(workload, pool={"virtualMachineConfiguration": machine})
    with pytest.raises(PlanRefused, match="the node agent of an image of an Azure Compute Gallery cannot be looked up"):
        await World().plan(own.desired())


async def test_a_pool_outlives_its_image_s_place_in_the_list(workload: Workload) -> None:
    world = World()
    world.batch.images = [image("batch.node.ubuntu 24.04")]
    await world.apply(workload.desired())
    machine: Any = world.batch.pools["words-pool"]["virtualMachineConfiguration"]
    assert machine["nodeAgentSKUId"] == "batch.node.ubuntu 24.04"
    world.batch.images = []
    assert (await world.plan(workload.desired())).nothing_to_do
    more = replace(workload, nodes=3).desired()
    assert [(one.action, one.steps) for one in (await world.plan(more)).changes] == [("update", ("patch", "resize"))]
    await world.apply(more)
    assert world.changes == [("update_pool", "words-pool"), ("resize_pool", "words-pool")]
    assert (await world.plan(more)).changes == ()


def with_auto_pool(workload: Workload) -> Desired:
    """The same pool, made and deleted by the service with the job."""
    pool: Any = {"vmSize": "standard_d2s_v3", **workload.pool}
    info: Any = {"autoPoolSpecification": {"poolLifetimeOption": "job", "pool": pool}}
    return replace(replace(workload, job={"poolInfo": info}).desired(), pool=None)


async def test_the_sku_of_an_auto_pool_is_looked_up_too_and_asked_for_only_when_the_job_is_made(
    workload: Workload,
) -> None:
    world, desired = World(), with_auto_pool(workload)
    with pytest.raises(PlanRefused, match="the service supports no image"):
        await world.plan(desired)
    world.batch.images = [image("batch.node.ubuntu 24.04")]
    await world.apply(desired)
    pool: Any = world.batch.jobs["words-job"]["poolInfo"]["autoPoolSpecification"]["pool"]
    assert pool["virtualMachineConfiguration"]["nodeAgentSKUId"] == "batch.node.ubuntu 24.04"
    world.batch.images = []
    assert (await world.plan(desired)).nothing_to_do
    urgent = with_auto_pool(workload)
    assert urgent.job is not None
    assert urgent.job.body is not None
    urgent.job.body["priority"] = 9
    await world.apply(urgent)
    assert world.changes == [("update_job", "words-job")]
