"""The quotas of the local engine, and of something else that answers on this machine."""

from typing import Any

import pytest

from batchspec.reconcile.account import Account, Quotas, Unknown
from tests.cloud.scripted import Answer, refusal, scripted

QUOTAS = {"pools": 3, "activeJobs": 4, "dedicatedCores": 1_000_000, "lowPriorityCores": 8}


async def test_the_engine_tells_its_quotas_in_one_request() -> None:
    async with scripted(lambda _: Answer(body={"value": [], "quotas": QUOTAS})) as (services, seen):
        assert services.account is not None
        found = await services.account.read()
    quotas = Quotas(pools=3, active_jobs=4, low_priority_cores=8)
    assert found == Account("local", "local", quotas, Unknown("the local engine takes any VM size"))
    assert [(one.method, one.path) for one in seen] == [("GET", "/.batchspec/faults")]


@pytest.mark.parametrize(
    "answer", [refusal(404, "ResourceNotFound"), Answer(body={"value": []}), Answer(body=[]), Answer(drop=True)]
)
async def test_another_service_on_this_machine_does_not(answer: Any) -> None:
    async with scripted(lambda _: answer) as (services, _):
        assert services.account is not None
        assert await services.account.read() == Unknown("what answers on this machine does not tell its quotas")
