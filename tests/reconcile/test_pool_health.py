"""Reading a pool's state. What a wait makes of it is tested with `watch`."""

from typing import Any

from batchspec.reconcile.outcome import Failure
from batchspec.reconcile.pool_health import errors_of, states_of, target_of, told

COUNTS: dict[str, Any] = {
    "poolId": "p",
    "dedicated": {"idle": 2, "startTaskFailed": 1, "running": 0, "total": 3},
    "lowPriority": {"idle": 1, "total": 1},
}


def test_nodes_of_both_sorts_are_counted_together() -> None:
    assert states_of(COUNTS) == {"idle": 3, "startTaskFailed": 1}
    assert states_of(None) == {}


def test_a_pool_wants_nodes_of_both_sorts() -> None:
    assert target_of({"targetDedicatedNodes": 2, "targetLowPriorityNodes": 5}) == 7
    assert target_of({"targetDedicatedNodes": None}) == 0


def test_resize_errors_are_told_with_their_code() -> None:
    assert errors_of({"resizeErrors": [{"code": "AllocationFailed", "message": "no room"}, "odd"]}) == [
        "AllocationFailed: no room"
    ]
    assert errors_of({"resizeErrors": None}) == []


def test_a_failed_start_task_is_told_with_details_and_stderr() -> None:
    failure = Failure("start task", "n", "n", 9, "usererror", "FailureExitCode", "it failed", ("A: b",), ("oops",), "")
    assert told(failure).split("\n") == [
        "start task failed on n: FailureExitCode, exit code 9: it failed",
        "  A: b",
        "  | oops",
    ]
