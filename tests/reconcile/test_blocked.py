"""Tasks that can never run."""

from typing import Any

import pytest

from batchspec.reconcile.blocked import blocked_tasks
from tests.fakes import FakeBatch

BLOCKS: dict[str, Any] = {"dependencyAction": "block"}
SATISFIES: dict[str, Any] = {"dependencyAction": "Satisfy"}


async def blocked(*tasks: dict[str, Any], failed: dict[str, Any] | None = None) -> int:
    """How many of `tasks` are blocked once `failed` (by default a task `a` with exit code 3) has failed."""
    batch = FakeBatch()
    await batch.create_job({"id": "j", "poolInfo": {"poolId": "p"}})
    broken = {"id": "a", **(failed or {})}
    exit_code = broken.pop("exitCode", 3)
    code = broken.pop("code", "FailureExitCode")
    await batch.add_tasks("j", [broken, *tasks])
    batch.finish("j", str(broken["id"]), exit_code=exit_code or 1, code=code)
    if exit_code is None:
        del batch.tasks["j"][str(broken["id"])]["executionInfo"]["exitCode"]
    return await blocked_tasks(batch, "j")


def needs(task_id: str, *ids: str) -> dict[str, Any]:
    return {"id": task_id, "dependsOn": {"taskIds": list(ids)}}


async def test_a_task_that_needs_a_failed_one_is_blocked_directly_or_through_others() -> None:
    assert await blocked(needs("b", "a"), needs("c", "b", "x"), needs("d", "x"), {"id": "e"}, {"id": "x"}) == 2


async def test_ids_ignore_case() -> None:
    assert await blocked(needs("b", "A")) == 1


async def test_ranges_pick_integer_ids_whatever_their_zeros() -> None:
    ranged = {"id": "t", "dependsOn": {"taskIdRanges": [{"start": 3, "end": 5}]}}
    assert await blocked(ranged, failed={"id": "004"}) == 1
    assert await blocked(ranged, failed={"id": "6"}) == 0
    assert await blocked(ranged, failed={"id": "4x"}) == 0


@pytest.mark.parametrize(
    ("failed", "number"),
    [
        ({"exitConditions": {"default": SATISFIES}}, 0),
        ({"exitConditions": {"default": BLOCKS}}, 1),
        ({"exitConditions": {"exitCodes": [{"code": 3, "exitOptions": SATISFIES}]}}, 0),
        ({"exitConditions": {"exitCodes": [{"code": 4, "exitOptions": SATISFIES}]}}, 1),
        ({"exitConditions": {"exitCodes": [{"code": 3, "exitOptions": BLOCKS}], "default": SATISFIES}}, 1),
        ({"exitConditions": {"exitCodeRanges": [{"start": 1, "end": 3, "exitOptions": SATISFIES}]}}, 0),
        ({"exitConditions": {"preProcessingError": SATISFIES}, "exitCode": None, "code": "BlobNotFound"}, 0),
        ({"exitConditions": {"preProcessingError": SATISFIES}}, 1),
        ({"exitConditions": {"fileUploadError": SATISFIES}, "code": "FileUploadMiscError"}, 0),
        ({}, 1),
    ],
)
async def test_exit_conditions_decide_whether_a_failure_satisfies(failed: dict[str, Any], number: int) -> None:
    assert await blocked(needs("b", "a"), failed=failed) == number
