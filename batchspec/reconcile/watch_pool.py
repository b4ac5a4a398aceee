"""Waiting for nodes alone: the end of an `apply` whose spec has a pool and no tasks.

Place in the pipeline: after `apply` made or changed the pool. It ends when the nodes that the pool shall have are up.
"""

from batchspec.errors import TimedOut
from batchspec.reconcile.clock import Clock, polls
from batchspec.reconcile.pool_health import PoolHealth
from batchspec.reconcile.ports import Services
from batchspec.reconcile.report import Reporter
from batchspec.render.model import Desired


async def wait_for_nodes(desired: Desired, services: Services, report: Reporter, clock: Clock) -> None:
    """Wait until every node is idle or running; at once for a pool that shall have none or scales by itself.

    Raises TimedOut after the spec's `wait.timeout`, StartTaskFailed when no node is left to hope for.
    """
    pool = desired.pool
    if pool is None:
        return
    health = PoolHealth(desired, services.batch, report, clock)
    deadline_s = desired.wait_timeout.total_seconds()
    try:
        async for _ in polls(clock, deadline_s=deadline_s, what=f"the nodes of pool {pool.id}", shortest_s=0.2):
            if await health.settled():
                return
    except TimedOut as error:
        why = await health.explain()
        raise TimedOut(f"{error}{why}", fix="`apply` again waits again, or give `wait.timeout` more time") from error
