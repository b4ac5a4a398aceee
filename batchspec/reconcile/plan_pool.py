"""Whether the pool is missing, must change, and how: `DesiredPool` + `Observed` -> at most one `Change`.

Place in the pipeline: a part of `plan`. Pure. The `steps` of an update say which calls `apply` makes:

    resize     POST resize, for the numbers of nodes (also when the last one ended in errors and tasks need the pool)
    autoscale  POST enableautoscale or disableautoscale
    patch      PATCH, for what the service changes in place: start task, packages and metadata at any time, the rest
               of `_WHEN_EMPTY` while the pool has no nodes (docstring of azure-batch 15.1's update_pool); PATCH cannot
               take a property away, so that is a replacement
    reboot     every node that booted with another start task or other packages, its tasks finished first: an update
               reaches only nodes that start later
    restart    the nodes that failed, when that is asked for: what was wrong may not have been the spec's fault

The start task's inputs count too: their content is in `start_task_hash`, kept in the pool's metadata.
`batchspec:reboot` marks reboots that are owed, so that a client killed between patch and reboot leaves no node behind.
"""

from collections.abc import Iterator
from dataclasses import replace

from batchspec.reconcile.change import Change, Reason
from batchspec.reconcile.compare import ADDED, REMOVED
from batchspec.reconcile.marks import REBOOT_KEY, START_KEY, hash_of, metadata_of
from batchspec.reconcile.observe import Observed
from batchspec.reconcile.pool_reasons import pool_reasons
from batchspec.reconcile.secrets import SENT_AGAIN, secret_reasons
from batchspec.render.model import DesiredPool, JsonObject

_SIZES = ("targetDedicatedNodes", "targetLowPriorityNodes")
_PRESENT = ("currentDedicatedNodes", "currentLowPriorityNodes")
_AUTOSCALE = ("enableAutoScale", "autoScaleFormula", "autoScaleEvaluationInterval")
_PACKAGES = "applicationPackageReferences"
_ANY_TIME = ("startTask", _PACKAGES, "metadata")
_WHEN_EMPTY = (
    "displayName",
    "vmSize",
    "taskSlotsPerNode",
    "taskSchedulingPolicy",
    "enableInterNodeCommunication",
    "virtualMachineConfiguration",
    "networkConfiguration",
    "userAccounts",
    "mountConfiguration",
    "upgradePolicy",
)
_REBOOTED = "nodes are rebooted for the new start task, inputs or packages; their tasks finish first"


def pool_change(
    wanted: DesiredPool,
    observed: Observed,
    *,
    needed: bool = True,
    retry_failed: bool = False,
    refresh_secrets: bool = False,
) -> Change | None:
    """The pool's Change, None when there is nothing to do. A pool that is being deleted counts as missing.

    `needed` is whether anything shall run on it: only then is a failed resize tried again.
    """
    there = observed.pool
    if there is None or there.get("state") == "deleting":
        reason = () if there is None else (Reason("the pool of this id is being deleted; waited for"),)
        return Change("create", "pool", wanted.id, reason)
    assert wanted.body is not None
    reasons = pool_reasons(wanted, there, observed.address)
    if refresh_secrets:
        reasons = (*reasons, *secret_reasons(wanted.body))
    reasons = tuple(replace(reason, replaces=_must_replace(there, reason)) for reason in reasons)
    if any(reason.replaces for reason in reasons):
        return Change("replace", "pool", wanted.id, reasons, steps=("delete", "create"))
    changed = _steps(wanted, there, reasons)
    again = _resize_again(wanted.body, there) if needed else set()
    again_to_nodes = any(_top(reason) == _PACKAGES or _is_of_start_task(reason) for reason in reasons)
    reboot = _reboot(wanted, observed, for_all=again_to_nodes)
    restart = {"restart"} if retry_failed and observed.failed_nodes and "reboot" not in reboot else set()
    reasons = (*reasons, *_unseen(again - changed, reboot), *_restarted(restart, observed))
    steps = changed | again | reboot | restart
    if not steps:
        return None
    reasons = reasons or (Reason("recorded fingerprint differs"),)
    return Change("update", "pool", wanted.id, reasons, steps=tuple(sorted(steps)))


def _top(reason: Reason) -> str:
    return reason.path.partition(".")[0].partition("[")[0]


def _steps(wanted: DesiredPool, there: JsonObject, reasons: tuple[Reason, ...]) -> set[str]:
    steps: set[str] = set()
    changed = {_top(reason) for reason in reasons}
    if changed & set(_AUTOSCALE):
        steps.add("autoscale")
    if changed & set(_SIZES) and not (wanted.body or {}).get("enableAutoScale"):
        steps.add("resize")
    if changed - set(_AUTOSCALE) - set(_SIZES) or hash_of(there) != wanted.hash:
        steps.add("patch")
    return steps


def _must_replace(there: JsonObject, reason: Reason) -> bool:
    if reason.text in (REMOVED, ADDED) and reason.path != _PACKAGES:
        return True
    if _top(reason) in (*_ANY_TIME, *_SIZES, *_AUTOSCALE):
        return False
    return _top(reason) not in _WHEN_EMPTY or not _is_empty(there)


def _is_empty(pool: JsonObject) -> bool:
    return pool.get("allocationState") == "steady" and not any(pool.get(count) for count in (*_PRESENT, *_SIZES))


def _resize_again(body: JsonObject, there: JsonObject) -> set[str]:
    """A fixed-size pool whose last resize failed keeps its errors and too few nodes until the next resize."""
    if body.get("enableAutoScale") or not there.get("resizeErrors") or there.get("allocationState") != "steady":
        return set()
    return {"resize"}


def _is_of_start_task(reason: Reason) -> bool:
    """Whether nodes may have booted with a start task that its mark does not tell: a secret, or one set by hand."""
    return _top(reason) == "startTask" and (reason.text == SENT_AGAIN or reason.cause == "drift")


def _reboot(wanted: DesiredPool, observed: Observed, *, for_all: bool) -> set[str]:
    marks = metadata_of(observed.pool)
    start_task = marks.get(START_KEY, "") != wanted.start_task_hash and bool(wanted.start_task_hash)
    if not (for_all or start_task or REBOOT_KEY in marks):
        return set()
    there = observed.pool or {}
    nodes = observed.nodes or any(there.get(count) for count in _PRESENT)
    return {"patch", "reboot"} if nodes else {"patch"}


def _unseen(again: set[str], reboot: set[str]) -> tuple[Reason, ...]:
    """Why something is done that no differing property explains."""
    resize = (Reason("the last resize ended in errors and is tried again"),) if again else ()
    return (*resize, Reason(_REBOOTED)) if "reboot" in reboot else resize


def _restarted(restart: set[str], observed: Observed) -> Iterator[Reason]:
    if restart:
        number = len(observed.failed_nodes)
        yield Reason(f"{number} failed {'node starts' if number == 1 else 'nodes start'} again")


def patched_properties(body: JsonObject, change: Change) -> list[str]:
    """The properties of `body` that PATCH takes for this change: those of any time, and the others that differ."""
    differing = {_top(reason) for reason in change.reasons}
    return [key for key in body if key in _ANY_TIME or (key in _WHEN_EMPTY and key in differing)]
