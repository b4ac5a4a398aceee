"""Counting this spec's tasks."""

from datetime import UTC, datetime, timedelta

import pytest

from batchspec.reconcile.outcome import Counts
from batchspec.reconcile.tally import Left, OwnJob, SharedJob
from tests.fakes import FakeBatch


class Ticking:
    """A second passes at every look."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.moment += timedelta(seconds=1)
        return self.moment


@pytest.fixture
async def batch() -> FakeBatch:
    batch = FakeBatch(now=Ticking())
    await batch.create_job({"id": "j", "poolInfo": {"poolId": "p"}})
    await batch.add_tasks("j", [{"id": name} for name in ("a", "B", "c", "other", "OLD")])
    batch.finish("j", "OLD", exit_code=1)
    batch.finish("j", "other")
    return batch


async def test_an_own_job_is_counted_in_one_request_without_the_orphans(batch: FakeBatch) -> None:
    tally = OwnJob(batch, "j", 4, Left(frozenset({"old"}), 0, 1))
    batch.forget()
    assert await tally.counts() == Counts(active=3, completed=1, succeeded=1)
    assert batch.reads == [("task_counts", "j")]
    assert await tally.exact() == Counts(active=3, completed=1, succeeded=1)
    assert [tally.is_ours(name) for name in ("a", "old", "Old", "other")] == [True, False, False, True]


async def test_a_job_that_is_gone_has_no_counts(batch: FakeBatch) -> None:
    assert await OwnJob(batch, "nosuch", 1).counts() is None


async def test_in_a_shared_job_only_our_ids_count(batch: FakeBatch) -> None:
    tally = SharedJob(batch, "j", frozenset({"a", "b", "c"}))
    assert (await tally.counts(), tally.expected) == (Counts(active=3), 3)
    batch.tasks["j"]["c"]["state"] = "preparing"
    batch.tasks["j"]["c"]["stateTransitionTime"] = "2026-01-01T01:00:00.1234567Z"
    assert await tally.counts() == Counts(active=2, running=1)


async def test_in_a_shared_job_a_poll_lists_only_what_changed(batch: FakeBatch) -> None:
    tally = SharedJob(batch, "j", frozenset({"a", "b", "c"}))
    await tally.counts()
    asked: list[str] = []
    listing = batch.list_tasks

    def spy(job_id: str, *, filter: str = "", select: str = "") -> object:
        asked.append(filter)
        return listing(job_id, filter=filter, select=select)

    batch.list_tasks = spy  # type: ignore[assignment]
    for _ in range(30):
        batch.now()
    batch.finish("j", "B", exit_code=2)
    assert await tally.counts() == Counts(active=2, completed=1, failed=1)
    assert len(asked) == 1
    assert asked[0].startswith("stateTransitionTime ge DateTime'2026-01-01T00:00:")


async def test_counting_one_by_one_forgets_what_is_gone(batch: FakeBatch) -> None:
    tally = SharedJob(batch, "j", frozenset({"a", "b", "c"}))
    await tally.counts()
    await batch.delete_task("j", "c")
    assert (await tally.counts(), await tally.exact()) == (Counts(active=3), Counts(active=2))
