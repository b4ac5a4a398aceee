"""How a spec's pool, nodes, job and tasks are right now: the `status` command.

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
from batchspec.render.model import Desired, JsonObject


async def status(desired: Desired, services: Services) -> Status:
    """The state of everything that runs. Raises ServiceRefused and ServiceUnreachable."""
    batch = services.batch
    job = await batch.get_job(desired.job.id) if desired.job else None
    pool_id = desired.pool.id if desired.pool else pool_of(job)
    pool = await batch.get_pool(pool_id) if pool_id else None
    nodes = states_of(await batch.node_counts(pool_id)) if pool_id and pool is not None else {}
    counts = (await counts_of(batch, desired.job.id) if desired.job and job is not None else None) or Counts()
    return Status(
        name=desired.name,
        pool_id=pool_id,
        pool_state=_text(pool, "state"),
        allocation_state=_text(pool, "allocationState"),
        target_nodes=target_of(pool) if pool is not None else 0,
        nodes=tuple(sorted(nodes.items())),
        pool_errors=tuple(errors_of(pool)) if pool is not None else (),
        node_failures=await _node_failures(pool_id, batch, nodes),
        job_id=desired.job.id if desired.job else None,
        job_state=_text(job, "state"),
        counts=counts,
        blocked=await _blocked(desired, batch, counts),
        failures=(await failures_of_tasks(batch, desired.job.id))[1] if desired.job and counts.failed else (),
        job_failures=await failures_of_job(batch, job),
    )


def _text(resource: JsonObject | None, key: str) -> str | None:
    value = None if resource is None else resource.get(key)
    return value if isinstance(value, str) else None


async def _node_failures(pool_id: str | None, batch: BatchService, nodes: dict[str, int]) -> tuple[Failure, ...]:
    if pool_id is None or not (nodes.get("startTaskFailed") or nodes.get("unusable")):
        return ()
    return await failures_of_nodes(batch, pool_id)


async def _blocked(desired: Desired, batch: BatchService, counts: Counts) -> int:
    if desired.job is None or not counts.failed or not counts.active or counts.running:
        return 0
    return await blocked_tasks(batch, desired.job.id)
