"""How a run ended: task counts, and every failure with its cause.

Place in the pipeline: `watch` and `status` make these, `cli` prints them and turns them into an exit code. Pure data.
"""

from dataclasses import dataclass
from typing import Literal

# The tasks that a job runs on a node before its first task there and at its end, as `Failure.kind` calls them.
NodeTask = Literal["job preparation task", "job release task"]
PREPARATION: NodeTask = "job preparation task"
RELEASE: NodeTask = "job release task"


@dataclass(frozen=True, slots=True)
class Counts:
    """Tasks by state; `running` includes preparing; succeeded + failed = completed."""

    active: int = 0
    running: int = 0
    completed: int = 0
    succeeded: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        """All tasks of the job."""
        return self.active + self.running + self.completed


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed task, start task, job preparation or release task, or node; `kind` says which.

    `id` is the task's id, or the node's for what belongs to a node; `exit_code` is None when it never ran; `code` and
    `message` are the service's failure code ("FailureExitCode", "CommandProgramNotFound", "BlobNotFound" ...) and text,
    `details` its extra lines; `stderr` the last lines, at most 10, empty when there is no file; `fix` the next step.
    """

    kind: str
    id: str
    node: str
    exit_code: int | None
    category: str
    code: str
    message: str
    details: tuple[str, ...]
    stderr: tuple[str, ...]
    fix: str

    @property
    def cause(self) -> str:
        """What failures are grouped by: the code, and the exit code where there is one."""
        return f"{self.code} (exit code {self.exit_code})" if self.exit_code is not None else self.code


@dataclass(frozen=True, slots=True)
class Group:
    """Failures with one cause: `count` tasks, the first `ids` (at most 5), and one of them told in full.

    `others` are told in full too, at most 2: tasks of the first ones whose stderr ends otherwise than what was told.
    """

    cause: str
    count: int
    ids: tuple[str, ...]
    example: Failure
    others: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a wait. `blocked` counts active tasks that never run: one they need has failed, or the job ended.

    `release_failures` are nodes where the job release task failed.
    """

    counts: Counts
    blocked: int
    failures: tuple[Group, ...]
    release_failures: tuple[Failure, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether anything of it did not succeed."""
        return bool(self.counts.failed or self.blocked or self.release_failures)


@dataclass(frozen=True, slots=True)
class ScheduleState:
    """A job schedule as it is: `state` in the service's words, None when it is not there.

    `next_run` is when the next job is due and `ended` when the schedule ended (ISO 8601, as the service says them),
    `newest_job` the id of the last job that it made, and `job_state` that job's state.
    """

    id: str
    state: str | None
    next_run: str | None = None
    ended: str | None = None
    newest_job: str | None = None
    job_state: str | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """What `status` shows. States are the service's words; None where the resource is not there.

    With a `schedule` the job is the last one that it made. `nodes` are (state, count); `node_failures` are start tasks
    that failed and unusable nodes, `job_failures` the job's preparation and release tasks that failed; `pool_errors`
    are the service's resize errors as "code: message".
    """

    name: str
    pool_id: str | None
    pool_state: str | None
    allocation_state: str | None
    target_nodes: int
    nodes: tuple[tuple[str, int], ...]
    pool_errors: tuple[str, ...]
    node_failures: tuple[Failure, ...]
    job_id: str | None
    job_state: str | None
    counts: Counts
    blocked: int
    failures: tuple[Group, ...]
    job_failures: tuple[Failure, ...] = ()
    schedule: ScheduleState | None = None
