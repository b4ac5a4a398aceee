"""What a spec says that is allowed and still hardly meant.

Place in the pipeline: beside `desired`. In: a Spec, and the Desired whose tasks were checked. Out: Problems, that stop
nothing. Pure.
"""

from collections.abc import Iterator

from batchspec.errors import Problem
from batchspec.render.model import Desired
from batchspec.render.tasks import TaskStream
from batchspec.render.template import uses
from batchspec.spec.checks.tree import generators, pools, root
from batchspec.spec.model import Spec
from batchspec.spec.words import has_template

_SIZES = ("target_dedicated_nodes", "target_low_priority_nodes", "autoscale", "enable_auto_scale")


def warnings(spec: Spec, desired: Desired | None = None) -> list[Problem]:
    """What is allowed and still hardly meant, sorted by position; of tasks after they were checked."""
    found = desired.tasks.warnings if desired is not None and isinstance(desired.tasks, TaskStream) else []
    return sorted(
        {
            *(*_shifting_ids(spec), *_later_blobs(spec), *_templates_in_variables(spec)),
            *(*_pools_without_nodes(spec), *_endless_jobs(spec), *found),
        }
    )


def _templates_in_variables(spec: Spec) -> Iterator[Problem]:
    """Defaults that look like templates: a variable is a value, and stays as it is."""
    for variable in spec.vars.values():
        if has_template(variable.default):
            long = (*variable.at, "default")
            at = variable.at if spec.document.written(long) is None else long
            told = "is not rendered: a variable is a plain value; write the template where the variable is used"
            yield spec.document.problem(at, told)


def _pools_without_nodes(spec: Spec) -> Iterator[Problem]:
    """Pools whose size nothing says: Azure makes them with no nodes."""
    for pool in pools(root(spec.document.data)):
        if "vm_size" in pool.data and not any(word in pool.data for word in _SIZES):
            told = "says no size, so that no task ever runs: add `target_dedicated_nodes` or `autoscale`, for example"
            yield spec.document.problem(pool.at, told, on_key=True)


def _endless_jobs(spec: Spec) -> Iterator[Problem]:
    """Schedules whose jobs nothing fills, or nothing ends, so that the next one never comes."""
    given = root(spec.document.data).part("schedule")
    job = given.part("job_specification")
    if not job.data:
        return
    if "job_manager_task" not in job.data:
        told = "the jobs start empty and nothing here adds tasks to them: a `job_manager_task` can"
        yield spec.document.problem(job.at, told, on_key=True)
    manager = job.part("job_manager_task").data
    ends = (
        "all_tasks_complete_mode" in job.data
        or "max_wall_clock_time" in job.part("constraints").data
        or (bool(manager) and manager.get("kill_job_on_completion", True) is not False)
    )
    if "recurrence_interval" in given.part("schedule").data and not ends:
        told = (
            "nothing ends its jobs, and the next begins when one has ended: add `all_tasks_complete_mode: terminatejob`"
        )
        yield spec.document.problem(job.at, told, on_key=True)


def _later_blobs(spec: Spec) -> Iterator[Problem]:
    """Generators that list a container before an upload of the same spec fills it."""
    filled = {upload.container: key for key, upload in spec.uploads.items()}
    for part in generators(root(spec.document.data)):
        key = part.data.get("container")
        if isinstance(key, str) and key in filled:
            told = f"lists what is there before the upload '{filled[key]}' sends its files; for those, use `upload`"
            yield spec.document.problem((*part.at, "container"), told)


def _shifting_ids(spec: Spec) -> list[Problem]:
    told = (
        "an id with `index` depends on the position: one more file or row in front makes every task run again; "
        "use what the task is made from, such as its name"
    )
    return [
        spec.document.problem((*task.at, "id"), told)
        for task in spec.tasks
        if task.for_each is not None and uses(task.id, "index") and spec.document.written((*task.at, "id")) == task.id
    ]
