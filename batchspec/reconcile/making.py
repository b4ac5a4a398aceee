"""What making a pool, a job and a schedule have in common: the plan's change, told and timed, and a safe creation.

Place in the pipeline: under `step_pool`, `step_job` and `step_schedule`.
"""

from collections.abc import Awaitable, Callable

from batchspec.errors import PlanRefused, ServiceRefused
from batchspec.reconcile.change import Change
from batchspec.reconcile.gone import Sort, delete_and_wait
from batchspec.reconcile.marks import RUN_KEY, metadata_of, owner_of
from batchspec.reconcile.report import Finished, Started
from batchspec.reconcile.run import Run

_DONE = {"create": "created", "replace": "replaced", "update": "updated"}


async def carry_out(
    run: Run,
    kind: Sort,
    *,
    create: Callable[[], Awaitable[None]],
    update: Callable[[Change], Awaitable[None]],
) -> None:
    """Carry out the plan's change of the pool, job or schedule, if there is one; `create` finds nothing in its way."""
    for change in run.changes(kind):
        began = run.clock.now()
        run.report(Started(kind))
        if change.action == "update":
            await update(change)
        else:
            await delete_and_wait(run.services.batch, kind, change.id, run.clock, first=change.action == "replace")
            await _create_once(run, kind, change.id, create)
        run.report(Finished(kind, _DONE[change.action], run.clock.now() - began))


async def _create_once(run: Run, kind: Sort, resource_id: str, create: Callable[[], Awaitable[None]]) -> None:
    """Create; a conflict that our own repeated request caused is no error. The body carries the run's id for that."""
    try:
        await create()
    except ServiceRefused as error:
        batch = run.services.batch
        ways = {
            "pool": ("PoolExists", batch.get_pool),
            "job": ("JobExists", batch.get_job),
            "schedule": ("JobScheduleExists", batch.get_schedule),
        }
        exists, get = ways[kind]
        if error.code != exists:
            raise
        there = await get(resource_id)
        if metadata_of(there).get(RUN_KEY) == run.id:
            return
        if owner_of(there) != run.desired.name:
            raise
        text = f"{kind} {resource_id} was just made by another run of this spec"
        raise PlanRefused(text, fix="run `apply` again") from error
