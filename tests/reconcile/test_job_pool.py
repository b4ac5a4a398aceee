"""Which pool tasks run on."""

from dataclasses import replace
from pathlib import Path

import pytest

from batchspec.reconcile.job_pool import pool_id_of, pool_of
from batchspec.render.model import JsonObject
from tests.reconcile.builders import Workload, World


@pytest.mark.parametrize(
    ("job", "pool"),
    [
        (None, None),
        ({}, None),
        ({"executionInfo": {"schedulingError": {}}}, None),
        ({"executionInfo": {"poolId": ""}}, None),
        ({"executionInfo": {"poolId": "night_1"}}, "night_1"),
    ],
)
def test_a_job_says_where_it_runs(job: JsonObject | None, pool: str | None) -> None:
    assert pool_of(job) == pool


async def test_only_a_spec_without_pool_asks_the_service(tmp_path: Path) -> None:
    world, desired = World(), Workload(tmp_path).desired()
    await world.apply(desired)
    world.batch.jobs["words-job"]["executionInfo"]["poolId"] = "night_1"
    world.batch.forget()
    assert await pool_id_of(desired, world.batch) == "words-pool"
    assert world.batch.reads == []
    assert await pool_id_of(replace(desired, pool=None), world.batch) == "night_1"
    assert await pool_id_of(replace(desired, pool=None, job=None), world.batch) is None
    assert world.batch.reads == [("get_job", "words-job")]
