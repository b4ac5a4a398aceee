"""What one part of a spec asks of another: tasks of their job and their pool.

Place in the pipeline: called by `rules`. In: data. Out: Findings. Only a pool or a job that this spec describes is
looked at: of an existing one nothing is known here. Sources: the docstrings of azure-batch 15.1
(BatchTaskCreateOptions, ExitOptions, BatchContainerConfiguration, UserAccount) and, for multi-instance tasks,
https://learn.microsoft.com/azure/batch/batch-mpi.
"""

from collections.abc import Iterable, Iterator

from batchspec.spec.checks.tree import JOB_TASKS, Part, is_true, job_of, number, pools
from batchspec.spec.checks.walk import models
from batchspec.spec.document import Finding, shown
from batchspec.spec.suggest import did_you_mean
from batchspec.spec.words import has_template

_PERFORM = "performexitoptionsjobaction"


def _own_pool(spec: Part) -> Part | None:
    """The pool that the tasks run on, if this spec describes it."""
    pool, info = spec.part("pool"), job_of(spec).part("pool_info")
    if "pool_id" in info.data:
        return None
    if "auto_pool_specification" in info.data:
        described = info.part("auto_pool_specification").part("pool")
        return described if described.data else None
    return pool if pool.data and pool.data.get("existing", False) is False else None


def multi_instance(spec: Part) -> Iterator[Finding]:
    """A multi-instance task takes whole nodes that talk to each other."""
    pool = _own_pool(spec)
    for task in spec.parts("tasks"):
        if not isinstance(task.data.get("multi_instance_settings"), dict):
            continue
        at = (*task.at, "multi_instance_settings")
        slots = number(task, "required_slots")
        if slots is not None and slots != 1:
            message = f"must be 1 for a multi-instance task, not {slots}; leave it out"
            yield Finding((*task.at, "required_slots"), message)
        if pool is None:
            continue
        if pool.data.get("enable_inter_node_communication", False) is False:
            yield Finding(at, "needs `enable_inter_node_communication: true` in the pool, or never starts", on_key=True)
        elif (each := number(pool, "task_slots_per_node")) is not None and each != 1:
            yield Finding(at, f"needs a pool with 1 task slot per node, not {each}, or never starts", on_key=True)


def containers(spec: Part) -> Iterator[Finding]:
    """Tasks run in containers exactly when their pool has a container configuration."""
    pool = _own_pool(spec)
    machine = pool.data.get("virtual_machine_configuration", {}) if pool is not None else None
    if pool is None or not isinstance(machine, dict):
        return
    ready = "container_configuration" in machine
    job = job_of(spec)
    regular = [*spec.parts("tasks"), *(part for part in [job.part("job_manager_task")] if part.data)]
    others = [job.part(word) for word in JOB_TASKS if word != "job_manager_task"] + [pool.part("start_task")]
    for task in (*regular, *others):
        if "container_settings" in task.data and not ready:
            message = "needs `virtual_machine_configuration.container_configuration` in the pool, which is not there"
            yield Finding((*task.at, "container_settings"), message, on_key=True)
    for task in regular if ready else ():
        if "container_settings" not in task.data:
            message = "missing; in a pool with `container_configuration` every task and job manager runs in a container"
            yield Finding((*task.at, "container_settings"), message)


def users(spec: Part) -> Iterator[Finding]:
    """A task runs as a user that its pool has, or as one of Batch's own."""
    for pool in pools(spec):
        yield from _strangers(pool, [pool.part("start_task")])
    if (pool_of_tasks := _own_pool(spec)) is not None:
        job = job_of(spec)
        yield from _strangers(pool_of_tasks, [*spec.parts("tasks"), *map(job.part, JOB_TASKS)])


def _strangers(pool: Part, tasks: Iterable[Part]) -> Iterator[Finding]:
    accounts = pool.data.get("user_accounts") or []
    names = [account.data.get("name") for account in pool.parts("user_accounts")]
    known = [name for name in names if isinstance(name, str) and not has_template(name)]
    if not isinstance(accounts, list) or len(known) != len(accounts):
        return  # not all of them can be told
    for task in tasks:
        user = task.part("user_identity")
        name = user.data.get("username") if "auto_user" not in user.data else None  # that both are there is told
        if isinstance(name, str) and not has_template(name) and name not in known:
            there = did_you_mean(name, known) or (
                f"; there are {', '.join(map(shown, dict.fromkeys(known)))}" if known else ""
            )
            told = f"no user {shown(name)} under `user_accounts` of the pool{there}"
            yield Finding((*user.at, "username"), told if known else f"{told}; add it there, or write `auto_user`")


def job_actions(spec: Part) -> Iterator[Finding]:
    """What an exit does to the job is refused unless the job asks for it."""
    job = spec.part("job")
    mode = job.data.get("task_failure_mode", "noaction")
    if is_true(job.data.get("existing")) or "tasks" not in spec.data or has_template(mode) or mode == _PERFORM:
        return
    if not isinstance(job.data.get("existing", False), bool):
        return
    for name, part in models(Part((), {"tasks": spec.data["tasks"]})):
        if name == "ExitOptions" and "job_action" in part.data:
            message = f"needs `task_failure_mode: {_PERFORM}` in the job, or Azure Batch refuses the task"
            yield Finding((*part.at, "job_action"), message, on_key=True)


def windows(spec: Part) -> Iterator[Finding]:
    """What only Windows nodes have."""
    pool = spec.part("pool")
    if pool.data.get("os", "linux") != "linux":
        return
    told = "goes only with Windows nodes; say `os: windows` in the pool, or remove it"
    machine = pool.part("virtual_machine_configuration")
    for word in ("windows_configuration", "license_type"):
        if word in machine.data:
            yield Finding((*machine.at, word), told, on_key=True)
    for user in pool.parts("user_accounts"):
        if "windows_user_configuration" in user.data:
            yield Finding((*user.at, "windows_user_configuration"), told, on_key=True)


def special_ids(spec: Part) -> Iterator[Finding]:
    """Ids of the job's own tasks and of the task templates that are written out: all in one job."""
    job = job_of(spec)
    defaults = {"job_preparation_task": "jobpreparation", "job_release_task": "jobrelease"}
    taken: dict[str, str] = {}
    for word in JOB_TASKS:
        part = job.part(word)
        id_ = part.data.get("id", defaults.get(word)) if isinstance(job.data.get(word), dict) else None
        if isinstance(id_, str) and not has_template(id_) and taken.setdefault(id_.lower(), word) != word:
            message = f"{shown(id_)} is the id of `{taken[id_.lower()]}` too; they must differ"
            yield Finding((*part.at, "id"), message)
    for task in spec.parts("tasks"):
        id_ = task.data.get("id")
        if isinstance(id_, str) and id_.lower() in taken:
            message = f"{shown(id_)} is the id of the job's `{taken[id_.lower()]}`; choose another"
            yield Finding((*task.at, "id"), message)
