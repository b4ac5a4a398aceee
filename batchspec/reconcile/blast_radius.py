"""How much of what is there a plan would take away, and what of it is too much to happen by mistake.

Place in the pipeline: `plan` asks at its end, `preflight` shows the answer, and `apply` refuses without `--force`. In:
the changes and `Observed`. Out: sentences with the arithmetic, one for each thing that is too much. Pure.

The rules are literal, so that nobody has to guess them: more than 30% of the tasks that are there are deleted or
replaced (one of two tasks is 50%), or a pool is replaced whose nodes run tasks, or a schedule whose job runs tasks. A
job that is replaced takes all of its tasks with it. What a person asked for by name is not counted: `--retry-failed`,
`--refresh-secrets` and the command `delete`.
"""

from collections.abc import Iterator, Sequence

from batchspec.errors import TooMuchAtOnce
from batchspec.reconcile.change import Change, Plan
from batchspec.reconcile.observe import Observed

LIMIT_PERCENT = 30
FIX = "read the plan; if all of that is meant, apply with --force"


def blast_radius(changes: Sequence[Change], tasks: Sequence[Change], observed: Observed) -> Iterator[str]:
    """What is too much, tasks first; nothing when `apply` may go on without `--force`."""
    yield from _of_tasks(changes, tasks, observed)
    for pool in changes:
        if pool.kind == "pool" and pool.action in ("delete", "replace") and observed.running_nodes:
            number = observed.running_nodes
            nodes = "node of it runs" if number == 1 else "nodes of it run"
            yield f"would {pool.action} pool {pool.id} while {number:,} {nodes} tasks (more than 0 needs --force)"
    for schedule in changes:
        if schedule.kind == "schedule" and schedule.action == "replace" and observed.running_tasks:
            number = observed.running_tasks
            tasks_run = "task of its job runs" if number == 1 else "tasks of its job run"
            yield f"would replace schedule {schedule.id} while {number:,} {tasks_run} (more than 0 needs --force)"


def _of_tasks(changes: Sequence[Change], tasks: Sequence[Change], observed: Observed) -> Iterator[str]:
    if any(one.kind == "job" and one.action == "replace" for one in changes):
        total = len(observed.tasks)
        replaced, deleted = total, 0
    else:
        total = sum(task.hash is not None for task in observed.tasks.values())
        replaced, deleted = (sum(one.action == action for one in tasks) for action in ("replace", "delete"))
    gone = replaced + deleted
    if gone * 100 > LIMIT_PERCENT * total:
        what = " and ".join(f"{verb} {n:,}" for verb, n in (("replace", replaced), ("delete", deleted)) if n)
        running = _running(changes, observed)
        yield (
            f"would {what} of {total:,} existing task{'' if total == 1 else 's'}{running} "
            f"({_percent(gone, total)}; more than {LIMIT_PERCENT}% needs --force)"
        )


def _running(changes: Sequence[Change], observed: Observed) -> str:
    """How many of a replaced job's tasks run now."""
    if not any(one.kind == "job" and one.action == "replace" for one in changes):
        return ""
    running = sum(task.state in ("running", "preparing") for task in observed.tasks.values())
    return f" in a new job, {running:,} of them running" if running else " in a new job"


def _percent(part: int, whole: int) -> str:
    """With as many decimals as it takes to see that it is over the limit."""
    text = f"{100 * part / whole:.1f}".removesuffix(".0")
    return f"just over {text}%" if text == str(LIMIT_PERCENT) else f"{text}%"


def refuse_too_much(plan: Plan) -> None:
    """Raise TooMuchAtOnce when the plan takes away too much at once."""
    if plan.too_much:
        raise TooMuchAtOnce("; ".join(plan.too_much), fix=FIX)
