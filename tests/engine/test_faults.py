"""Which fault happens at which match; what cannot be asked for."""

from typing import Any

import pytest

from batchspec.engine.errors import BatchError
from batchspec.engine.faults import Faults


def happened(faults: Faults, *requests: tuple[str, str, str]) -> list[list[int]]:
    return [[fault.id for fault in faults.on_request(*request)] for request in requests]


def test_operation_method_and_path_must_all_match() -> None:
    faults = Faults()
    faults.add({"kind": "drop", "operation": "create_task", "every": 1})
    faults.add({"kind": "drop", "method": "post", "path": "/jobs/*/tasks", "every": 1})
    assert happened(
        faults,
        ("create_task", "POST", "/jobs/a/tasks"),
        ("create_task", "POST", "/other"),
        ("list_tasks", "GET", "/jobs/a/tasks"),
    ) == [[1, 2], [1], []]


def test_next_and_every_limit_each_other() -> None:
    faults = Faults()
    fault = faults.add({"kind": "drop", "every": 2, "next": 2})
    assert happened(faults, *[("get_job", "GET", "/jobs/a")] * 6) == [[], [1], [], [1], [], []]
    assert (fault.seen, fault.fired, fault.is_spent) == (6, 2, True)


def test_without_a_number_a_fault_happens_once() -> None:
    faults = Faults()
    faults.add({"kind": "upload"})
    assert [faults.on_transfer(kind) is not None for kind in ("download", "upload", "upload")] == [False, True, False]


def test_a_node_start_fails_in_its_pool_whatever_the_case() -> None:
    faults = Faults()
    faults.add({"kind": "nodestart", "pool": "Mine", "code": "Cold"})
    assert faults.on_node_start("other") is None
    error = faults.on_node_start("mine")
    assert error is not None
    assert error["code"] == "Cold"


@pytest.mark.parametrize("body", [{"kind": "answer", "status": 399}, {"kind": "delay", "delay": -1}])
def test_what_cannot_be_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(BatchError):
        Faults().add(body)
