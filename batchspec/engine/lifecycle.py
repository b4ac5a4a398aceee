"""What may happen to a pool, node, job or task in each of its states, and what the end of an attempt means.

Place: asked by the handlers and the node. In: a state and an event, or how a process ended. Out: the next state or the
refusal, or an outcome. Pure: no I/O, no clock, no database.

The machines are tables: a row is `(state, event) -> next state`; what has no row is refused with the state's own
code. Source: the REST reference of each operation, as gathered in "Batch status and error codes".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from batchspec.engine.errors import BatchError


@dataclass(frozen=True, slots=True)
class Machine:
    """The legal moves of one kind of resource, and the code that refuses the others, by state."""

    moves: Mapping[tuple[str, str], str]
    refusals: Mapping[str, str] = field(default_factory=dict)

    def after(self, state: str, event: str) -> str:
        """The state after the event. Raises BatchError (409) when it cannot happen now."""
        following = self.moves.get((state, event))
        if following is None:
            code = self.refusals.get(f"{state}/{event}") or self.refusals.get(state, "OperationInvalidForCurrentState")
            raise BatchError(code)
        return following


def _moves(table: str) -> dict[tuple[str, str], str]:
    """`event: from from ... -> to` a line."""
    moves = {}
    for line in table.strip().splitlines():
        event, _, rest = line.strip().partition(": ")
        before, _, after = rest.partition(" -> ")
        moves.update({(state, event): state if after == "same" else after for state in before.split()})
    return moves


POOL: Final = Machine(
    _moves("""
        change: active -> same
        delete: active deleting -> deleting
    """),
    {"deleting": "PoolBeingDeleted"},
)

ALLOCATION: Final = Machine(
    _moves("""
        resize: steady -> resizing
        remove: steady -> resizing
        stop: resizing stopping -> stopping
        settle: resizing stopping steady -> steady
    """),
    {"resizing": "PoolBeingResized", "stopping": "PoolBeingResized"},
)

NODE: Final = Machine(
    _moves("""
        start: creating rebooting reimaging starting waitingforstarttask preempted -> starting
        wait: starting -> waitingforstarttask
        ready: starting waitingforstarttask idle running offline -> idle
        busy: idle running offline -> running
        off: idle running offline -> offline
        fail_start_task: starting waitingforstarttask -> starttaskfailed
        break: creating starting waitingforstarttask idle -> unusable
        reboot: idle running offline starttaskfailed -> rebooting
        reimage: idle running offline starttaskfailed -> reimaging
        deallocate: idle running -> deallocating
        deallocated: deallocating -> deallocated
        resume: deallocated -> starting
        preempt: creating starting waitingforstarttask idle running offline starttaskfailed -> preempted
        schedule: idle running offline -> same
        use: idle running -> same
        leave: creating starting waitingforstarttask idle running offline starttaskfailed unusable -> leavingpool
        leave: rebooting reimaging leavingpool deallocating deallocated preempted -> leavingpool
        stay: leavingpool -> idle
    """),
    {
        "creating": "NodeBeingCreated",
        "starting": "NodeBeingStarted",
        "waitingforstarttask": "NodeBeingStarted",
        "rebooting": "NodeBeingRebooted",
        "reimaging": "NodeBeingReimaged",
        "unusable": "NodeStateUnusable",
    },
)
"""The REST text lets only idle and running nodes be rebooted; a node whose start task failed is taken too, since a
reboot is the documented way to run a corrected start task."""

JOB: Final = Machine(
    _moves("""
        add_task: active disabling disabled enabling -> same
        change: active disabling disabled enabling -> same
        disable: active disabling disabled -> disabling
        disabled: disabling -> disabled
        enable: active disabling disabled enabling -> active
        terminate: active disabling disabled enabling terminating -> terminating
        completed: terminating -> completed
        fail: active -> completed
        delete: active disabling disabled enabling terminating completed deleting -> deleting
    """),
    {"terminating": "JobBeingTerminated", "completed": "JobCompleted", "deleting": "JobBeingDeleted"},
)

SCHEDULE: Final = Machine(
    _moves("""
        change: active disabled -> same
        enable: active disabled -> active
        disable: active disabled -> disabled
        terminate: active disabled terminating -> terminating
        complete: active disabled terminating -> completed
        delete: active disabled terminating completed deleting -> deleting
    """),
    {
        "completed": "JobScheduleCompleted",
        "terminating": "JobScheduleBeingTerminated",
        "deleting": "JobScheduleBeingDeleted",
    },
)

TASK: Final = Machine(
    _moves("""
        prepare: active -> preparing
        start: active preparing -> running
        complete: active preparing running -> completed
        requeue: preparing running active -> active
        reactivate: completed -> active
        change: active preparing running -> same
    """),
    {
        "completed": "TaskCompleted",
        "active/reactivate": "TaskNotCompleted",
        "preparing/reactivate": "TaskNotCompleted",
        "running/reactivate": "TaskNotCompleted",
    },
)

Phase = Literal["run", "preparation", "upload", "ended"]


@dataclass(frozen=True, slots=True)
class Failure:
    """A task's `failureInfo`."""

    code: str
    message: str
    category: str = "usererror"
    details: tuple[tuple[str, str], ...] = ()

    def body(self) -> dict[str, Any]:
        """The REST object."""
        body: dict[str, Any] = {"category": self.category, "code": self.code, "message": self.message}
        if self.details:
            body["details"] = [{"name": name, "value": value} for name, value in self.details]
        return body


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended; success is an exit code of 0 and no failure."""

    exit_code: int | None
    failure: Failure | None
    phase: Phase = "run"

    @property
    def result(self) -> str:
        """`success` or `failure`, as REST writes it."""
        return "failure" if self.failure else "success"


TASK_ENDED: Final = Failure("TaskEnded", "Task Was Ended by User Request")
NO_CONTAINERS: Final = Failure(
    "ContainerMiscError",
    "The local engine finds neither docker nor podman to run containers: this is its limit, not the service's",
)
FAILED_EXIT: Final = Failure(
    "FailureExitCode",
    "The task exited with an exit code representing a failure",
    details=(
        ("Message", "The task process exited with an unexpected exit code"),
        ("AdditionalErrorCode", "FailureExitCode"),
    ),
)


def outcome_of_exit(exit_code: int | None, *, timed_out: bool) -> Outcome:
    """What a process's end means, before any upload. A run past its wall clock is not retried."""
    if timed_out:
        return Outcome(exit_code, TASK_ENDED, "ended")
    return Outcome(exit_code, None if exit_code == 0 else FAILED_EXIT)


def is_retried(outcome: Outcome, *, retries: int, limit: int) -> bool:
    """Whether another attempt follows: only a non-zero exit is retried; -1 is no limit, N is N more attempts."""
    return outcome.phase == "run" and outcome.failure is not None and (limit < 0 or retries < limit)


@dataclass(frozen=True, slots=True)
class ExitReaction:
    """What the end of a task does to its dependents and its job; `finish`: it was the manager of its job."""

    satisfies: bool
    job_action: Literal["none", "disable", "terminate", "finish"]


def reaction(outcome: Outcome, conditions: Mapping[str, Any] | None, *, job_acts: bool) -> ExitReaction:
    """Apply a task's exitConditions: a listed code beats a listed range beats an error beats the default.

    `job_acts` is `onTaskFailure == performexitoptionsjobaction`; without it no job action is taken.
    """
    options = _options(outcome, conditions or {})
    succeeded = outcome.failure is None
    satisfies = options.get("dependencyAction", "satisfy" if succeeded else "block") == "satisfy"
    action = options.get("jobAction", "none" if succeeded else "terminate")
    return ExitReaction(satisfies, action if job_acts else "none")


def _options(outcome: Outcome, conditions: Mapping[str, Any]) -> Mapping[str, Any]:
    listed = _options_of_code(outcome.exit_code, conditions)
    if listed is not None:
        return listed
    by_phase = {"preparation": "preProcessingError", "upload": "fileUploadError"}
    name = by_phase.get(outcome.phase, "")
    if name in conditions:
        options: Mapping[str, Any] = conditions[name]
        return options
    if outcome.failure is None:
        return {}
    default: Mapping[str, Any] = conditions.get("default", {})
    return default


def _options_of_code(exit_code: int | None, conditions: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if exit_code is None:
        return None
    codes: Sequence[Mapping[str, Any]] = conditions.get("exitCodes", ())
    ranges: Sequence[Mapping[str, Any]] = conditions.get("exitCodeRanges", ())
    found = [item["exitOptions"] for item in codes if item["code"] == exit_code]
    found += [item["exitOptions"] for item in ranges if item["start"] <= exit_code <= item["end"]]
    return found[0] if found else None
