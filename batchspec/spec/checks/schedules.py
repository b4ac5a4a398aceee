"""A job schedule: what it needs, what cannot stand beside it, and times at which no job would ever be made.

Place in the pipeline: called by `rules`. In: data. Out: Findings. Sources: the docstrings of azure-batch 15.1
(BatchJobScheduleCreateOptions, BatchJobScheduleConfiguration). What is only unwise is a warning of `render`.
"""

from collections.abc import Iterator
from datetime import datetime

from batchspec.spec.checks.tree import Part, is_true
from batchspec.spec.document import Finding, shown
from batchspec.spec.words import has_template

_BESIDE = {
    "job": "a schedule makes its jobs by itself: move what stands here to `job_specification` under `schedule`",
    "tasks": (
        "the jobs of a schedule start empty: let a `job_manager_task` in its `job_specification` add the tasks, "
        "or run these in a `job` without a schedule"
    ),
}


def schedule(spec: Part) -> Iterator[Finding]:
    """A schedule makes empty jobs by itself, so that there is neither `job` nor `tasks`."""
    if "schedule" not in spec.data:
        return
    for word, message in _BESIDE.items():
        if word in spec.data:
            yield Finding((word,), message, on_key=True)
    part = spec.part("schedule")
    if not isinstance(spec.data["schedule"], dict) or is_true(part.data.get("existing")):
        return
    if part.data.get("existing", False) is False:
        yield from _lacking(part)
    yield from _times(part.part("schedule"))


def lifetime(spec: Part) -> Iterator[Finding]:
    """A pool that a job describes lives no longer than the job."""
    auto = spec.part("job").part("pool_info").part("auto_pool_specification")
    if auto.data.get("pool_lifetime_option") == "jobschedule":
        yield Finding((*auto.at, "pool_lifetime_option"), "'jobschedule' goes only with a `schedule`; write 'job'")


def _lacking(part: Part) -> Iterator[Finding]:
    if "schedule" not in part.data:
        message = "missing; say when: {recurrence_interval: P1D} for a job every day, {} for a single one at once"
        yield Finding((*part.at, "schedule"), message)
    if "job_specification" not in part.data:
        message = "missing; describe the jobs that it makes, with a `job_manager_task` that adds their tasks"
        yield Finding((*part.at, "job_specification"), message)


def _times(part: Part) -> Iterator[Finding]:
    begin, end = (_moment(part.data.get(word)) for word in ("do_not_run_until", "do_not_run_after"))
    if begin is not None and end is not None and begin >= end:
        message = (
            f"{shown(part.data['do_not_run_after'])} is not after `do_not_run_until` "
            f"({part.data['do_not_run_until']}), so that no job would ever be made"
        )
        yield Finding((*part.at, "do_not_run_after"), message)


def _moment(value: object) -> datetime | None:
    """A moment that is written out with its time zone; None for all else, which the schema tells of."""
    if not isinstance(value, str) or has_template(value):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
