"""What a spec no longer needs after a success, removed: `cleanup.after_success`.

Place in the pipeline: the end of a fully successful `apply`, under the spec's lock. It removes only what carries the
spec's mark, without asking, since the spec lists it.
"""

from batchspec.reconcile.clock import Clock
from batchspec.reconcile.gone import delete_and_wait
from batchspec.reconcile.marks import owner_of, owns
from batchspec.reconcile.ports import Services
from batchspec.reconcile.report import Finished, Reporter, Started
from batchspec.render.model import Desired


async def clean_up(desired: Desired, services: Services, report: Reporter, clock: Clock) -> None:
    """Delete what `cleanup.after_success` names and is still there and ours."""
    began = clock.now()
    report(Started("cleanup", len(desired.cleanup_after_success)))
    removed = [one for one in desired.cleanup_after_success if await _remove(one, desired, services, clock)]
    if removed:
        report(Finished("cleanup", f"{', '.join(removed)} removed", clock.now() - began))


async def _remove(what: str, desired: Desired, services: Services, clock: Clock) -> bool:
    if what == "job" and desired.job is not None and not desired.job.existing:
        there = await services.batch.get_job(desired.job.id)
        if owner_of(there) == desired.name:
            await delete_and_wait(services.batch, "job", desired.job.id, clock)
            return True
    elif what == "schedule" and desired.schedule is not None and not desired.schedule.existing:
        there = await services.batch.get_schedule(desired.schedule.id)
        if owner_of(there) == desired.name:
            await delete_and_wait(services.batch, "schedule", desired.schedule.id, clock)
            return True
    elif what == "pool" and desired.pool is not None and not desired.pool.existing:
        there = await services.batch.get_pool(desired.pool.id)
        if owner_of(there) == desired.name:
            await delete_and_wait(services.batch, "pool", desired.pool.id, clock)
            return True
    elif what.startswith("container."):
        return await _remove_container(what.removeprefix("container."), desired, services)
    return False


async def _remove_container(key: str, desired: Desired, services: Services) -> bool:
    container = desired.containers[key]
    there = await services.blobs.get_container(container.name)
    if container.existing or there is None or not owns(desired.name, there):
        return False
    return await services.blobs.delete_container(container.name)
