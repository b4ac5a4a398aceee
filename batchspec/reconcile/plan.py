"""From what is to what should be: `Desired` + `Observed` -> `Plan`.

Place in the pipeline: between `observe` and `apply`. Pure, but for reading the local files that fingerprints and
uploads need. It decides everything that `apply` does, so that what a person confirms is what happens; it refuses, with
every offender named, to touch what is not the spec's own.

Order of decisions: the job first, because a new job makes every task new; then tasks; then what those need of
containers and uploads that an earlier success cleaned up; then the pool. A spec with a schedule has no job and no tasks
of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from batchspec.errors import ForeignOwner, PlanRefused
from batchspec.reconcile.asked import NOTHING, Asked
from batchspec.reconcile.blast_radius import blast_radius
from batchspec.reconcile.change import Change, Plan, Reason
from batchspec.reconcile.images import node_agent_sku
from batchspec.reconcile.job_end import reason_of_end
from batchspec.reconcile.job_pool import pool_of
from batchspec.reconcile.marks import owner_of
from batchspec.reconcile.observe import Observed, is_missing
from batchspec.reconcile.plan_blobs import (
    Needs,
    container_changes,
    download_changes,
    foreign_blobs,
    foreign_containers,
    unseen,
    upload_changes,
)
from batchspec.reconcile.plan_job import job_change, replaced, takes_no_tasks
from batchspec.reconcile.plan_pool import pool_change
from batchspec.reconcile.plan_schedule import has_ended, schedule_change
from batchspec.reconcile.plan_tasks import TaskChanges, all_new, job_must_be_replaced, task_changes
from batchspec.render.model import Desired, DesiredJob


@dataclass(slots=True)
class _JobAndTasks:
    """What is to be done; `harmless` when a new job was asked for by name and costs no task its result."""

    job: Change | None
    tasks: TaskChanges
    harmless: bool = False


def plan(desired: Desired, observed: Observed, asked: Asked = NOTHING) -> Plan:
    """What `apply` would do.

    Raises ForeignOwner naming everything that is in the way and not this spec's, and PlanRefused when something that
    the spec says exists does not, or cannot take its tasks. SpecInvalid when a task cannot be rendered.
    """
    _refuse_missing(desired, observed)
    work = _job_and_tasks(desired, observed, asked)
    _refuse_foreign(desired, observed, work.tasks)
    schedule = _schedule(desired, observed, asked)
    over = desired.schedule is not None and has_ended(observed.schedule) and schedule is None
    needs = Needs() if over and desired.cleanup_after_success else _needs(desired, observed, work)
    succeeded = _all_succeeded(work.tasks) and bool(desired.cleanup_after_success) and not desired.unlisted
    due = tuple(_still_there(desired, observed)) if succeeded else ()
    runs = (bool(work.tasks.must_run) or not work.tasks.kept) and not over
    pool = _pool(desired, observed, asked, cleaned=needs is not None, runs=runs)
    maker = pool if desired.pool is not None else work.job or schedule
    if maker is not None and maker.action != "update":
        node_agent_sku(desired, observed.images)
    changes = [
        *container_changes(desired, observed, needs),
        *upload_changes(desired, observed, needs),
        *(change for change in (pool, work.job, schedule) if change is not None),
    ]
    counted = [change for change in changes if not (work.harmless and change is work.job)]
    return Plan(
        name=desired.name,
        changes=tuple(changes),
        tasks=tuple(work.tasks.changes),
        kept_tasks=work.tasks.kept,
        downloads=tuple(download_changes(desired, observed)),
        failed_tasks=tuple(work.tasks.failed),
        orphaned_tasks=tuple(work.tasks.orphaned),
        pending_tasks=work.tasks.pending,
        notes=(
            *_notes(desired, observed, work),
            *_note_on_schedule(observed, schedule),
            *_note_on_nodes(desired, observed, pool),
        ),
        cleaned_up=(succeeded and not due) or (over and not list(_still_there(desired, observed))),
        cleanup_due=due,
        unseen=tuple(unseen(desired, observed)),
        too_much=tuple(blast_radius(counted, work.tasks.changes, observed)),
    )


def _job_and_tasks(desired: Desired, observed: Observed, asked: Asked) -> _JobAndTasks:
    job = desired.job
    if job is None:
        return _JobAndTasks(None, TaskChanges())
    if job.existing:
        tasks = task_changes(desired.tasks(), observed.tasks, asked, shared=True)
        return _JobAndTasks(None, tasks)
    change = job_change(job, observed.job, refresh_secrets=asked.refresh_secrets, address=observed.address)
    if change is not None and change.action in ("create", "replace"):
        return _JobAndTasks(change, all_new(desired.tasks()))
    tasks = task_changes(desired.tasks(), observed.tasks, asked, shared=bool(desired.unlisted))
    tasks.pending += _of_manager(job, observed)
    reason = _why_new_job(observed, tasks)
    again = _why_again(observed, tasks) if asked.retry_failed and reason is None else None
    if (why := reason or again) is None:
        return _JobAndTasks(change, tasks)
    harmless = again is not None and not any(task.completed for task in observed.tasks.values())
    return _JobAndTasks(replaced(job.id, (why,)), all_new(desired.tasks()), harmless)


def _of_manager(job: DesiredJob, observed: Observed) -> int:
    """How many tasks a job manager has still to end or to see ended: itself and those that it added."""
    if not job.has_manager or takes_no_tasks(observed.job):
        return 0
    return sum(one.hash is None and not one.completed for one in observed.tasks.values())


def _schedule(desired: Desired, observed: Observed, asked: Asked) -> Change | None:
    if desired.schedule is None or desired.schedule.existing:
        return None
    return schedule_change(
        desired.schedule, observed.schedule, refresh_secrets=asked.refresh_secrets, address=observed.address
    )


def _why_new_job(observed: Observed, tasks: TaskChanges) -> Reason | None:
    if takes_no_tasks(observed.job) and tasks.must_run:
        end = reason_of_end(observed.job)
        text = f"the job is completed{end} and takes no more tasks: all of them run again in a new one"
        return Reason(text, replaces=True)
    if job_must_be_replaced(tasks, len(observed.tasks)):
        text = f"{tasks.replaced} of {len(observed.tasks)} tasks changed: all of them run again in a new job"
        return Reason(text, replaces=True)
    return None


def _why_again(observed: Observed, tasks: TaskChanges) -> Reason | None:
    """What of the job itself has failed and can be had again only in a new job."""
    at_work = any(task.state in ("preparing", "running") for task in observed.tasks.values())
    if observed.failed_preparations and not at_work and (tasks.pending or tasks.must_run):
        return _only_in_a_new_job("preparation", observed.failed_preparations)
    if observed.failed_releases:
        return _only_in_a_new_job("release", observed.failed_releases)
    return None


def _only_in_a_new_job(task: str, nodes: tuple[str, ...]) -> Reason:
    number = f"{len(nodes)} node{'' if len(nodes) == 1 else 's'}"
    text = f"the job {task} task failed on {number}, and runs once: all tasks run again in a new job"
    return Reason(text, replaces=True)


def _all_succeeded(tasks: TaskChanges) -> bool:
    return bool(tasks.succeeded) and not tasks.must_run and not tasks.failed


def _needs(desired: Desired, observed: Observed, work: _JobAndTasks) -> Needs | None:
    """What of the things that `cleanup` names must be there; None when none of them can have been cleaned up.

    A run makes containers and uploads before it makes the job. So what is missing beside a job that stays was there
    when its tasks were added, and only what the tasks that must run refer to has to come back.
    """
    job = desired.job
    if job is None or not desired.cleanup_after_success:
        return None
    stays = not is_missing(observed.job) and (work.job is None or work.job.action == "update")
    if not stays or (job.existing and not work.tasks.succeeded):
        return None
    needs = Needs()
    if work.tasks.must_run:
        for task in desired.tasks():
            if task.id in work.tasks.must_run:
                needs.add(task.body)
        for resource in (desired.pool, job):
            needs.add(resource.body if resource is not None else None)
    return needs


def _still_there(desired: Desired, observed: Observed) -> Iterator[str]:
    """What the spec's cleanup names and is not gone yet."""
    there = {
        "pool": desired.pool is not None and not desired.pool.existing and not is_missing(observed.pool),
        "job": desired.job is not None and not desired.job.existing and not is_missing(observed.job),
        "schedule": bool(desired.schedule and not desired.schedule.existing and not is_missing(observed.schedule)),
    }
    for key, container in desired.containers.items():
        there[f"container.{key}"] = container.name in observed.containers and not container.existing
    yield from (name for name in desired.cleanup_after_success if there.get(name))


def _pool(desired: Desired, observed: Observed, asked: Asked, *, cleaned: bool, runs: bool) -> Change | None:
    pool = desired.pool
    if pool is None or pool.existing:
        return None
    change = pool_change(
        pool, observed, needed=runs, retry_failed=asked.retry_failed, refresh_secrets=asked.refresh_secrets
    )
    gone = change is not None and change.action == "create" and cleaned and not runs
    return None if gone and "pool" in desired.cleanup_after_success else change


def _refuse_missing(desired: Desired, observed: Observed) -> None:
    missing = [
        f"container {container.name}"
        for container in desired.containers.values()
        if container.existing and container.name not in observed.containers
    ]
    if desired.pool and desired.pool.existing and is_missing(observed.pool):
        missing.append(f"pool {desired.pool.id}")
    if desired.job and desired.job.existing and is_missing(observed.job):
        missing.append(f"job {desired.job.id}")
    if desired.schedule and desired.schedule.existing and is_missing(observed.schedule):
        missing.append(f"schedule {desired.schedule.id}")
    if missing:
        raise PlanRefused(
            f"not there, though the spec says `existing: true`: {', '.join(missing)}",
            fix="make it, correct its name, or leave out `existing` so that this spec makes it",
        )


def _refuse_foreign(desired: Desired, observed: Observed, tasks: TaskChanges) -> None:
    offenders = [*_foreign_resources(desired, observed), *(f"task {task_id}" for task_id in sorted(tasks.foreign))]
    if offenders:
        raise ForeignOwner(
            f"not made by the spec {desired.name!r}, so not touched: {', '.join(offenders)}",
            fix="choose another name or id, delete it yourself, or say `existing: true` to use it as it is",
        )
    if desired.job and desired.job.existing and takes_no_tasks(observed.job) and tasks.must_run:
        raise PlanRefused(
            f"job {desired.job.id} is {(observed.job or {}).get('state')} and takes no more tasks",
            fix="name another job, or leave out `existing` so that this spec makes its own",
        )


def _foreign_resources(desired: Desired, observed: Observed) -> Iterator[str]:
    for name in foreign_containers(desired, observed):
        yield f"container {name}"
    for name in foreign_blobs(desired, observed):
        yield f"blob {name}"
    for kind, wanted, there in (
        ("pool", desired.pool, observed.pool),
        ("job", desired.job, observed.job),
        ("schedule", desired.schedule, observed.schedule),
    ):
        if wanted is not None and not is_missing(there) and not wanted.existing:
            owner = owner_of(there)
            if owner != desired.name:
                yield f"{kind} {wanted.id}" + (f" (of the spec {owner!r})" if owner else "")


def _notes(desired: Desired, observed: Observed, work: _JobAndTasks) -> Iterator[str]:
    strays = observed.strays
    for kind, ids in (
        ("pool", strays.pools),
        ("job", strays.jobs),
        ("schedule", strays.schedules),
        ("container", strays.containers),
    ):
        for one in ids:
            yield f"{kind} {one} carries this spec's mark and is no longer in it; `batchspec delete` removes it"
    for one in sorted(set(strays.auto_pools) - {pool_of(observed.job), pool_of(observed.newest_job)}):
        yield f"pool {one} came with a job of this spec that is over, and stays; `batchspec delete` removes it"
    if work.tasks.orphaned:
        shown = ", ".join(work.tasks.orphaned[:5]) + (" ..." if len(work.tasks.orphaned) > 5 else "")
        number = len(work.tasks.orphaned)
        tasks = "task is no longer in the spec and is" if number == 1 else "tasks are no longer in the spec and are"
        yield f"{number} finished {tasks} kept: {shown}"
    yield from desired.notes() if work.tasks.changes else ()
    if _forgets(desired, observed):
        owned = "schedule" if desired.schedule else "job"
        yield f"the spec's cleanup removes its own {owned}, so nothing is remembered: everything runs anew"
    if work.job is None and observed.failed_preparations and (work.tasks.pending or work.tasks.must_run):
        number = len(observed.failed_preparations)
        on = "1 node, which runs" if number == 1 else f"{number} nodes, which run"
        yield f"the job preparation task failed on {on} no task of the job; --retry-failed makes the job anew"
    state = (observed.job or {}).get("state")
    if work.tasks.must_run and state in ("disabling", "disabled"):
        yield f"job {(observed.job or {}).get('id')} is {state}: its tasks wait until it is enabled"


def _note_on_schedule(observed: Observed, change: Change | None) -> Iterator[str]:
    """A schedule that makes no job, though nothing of it is to be changed or replaced."""
    there = observed.schedule or {}
    if has_ended(there) and change is None:
        yield f"schedule {there.get('id')} has ended and makes no more jobs; to run it anew, delete it and apply again"
    if there.get("state") == "disabled" and (change is None or change.action == "update"):
        yield f"schedule {there.get('id')} is disabled: it makes no job until it is enabled"


def _note_on_nodes(desired: Desired, observed: Observed, change: Change | None) -> Iterator[str]:
    """Nodes that failed before and that this plan does not start again."""
    again = change is not None and (change.action != "update" or {"reboot", "restart"} & set(change.steps))
    if observed.failed_nodes and desired.pool is not None and not again:
        number = len(observed.failed_nodes)
        has, them = ("node of pool {} has", "it") if number == 1 else ("nodes of pool {} have", "them")
        yield f"{number} {has.format(desired.pool.id)} failed and can run nothing; --retry-failed starts {them} again"


def _forgets(desired: Desired, observed: Observed) -> bool:
    of_job = "job" in desired.cleanup_after_success and observed.job is None
    return of_job or ("schedule" in desired.cleanup_after_success and observed.schedule is None)
