"""Every SAS that is still needed lasts on: the last step of `apply`, and the first of one that only waits.

Place in the pipeline: called by `apply`. A task that waits in the queue, and a pool whose nodes may start again, hold
the SAS they were sent with; with an account key it is bound to a policy on the container, which is extended here.

A start task outlives the key that its SAS was signed with, and with Entra the 7 days that a SAS lasts: nodes that boot
later could not fetch its files. So it is sent again, to a pool that is otherwise left as it is, whenever it would now
carry another SAS; nodes that are up have its files and are left alone.
"""

from collections.abc import Iterator

from batchspec.reconcile.plan_schedule import has_ended
from batchspec.reconcile.run import Run
from batchspec.render.symbolic import Json

_SIGNATURE = "sig="


async def renew_start_task(run: Run) -> None:
    """Give a pool whose nodes may boot a start task that they can still fetch. Comes before the pool's own steps."""
    wanted, there = run.desired.pool, run.observed.pool
    if wanted is None or wanted.body is None or there is None or "startTask" not in wanted.body:
        return
    changes = run.changes("pool")
    if any(change.action != "update" or "patch" in change.steps for change in changes):
        return  # sent anyway
    if changes or _to_run(run):
        sent = await run.sender.body({"startTask": wanted.body["startTask"]})
        if not set(_signed(sent["startTask"])) <= set(_signed(there.get("startTask"))):
            await run.services.batch.update_pool(wanted.id, sent)


def _signed(value: Json) -> Iterator[str]:
    """Every text that carries a SAS."""
    if isinstance(value, str) and _SIGNATURE in value:
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _signed(inner)


def _to_run(run: Run) -> bool:
    makes_jobs = run.desired.schedule is not None and not has_ended(run.observed.schedule)
    return makes_jobs or bool(run.plan.pending_tasks) or any(change.action != "delete" for change in run.plan.tasks)


async def _renew_schedule(run: Run) -> None:
    wanted, there = run.desired.schedule, run.observed.schedule
    if wanted is None or wanted.jobs is None or there is None or has_ended(there) or run.changes("schedule"):
        return
    sent = await run.sender.body({"jobSpecification": wanted.jobs})
    if not set(_signed(sent)) <= set(_signed(there.get("jobSpecification"))):
        await run.services.batch.update_schedule(wanted.id, sent)


async def renew_sas(run: Run) -> None:
    """Extend what the unfinished tasks that stay hold, and while any task is to run, what the pool and the job hold.

    A schedule makes jobs that run tasks until it has ended; it is sent again where these would hold another SAS.
    """
    await _renew_schedule(run)
    if not _to_run(run):
        return
    for resource in (run.desired.pool, run.desired.job, run.desired.schedule):
        if resource is not None and resource.body is not None:
            await run.sender.grant(resource.body)
    for task in run.desired.tasks() if run.plan.pending_tasks else ():
        there = run.observed.tasks.get(task.id.casefold())
        if there is not None and not there.completed:
            await run.sender.grant(task.body)
