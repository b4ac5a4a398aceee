"""Deletions that take their time."""

from typing import Literal

import pytest

from batchspec.errors import TimedOut
from batchspec.reconcile.gone import delete_and_wait
from tests.fakes import FakeBatch
from tests.reconcile.builders import VirtualClock


@pytest.fixture
async def batch() -> FakeBatch:
    batch = FakeBatch(slow_deletes=5)
    await batch.create_pool({"id": "p", "vmSize": "x"})
    await batch.create_job({"id": "j", "poolInfo": {"poolId": "p"}})
    return batch


@pytest.mark.parametrize(("kind", "name"), [("pool", "p"), ("job", "j")])
async def test_it_ends_when_the_id_is_free(kind: Literal["pool", "job"], name: str, batch: FakeBatch) -> None:
    clock = VirtualClock()
    await delete_and_wait(batch, kind, name, clock)
    assert (name in batch.pools or name in batch.jobs, 0 < clock.seconds < 5) == (False, True)


async def test_what_is_not_there_is_not_waited_for(batch: FakeBatch) -> None:
    clock = VirtualClock()
    await delete_and_wait(batch, "pool", "nosuch", clock)
    assert clock.seconds == 0


async def test_waiting_only_ends_at_once_when_nothing_is_being_deleted(batch: FakeBatch) -> None:
    clock = VirtualClock()
    await delete_and_wait(batch, "pool", "p", clock, first=False)
    assert (clock.seconds, batch.pools["p"]["state"]) == (0, "active")


async def test_a_deletion_that_never_ends_is_told(batch: FakeBatch) -> None:
    batch.slow_deletes = 10_000
    with pytest.raises(TimedOut, match="waited 900 s for pool p to be deleted"):
        await delete_and_wait(batch, "pool", "p", VirtualClock())
