"""What a plan holds of each task: some hundred bytes, never its body."""

import json
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

from batchspec.reconcile.observe import observe
from batchspec.reconcile.plan_tasks import all_new, task_changes
from batchspec.render.model import TASK_HASH_SETTING, DesiredTask, JsonObject
from tests.fakes import FakeBatch, services
from tests.reconcile.builders import Workload

TASKS = 5_000
BYTES = 600


def tasks() -> Iterator[DesiredTask]:
    """What a spec wants, with ids of 40 characters and long command lines."""
    for number in range(TASKS):
        id_ = f"{number:040}"
        yield DesiredTask(id_, {"id": id_, "commandLine": 1000 * "x"}, f"words:{number:032x}", frozenset(), 0, ())


class LargeJob(FakeBatch):
    """A job that has all of them, as answers of the service: nothing in one answer is shared with another."""

    async def get_job(self, job_id: str) -> JsonObject | None:
        return {"id": job_id, "state": "active"}

    async def list_tasks(self, job_id: str, *, filter: str = "", select: str = "") -> AsyncIterator[JsonObject]:
        for task in tasks():
            there = {
                "id": task.id,
                "state": "completed",
                "executionInfo": {"result": "success", "endTime": "2026-11-26T20:15:01.1234567Z"},
                "constraints": {"maxWallClockTime": "P10675199DT2H48M5.4775807S", "maxTaskRetryCount": 1},
                "environmentSettings": [{"name": TASK_HASH_SETTING, "value": task.hash}],
            }
            answer: JsonObject = json.loads(json.dumps(there))
            yield answer


@contextmanager
def at_most(bytes_for_each: int) -> Iterator[None]:
    """What the block has made and still holds at its end is at most so much for each task."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[0] / TASKS < bytes_for_each
    finally:
        tracemalloc.stop()


def test_a_new_task_is_its_id_and_what_is_done_with_it() -> None:
    with at_most(BYTES):
        changes = all_new(tasks())
    assert len(changes.changes) == TASKS


async def test_a_task_that_is_there_is_its_mark_and_its_state(tmp_path: Path) -> None:
    desired = Workload(tmp_path).desired()
    with at_most(BYTES):
        seen = await observe(desired, services(LargeJob()))
    assert len(seen.tasks) == TASKS
    with at_most(BYTES):
        changes = task_changes(tasks(), seen.tasks)
    assert (changes.changes, changes.succeeded) == ([], TASKS)
