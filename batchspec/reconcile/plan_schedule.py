"""Whether the schedule is missing, must change, and how: `DesiredSchedule` + the observed one -> at most one `Change`.

Place in the pipeline: a part of `plan`. Pure. The service changes the times, what the jobs are like, and the metadata
in place, for the jobs to come (batch-service.md section 5). All else is a replacement, which deletes its jobs too: a
display name, a schedule that has ended, and the pool that its jobs share, of which a running schedule makes no other.
"""

from dataclasses import replace

from batchspec.reconcile.addresses import Address, unknown
from batchspec.reconcile.change import Change, Reason
from batchspec.reconcile.compare import ADDED, REMOVED
from batchspec.reconcile.drift import Rules, reasons_for
from batchspec.reconcile.marks import START_KEY, hash_of, metadata_of
from batchspec.reconcile.secrets import secret_reasons
from batchspec.render.model import DesiredSchedule, JsonObject

_IN_PLACE = ("schedule", "jobSpecification", "metadata")
_RULES = Rules(frozenset({"displayName"}), frozenset({"id", "metadata"}))
_POOL = "jobSpecification.poolInfo."
_GONE = ("terminating", "completed")
_PREPARED = "files that the nodes of its pool are prepared with changed, and that pool lives as long as the schedule"


def schedule_change(
    wanted: DesiredSchedule,
    there: JsonObject | None,
    *,
    refresh_secrets: bool = False,
    address: Address = unknown,
) -> Change | None:
    """The schedule's Change, None when there is nothing to do."""
    if there is None or there.get("state") == "deleting":
        reason = () if there is None else (Reason("the schedule of this id is being deleted; waited for"),)
        return Change("create", "schedule", wanted.id, reason)
    assert wanted.body is not None
    same = hash_of(there) == wanted.hash
    reasons = reasons_for(wanted.body, there, _RULES, unchanged=same, address=address)
    if refresh_secrets:
        reasons = (*reasons, *secret_reasons(wanted.body))
    if wanted.prepared_hash and metadata_of(there).get(START_KEY, wanted.prepared_hash) != wanted.prepared_hash:
        reasons = (*reasons, Reason(_PREPARED))
    over = has_ended(there)
    reasons = tuple(replace(one, replaces=not _in_place(one, wanted)) for one in reasons)
    if any(one.replaces for one in reasons) or (over and reasons):
        ended = (Reason("the schedule has ended, so that nothing of it can be changed", replaces=True),) if over else ()
        return Change("replace", "schedule", wanted.id, (*reasons, *ended), steps=("delete", "create"))
    if over or (same and not reasons):
        return None
    return Change(
        "update", "schedule", wanted.id, reasons or (Reason("recorded fingerprint differs"),), steps=("patch",)
    )


def has_ended(there: JsonObject | None) -> bool:
    """Whether a schedule makes no more jobs."""
    return there is not None and there.get("state") in _GONE


def _in_place(reason: Reason, wanted: DesiredSchedule) -> bool:
    top = reason.path.partition(".")[0].partition("[")[0]
    if wanted.keeps_pool and reason.path.startswith(_POOL):
        return False
    return top in _IN_PLACE and not (top == reason.path and reason.text in (REMOVED, ADDED))
