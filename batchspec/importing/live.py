"""What is to be imported, read from the services.

Place in the pipeline: first. In: ids, the two ports. Out: `Live`, with the tasks as a stream. Reads only: one request
for each resource, one list of containers, the pages of the job's tasks.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from batchspec.errors import NotThere, PlanRefused
from batchspec.reconcile.marks import owner_in
from batchspec.reconcile.observe import is_missing
from batchspec.reconcile.ports import BatchService, Services
from batchspec.render.model import JsonObject
from batchspec.render.suggest import suggestion


@dataclass(frozen=True, slots=True)
class Wanted:
    """The ids of what shall be imported; None for what shall not. `tasks` says whether those of the job are, too."""

    pool: str | None = None
    job: str | None = None
    tasks: bool = True
    schedule: str | None = None


@dataclass(frozen=True, slots=True)
class Live:
    """`pool`, `job` and `schedule` as the service has them, None when they were not asked for.

    `used` is the pool that the job or the schedule's jobs run on when that is not `pool`, None when it has none or it
    is gone. `containers` are those of the account, each with the spec that made it; `base` is the account's address
    with a slash at its end.
    """

    pool: JsonObject | None
    job: JsonObject | None
    used: JsonObject | None
    tasks: AsyncIterator[JsonObject]
    containers: Mapping[str, str | None]
    base: str
    schedule: JsonObject | None = None

    @property
    def work(self) -> JsonObject | None:
        """The job or the schedule."""
        return self.job if self.job is not None else self.schedule


async def live(wanted: Wanted, services: Services) -> Live:
    """Read what is there. Raises NotThere when something that is wanted is not."""
    batch = services.batch
    kinds = (("pool", wanted.pool), ("job", wanted.job), ("schedule", wanted.schedule))
    pool, job, schedule = await asyncio.gather(*(_found(batch, kind, given) for kind, given in kinds))
    missing = [
        await _missing(batch, kind, given)
        for (kind, given), there in zip(kinds, (pool, job, schedule), strict=True)
        if given is not None and is_missing(there)
    ]
    if missing:
        raise NotThere("; ".join(missing))
    if job is not None and ":" in str(job["id"]):
        maker = str(job["id"]).partition(":")[0]
        raise PlanRefused(
            f"job {job['id']} was made by the job schedule {maker}, and no spec can make a job of that id",
            fix=f"import what makes it: --schedule {maker}",
        )
    return Live(
        pool=pool,
        job=job,
        schedule=schedule,
        used=await _used(batch, job or _jobs_of(schedule), pool),
        tasks=batch.list_tasks(str(job["id"])) if job is not None and wanted.tasks else _nothing(),
        containers={one.name: owner_in(one.metadata) async for one in services.blobs.list_containers()},
        base=services.blobs.container_url("x")[:-1],
    )


async def _found(batch: BatchService, kind: str, wanted: str | None) -> JsonObject | None:
    if wanted is None:
        return None
    return await {"pool": batch.get_pool, "job": batch.get_job, "schedule": batch.get_schedule}[kind](wanted)


async def _missing(batch: BatchService, kind: str, wanted: str) -> str:
    listed = {"pool": batch.list_pools, "job": batch.list_jobs, "schedule": batch.list_schedules}[kind](select="id")
    return f"there is no {kind} '{wanted}'{suggestion(wanted, [str(one['id']) async for one in listed])}"


def _jobs_of(schedule: JsonObject | None) -> JsonObject | None:
    """What a schedule's jobs are like."""
    found = (schedule or {}).get("jobSpecification")
    return found if isinstance(found, dict) else None


async def _used(batch: BatchService, job: JsonObject | None, pool: JsonObject | None) -> JsonObject | None:
    info = (job or {}).get("poolInfo")
    used = info.get("poolId") if isinstance(info, dict) else None
    if not isinstance(used, str) or (pool is not None and str(pool["id"]).casefold() == used.casefold()):
        return None
    found = await batch.get_pool(used)
    return None if is_missing(found) else found


async def _nothing() -> AsyncIterator[JsonObject]:
    for nothing in list[JsonObject]():
        yield nothing
