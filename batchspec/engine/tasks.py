"""The ledger of tasks: every change of a task, with what follows from it for its dependents.

Place: under the job and task handlers, the scheduler and the node. In: the store, keys, outcomes. Out: committed
changes. It never runs anything.

Dependencies: `unmet` counts what a task still waits for, so that "can run" is an index. What a task waits for stays in
`needs_id` and `needs_range`; `satisfied` holds the tasks that have fulfilled their part, and loses them when they are
reactivated or deleted.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from sqlite3 import Row
from typing import Any

from batchspec.engine.errors import BatchError
from batchspec.engine.lifecycle import TASK, ExitReaction, Outcome, reaction
from batchspec.engine.store import Store, json_text
from batchspec.engine.times import TICKS_PER_S, seconds_from_duration

_MAX_NUMBER = 2**31


def add(store: Store, job: Row, body: Mapping[str, Any]) -> int:
    """Add a task, `body` as `bodies.task_body` made it; return its stamp. Raises BatchError TaskExists."""
    now = store.stamp()
    if store.find("SELECT 1 FROM tasks WHERE job = ? AND id = ?", job["pk"], body["id"]):
        raise BatchError("TaskExists")
    pk = store.insert(
        "tasks",
        job=job["pk"],
        id=body["id"],
        state="active",
        state_time=now,
        created=now,
        modified=now,
        slots=body["requiredSlots"],
        body=json_text(body),
    )
    if body.get("dependsOn"):
        store.update("tasks", pk, unmet=_wait_for(store, job["pk"], pk, body["dependsOn"]))
    return now


def _wait_for(store: Store, job: int, task: int, depends_on: Mapping[str, Any]) -> int:
    unmet = 0
    for wanted in {item.lower() for item in depends_on.get("taskIds", ())}:
        store.run("INSERT INTO needs_id VALUES(?, ?, ?)", job, wanted, task)
        unmet += store.find("SELECT 1 FROM satisfied WHERE job = ? AND id = ?", job, wanted) is None
    for item in depends_on.get("taskIdRanges", ()):
        first, last = item["start"], item["end"]
        store.run("INSERT INTO needs_range VALUES(?, ?, ?, ?)", job, first, last, task)
        query = "SELECT COUNT(DISTINCT number) FROM satisfied WHERE job = ? AND number BETWEEN ? AND ?"
        unmet += last - first + 1 - store.one(query, job, first, last)[0]
    return unmet


def start(store: Store, pk: int, *, node: str, prepares: bool = False) -> None:
    """A task begins on a node (`pool/node`), or waits there for its job's preparation."""
    now = store.stamp()
    store.run(
        "UPDATE tasks SET previous = state, previous_time = state_time, state = ?, state_time = ?, "
        "started = ?, ended = NULL, node = ?, cleaned = 0 WHERE pk = ?",
        "preparing" if prepares else "running",
        now,
        None if prepares else now,
        node,
        pk,
    )


def run(store: Store, pk: int) -> None:
    """A task that waited for its job's preparation begins."""
    now = store.stamp()
    store.run(
        "UPDATE tasks SET previous = state, previous_time = state_time, state = 'running', state_time = ?, "
        "started = ? WHERE pk = ?",
        now,
        now,
        pk,
    )


def retry(store: Store, pk: int, outcome: Outcome) -> None:
    """An attempt failed and the next one begins."""
    now = store.stamp()
    store.run(
        "UPDATE tasks SET retries = retries + 1, retried = ?, started = ?, exit_code = ? WHERE pk = ?",
        now,
        now,
        outcome.exit_code,
        pk,
    )


def requeue(store: Store, pk: int, *, by_user: bool) -> None:
    """A running task goes back to the queue; only a user's doing counts in `requeueCount`."""
    now = store.stamp()
    store.run(
        "UPDATE tasks SET previous = state, previous_time = state_time, state = 'active', state_time = ?, "
        "started = NULL, node = NULL, exit_code = NULL WHERE pk = ?",
        now,
        pk,
    )
    store.run("DELETE FROM subtasks WHERE task = ?", pk)
    if by_user:
        store.run("UPDATE tasks SET requeues = requeues + 1, requeued = ? WHERE pk = ?", now, pk)


def finish(store: Store, task: Row, job: Row, outcome: Outcome) -> ExitReaction:
    """A task has completed; its dependents are released if it satisfies them. Returns what its job is to do."""
    now = store.stamp()
    body, job_body = json.loads(task["body"]), json.loads(job["body"])
    retention_s = seconds_from_duration(body["constraints"]["retentionTime"])
    expires = None if retention_s == float("inf") or not task["node"] else now + int(retention_s * TICKS_PER_S)
    store.run(
        "UPDATE tasks SET previous = state, previous_time = state_time, state = 'completed', state_time = ?, "
        "ended = ?, exit_code = ?, result = ?, failure = ?, expires = ? WHERE pk = ?",
        now,
        now,
        outcome.exit_code,
        outcome.result,
        json_text(outcome.failure.body()) if outcome.failure else None,
        expires,
        task["pk"],
    )
    acts = job_body["onTaskFailure"] == "performexitoptionsjobaction"
    effect = reaction(outcome, body.get("exitConditions"), job_acts=acts)
    if effect.satisfies and job_body["usesTaskDependencies"]:
        _satisfy(store, job["pk"], task["id"])
    if is_manager(task["id"], job_body) and job_body["jobManagerTask"]["killJobOnCompletion"]:
        return replace(effect, job_action="finish")
    return effect


def is_manager(task_id: str, job_body: Mapping[str, Any]) -> bool:
    """Whether a task is the manager of its job."""
    manager = job_body.get("jobManagerTask")
    return manager is not None and manager["id"].lower() == task_id.lower()


def reactivate(store: Store, task: Row) -> int:
    """A failed task becomes active as if it had never run; return the stamp. Raises BatchError."""
    TASK.after(task["state"], "reactivate")
    if task["result"] == "success":
        raise BatchError("TaskSucceeded")
    now = store.stamp()
    _unsatisfy(store, task["job"], task["id"])
    store.run("DELETE FROM subtasks WHERE task = ?", task["pk"])
    store.run(
        "UPDATE tasks SET previous = state, previous_time = state_time, state = 'active', state_time = ?, "
        "modified = ?, started = NULL, ended = NULL, exit_code = NULL, result = NULL, failure = NULL, retries = 0, "
        "retried = NULL, node = NULL, expires = NULL WHERE pk = ?",
        now,
        now,
        task["pk"],
    )
    return now


def forget(store: Store, task: Row) -> None:
    """Remove a task; what waits for its id waits for the next task with it."""
    _unsatisfy(store, task["job"], task["id"])
    for table in ("needs_id", "needs_range"):
        if json.loads(task["body"]).get("dependsOn"):
            store.run(f"DELETE FROM {table} WHERE job = ? AND task = ?", task["job"], task["pk"])
    if "multiInstanceSettings" in json.loads(task["body"]):
        store.run("DELETE FROM subtasks WHERE task = ?", task["pk"])
    store.run("DELETE FROM tasks WHERE pk = ?", task["pk"])


def is_all_completed(store: Store, job: int) -> bool:
    """Whether no task of the job is active, preparing or running (true for a job without tasks)."""
    query = "SELECT 1 FROM tasks WHERE job = ? AND state IN ('active', 'preparing', 'running') LIMIT 1"
    return store.find(query, job) is None


def counts(store: Store, job: int) -> dict[str, dict[str, int]]:
    """The body of a task counts response. Source: Job_GetTaskCounts; `running` includes preparing tasks."""
    names = ("active", "running", "completed", "succeeded", "failed")
    tasks, slots = dict.fromkeys(names, 0), dict.fromkeys(names, 0)
    query = "SELECT state, result, COUNT(*), SUM(slots) FROM tasks WHERE job = ? GROUP BY state, result"
    for state, result, number, sum_of_slots in store.all(query, job):
        kinds = ["running" if state == "preparing" else state]
        if state == "completed":
            kinds.append("succeeded" if result == "success" else "failed")
        for kind in kinds:
            tasks[kind] += number
            slots[kind] += sum_of_slots
    return {"taskCounts": tasks, "taskSlotCounts": slots}


def _number(task_id: str) -> int | None:
    if not task_id.isascii() or not task_id.isdigit():
        return None
    number = int(task_id)
    return number if number < _MAX_NUMBER else None


def _satisfy(store: Store, job: int, task_id: str) -> None:
    number = _number(task_id)
    is_new_number = number is not None and not _is_satisfied(store, job, number)
    if not store.run("INSERT OR IGNORE INTO satisfied VALUES(?, ?, ?)", job, task_id, number):
        return
    _count(store, job, task_id, number if is_new_number else None, -1)


def _unsatisfy(store: Store, job: int, task_id: str) -> None:
    if not store.run("DELETE FROM satisfied WHERE job = ? AND id = ?", job, task_id):
        return
    number = _number(task_id)
    is_last = number is not None and not _is_satisfied(store, job, number)
    _count(store, job, task_id, number if is_last else None, +1)


def _is_satisfied(store: Store, job: int, number: int) -> bool:
    # 4, 04 and 004 are the same task to a range; the first to complete satisfies it.
    return store.find("SELECT 1 FROM satisfied WHERE job = ? AND number = ?", job, number) is not None


def _count(store: Store, job: int, task_id: str, number: int | None, by: int) -> None:
    store.run(
        "UPDATE tasks SET unmet = unmet + ? WHERE pk IN (SELECT task FROM needs_id WHERE job = ? AND wanted = ?)",
        by,
        job,
        task_id,
    )
    if number is None:
        return
    ranges = "SELECT task FROM needs_range WHERE job = ? AND ? BETWEEN first AND last"
    for (task,) in store.all(ranges, job, number):
        store.run("UPDATE tasks SET unmet = unmet + ? WHERE pk = ?", by, task)
