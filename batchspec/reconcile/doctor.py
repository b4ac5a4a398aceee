"""What is well and what is not with a target, before any spec: does each service answer, the clock, the quotas.

Place in the pipeline: beside `preflight`, which looks ahead for one spec. In: the services. Out: `Check`s with a fact
and a next step each. Reads only; what one service refuses does not keep the others from being looked at.
"""

from collections.abc import Iterator

from batchspec.errors import BatchspecError
from batchspec.reconcile.account import POOL_PROPERTIES, WORK_PROPERTIES, Account, Quotas, Unknown, Use, in_use
from batchspec.reconcile.change import Check
from batchspec.reconcile.ports import BatchService, BlobStore, Services
from batchspec.reconcile.preflight_account import ASK_FOR, clock_check
from batchspec.reconcile.preflight_facts import some
from batchspec.reconcile.vm_sizes import cores_by_name

_NOBODY_KNOWS = Unknown("this target does not tell its quotas")


async def examine(services: Services) -> list[Check]:
    """Every check, in the order in which they are told."""
    batch, use = await _batch(services.batch)
    storage = await _storage(services.blobs)
    account = await services.account.read() if services.account is not None else _NOBODY_KNOWS
    return [batch, storage, clock_check(services.batch.clock_ahead), *_quotas(account, use)]


async def _batch(batch: BatchService) -> tuple[Check, Use | None]:
    name = "Azure Batch"
    try:
        pools = [pool async for pool in batch.list_pools(select=POOL_PROPERTIES)]
        work = [one async for one in batch.list_jobs(select=WORK_PROPERTIES)]
        work += [one async for one in batch.list_schedules(select=WORK_PROPERTIES)]
    except BatchspecError as error:
        return _failed(name, error), None
    use = in_use(pools, work)
    there = f"{some(len(use.pools), 'pool')}, {some(len(use.active_jobs), 'active job')}"
    return Check(name, "ok", f"answers and lets these credentials read; {there}"), use


async def _storage(blobs: BlobStore) -> Check:
    name = "Blob Storage"
    try:
        count = len([container async for container in blobs.list_containers()])
    except BatchspecError as error:
        return _failed(name, error)
    return Check(name, "ok", f"answers and lets these credentials read; {some(count, 'container')}")


def _failed(name: str, error: BatchspecError) -> Check:
    return Check(name, "failed", str(error), error.fix or "")


def _quotas(account: Account | Unknown, use: Use | None) -> Iterator[Check]:
    if isinstance(account, Unknown):
        yield Check("quotas", "not checked", f"they are not known: {account.reason}")
    elif use is not None:
        quotas = account.quotas
        yield from _room("pool quota", "pools", len(use.pools), quotas.pools)
        yield from _room("job quota", "active jobs and schedules", len(use.active_jobs), quotas.active_jobs)
        yield from _cores(quotas, use)


def _cores(quotas: Quotas, use: Use) -> Iterator[Check]:
    dedicated = sum(pool.dedicated * (cores_by_name(pool.vm_size) or 1) for pool in use.pools)
    low_priority = sum(pool.low_priority * (cores_by_name(pool.vm_size) or 1) for pool in use.pools)
    if quotas.family_cores:
        fact = f"{dedicated:,} cores are in use; the quota is by VM family, and `plan` compares that of a spec"
        yield Check("dedicated core quota", "ok", fact)
    else:
        yield from _room("dedicated core quota", "cores", dedicated, quotas.dedicated_cores)
    yield from _room("low-priority core quota", "cores", low_priority, quotas.low_priority_cores)


def _room(name: str, things: str, used: int, limit: int | None) -> Iterator[Check]:
    if limit is None:
        return
    fact = f"{used:,} of {limit:,} {things} are in use"
    if used < limit:
        yield Check(name, "ok", fact)
    else:
        yield Check(name, "warning", fact, f"delete what is not needed, {ASK_FOR}")
