"""Whether the job is missing, must change, and how: `DesiredJob` + the observed job -> at most one `Change`.

Place in the pipeline: a part of `plan`. Pure. The `steps` of an update: `patch` for what the service changes in place
(batch-service.md section 5), `finish` for setting `onAllTasksComplete` after the last task was added. Anything else,
and a completed job that must take tasks, is a replacement, after which all tasks run again.
"""

from dataclasses import replace

from batchspec.reconcile import filled_in
from batchspec.reconcile.addresses import Address, unknown
from batchspec.reconcile.change import Change, Reason
from batchspec.reconcile.compare import ADDED, REMOVED
from batchspec.reconcile.drift import Rules, reasons_for
from batchspec.reconcile.marks import START_KEY, hash_of, metadata_of
from batchspec.reconcile.secrets import secret_reasons
from batchspec.render.model import DesiredJob, JsonObject

_IN_PLACE = frozenset(
    {
        "priority",
        "maxParallelTasks",
        "allowTaskPreemption",
        "constraints",
        "metadata",
        "networkConfiguration",
        "onAllTasksComplete",
    }
)
_REMOVABLE = frozenset(
    {
        "jobManagerTask",
        "jobPreparationTask",
        "jobReleaseTask",
        "commonEnvironmentSettings",
        "networkConfiguration",
        "displayName",
    }
)
_DEFAULTS: JsonObject = {**filled_in.JOB, "constraints": filled_in.BY_MODEL["BatchJobConstraints"]}
_RULES = Rules(_REMOVABLE, frozenset({"id", "metadata", "onAllTasksComplete"}), _DEFAULTS)
_GONE = ("terminating", "completed")
_PREPARED = "files that its nodes are prepared with changed, and a job prepares each node once"
FINISH_KEY = "onAllTasksComplete"
FINISHES = "set once all tasks are added"


def job_change(
    wanted: DesiredJob, there: JsonObject | None, *, refresh_secrets: bool = False, address: Address = unknown
) -> Change | None:
    """The job's Change before its tasks are looked at, None when there is nothing to do."""
    if there is None or there.get("state") == "deleting":
        reason = () if there is None else (Reason("the job of this id is being deleted; waited for"),)
        return Change("create", "job", wanted.id, reason)
    assert wanted.body is not None
    reasons = reasons_for(wanted.body, there, _RULES, unchanged=hash_of(there) == wanted.hash, address=address)
    if refresh_secrets:
        reasons = (*reasons, *secret_reasons(wanted.body))
    # "": the spec names no files of its own for that, as an imported one does not, and knows nothing of their content.
    if wanted.prepared_hash and metadata_of(there).get(START_KEY, wanted.prepared_hash) != wanted.prepared_hash:
        reasons = (*reasons, Reason(_PREPARED))
    over = there.get("state") in _GONE
    finish = finish_reason(wanted, there)
    if finish is not None and finish.new == "noaction" and not over:
        reasons = (*reasons, finish)
    reasons = tuple(replace(reason, replaces=not _in_place(reason)) for reason in reasons)
    if any(reason.replaces for reason in reasons):
        return replaced(wanted.id, reasons)
    if over:
        return None
    return _update(wanted, there, reasons)


def _in_place(reason: Reason) -> bool:
    """Whether PATCH can do it: it takes no property away, and never goes back to `noaction`."""
    top = reason.path.partition(".")[0].partition("[")[0]
    return top in _IN_PLACE and reason.text not in (REMOVED, ADDED) and (top, reason.new) != (FINISH_KEY, "noaction")


def _update(wanted: DesiredJob, there: JsonObject, reasons: tuple[Reason, ...]) -> Change | None:
    steps: tuple[str, ...] = ()
    if reasons or hash_of(there) != wanted.hash:
        steps = ("patch",)
        reasons = reasons or (Reason("recorded fingerprint differs"),)
    finish = finish_reason(wanted, there)
    if finish is not None:
        steps, reasons = (*steps, "finish"), (*reasons, finish)
    return Change("update", "job", wanted.id, reasons, steps=steps) if steps else None


def finish_reason(wanted: DesiredJob, there: JsonObject) -> Reason | None:
    """Why `onAllTasksComplete` must still be set, None when it is as wanted."""
    goal = wanted_finish(wanted)
    now = str(there.get(FINISH_KEY, "noaction")).lower()
    return Reason(FINISHES, FINISH_KEY, now, goal) if goal != now else None


def wanted_finish(wanted: DesiredJob) -> str:
    """What the spec asks the service to do when all tasks are complete."""
    return str((wanted.body or {}).get(FINISH_KEY) or "noaction").lower()


def replaced(job_id: str, reasons: tuple[Reason, ...]) -> Change:
    """The Change that deletes the job and makes it anew."""
    return Change("replace", "job", job_id, reasons, steps=("delete", "create"))


def takes_no_tasks(there: JsonObject | None) -> bool:
    """Whether the job has ended or is ending, so that no task can be added or reactivated."""
    return there is not None and there.get("state") in _GONE
