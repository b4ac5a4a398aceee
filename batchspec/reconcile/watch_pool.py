"""Waiting for nodes alone: the end of an `apply` whose spec has a pool and no tasks.

Place in the pipeline: after `apply` has written what there was to write. It ends when the nodes that the pool shall
have are up; of an unchanged pool, nodes that are up already are not told of.
"""

from batchspec.errors import TimedOut
from batchspec.reconcile.clock import Clock
from batchspec.reconcile.patience import Patience
from batchspec.reconcile.pool_health import PoolHealth, target_of
from batchspec.reconcile.ports import Services
from batchspec.reconcile.report import Event, Noted, Reporter
from batchspec.render.model import Desired


async def wait_for_nodes(
    desired: Desired, services: Services, report: Reporter, clock: Clock, *, changed: bool = True
) -> None:
    """Wait until no node is on its way any more; at once for a pool that shall have none or scales by itself.

    Raises TimedOut after the spec's `wait.timeout`, StartTaskFailed when no node is left to hope for, ServiceRefused,
    and ServiceUnreachable after half a minute without an answer.
    """
    pool = desired.pool
    if pool is None or (not changed and (pool.existing or await _is_up(desired, services, report, clock))):
        return
    health = PoolHealth(desired, services.batch, report, clock)
    timeout_s = desired.wait_timeout.total_seconds()

    async def look() -> bool | None:
        return await health.settled() or None

    if await Patience(timeout_s, report, clock).until(look) is None:
        text = f"waited {timeout_s:.0f} s for the nodes of pool {pool.id}{await health.explain()}"
        raise TimedOut(text, fix="`apply` again waits again, or give `wait.timeout` more time")


async def _is_up(desired: Desired, services: Services, report: Reporter, clock: Clock) -> bool:
    """Whether an unchanged pool is as it shall be. Told is only what is wrong; raises StartTaskFailed when all is."""

    def only_notes(event: Event, /) -> None:
        if isinstance(event, Noted):
            report(event)

    assert desired.pool is not None
    there = await services.batch.get_pool(desired.pool.id)
    if there is None or there.get("enableAutoScale") or target_of(there) == 0:
        return True
    return await PoolHealth(desired, services.batch, only_notes, clock).settled()
