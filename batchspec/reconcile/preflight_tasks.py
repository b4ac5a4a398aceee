"""Preflight of the tasks: slots, nodes of multi-instance tasks, life of the SAS, time limits, sizes of requests.

Place in the pipeline: `preflight` asks these. Pure; what is known of tasks is in `TaskSummary`. Sources: docstrings of
azure-batch 15.1 (`required_slots`, MultiInstanceSettings); "Task - Add Collection" for the limits, which `render` has
enforced for every task already; a task that needs more slots than a node has waits for ever, and an autoscale formula
that counts it pays for nodes that never run it (Azure/Batch#117).
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from batchspec.errors import PlanRefused
from batchspec.reconcile.blast_radius import FIX
from batchspec.reconcile.change import Check
from batchspec.reconcile.plan_schedule import has_ended
from batchspec.reconcile.preflight_facts import Facts, member, some, spoken
from batchspec.reconcile.schedule_times import Times, times_of
from batchspec.reconcile.sending import sas_life
from batchspec.reconcile.task_summary import Most, limit_of
from batchspec.render.check import MAX_BODY_BYTES, MAX_SYMBOL_BYTES
from batchspec.render.model import JsonObject
from batchspec.render.symbolic import symbols

_SAS_KINDS = frozenset({"sas_url", "blob_sas_url"})


def blast_radius(facts: Facts) -> Iterator[Check]:
    """What is taken away is not more than `apply` takes away by itself."""
    for fact in facts.plan.too_much:
        yield Check("blast radius", "warning", fact, FIX)


def slots(facts: Facts) -> Iterator[Check]:
    """Every task fits on a node."""
    most = facts.tasks.slots
    if facts.pool is None or not facts.tasks.number or not facts.runs_tasks:
        return
    has = f"a node of {facts.pool_name} has {some(facts.slots_per_node, 'slot')}"
    if most.number > facts.slots_per_node:
        bills = ", while autoscale may pay for nodes that do nothing" if facts.autoscales else ""
        fact = f"task {most.task_id} needs {some(most.number, 'slot')} and {has}: it would wait for ever{bills}"
        yield Check(
            "required slots", "failed", fact, "lower `required_slots`, or raise the pool's `task_slots_per_node`"
        )
    else:
        yield Check("required slots", "ok", f"{has}, a task needs {most.number} at most")


def multi_instance(facts: Facts) -> Iterator[Check]:
    """A multi-instance task gets its nodes, which talk to each other and run nothing else."""
    most = facts.tasks.instances
    if not most.number or facts.pool is None or not facts.runs_tasks:
        return
    wrong = list(_in_the_way(most, facts))
    if not wrong:
        where = "as many as the formula must give at once" if facts.autoscales else "which the pool has"
        yield Check("multi-instance", "ok", f"task {most.task_id} needs {some(most.number, 'node')}, {where}")
    for fact, fix in wrong:
        yield Check("multi-instance", "failed", f"task {most.task_id} would wait for ever: {fact}", fix)


def _in_the_way(most: Most, facts: Facts) -> Iterator[tuple[str, str]]:
    pool = facts.pool or {}
    if not pool.get("enableInterNodeCommunication"):
        yield f"the nodes of {facts.pool_name} cannot reach each other", "write `enable_inter_node_communication: true`"
    if facts.slots_per_node != 1:
        yield f"a node of {facts.pool_name} has {facts.slots_per_node} slots", "write `task_slots_per_node: 1`"
    if not facts.autoscales and most.number > sum(facts.nodes):
        has = some(sum(facts.nodes), "node")
        yield f"it needs {some(most.number, 'node')} and {facts.pool_name} shall have {has}", "give the pool more nodes"


def sas(facts: Facts) -> Iterator[Check]:
    """The SAS that tasks carry outlive the tasks."""
    if not facts.runs_tasks or not any(_has_sas(one.body) for one in facts.tasks.examples.values()):
        return
    try:
        life = sas_life(facts.desired, facts.longest_sas)
    except PlanRefused as refused:
        yield Check("SAS life", "failed", str(refused), refused.fix)
        return
    lasts, longest = f"a SAS lasts {spoken(life)}", facts.tasks.longest
    fix = "shorten it, add nodes, raise wait.timeout or the job's max_wall_clock_time, or use a pool with an identity"
    queue = _longest_queue(facts)
    if longest > life:
        fact = f"{lasts}, and task {facts.tasks.longest_id} may run for {spoken(longest)}"
        yield Check("SAS life", "warning", fact, fix)
    elif queue is not None and queue > life:
        fact = f"{lasts}, and with every task at its time limit the last one ends after {spoken(queue)}"
        yield Check("SAS life", "warning", fact, fix)
    else:
        yield Check("SAS life", "ok", lasts)


def schedule(facts: Facts) -> Iterator[Check]:
    """A schedule that makes jobs: none of its times has passed, and the SAS that its jobs carry last as long as it."""
    wanted = facts.desired.schedule
    if wanted is None or wanted.body is None or (has_ended(facts.observed.schedule) and not facts.makes("schedule")):
        return
    times = times_of(wanted.body)
    if times.end is not None and times.end <= facts.now:
        fact = f"`do_not_run_after` ({times.end:%Y-%m-%d %H:%M} UTC) has passed, so that no job is ever made"
        yield Check("schedule", "failed", fact, "correct it, or leave it out")
    elif not facts.plan.nothing_to_do:
        yield Check("schedule", "ok", _when(times, facts.now))
    if not _has_sas(wanted.body):
        return
    try:
        life = sas_life(facts.desired, facts.longest_sas, now=facts.now)
    except PlanRefused as refused:
        yield Check("SAS life", "failed", str(refused), refused.fix)
        return
    endless = "; it has no end, so `apply` again before then" if times.last_begin(facts.now) is None else ""
    yield Check("SAS life", "ok", f"the SAS that the schedule's jobs carry last {spoken(life)}{endless}")


def _when(times: Times, now: datetime) -> str:
    first = times.begin if times.begin is not None and times.begin > now else None
    begins = f"the first job is due on {first.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if first else "a job is due at once"
    return begins + (f", and then every {spoken(times.interval)}" if times.interval else ", and no other")


def _has_sas(body: JsonObject) -> bool:
    return any(one.kind in _SAS_KINDS for one in symbols(body))


def _longest_queue(facts: Facts) -> timedelta | None:
    """When the last task would end if each took its whole time, None where that cannot be told."""
    at_once = sum(facts.nodes) * facts.slots_per_node
    if facts.pool is None or facts.autoscales or not at_once or facts.tasks.unlimited:
        return None
    return facts.tasks.work / at_once + facts.tasks.longest


def time_limits(facts: Facts) -> Iterator[Check]:
    """A task's limit lies within the job's, and within the wait."""
    longest, task_id = facts.tasks.longest, facts.tasks.longest_id
    if not longest or not facts.runs_tasks:
        return
    may = f"task {task_id} may run for {spoken(longest)}"
    job = limit_of(member(facts.desired.described_job, "constraints").get("maxWallClockTime"))
    wait = facts.desired.wait_timeout
    if job is not None and longest > job:
        fix = "raise the job's max_wall_clock_time, or lower the task's"
        yield Check("time limits", "warning", f"{may}, and the job ends after {spoken(job)}", fix)
    elif longest > wait:
        fix = "raise wait.timeout; the task would go on, and `apply` run again waits for it again"
        yield Check("time limits", "warning", f"{may}, and the wait ends after {spoken(wait)}", fix)
    else:
        yield Check("time limits", "ok", f"{may}, and the wait for {spoken(wait)}")


def spot_nodes(facts: Facts) -> Iterator[Check]:
    """Long tasks on nodes that may be taken away at any time begin anew each time."""
    dedicated, low_priority = facts.nodes
    only_spot = facts.pool is not None and not facts.autoscales and low_priority and not dedicated
    if only_spot and facts.runs_tasks and facts.tasks.longest > timedelta(days=1):
        fact = (
            f"all nodes are low-priority, and task {facts.tasks.longest_id} may run for {spoken(facts.tasks.longest)}"
        )
        fix = "a node that is taken away starts its task anew: save intermediate results, or add dedicated nodes"
        yield Check("low-priority nodes", "warning", fact, fix)


def limits(facts: Facts) -> Iterator[Check]:
    """Sizes that Batch limits; every task was held to them when the spec was read, so pool and job are left."""
    too_large = list(_too_large(facts))
    yield from too_large
    tasks = facts.tasks
    if not tasks.number or too_large:
        return
    fact = f"every request has less than 1 MiB, and the longest id {tasks.id_characters.number} of 64 characters"
    files = tasks.resource_files
    if files.number:
        fact += f"; a task has {some(files.number, 'resource file')} at most"
    yield Check("limits", "ok", fact)
    depends = tasks.dependencies
    if depends.number:
        fact = f"task {depends.task_id} names {depends.number:,} of 64,000 characters of ids that it waits for"
        yield Check("dependencies", "ok", fact)


def _too_large(facts: Facts) -> Iterator[Check]:
    desired = facts.desired
    parts = ((facts.pool_name, desired.pool), ("the job", desired.job), ("the schedule", desired.schedule))
    for what, part in parts:
        body = part.body if part is not None else None
        size = len(json.dumps(body)) + sum(MAX_SYMBOL_BYTES for _ in symbols(body))
        if size > MAX_BODY_BYTES:
            fact = f"the request that makes {what} has {size:,} bytes, and Batch takes {MAX_BODY_BYTES:,}"
            yield Check("limits", "failed", fact, "name files by their container and folder, or shorten what is long")


def containers(facts: Facts) -> Iterator[Check]:
    """Names of containers, which were checked when the spec was read."""
    names = [one for one in facts.desired.containers.values() if not one.url]
    if names:
        fact = f"{some(len(names), 'name')} {'is' if len(names) == 1 else 'are'} legal"
        made = sum(one.kind == "container" and one.action == "create" for one in facts.plan.changes)
        waits = "; one that is still being deleted is waited for" if made else ""
        yield Check("containers", "ok", f"{fact}{waits}")
    for name, reason in facts.observed.unread.items():
        yield Check("containers", "not checked", f"{name}: {reason}", reason.fix)
