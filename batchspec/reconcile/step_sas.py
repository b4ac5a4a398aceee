"""Every SAS that is still needed lasts on: the last step of `apply`, and the first of one that only waits.

Place in the pipeline: called by `apply`. A task that waits in the queue, and a pool whose nodes may start again, hold
the SAS they were sent with; with an account key it is bound to a policy on the container, which is extended here.
"""

from batchspec.reconcile.run import Run


async def renew_sas(run: Run) -> None:
    """Extend what the unfinished tasks that stay hold, and while any task is to run, what the pool and the job hold."""
    if not (run.plan.pending_tasks or any(change.action != "delete" for change in run.plan.tasks)):
        return
    for resource in (run.desired.pool, run.desired.job):
        if resource is not None and resource.body is not None:
            await run.sender.grant(resource.body)
    for task in run.desired.tasks() if run.plan.pending_tasks else ():
        there = run.observed.tasks.get(task.id.casefold())
        if there is not None and not there.completed:
            await run.sender.grant(task.body)
