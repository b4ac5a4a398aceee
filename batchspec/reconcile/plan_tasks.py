"""Which tasks are missing, changed, failed or left over: desired stream + observed tasks -> `TaskChanges`.

Place in the pipeline: a part of `plan`. Pure. A task is known by its id (ignoring case, as Azure does) and its
fingerprint; the rules are the table "Reconciliation" of the design: an unchanged task is never touched, whether it
waits, runs, has succeeded or has failed; a changed one is deleted and added again, since Batch changes nothing but
constraints in place; one whose template is gone is deleted while unfinished and kept as orphaned once finished. Exit
conditions and slots are not in the fingerprint, and Batch changes neither in place: a task that waits, or is retried,
is added again with other ones.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from batchspec.reconcile.asked import NOTHING, Asked
from batchspec.reconcile.change import Change, Reason
from batchspec.reconcile.compare import differences
from batchspec.reconcile.observe import HANDLING, ObservedTask
from batchspec.reconcile.secrets import SENT_AGAIN
from batchspec.render.model import DesiredTask, JsonObject
from batchspec.render.symbolic import holds_secret

# There is no bulk delete of tasks: from this many on, and when they are most of the job, the job is replaced.
REPLACE_JOB_FROM = 1000

# A reactivated task keeps its body; these failures may come from the SAS in it, so such a task is added anew.
_NEEDS_NEW_SAS = frozenset({"BlobAccessDenied", "ResourceContainerAccessDenied", "FileUploadAccessDenied"})


@dataclass(slots=True)
class TaskChanges:
    """What shall happen to tasks, and what is known of those that stay.

    `must_run` are the ids of desired tasks that a run creates, repeats or still waits for; `succeeded` counts unchanged
    tasks that are done well; `foreign` are ids of tasks that are in the way and not ours.
    """

    changes: list[Change] = field(default_factory=list)
    kept: int = 0
    pending: int = 0
    succeeded: int = 0
    failed: list[str] = field(default_factory=list)
    orphaned: list[str] = field(default_factory=list)
    must_run: set[str] = field(default_factory=set)
    foreign: list[str] = field(default_factory=list)

    @property
    def replaced(self) -> int:
        """How many tasks are deleted and added again."""
        return sum(change.action == "replace" for change in self.changes)


def all_new(tasks: Iterator[DesiredTask]) -> TaskChanges:
    """The changes when the job is new: every task is created."""
    result = TaskChanges()
    for task in tasks:
        result.changes.append(Change("create", "task", task.id))
        result.must_run.add(task.id)
    return result


def task_changes(
    tasks: Iterator[DesiredTask],
    there: Mapping[str, ObservedTask],
    asked: Asked = NOTHING,
    *,
    shared: bool = False,
) -> TaskChanges:
    """The changes for a job that stays. `there` is by lower-cased id.

    In a `shared` job (one that the spec says exists, or of whose tasks not all are known) a task that the spec does not
    name may be another's, so it is neither deleted nor told of.
    """
    result = TaskChanges()
    named: set[str] = set()
    for task in tasks:
        named.add(task.id.casefold())
        old_secret = asked.refresh_secrets and holds_secret(task.body)
        seen = there.get(task.id.casefold())
        retry = asked.retry_failed and seen is not None and seen.failed and asked.retried(seen)
        _one(result, task, seen, retry_failed=retry, old_secret=old_secret)
    for key, left in () if shared else there.items():
        if key not in named and left.hash is not None:
            _left_over(result, left)
    return result


def _one(
    result: TaskChanges, task: DesiredTask, there: ObservedTask | None, *, retry_failed: bool, old_secret: bool
) -> None:
    """`old_secret` is whether the task holds a secret that has a new value now."""
    if there is None:
        _run(result, task, Change("create", "task", task.id))
    elif there.hash is None:
        result.foreign.append(task.id)
    elif there.hash != task.hash:
        reason = Reason("command, settings or an input changed")
        _run(result, task, Change("replace", "task", task.id, (reason,), steps=("delete", "add")))
    elif there.state == "active" and old_secret:
        _run(result, task, Change("update", "task", task.id, (Reason(SENT_AGAIN),), steps=("delete", "add")))
    elif not there.completed:
        _unfinished(result, task, there)
    elif not there.failed:
        result.kept += 1
        result.succeeded += 1
    elif retry_failed:
        # A reactivated task keeps what it was added with.
        differs = (*_constraints(task, there), *_handling(task, there))
        anew = old_secret or differs or there.failure_code in _NEEDS_NEW_SAS
        steps = ("delete", "add") if anew else ("reactivate",)
        reason = Reason(f"failed ({there.failure_code or 'no failure code'}) and is retried")
        _run(result, task, Change("update", "task", task.id, (reason, *differs), steps=steps))
    else:
        result.kept += 1
        result.failed.append(task.id)


def _run(result: TaskChanges, task: DesiredTask, change: Change) -> None:
    result.changes.append(change)
    result.must_run.add(task.id)


def _unfinished(result: TaskChanges, task: DesiredTask, there: ObservedTask) -> None:
    result.must_run.add(task.id)
    constraints = _constraints(task, there)
    handling = _handling(task, there) if there.state == "active" else ()
    steps = ("delete", "add") if handling else ("constraints",)
    if reasons := (*constraints, *handling):
        result.changes.append(Change("update", "task", task.id, reasons, steps=steps))
    else:
        result.kept += 1
    result.pending += 1


def _constraints(task: DesiredTask, there: ObservedTask) -> tuple[Reason, ...]:
    wanted = task.body.get("constraints")
    return tuple(differences({"constraints": wanted}, {"constraints": there.constraints})) if wanted else ()


def _handling(task: DesiredTask, there: ObservedTask) -> tuple[Reason, ...]:
    wanted: JsonObject = {"requiredSlots": 1, **{key: task.body[key] for key in HANDLING if key in task.body}}
    found: JsonObject = {"requiredSlots": 1, **there.handling}
    return tuple(differences(wanted, found, removable=frozenset(HANDLING))) if wanted != found else ()


def _left_over(result: TaskChanges, left: ObservedTask) -> None:
    if left.completed:
        result.orphaned.append(left.id)
    else:
        reason = Reason("no longer in the spec, and not finished")
        result.changes.append(Change("delete", "task", left.id, (reason,), steps=("delete",)))


def job_must_be_replaced(changes: TaskChanges, total_there: int) -> bool:
    """Whether deleting single tasks would cost more than a new job."""
    return changes.replaced >= REPLACE_JOB_FROM and changes.replaced * 2 > total_there


def body_of_constraints(task: DesiredTask) -> JsonObject:
    """The body of PUT task, which changes constraints only."""
    constraints = task.body.get("constraints")
    return {"constraints": constraints if constraints is not None else {}}
