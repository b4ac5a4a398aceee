"""Which tasks can never run, because a task they depend on failed or will never run itself.

Place in the pipeline: `watch` and `status` ask once nothing runs, something waits and something failed. In: the job's
unfinished and failed tasks. Out: a number. The service leaves such tasks active for ever (batch-service.md section 2),
so a wait that does not look would last until its timeout.
"""

from collections.abc import Callable

from batchspec.reconcile.failures import FAILED, every
from batchspec.reconcile.ports import BatchService
from batchspec.render.model import JsonObject
from batchspec.render.symbolic import Json


async def blocked_tasks(batch: BatchService, job_id: str, ours: Callable[[str], bool] = every) -> int:
    """How many active tasks wait for one that failed without satisfying its dependents, directly or through others.

    `ours` says of an id whether the task counts.
    """
    dead: set[str] = set()
    async for task in batch.list_tasks(job_id, filter=FAILED, select="id,exitConditions,executionInfo"):
        if not _satisfies(task):
            dead.add(_key(str(task["id"])))
    waiting: dict[str, JsonObject] = {}
    async for task in batch.list_tasks(job_id, filter="state eq 'active'", select="id,dependsOn"):
        waiting[str(task["id"])] = _object(task.get("dependsOn"))
    blocked: set[str] = set()
    while True:
        more = {task for task, needs in waiting.items() if task not in blocked and _needs_any(needs, dead)}
        if not more:
            return sum(map(ours, blocked))
        blocked |= more
        dead |= {_key(task) for task in more}


def _needs_any(needs: JsonObject, dead: set[str]) -> bool:
    ids = needs.get("taskIds")
    if isinstance(ids, list) and any(_key(str(one)) in dead for one in ids):
        return True
    ranges = needs.get("taskIdRanges")
    return isinstance(ranges, list) and any(_in_range(_object(one), dead) for one in ranges)


def _in_range(one: JsonObject, dead: set[str]) -> bool:
    start, end = one.get("start"), one.get("end")
    if not isinstance(start, int) or not isinstance(end, int):
        return False
    return any(task.isdigit() and start <= int(task) <= end for task in dead)


def _key(task_id: str) -> str:
    """Ids ignore case, and integer ids leading zeros (docstring of BatchTaskIdRange)."""
    return str(int(task_id)) if task_id.isascii() and task_id.isdigit() else task_id.casefold()


def _satisfies(task: JsonObject) -> bool:
    """Whether a failed task's exit conditions let its dependents run all the same."""
    conditions, info = _object(task.get("exitConditions")), _object(task.get("executionInfo"))
    code, failure = info.get("exitCode"), str(_object(info.get("failureInfo")).get("code", ""))
    chosen = _by_exit_code(conditions, code if isinstance(code, int) else None)
    if chosen is None and failure.startswith("FileUpload"):
        chosen = conditions.get("fileUploadError")
    elif chosen is None and not isinstance(code, int):
        chosen = conditions.get("preProcessingError")
    return str(_object(chosen or conditions.get("default")).get("dependencyAction", "")).lower() == "satisfy"


def _by_exit_code(conditions: JsonObject, code: int | None) -> Json:
    exact, ranges = conditions.get("exitCodes"), conditions.get("exitCodeRanges")
    for one in exact if isinstance(exact, list) else []:
        if code is not None and _object(one).get("code") == code:
            return _object(one).get("exitOptions")
    for one in ranges if isinstance(ranges, list) else []:
        start, end = _object(one).get("start"), _object(one).get("end")
        if code is not None and isinstance(start, int) and isinstance(end, int) and start <= code <= end:
            return _object(one).get("exitOptions")
    return None


def _object(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}
