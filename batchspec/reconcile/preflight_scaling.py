"""Preflight of the autoscale formula: does the service accept it, and how many nodes would it give now?

Place in the pipeline: `preflight` asks this. Pure. Offline, `render` has read the formula already; the service can
evaluate it only for a pool that scales, so for a new one `apply` asks before it adds tasks (see `scaling`).
"""

from collections.abc import Iterator

from batchspec.reconcile.account import Unknown
from batchspec.reconcile.change import Check
from batchspec.reconcile.preflight_facts import Facts, some
from batchspec.reconcile.scaling import Evaluation

_NAME = "autoscale formula"


def formula(facts: Facts) -> Iterator[Check]:
    """What the service makes of the formula."""
    if not facts.autoscales:
        return
    seen = facts.observed.scaling
    if isinstance(seen, Unknown):
        yield Check(_NAME, "not checked", seen.reason)
    elif seen is None:
        yield from _not_asked(facts)
    elif seen.fault:
        yield _fault(seen, facts)
    else:
        gives = f"{some(seen.dedicated, 'dedicated node')} and {some(seen.low_priority, 'low-priority node')}"
        yield Check(_NAME, "ok", f"the service accepts it; it would give {gives} now")


def _not_asked(facts: Facts) -> Iterator[Check]:
    """The service was not asked: it cannot tell yet, or `apply` had no need to."""
    pool = facts.desired.pool
    if pool is None:
        if facts.pool_is_made:
            yield Check(_NAME, "not checked", "read offline only; the service reads it when it makes the job's pool")
    elif facts.pool_is_made or not (facts.observed.pool or {}).get("enableAutoScale"):
        when = "once the pool scales by it, before tasks are added"
        yield Check(_NAME, "not checked", f"read offline only; the service evaluates it {when}")


def _fault(seen: Evaluation, facts: Facts) -> Check:
    if seen.too_early:
        fix = "let it ask GetSamplePercent first, so that it gives a number of nodes from the beginning"
        return Check(_NAME, "warning", f"the service cannot evaluate it yet: {seen.fault}", fix)
    if facts.desired.pool is not None and facts.desired.pool.existing:
        fix = "whoever owns the pool must correct it; until then the pool keeps the nodes that it has"
        return Check(_NAME, "warning", f"the service cannot evaluate it: {seen.fault}", fix)
    return Check(_NAME, "failed", f"the service does not accept it: {seen.fault}", CORRECT)


CORRECT = "correct the pool's autoscale formula; `batchspec render` shows it as it is sent"
