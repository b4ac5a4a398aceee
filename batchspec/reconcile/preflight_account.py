"""Preflight of the account: credentials, clock, and quotas against what is there and what is to be made.

Place in the pipeline: `preflight` asks these. Pure. Limits and their sources: Shared Key and SAS tolerate a clock that
is 15 minutes off ("Authorize with Shared Key"); a pool or job beyond the quota is refused, cores beyond it leave nodes
out ("Batch service quotas and limits"). Dedicated cores count by VM family or in all, low-priority cores in all.
"""

from collections.abc import Iterator
from datetime import timedelta

from batchspec.reconcile.account import PoolInUse, Quotas, Unknown
from batchspec.reconcile.change import Check
from batchspec.reconcile.preflight_facts import Facts, some, spoken

_CLOCK_WARNS = timedelta(minutes=5)
_CLOCK_FAILS = timedelta(minutes=15)
ASK_FOR = "or ask for a higher quota (portal: the Batch account, Quotas)"


def credentials(facts: Facts) -> Iterator[Check]:
    """That the requests of this very plan were answered, and what they cannot tell."""
    del facts
    yield Check("credentials", "ok", "every request to Azure Batch and Blob Storage was allowed")
    yield Check("write permissions", "not checked", "nothing but a write can tell them, and a plan writes nothing")


def clock(facts: Facts) -> Iterator[Check]:
    """This machine's clock against the service's."""
    yield clock_check(facts.clock_ahead)


def clock_check(ahead: timedelta | None) -> Check:
    """A clock that is so far ahead of the service's; None when that is not known."""
    if ahead is None:
        return Check("clock", "not checked", "the service's answers have no date")
    off = abs(ahead)
    if off < _CLOCK_WARNS:
        seconds = max(1, round(off.total_seconds()))
        return Check("clock", "ok", f"this machine's clock is within {seconds} s of the service's")
    fact = f"this machine's clock is {spoken(off)} {'ahead of' if ahead > timedelta(0) else 'behind'} the service's"
    fix = "set the clock: keys and SAS are refused when it is 15 minutes off"
    return Check("clock", "failed" if off >= _CLOCK_FAILS else "warning", fact, fix)


def pool_quota(facts: Facts) -> Iterator[Check]:
    """Whether there is room for the pool, when one is made."""
    if facts.pool_is_made:
        quotas = facts.quotas
        limit = quotas.pools if isinstance(quotas, Quotas) else None
        change = facts.change("pool" if facts.desired.pool else facts.work)
        more = 1 if change is not None and change.action == "create" else 0
        yield from _count("pool quota", "pool", len(facts.observed.use.pools), more, limit, facts)


def job_quota(facts: Facts) -> Iterator[Check]:
    """Whether there is room for the job, when one is made; a schedule counts as one, and each job of it as another."""
    if facts.makes(facts.work):
        quotas = facts.quotas
        limit = quotas.active_jobs if isinstance(quotas, Quotas) else None
        active = {one.casefold() for one in facts.observed.use.active_jobs}
        work = facts.desired.schedule or facts.desired.job
        mine = work is not None and work.id.casefold() in active
        more = 0 if mine else 2 if facts.desired.schedule else 1
        yield from _count("job quota", "active job", len(active), more, limit, facts)


def _count(name: str, thing: str, there: int, more: int, limit: int | None, facts: Facts) -> Iterator[Check]:
    fact = f"{some(there, thing)} {'is' if there == 1 else 'are'} there"
    if more:
        fact += f" and {more} more {'is' if more == 1 else 'are'} to be made"
    if limit is None:
        reason = _why_unknown(facts)
        if reason is not None:
            yield Check(name, "not checked", f"{fact}; the quota is not known: {reason}")
    elif there + more > limit:
        yield Check(name, "failed", f"{fact}, and the quota is {limit:,}", f"delete one that is not needed, {ASK_FOR}")
    else:
        yield Check(name, "ok", f"{fact}; the quota is {limit:,}")


def _why_unknown(facts: Facts) -> str | None:
    """Why there is no quota to compare with; None when nobody asked."""
    if facts.account is None:
        return None
    return facts.account.reason if isinstance(facts.account, Unknown) else "the account has none of its own"


def core_quota(facts: Facts) -> Iterator[Check]:
    """Whether the pool's nodes can start, each kind against its quota and what other pools take of it."""
    existing = facts.desired.pool is not None and facts.desired.pool.existing
    if facts.pool is None or existing or facts.account is None:
        return
    quotas, cores = facts.quotas, facts.cores(facts.vm_size)
    if not isinstance(quotas, Quotas):
        yield Check("core quota", "not checked", f"the quota is not known: {_why_unknown(facts)}")
    elif cores is None:
        yield Check("core quota", "not checked", f"the name {facts.vm_size} does not say how many cores it has")
    else:
        dedicated, low_priority = facts.nodes
        yield from _cores("dedicated", dedicated, cores, _dedicated_limit(facts, quotas), facts)
        yield from _cores("low-priority", low_priority, cores, quotas.low_priority_cores, facts)


def _dedicated_limit(facts: Facts, quotas: Quotas) -> int | None:
    if not quotas.family_cores:
        return quotas.dedicated_cores
    size = facts.known_size
    return None if size is None else quotas.family_cores.get(size.family.lower(), 0)


def _cores(kind: str, nodes: int, cores: int, limit: int | None, facts: Facts) -> Iterator[Check]:
    name = f"{kind} core quota"
    if limit is None or not (nodes or facts.autoscales):
        return
    used = sum(_cores_of(pool, kind, facts) for pool in facts.observed.use.pools)
    free = max(0, limit - used)
    told = f"a node has {some(cores, 'core')}; {free:,} of {limit:,} {kind} cores are free{_family(kind, facts)}"
    fix = f"use fewer or smaller nodes, or another VM family; delete pools that are not needed, {ASK_FOR}"
    if limit < cores:
        dedicated, low_priority = facts.nodes
        other = low_priority if kind == "dedicated" else dedicated
        certain = not (facts.autoscales or other)
        yield Check(name, "failed" if certain else "warning", f"no such node can ever start: {told}", fix)
    elif nodes * cores > free:
        yield Check(name, "warning", f"{free // cores:,} of {some(nodes, 'node')} can start: {told}", fix)
    else:
        yield Check(name, "ok", told)


def _family(kind: str, facts: Facts) -> str:
    quotas, size = facts.quotas, facts.known_size
    by_family = kind == "dedicated" and isinstance(quotas, Quotas) and quotas.family_cores and size is not None
    return f" in the family {size.family}" if by_family and size is not None else ""


def _cores_of(pool: PoolInUse, kind: str, facts: Facts) -> int:
    """What another pool takes of the quota that counts for this one."""
    mine = facts.desired.pool is not None and pool.id.casefold() == facts.desired.pool.id.casefold()
    quotas, size, own = facts.quotas, facts.size(pool.vm_size), facts.known_size
    nodes = pool.dedicated if kind == "dedicated" else pool.low_priority
    if kind == "dedicated" and isinstance(quotas, Quotas) and quotas.family_cores:
        mine = mine or size is None or own is None or size.family.lower() != own.family.lower()
    return 0 if mine else nodes * (facts.cores(pool.vm_size) or 1)
