"""Deleting what the service deletes in its own time, and waiting until it is gone.

Place in the pipeline: replacement in `step_pool`, `step_job` and `step_schedule`, and `delete`. Deletion in Azure Batch
is asynchronous: a resource stays in state `deleting` and its id cannot be used until it is gone.
"""

from typing import Literal

from batchspec.reconcile.clock import Clock, polls
from batchspec.reconcile.ports import BatchService

_DEADLINE_S = 900.0
Sort = Literal["pool", "job", "schedule"]


async def delete_and_wait(
    batch: BatchService, kind: Sort, resource_id: str, clock: Clock, *, first: bool = True
) -> None:
    """Delete a pool, job or schedule (unless `first` is False: then only wait for one that is being deleted) and wait.

    Nothing when it is not there. Raises TimedOut after 15 minutes.
    """
    ways = {
        "pool": (batch.delete_pool, batch.get_pool),
        "job": (batch.delete_job, batch.get_job),
        "schedule": (batch.delete_schedule, batch.get_schedule),
    }
    delete, get = ways[kind]
    if first and not await delete(resource_id):
        return
    async for _ in polls(clock, deadline_s=_DEADLINE_S, what=f"{kind} {resource_id} to be deleted"):
        there = await get(resource_id)
        if there is None or (not first and there.get("state") != "deleting"):
            return
