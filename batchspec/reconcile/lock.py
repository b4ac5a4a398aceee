"""One client at a time: the lease on the spec's first own container.

Place in the pipeline: `apply` holds it while it writes, not while it waits; `delete` and the clean-up hold it too. A
spec without own containers has no lock: there, conditions and the service's own conflicts decide.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from batchspec.reconcile.ports import Lease, Services
from batchspec.render.model import Desired


def lock_container(desired: Desired) -> str | None:
    """The name of the container whose lease is the spec's lock; None when the spec has no container of its own."""
    own = [container.name for container in desired.containers.values() if not container.existing]
    return own[0] if own else None


@asynccontextmanager
async def locked(desired: Desired, services: Services) -> AsyncIterator[Lease | None]:
    """Hold the spec's lock; None when there is none to hold. Raises Locked, naming the holder, when it is taken."""
    container = lock_container(desired)
    if container is None or await services.blobs.get_container(container) is None:
        yield None
        return
    lease = await services.blobs.acquire(container, desired.name)
    try:
        yield lease
    finally:
        await lease.release()
