"""Which pool the tasks run on: the spec's, or the one that the service says of the job.

Place in the pipeline: `pool_health`, `status` and `logs` ask. In: `Desired`, the service. Out: the pool's id. The pool
that comes with a job has an id that the service chooses, and a job of somebody else may run anywhere.
"""

from batchspec.reconcile.ports import BatchService
from batchspec.render.model import Desired, JsonObject


def pool_of(job: JsonObject | None) -> str | None:
    """The id of the pool that a job runs on; None when there is no job, or its pool could not be made."""
    info = (job or {}).get("executionInfo")
    found = info.get("poolId") if isinstance(info, dict) else None
    return found if isinstance(found, str) and found else None


async def pool_id_of(desired: Desired, batch: BatchService) -> str | None:
    """The id of the pool that the spec's tasks run on; None when that is not known."""
    if desired.pool is not None or desired.job is None:
        return desired.pool.id if desired.pool is not None else None
    return pool_of(await batch.get_job(desired.job.id))
