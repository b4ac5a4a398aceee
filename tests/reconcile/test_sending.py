"""From symbolic bodies to what is sent."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from batchspec.errors import PlanRefused
from batchspec.reconcile.sending import Sender, sas_life
from batchspec.render.model import Secret
from batchspec.render.symbolic import symbol
from tests.fakes import FakeBlobs
from tests.reconcile.builders import Workload, World

DAY = timedelta(days=1)


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    return Workload(tmp_path, secrets={"pw": Secret("geheim")}, existing=frozenset({"input"}))


async def test_every_symbol_is_replaced_and_each_sas_is_granted_once(workload: Workload) -> None:
    blobs = FakeBlobs()
    for key in ("application", "input", "output"):
        await blobs.create_container(f"words-{key}", {})
    blobs.forget()
    sender = Sender(workload.desired(), blobs)
    body: Any = {
        "pw": f"-p {symbol('secret', 'pw')}",
        "url": symbol("container_url", "output"),
        "out": [symbol("sas_url", "output", "cw"), symbol("sas_url", "output", "cw")],
        "in": {"sas": symbol("blob_sas_url", "input", "a b"), "plain": symbol("blob_url", "input", "a b")},
    }
    base = "https://fake.blob.example/words"
    for _ in range(2):
        assert await sender.body(body) == {
            "pw": "-p geheim",
            "url": f"{base}-output",
            "out": [f"{base}-output?sv=fake&sr=c&si=batchspec-cw&sig=FAKE"] * 2,
            "in": {"sas": f"{base}-input/a%20b?sv=fake&sr=b&si=batchspec-r&sig=FAKE", "plain": f"{base}-input/a%20b"},
        }
    assert (blobs.writes, blobs.reads) == ([("grant", "words-output/cw")], [("grant", "words-input/r")])
    assert "geheim" not in repr(sender)


@pytest.mark.parametrize(
    ("timeout", "wall_clock", "longest", "life"),
    [
        (timedelta(minutes=30), None, None, 7 * DAY),
        (5 * DAY, None, None, 10 * DAY),
        (DAY, "P30D", None, 30 * DAY),
        (DAY, "P10675199DT2H48M5.4775807S", None, 7 * DAY),
        (DAY, None, 7 * DAY, 7 * DAY),
    ],
)
def test_a_sas_lasts_as_long_as_it_may_be_needed(
    timeout: timedelta, wall_clock: str | None, longest: timedelta | None, life: timedelta, workload: Workload
) -> None:
    job: Any = {"constraints": {"maxWallClockTime": wall_clock}} if wall_clock else {}
    assert sas_life(replace(workload, timeout=timeout, job=job).desired(), longest) == life


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"timeout": 8 * DAY}, "wait.timeout is 8 days, 0:00:00, longer than the 7 days that a SAS lasts"),
        ({"job": {"constraints": {"maxWallClockTime": "P9D"}}}, "the job's max_wall_clock_time is 9 days"),
    ],
)
async def test_what_outlives_every_sas_is_refused_before_anything_is_written(
    change: dict[str, Any], message: str, workload: Workload
) -> None:
    world = World()
    world.blobs.longest_sas = 7 * DAY
    with pytest.raises(PlanRefused, match=message):
        await world.apply(replace(workload, existing=frozenset(), **change).desired())
    assert world.writes == []
