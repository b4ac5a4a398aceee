"""What doctor looks at, on the fakes: who answers, and what room the account has."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from batchspec.errors import ServiceUnreachable
from batchspec.reconcile.account import Account, Unknown
from batchspec.reconcile.doctor import examine
from batchspec.reconcile.ports import Services
from batchspec.render.model import JsonObject
from tests.fakes import FakeBatch, FakeBlobs, refused, services
from tests.reconcile.looking import account

ASK = "delete what is not needed, or ask for a higher quota (portal: the Batch account, Quotas)"
POOL: JsonObject = {"vmSize": "standard_d2s_v3", "targetDedicatedNodes": 3, "targetLowPriorityNodes": 2}


@dataclass(frozen=True)
class Known:
    """What Azure Resource Manager tells."""

    found: Account | Unknown

    async def read(self) -> Account | Unknown:
        """The same every time."""
        return self.found


async def told(target: Services) -> list[tuple[str, str, str, str]]:
    return [(one.name, one.verdict, one.fact, one.fix) for one in await examine(target)]


async def busy(**quotas: Any) -> Services:
    """A target with a pool, two jobs of which one has ended, a container, and these quotas."""
    batch, blobs = FakeBatch(), FakeBlobs()
    await batch.create_pool({"id": "p", **POOL})
    for name in ("active", "over"):
        await batch.create_job({"id": name, "poolInfo": {"poolId": "p"}})
    batch.jobs["over"]["state"] = "completed"
    await blobs.create_container("c", {})
    return replace(services(batch, blobs), account=Known(account(**quotas)))


async def test_what_answers_is_well() -> None:
    found = await told(await busy(pools=20, active_jobs=300, dedicated_cores=100, low_priority_cores=50))

    assert [one for one in found if one[0] != "clock"] == [
        ("Azure Batch", "ok", "answers and lets these credentials read; 1 pool, 1 active job", ""),
        ("Blob Storage", "ok", "answers and lets these credentials read; 1 container", ""),
        ("pool quota", "ok", "1 of 20 pools are in use", ""),
        ("job quota", "ok", "1 of 300 active jobs and schedules are in use", ""),
        ("dedicated core quota", "ok", "6 of 100 cores are in use", ""),
        ("low-priority core quota", "ok", "4 of 50 cores are in use", ""),
    ]


async def test_a_quota_that_is_used_up_is_a_warning_with_the_way_out() -> None:
    found = await told(await busy(pools=1, low_priority_cores=4))

    assert ("pool quota", "warning", "1 of 1 pools are in use", ASK) in found
    assert ("low-priority core quota", "warning", "4 of 4 cores are in use", ASK) in found


async def test_cores_that_count_by_family_are_compared_by_a_plan() -> None:
    found = await told(await busy(family_cores={"standarddsv3family": 10}, dedicated_cores=0))

    fact = "6 cores are in use; the quota is by VM family, and `plan` compares that of a spec"
    assert ("dedicated core quota", "ok", fact, "") in found


@pytest.mark.parametrize("operation", ["list_pools", "list_jobs", "list_schedules"])
async def test_a_service_that_refuses_does_not_keep_the_other_from_being_looked_at(operation: str) -> None:
    target = await busy(pools=20)
    assert isinstance(target.batch, FakeBatch)
    target.batch.fail(operation, 1, refused(operation, "", 403, "AuthenticationFailed"))

    found = {name: (verdict, fact) for name, verdict, fact, _ in await told(target)}

    assert found["Azure Batch"][0] == "failed"
    assert "AuthenticationFailed" in found["Azure Batch"][1]
    assert found["Blob Storage"][0] == "ok"
    assert "pool quota" not in found


async def test_a_storage_that_is_not_reached_is_told_with_its_next_step() -> None:
    target = await busy()
    assert isinstance(target.blobs, FakeBlobs)
    target.blobs.fail("list_containers", 1, ServiceUnreachable("no such host", fix="check the network"))

    assert ("Blob Storage", "failed", "no such host", "check the network") in await told(target)


@pytest.mark.parametrize(
    ("account_", "reason"),
    [(None, "this target does not tell its quotas"), (Known(Unknown("nobody is logged in")), "nobody is logged in")],
)
async def test_quotas_that_nobody_tells_are_not_checked(account_: Known | None, reason: str) -> None:
    found = await told(replace(await busy(), account=account_))

    assert found[-1] == ("quotas", "not checked", f"they are not known: {reason}", "")
