"""The tables of states, and what the end of an attempt means."""

from typing import Any

import pytest

from batchspec.engine.errors import BatchError
from batchspec.engine.lifecycle import (
    FAILED_EXIT,
    JOB,
    NODE,
    POOL,
    TASK,
    ExitReaction,
    Failure,
    Machine,
    Outcome,
    is_retried,
    outcome_of_exit,
    reaction,
)


@pytest.mark.parametrize(
    ("machine", "state", "event", "after"),
    [
        (POOL, "active", "delete", "deleting"),
        (JOB, "active", "disable", "disabling"),
        (JOB, "disabled", "enable", "active"),
        (JOB, "completed", "delete", "deleting"),
        (NODE, "idle", "reboot", "rebooting"),
        (NODE, "starttaskfailed", "reboot", "rebooting"),
        (NODE, "running", "ready", "idle"),
        (TASK, "completed", "reactivate", "active"),
    ],
)
def test_a_legal_event_leads_to_the_next_state(machine: Machine, state: str, event: str, after: str) -> None:
    assert machine.after(state, event) == after


@pytest.mark.parametrize(
    ("machine", "state", "event", "code"),
    [
        (POOL, "deleting", "change", "PoolBeingDeleted"),
        (JOB, "completed", "add_task", "JobCompleted"),
        (JOB, "terminating", "change", "JobBeingTerminated"),
        (JOB, "deleting", "terminate", "JobBeingDeleted"),
        (NODE, "rebooting", "reboot", "NodeBeingRebooted"),
        (NODE, "unusable", "reboot", "NodeStateUnusable"),
        (NODE, "leavingpool", "reboot", "OperationInvalidForCurrentState"),
        (TASK, "completed", "complete", "TaskCompleted"),
        (TASK, "running", "reactivate", "TaskNotCompleted"),
    ],
)
def test_an_illegal_event_is_refused_with_the_states_own_code(
    machine: Machine, state: str, event: str, code: str
) -> None:
    with pytest.raises(BatchError) as error:
        machine.after(state, event)
    assert (error.value.status, error.value.code) == (409, code)


def test_every_code_of_the_tables_is_a_code_of_the_service() -> None:
    codes = {code for machine in (POOL, JOB, NODE, TASK) for code in machine.refusals.values()}
    assert {BatchError(code).status for code in codes} == {409}


@pytest.mark.parametrize(("retries", "limit", "expected"), [(0, 0, False), (0, 1, True), (1, 1, False), (99, -1, True)])
def test_a_failed_exit_is_retried_up_to_the_limit(retries: int, limit: int, expected: bool) -> None:
    assert is_retried(Outcome(1, FAILED_EXIT), retries=retries, limit=limit) is expected


@pytest.mark.parametrize(
    "outcome",
    [
        outcome_of_exit(0, timed_out=False),
        outcome_of_exit(137, timed_out=True),
        Outcome(None, Failure("BlobNotFound", ""), "preparation"),
        Outcome(0, Failure("FileUploadMiscError", ""), "upload"),
    ],
)
def test_nothing_but_a_failed_exit_is_retried(outcome: Outcome) -> None:
    assert not is_retried(outcome, retries=0, limit=-1)


CONDITIONS: dict[str, Any] = {
    "exitCodes": [{"code": 2, "exitOptions": {"dependencyAction": "satisfy", "jobAction": "none"}}],
    "exitCodeRanges": [{"start": 2, "end": 9, "exitOptions": {"jobAction": "disable"}}],
    "preProcessingError": {"jobAction": "none"},
    "fileUploadError": {"dependencyAction": "satisfy"},
    "default": {"jobAction": "disable"},
}
UPLOAD_FAILED = Failure("FileUploadMiscError", "")


@pytest.mark.parametrize(
    ("outcome", "conditions", "expected"),
    [
        (Outcome(0, None), None, ExitReaction(True, "none")),
        (Outcome(1, FAILED_EXIT), None, ExitReaction(False, "terminate")),
        (Outcome(2, FAILED_EXIT), CONDITIONS, ExitReaction(True, "none")),
        (Outcome(3, FAILED_EXIT), CONDITIONS, ExitReaction(False, "disable")),
        (Outcome(1, FAILED_EXIT), CONDITIONS, ExitReaction(False, "disable")),
        (Outcome(None, Failure("BlobNotFound", ""), "preparation"), CONDITIONS, ExitReaction(False, "none")),
        (Outcome(0, UPLOAD_FAILED, "upload"), CONDITIONS, ExitReaction(True, "terminate")),
        (Outcome(2, UPLOAD_FAILED, "upload"), CONDITIONS, ExitReaction(True, "none")),
        (Outcome(0, None), CONDITIONS, ExitReaction(True, "none")),
    ],
)
def test_exit_conditions_take_precedence_as_documented(
    outcome: Outcome, conditions: dict[str, Any] | None, expected: ExitReaction
) -> None:
    assert reaction(outcome, conditions, job_acts=True) == expected


def test_without_performexitoptionsjobaction_a_job_is_left_alone() -> None:
    assert reaction(Outcome(1, FAILED_EXIT), CONDITIONS, job_acts=False).job_action == "none"
