"""The look ahead as a whole: what it reads, what it tells, and what it refuses."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from batchspec.errors import PlanRefused
from batchspec.reconcile.account import Account, Unknown
from batchspec.reconcile.change import Check
from batchspec.reconcile.plan import plan
from batchspec.reconcile.ports import Services
from batchspec.reconcile.preflight import CHECKS, Preflight, refuse_failed
from batchspec.render.model import Desired
from tests.reconcile import looking
from tests.reconcile.builders import Workload, World


class Reader:
    """Looks an account up, and counts how often."""

    def __init__(self, account: Account | Unknown) -> None:
        self.account, self.asked = account, 0

    async def read(self) -> Account | Unknown:
        self.asked += 1
        return self.account


async def look(
    desired: Desired, services: Services, *, thorough: bool = True, refuse: bool = False
) -> tuple[Check, ...]:
    """The checks of a plan, as `plan` (thorough) and `apply` have them made."""
    ahead = Preflight(desired, services, thorough=thorough)
    observed = await ahead.observe()
    found = ahead.checked(plan(ahead.desired, observed), observed, now=looking.NOW)
    if refuse:
        refuse_failed(found)
    return found.checks


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    machine = looking.POOL["virtualMachineConfiguration"]
    return Workload(tmp_path, pool={"virtualMachineConfiguration": machine})


@pytest.fixture
def world() -> World:
    world = World()
    world.batch.images = [looking.image()]
    return world


async def test_a_plan_tells_of_everything_in_the_order_of_the_table(workload: Workload, world: World) -> None:
    reader = Reader(looking.account(pools=20, active_jobs=20, dedicated_cores=100))
    found = await look(workload.desired(), replace(world.services, account=reader))
    order = [name for names in CHECKS.values() for name in names]
    names = [one.name for one in found]
    assert sorted(names, key=order.index) == names
    assert {one.verdict for one in found if one.name != "write permissions"} == {"ok"}
    assert names == [
        *("credentials", "write permissions", "clock", "pool quota", "job quota", "dedicated core quota", "vm size"),
        *("image", "node agent", "operating system", "nodes", "required slots", "SAS life", "limits", "containers"),
    ]
    assert reader.asked == 1


async def test_without_azure_resource_manager_what_it_knows_is_not_checked(workload: Workload, world: World) -> None:
    found = await look(workload.desired(), world.services)
    assert [one.name for one in found if one.verdict == "not checked"] == [
        *("write permissions", "pool quota", "job quota", "core quota", "vm size"),
    ]


@pytest.mark.parametrize("tasks", [1, 250])
async def test_it_costs_one_request_for_images_however_many_tasks_there_are(
    tasks: int, workload: Workload, world: World
) -> None:
    many = replace(workload, texts={f"t{number}.txt": "x" for number in range(tasks)}).desired()
    await world.apply(many)
    costs = []
    for thorough in (False, True):
        world.batch.forget()
        await look(many, world.services, thorough=thorough)
        costs.append(Counter(world.batch.reads))
    assert costs[1] - costs[0] == Counter({("list_images", ""): 1})
    assert costs[0] - costs[1] == Counter()
    assert sum(costs[0].values()) == 7


async def test_apply_asks_no_account_and_tells_only_what_is_not_fine(workload: Workload, world: World) -> None:
    reader = Reader(looking.account(pools=0))
    services = replace(world.services, account=reader)
    assert await look(workload.desired(), services, thorough=False) == ()
    slow = replace(workload, task={"constraints": {"maxWallClockTime": "PT2H"}})
    found = await look(slow.desired(), services, thorough=False)
    assert ([one.name for one in found], reader.asked) == (["time limits"], 0)


async def test_what_cannot_end_well_is_refused_and_nothing_is_written(workload: Workload, world: World) -> None:
    wide = replace(workload, task={"requiredSlots": 2}).desired()
    with pytest.raises(PlanRefused) as caught:
        await look(wide, world.services, refuse=True)
    assert str(caught.value) == "preflight found what cannot end well: required slots"
    with pytest.raises(PlanRefused) as again:
        await world.apply(wide)
    assert (world.writes, str(again.value)) == ([], str(caught.value))


async def test_where_nothing_is_to_do_nothing_is_refused(workload: Workload, world: World) -> None:
    await world.apply(workload.desired())
    world.batch.clock_ahead = timedelta(hours=1)
    found = await look(workload.desired(), world.services, refuse=True)
    assert [one.name for one in found if one.verdict == "failed"] == ["clock"]


async def test_what_can_no_longer_end_well_once_the_lock_is_held_is_refused_too(
    workload: Workload, world: World
) -> None:
    world.blobs.before("acquire", lambda _: setattr(world.batch, "clock_ahead", timedelta(hours=1)))
    with pytest.raises(PlanRefused) as caught:
        await world.apply(workload.desired())
    assert str(caught.value) == "preflight found what cannot end well: clock"
    assert world.batch.writes == []
