"""What differs in the first tasks that run again: plan -> the same plan with the properties and inputs that changed.

Place in the pipeline: between `plan` and whoever shows it. A task's fingerprint says that it changed, not what; so the
first few are read, one request each, however many there are. What is decided, and the digest of it, rests on the
fingerprints alone and is the same with or without this.

What a service holds may contain a secret that the spec no longer names: of a task that was sent with one no old value
is shown.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from batchspec.reconcile.change import Change, Plan, Reason
from batchspec.reconcile.compare import differences
from batchspec.reconcile.marks import held_secret, without_task_mark
from batchspec.reconcile.observe import Observed
from batchspec.reconcile.ports import BatchService
from batchspec.reconcile.secrets import NOT_SHOWN
from batchspec.render.model import Desired, DesiredTask, JsonObject
from batchspec.render.symbolic import symbols

LOOKED_AT = 3

# What the service never fills in, so that it was asked for once when it is there.
_REMOVABLE = frozenset(
    {
        "affinityInfo",
        "applicationPackageReferences",
        "authenticationTokenSettings",
        "containerSettings",
        "dependsOn",
        "displayName",
        "environmentSettings",
        "multiInstanceSettings",
        "outputFiles",
        "resourceFiles",
    }
)
# Limits do not make a task run again.
_IGNORED = frozenset({"id", "constraints"})


async def with_task_reasons(plan: Plan, desired: Desired, observed: Observed, batch: BatchService) -> Plan:
    """The plan, in which the first tasks that run again also say what differs. Raises as `BatchService` does."""
    again = (change for change in plan.tasks if change.action == "replace")
    first = {change.id: change for change in islice(again, LOOKED_AT)}
    if not first or desired.job is None:
        return plan
    job_id = desired.job.id
    there = dict(zip(first, await asyncio.gather(*(batch.get_task(job_id, one) for one in first)), strict=True))
    uploads = [change for change in plan.changes if change.kind == "upload"]
    sent = _Sent(*({one.id for one in uploads if one.action == action} for action in ("update", "create")))
    told: dict[str, Change] = {}
    for task in _wanted(desired, set(first)):
        change, found = first[task.id], there[task.id]
        if found is not None:
            told[task.id] = replace(change, reasons=(*change.reasons, *_reasons(task, found, desired, observed, sent)))
    return replace(plan, tasks=tuple(told.get(change.id, change) for change in plan.tasks))


def _wanted(desired: Desired, ids: set[str]) -> Iterator[DesiredTask]:
    """The tasks with these ids; the rest of the stream is not made."""
    for task in desired.tasks():
        if task.id in ids:
            yield task
            ids.discard(task.id)
        if not ids:
            return


@dataclass(frozen=True, slots=True)
class _Sent:
    """The blobs that are sent: those of other content than what is there, and those that are not there."""

    changed: set[str]
    new: set[str]


def _reasons(
    task: DesiredTask, there: JsonObject, desired: Desired, observed: Observed, sent: _Sent
) -> Iterator[Reason]:
    seen = observed.tasks.get(task.id.casefold())
    found = differences(
        without_task_mark(task.body),
        without_task_mark(there),
        removable=_REMOVABLE,
        ignore=_IGNORED,
        address=observed.address,
    )
    if seen is not None and held_secret(seen.hash):
        found = (one if one.old is None else replace(one, old=NOT_SHOWN) for one in found)
    told = [*found, *_contents(task, desired, sent.changed)]
    if not told:  # what is not there now had other content when the task was added
        told = [*_contents(task, desired, sent.new)]
    if not told and "dependsOn" in task.body:
        told = [Reason("a task that it needs runs again", "dependsOn")]
    yield from told


def _contents(task: DesiredTask, desired: Desired, sent: set[str]) -> Iterator[Reason]:
    yield from _inputs(task.body, "resourceFiles", desired, sent)
    yield from _brought(desired, sent)


def _brought(desired: Desired, sent: set[str]) -> Iterator[Reason]:
    """What has changed of that which every node is prepared with; a task may use any of it."""
    for body, name in (
        (desired.pool.body if desired.pool is not None else None, "startTask"),
        (desired.auto_pool, "startTask"),
        (desired.job.body if desired.job is not None else None, "jobPreparationTask"),
    ):
        preparing = (body or {}).get(name)
        if isinstance(preparing, dict):
            yield from _inputs(preparing, f"{name}.resourceFiles", desired, sent)


def _inputs(body: JsonObject, path: str, desired: Desired, sent: set[str]) -> Iterator[Reason]:
    """The blobs that are sent and that a task names one by one, as `container/blob`, or by their container."""
    for one in sorted(symbols(body.get("resourceFiles")), key=lambda one: one.arguments):
        if one.kind in ("blob_url", "blob_sas_url"):
            blob = f"{desired.containers[one.arguments[0]].name}/{one.arguments[1]}"
            if blob in sent:
                yield Reason("its content changed", f"{path}[{blob}]")
        elif one.kind in ("sas_url", "container_url"):
            container = desired.containers[one.arguments[0]].name
            if any(blob.startswith(f"{container}/") for blob in sent):
                yield Reason("its content changed", f"{path}[{container}]")
