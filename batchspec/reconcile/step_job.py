"""The job comes to be as the plan says, and is told at the end what to do once all its tasks are complete.

Place in the pipeline: called by `apply`, `make_job` before the tasks, `finish_job` after the last one: an empty job
that shall end with its tasks would end at once, and a completed job takes no more (docstring of onAllTasksComplete).
"""

from batchspec.errors import PlanRefused, ServiceRefused
from batchspec.reconcile.gone import delete_and_wait
from batchspec.reconcile.marks import RUN_KEY, metadata_of, owner_of, sent_metadata
from batchspec.reconcile.plan_job import FINISH_KEY, wanted_finish
from batchspec.reconcile.report import Finished, Started
from batchspec.reconcile.run import Run
from batchspec.render.model import DesiredJob, JsonObject
from batchspec.render.placeholder import Json

# What PATCH job takes (batch-service.md section 5), with the service's defaults: what a spec no longer says goes back.
_PATCHED: dict[str, Json] = {"priority": 0, "maxParallelTasks": -1, "allowTaskPreemption": False, "constraints": {}}
_PATCHED_WHEN_SAID = ("networkConfiguration",)


async def make_job(run: Run) -> None:
    """Create, replace or update the job, if the plan says so."""
    job = run.desired.job
    for change in run.changes("job"):
        assert job is not None
        began = run.clock.now()
        run.report(Started("job"))
        if change.action == "update":
            if "patch" in change.steps:
                await run.services.batch.update_job(
                    job.id, await _patch(run, job), if_match=run.if_match(run.observed.job)
                )
        else:
            await delete_and_wait(run.services.batch, "job", job.id, run.clock, first=change.action == "replace")
            await _create(run, job)
        words = {"create": "created", "replace": "replaced", "update": "updated"}
        run.report(Finished("job", words[change.action], run.clock.now() - began))


async def _create(run: Run, job: DesiredJob) -> None:
    assert job.body is not None
    body = await run.sender.body(job.body)
    body.pop(FINISH_KEY, None)
    body["metadata"] = sent_metadata(job.body, {RUN_KEY: run.id})
    try:
        await run.services.batch.create_job(body)
    except ServiceRefused as error:
        if error.code != "JobExists" or not await _is_from_this_run(run, job.id):
            raise


async def _is_from_this_run(run: Run, job_id: str) -> bool:
    """Whether a job that is there already is the effect of our own repeated request."""
    there = await run.services.batch.get_job(job_id)
    if metadata_of(there).get(RUN_KEY) == run.id:
        return True
    if owner_of(there) == run.desired.name:
        raise PlanRefused(f"job {job_id} was just made by another run of this spec", fix="run `apply` again")
    return False


async def _patch(run: Run, job: DesiredJob) -> JsonObject:
    assert job.body is not None
    body = await run.sender.body(job.body)
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
        await run.services.batch.update_job(job.id, {FINISH_KEY: wanted_finish(job)})
