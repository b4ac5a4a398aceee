"""What becomes of the tasks."""

from collections.abc import Iterator

import pytest

from batchspec.reconcile.asked import Asked
from batchspec.reconcile.change import Change, Reason
from batchspec.reconcile.observe import ObservedTask
from batchspec.reconcile.plan_tasks import TaskChanges, all_new, job_must_be_replaced, task_changes
from batchspec.render.model import DesiredTask, JsonObject
from batchspec.render.symbolic import Json


def wanted(*ids: str, mark: str = "1", constraints: JsonObject | None = None) -> Iterator[DesiredTask]:
    for task_id in ids:
        body: JsonObject = {"id": task_id} | ({"constraints": constraints} if constraints else {})
        yield DesiredTask(task_id, body, mark, frozenset(), 0, ())


def there(task_id: str, state: str = "active", mark: str | None = "1", failure: str = "") -> dict[str, ObservedTask]:
    constraints: JsonObject = {"maxTaskRetryCount": 0, "maxWallClockTime": "PT1H"}
    return {task_id.casefold(): ObservedTask(task_id, state, bool(failure), failure, mark, constraints)}


def test_in_a_new_job_every_task_is_new() -> None:
    assert all_new(wanted("a", "b")) == TaskChanges(
        changes=[Change("create", "task", "a"), Change("create", "task", "b")], must_run={"a", "b"}
    )


CHANGED = (Reason("command, settings or an input changed"),)


@pytest.mark.parametrize(
    ("observed", "expected"),
    [
        ({}, TaskChanges(changes=[Change("create", "task", "a")], must_run={"a"})),
        (there("A"), TaskChanges(kept=1, pending=1, must_run={"a"})),
        (there("a", "running"), TaskChanges(kept=1, pending=1, must_run={"a"})),
        (there("a", "completed"), TaskChanges(kept=1, succeeded=1)),
        (there("a", "completed", failure="x"), TaskChanges(kept=1, failed=["a"])),
        (
            there("a", "completed", mark="2"),
            TaskChanges(
                changes=[Change("replace", "task", "a", CHANGED, steps=("delete", "add"))], must_run={"a"}
            ),
        ),
        (there("a", mark=None), TaskChanges(foreign=["a"])),
    ],
)  # fmt: skip
def test_a_task_is_known_by_id_and_fingerprint(observed: dict[str, ObservedTask], expected: TaskChanges) -> None:
    assert task_changes(wanted("a"), observed) == expected


@pytest.mark.parametrize(
    ("code", "steps"),
    [("FailureExitCode", ("reactivate",)), ("", ("reactivate",)), ("BlobAccessDenied", ("delete", "add"))],
)
def test_a_failed_task_is_retried_when_asked(code: str, steps: tuple[str, ...]) -> None:
    failed = {"a": ObservedTask("a", "completed", True, code, "1", {})}
    reason = Reason(f"failed ({code or 'no failure code'}) and is retried")
    assert task_changes(wanted("a"), failed, Asked(retry_failed=True)) == TaskChanges(
        changes=[Change("update", "task", "a", (reason,), steps=steps)], must_run={"a"}
    )


def test_constraints_of_unfinished_tasks_only_are_compared() -> None:
    changed: JsonObject = {"maxWallClockTime": "PT2H"}
    reason = Reason("changed", "constraints.maxWallClockTime", "PT1H", "PT2H")
    assert task_changes(wanted("a", constraints=changed), there("a")) == TaskChanges(
        changes=[Change("update", "task", "a", (reason,), steps=("constraints",))], pending=1, must_run={"a"}
    )
    same = task_changes(wanted("a", constraints={"maxWallClockTime": "PT60M"}), there("a"))
    done = task_changes(wanted("a", constraints=changed), there("a", "completed"))
    assert (same.changes, done.changes) == ([], [])


def handled(state: str, **handling: Json) -> dict[str, ObservedTask]:
    code = "FailureExitCode" if state == "failed" else ""
    constraints: JsonObject = {"maxWallClockTime": "PT10M"}
    state = "completed" if code else state
    return {"a": ObservedTask("a", state, bool(code), code, "1", constraints, handling=handling)}


def with_slots(slots: int, **more: Json) -> Iterator[DesiredTask]:
    yield DesiredTask("a", {"id": "a", "requiredSlots": slots, **more}, "1", frozenset(), 0, ())


def test_a_waiting_task_is_added_again_with_other_slots_and_exit_conditions() -> None:
    block: JsonObject = {"default": {"dependencyAction": "block"}}
    reasons = (
        Reason("changed", "requiredSlots", 1, 2),
        Reason("no longer in the spec", "exitConditions", block, None),
    )
    waiting = task_changes(with_slots(2), handled("active", requiredSlots=1, exitConditions=block))
    assert waiting == TaskChanges(
        changes=[Change("update", "task", "a", reasons, steps=("delete", "add"))], pending=1, must_run={"a"}
    )
    for state in ("running", "completed"):
        assert task_changes(with_slots(2), handled(state)).changes == []
    assert task_changes(with_slots(1), handled("active")).changes == []
    assert task_changes(with_slots(1, exitConditions=block), handled("active", exitConditions=block)).changes == []


def test_a_task_that_is_retried_with_another_limit_is_added_again() -> None:
    limit: JsonObject = {"maxWallClockTime": "PT1H"}
    reasons = (
        Reason("failed (FailureExitCode) and is retried"),
        Reason("changed", "constraints.maxWallClockTime", "PT10M", "PT1H"),
    )
    assert task_changes(with_slots(1, constraints=limit), handled("failed"), Asked(retry_failed=True)) == TaskChanges(
        changes=[Change("update", "task", "a", reasons, steps=("delete", "add"))], must_run={"a"}
    )


def test_what_is_left_over_is_deleted_unfinished_and_kept_finished() -> None:
    left = {**there("x"), **there("y", "completed"), **there("z", mark=None)}
    reason = Reason("no longer in the spec, and not finished")
    assert task_changes(wanted(), left) == TaskChanges(
        changes=[Change("delete", "task", "x", (reason,), steps=("delete",))], orphaned=["y"]
    )


def test_in_a_job_of_others_nothing_is_left_over() -> None:
    left = {**there("x"), **there("y", "completed")}
    assert task_changes(wanted(), left, shared=True) == TaskChanges()


def test_replacing_most_of_a_large_job_one_by_one_is_too_dear() -> None:
    many = TaskChanges(changes=[Change("replace", "task", str(number)) for number in range(1000)])
    few = TaskChanges(changes=many.changes[:999])
    assert [job_must_be_replaced(many, 1500), job_must_be_replaced(many, 2000), job_must_be_replaced(few, 999)] == [
        True,
        False,
        False,
    ]
