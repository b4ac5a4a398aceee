"""How a spec's pool, nodes, schedule, job and tasks are right now: the `status` command.

Place in the pipeline: beside `apply`; reads only, and never a list of all tasks. In: `Desired`, the services. Out:
`Status`.
"""

from batchspec.reconcile.blocked import blocked_tasks
from batchspec.reconcile.failures import failures_of_nodes, failures_of_tasks
from batchspec.reconcile.job_pool import pool_of
from batchspec.reconcile.outcome import Counts, Failure, Status
from batchspec.reconcile.pool_health import errors_of, states_of, target_of
from batchspec.reconcile.ports import BatchService, Services
from batchspec.reconcile.preparation import failures_of_job
from batchspec.reconcile.tally import counts_of
from batchspec.reconcile.watch_schedule import schedule_state
from batchspec.render.model import Desired, JsonObject


async def status(desired: Desired, services: Services) -> Status:
    """The state of everything that runs. Raises ServiceRefused and ServiceUnreachable."""
    batch = services.batch
    schedule = await schedule_state(desired.schedule.id, batch) if desired.schedule else None
    job_id = schedule.newest_job if schedule else desired.job.id if desired.job else None
    job = await batch.get_job(job_id) if job_id else None
    pool_id = desired.pool.id if desired.pool else pool_of(job)
    pool = await batch.get_pool(pool_id) if pool_id else None
    nodes = states_of(await batch.node_counts(pool_id)) if pool_id and pool is not None else {}
    counts = (await counts_of(batch, job_id) if job_id and job is not None else None) or Counts()
    return Status(
        name=desired.name,
        pool_id=pool_id,
        pool_state=_text(pool, "state"),
        allocation_state=_text(pool, "allocationState"),
        target_nodes=target_of(pool) if pool is not None else 0,
        nodes=tuple(sorted(nodes.items())),
        pool_errors=tuple(errors_of(pool)) if pool is not None else (),
        node_failures=await _node_failures(pool_id, batch, nodes),
        job_id=job_id,
        job_state=_text(job, "state"),
        counts=counts,
        blocked=await _blocked(job_id, batch, counts),
        failures=(await failures_of_tasks(batch, job_id))[1] if job_id and counts.failed else (),
        job_failures=await failures_of_job(batch, job),
        schedule=schedule,
    )


def _text(resource: JsonObject | None, key: str) -> str | None:
    value = None if resource is None else resource.get(key)
    return value if isinstance(value, str) else None


async def _node_failures(pool_id: str | None, batch: BatchService, nodes: dict[str, int]) -> tuple[Failure, ...]:
    if pool_id is None or not (nodes.get("startTaskFailed") or nodes.get("unusable")):
        return ()
    return await failures_of_nodes(batch, pool_id)


async def _blocked(job_id: str | None, batch: BatchService, counts: Counts) -> int:
    if job_id is None or not counts.failed or not counts.active or counts.running:
        return 0
    return await blocked_tasks(batch, job_id)
