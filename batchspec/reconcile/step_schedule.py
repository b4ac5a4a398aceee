"""The job schedule comes to be as the plan says.

Place in the pipeline: called by `apply` in the place of the job and its tasks, last of all, since the first job may
begin at once and needs what the spec uploads.
"""

from batchspec.reconcile.change import Change
from batchspec.reconcile.making import carry_out
from batchspec.reconcile.marks import RUN_KEY, sent_metadata
from batchspec.reconcile.run import Run
from batchspec.render.model import DesiredSchedule

_PATCHED = ("schedule", "jobSpecification")


async def make_schedule(run: Run) -> None:
    """Create, replace or update the schedule, if the plan says so."""
    schedule = run.desired.schedule
    if schedule is not None:
        await carry_out(
            run,
            "schedule",
            create=lambda: _create(run, schedule),
            update=lambda change: _update(run, schedule, change),
        )


async def _create(run: Run, schedule: DesiredSchedule) -> None:
    assert schedule.body is not None
    body = await run.sender.body(schedule.body)
    body["metadata"] = sent_metadata(schedule.body, {RUN_KEY: run.id})
    await run.services.batch.create_schedule(body)


async def _update(run: Run, schedule: DesiredSchedule, change: Change) -> None:
    assert schedule.body is not None
    assert change.steps == ("patch",)
    patch = await run.sender.body({key: schedule.body[key] for key in _PATCHED if key in schedule.body})
    patch["metadata"] = sent_metadata(schedule.body, {})
    await run.services.batch.update_schedule(schedule.id, patch, if_match=run.if_match(run.observed.schedule))
