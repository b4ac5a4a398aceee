"""Which job has the tasks, and which pool they run on: the spec's, or what the service says of the schedule or the job.

Place in the pipeline: `pool_health`, `status` and `logs` ask. In: `Desired`, the service. Out: ids. The pool
that comes with a job has an id that the service chooses, and a job of somebody else may run anywhere.
"""

from batchspec.reconcile.observe import newest_job_of
from batchspec.reconcile.ports import BatchService
from batchspec.render.model import Desired, JsonObject


def pool_of(job: JsonObject | None) -> str | None:
    """The id of the pool that a job runs on; None when there is no job, or its pool could not be made."""
    info = (job or {}).get("executionInfo")
    found = info.get("poolId") if isinstance(info, dict) else None
    return found if isinstance(found, str) and found else None


async def job_id_of(desired: Desired, batch: BatchService) -> str | None:
    """The id of the spec's job, or of the last one that its schedule made; None without, and before the first."""
    if desired.schedule is None:
        return desired.job.id if desired.job is not None else None
    return newest_job_of(await batch.get_schedule(desired.schedule.id))


async def pool_id_of(desired: Desired, batch: BatchService) -> str | None:
    """The id of the pool that the spec's tasks run on; None when that is not known."""
    if desired.pool is not None:
        return desired.pool.id
    job_id = await job_id_of(desired, batch)
    return pool_of(await batch.get_job(job_id)) if job_id is not None else None
