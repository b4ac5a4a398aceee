"""A job's preparation and release tasks: on which nodes they failed, and why.

Place in the pipeline: `watch_preparation`, `status`, `observe` and `logs` ask here. It reads one list, of the nodes
where such a task failed, and the end of stderr of the few that are told; nothing at all for a job without such tasks.
"""

from dataclasses import replace

from batchspec.reconcile.failures import failure_of_run, stderr_on_node
from batchspec.reconcile.outcome import PREPARATION, RELEASE, Failure, NodeTask
from batchspec.reconcile.ports import BatchService
from batchspec.render.model import JsonObject

# What a job's body calls them, and a node's status with `ExecutionInfo` behind it.
_KEYS = {PREPARATION: "jobPreparationTask", RELEASE: "jobReleaseTask"}
_TOLD = 5


def has(job: JsonObject | None, kind: NodeTask) -> bool:
    """Whether a job, as the service tells it or as it shall be, has such a task."""
    return job is not None and _KEYS[kind] in job


def info_of(status: JsonObject, kind: NodeTask) -> JsonObject:
    """The execution info of such a task in a node's status, empty when it has not run there."""
    info = status.get(f"{_KEYS[kind]}ExecutionInfo")
    return info if isinstance(info, dict) else {}


async def failed(batch: BatchService, job: JsonObject | None, kind: NodeTask) -> tuple[JsonObject, ...]:
    """The status of every node where this task of the job failed; no request when the job has none."""
    if job is None or not has(job, kind):
        return ()
    listed = batch.list_preparations(str(job["id"]), filter=f"{_KEYS[kind]}ExecutionInfo/result eq 'failure'")
    # Before another attempt the service tells of the last one.
    return tuple([status async for status in listed if info_of(status, kind).get("state") == "completed"])


async def failures_of_job(batch: BatchService, job: JsonObject | None) -> tuple[Failure, ...]:
    """Where both have failed: preparations first, at most 5 of each."""
    found = [await told(batch, status, kind) for kind in _KEYS for status in (await failed(batch, job, kind))[:_TOLD]]
    return tuple(found)


async def told(batch: BatchService, status: JsonObject, kind: NodeTask) -> Failure:
    """The Failure of this task on one node, with the last lines that it wrote."""
    info, node = info_of(status, kind), str(status.get("nodeId"))
    stderr = await stderr_on_node(batch, str(status.get("poolId")), node, str(info.get("taskRootDirectory")))
    return replace(failure_of_run(kind, node, node, info), stderr=stderr)
