"""The job comes to be as the plan says, and is told at the end what to do once all its tasks are complete.

Place in the pipeline: called by `apply`, `make_job` before the tasks, `finish_job` after the last one: an empty job
that shall end with its tasks would end at once, and a completed job takes no more (docstring of onAllTasksComplete).
"""

from batchspec.errors import ServiceRefused
from batchspec.reconcile.change import Change
from batchspec.reconcile.job_end import check_scheduled
from batchspec.reconcile.making import carry_out
from batchspec.reconcile.marks import RUN_KEY, sent_metadata
from batchspec.reconcile.plan_job import FINISH_KEY, wanted_finish
from batchspec.reconcile.run import Run
from batchspec.render.model import DesiredJob, JsonObject
from batchspec.render.symbolic import Json

# What PATCH job takes (batch-service.md section 5), with the service's defaults: what a spec no longer says goes back.
_PATCHED: dict[str, Json] = {"priority": 0, "maxParallelTasks": -1, "allowTaskPreemption": False, "constraints": {}}
_ENDED = ("JobCompleted", "JobBeingTerminated")
_PATCHED_WHEN_SAID = ("networkConfiguration",)


async def make_job(run: Run) -> None:
    """Create, replace or update the job, if the plan says so."""
    job = run.desired.job
    if job is not None:
        await carry_out(run, "job", create=lambda: _create(run, job), update=lambda change: _update(run, job, change))


async def _create(run: Run, job: DesiredJob) -> None:
    assert job.body is not None
    body = await run.sender.body(job.body)
    body.pop(FINISH_KEY, None)
    body["metadata"] = sent_metadata(job.body, {RUN_KEY: run.id})
    await run.services.batch.create_job(body)
    if run.desired.auto_pool is not None:
        check_scheduled(await run.services.batch.get_job(job.id))


async def _update(run: Run, job: DesiredJob, change: Change) -> None:
    if "patch" in change.steps:
        patch = await _patch(run, job)
        await run.services.batch.update_job(job.id, patch, if_match=run.if_match(run.observed.job))


async def _patch(run: Run, job: DesiredJob) -> JsonObject:
    assert job.body is not None
    body = await run.sender.body({key: job.body[key] for key in (*_PATCHED, *_PATCHED_WHEN_SAID) if key in job.body})
    patch = {key: body.get(key, default) for key, default in _PATCHED.items()}
    patch.update({key: body[key] for key in _PATCHED_WHEN_SAID if key in body})
    patch["metadata"] = sent_metadata(job.body, {})
    return patch


async def finish_job(run: Run) -> None:
    """Say what happens when all tasks are complete, unless that is said already."""
    job = run.desired.job
    if job is None or job.existing or wanted_finish(job) == "noaction":
        return
    changes = run.changes("job")
    if any(change.action != "update" or "finish" in change.steps for change in changes):
        try:
            await run.services.batch.update_job(job.id, {FINISH_KEY: wanted_finish(job)})
        except ServiceRefused as error:
            if not (job.has_manager and error.code in _ENDED):  # its manager was faster, and ends the job
                raise
