"""A pool that scales since this run: the service evaluates its formula before tasks are added.

Place in the pipeline: called by `apply` after the pool's step. What the service does not accept ends the run here,
while nothing waits for nodes that would never come.
"""

from batchspec.errors import ServiceRefused
from batchspec.reconcile.preflight_scaling import CORRECT
from batchspec.reconcile.report import Noted
from batchspec.reconcile.run import Run
from batchspec.reconcile.scaling import Evaluation, evaluate, formula_of


async def check_formula(run: Run) -> None:
    """Evaluate the formula, unless that was done while it was looked ahead. Raises ServiceRefused."""
    pool = run.desired.pool
    formula = formula_of(pool.body) if pool is not None else None
    if pool is None or formula is None or not run.changes("pool") or isinstance(run.observed.scaling, Evaluation):
        return
    seen = await evaluate(run.services.batch, pool.id, formula)
    if not isinstance(seen, Evaluation) or not seen.fault:
        return
    if seen.too_early:
        run.report(Noted(f"pool {pool.id} cannot scale yet: {seen.fault}", warning=True))
        return
    code, _, message = seen.fault.partition(": ")
    raise ServiceRefused(
        message,
        operation="evaluate autoscale formula of pool",
        resource=pool.id,
        status=400,
        code=code,
        fix=f"{CORRECT}; then run `apply` again: no task was added",
    )
