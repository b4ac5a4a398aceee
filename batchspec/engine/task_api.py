"""Operations on tasks.

Place: named by the route table. In: a `Call`. Out: a `Reply`. Every change is the ledger's (`tasks.py`); a task that
runs is ended by its run.
"""

import json
from collections.abc import Mapping
from sqlite3 import Row
from typing import Any

from batchspec.engine import bodies, tasks
from batchspec.engine.call import Call, Reply, changed
from batchspec.engine.core import Core
from batchspec.engine.errors import BatchError, bad_value
from batchspec.engine.folders import job_path, task_folder
from batchspec.engine.job_api import find_job
from batchspec.engine.job_bodies import check_task_id
from batchspec.engine.job_views import subtask_views
from batchspec.engine.jobs import Jobs
from batchspec.engine.lifecycle import JOB, TASK, TASK_ENDED, Outcome
from batchspec.engine.lists import TASK_FIELDS, page_of_rows
from batchspec.engine.stats import task_stats
from batchspec.engine.store import json_text
from batchspec.engine.task_run import TaskRun
from batchspec.engine.times import etag_from_ticks, text_from_ticks
from batchspec.engine.views import selected, task_view

_MAX_COLLECTION = 100


class TaskApi:
    """Task operations."""

    def __init__(self, core: Core, jobs: Jobs) -> None:
        self._core = core
        self._jobs = jobs

    async def create(self, call: Call) -> Reply:
        job = find_job(self._core, call)
        JOB.after(job["state"], "add_task")
        body = _task_body(call.body, json.loads(job["body"]))
        with self._core.store.transaction():
            stamp = tasks.add(self._core.store, job, body)
        self._core.wake()
        return changed(stamp, location=self._url(job["id"], body["id"]))

    async def create_collection(self, call: Call) -> Reply:
        job = find_job(self._core, call)
        JOB.after(job["state"], "add_task")
        items: list[dict[str, Any]] = call.body["value"]
        if len(items) > _MAX_COLLECTION:
            raise bad_value("value", len(items), f"A collection has at most {_MAX_COLLECTION} tasks.")
        job_body = json.loads(job["body"])
        with self._core.store.transaction():
            results = [self._add_one(job, job_body, item) for item in items]
        self._core.wake()
        return Reply({"value": results}, fragment="taskaddresult")

    def _add_one(self, job: Row, job_body: Mapping[str, Any], item: dict[str, Any]) -> dict[str, Any]:
        try:
            stamp = tasks.add(self._core.store, job, _task_body(item, job_body))
        except BatchError as error:
            return {
                "status": "clienterror",
                "taskId": item["id"],
                "error": {
                    "code": error.code,
                    "message": {"lang": "en-US", "value": error.message},
                    "values": [{"key": key, "value": value} for key, value in error.values.items()],
                },
            }
        return {
            "status": "success",
            "taskId": item["id"],
            "eTag": etag_from_ticks(stamp),
            "lastModified": text_from_ticks(stamp),
            "location": self._url(job["id"], item["id"]),
        }

    async def list(self, call: Call) -> Reply:
        job = find_job(self._core, call)
        return page_of_rows(
            call,
            self._core.store,
            "tasks",
            TASK_FIELDS,
            lambda row: task_view(row, job["id"], self._core.base_url),
            fragment="tasks",
            stats=lambda row: self._stats(row, job["id"]),
            where="job = ?",
            values=(job["pk"],),
        )

    async def get(self, call: Call) -> Reply:
        job, task = self._found(call)
        view = task_view(task, job["id"], self._core.base_url)
        if call.expands_stats:
            view["stats"] = self._stats(task, job["id"])
        # The document promises a DataServiceId here, and of all reads here only.
        headers = {"DataServiceId": call.url}
        return Reply(selected(view, call.select), fragment="tasks/@Element", stamp=task["modified"], headers=headers)

    def _stats(self, task: Row, job_id: str) -> dict[str, Any]:
        url = f"{self._core.base_url}/jobs/{job_id}/tasks/{task['id']}"
        return task_stats(task, url, self._core.store.stamp())

    async def replace(self, call: Call) -> Reply:
        job, task = self._found(call)
        TASK.after(task["state"], "change")
        bodies.check_constraints(call.body.get("constraints", {}))
        body = json.loads(task["body"])
        body["constraints"] = bodies.task_constraints(call.body.get("constraints", {}), json.loads(job["body"]))
        now = self._core.store.stamp()
        self._core.store.update("tasks", task["pk"], body=json_text(body), modified=now)
        return changed(now)

    async def delete(self, call: Call) -> Reply:
        job, task = self._found(call)
        run = self._run_of(task)
        with self._core.store.transaction():
            tasks.forget(self._core.store, task)
            self._jobs.check_all_completed(job)
        if run is not None:
            run.stop("delete")
        await self._core.brief(self._core.spawn(self._remove_folder(job, task, run)))
        return Reply()

    async def _remove_folder(self, job: Row, task: Row, run: TaskRun | None) -> None:
        if run is not None:
            await run.ended.wait()
        if run is not None or task["node"] is not None:
            place = task["node"] or ""
            folder = run.folder if run else task_folder(self._core.nodes_dir / place, job["id"], task["id"])
            self._core.discard(folder)
        if '"multiInstanceSettings"' in task["body"]:
            for folder in self._core.nodes_dir.glob(f"*/*/{job_path(job['id'])}/{task['id']}"):
                self._core.discard(folder)
        self._core.wake()

    async def terminate(self, call: Call) -> Reply:
        job, task = self._found(call)
        TASK.after(task["state"], "complete")
        run = self._run_of(task)
        if run is not None:
            run.stop("terminate")
            await self._core.brief(self._core.spawn(_end_of(run)))
        else:
            with self._core.store.transaction():
                effect = tasks.finish(self._core.store, task, job, Outcome(None, TASK_ENDED, "ended"))
                self._jobs.task_ended(job["pk"], effect)
            self._core.wake()
        return changed(self._core.store.stamp())

    async def reactivate(self, call: Call) -> Reply:
        job, task = self._found(call)
        JOB.after(job["state"], "change")
        with self._core.store.transaction():
            stamp = tasks.reactivate(self._core.store, task)
        self._core.wake()
        return Reply(stamp=stamp)

    async def subtasks(self, call: Call) -> Reply:
        job, task = find_task(self._core, call)
        views = subtask_views(task, job, self._core.store, self._core.base_url)
        return Reply({"value": [selected(view, call.select) for view in views]}, fragment="subtaskinfo")

    def _run_of(self, task: Row) -> TaskRun | None:
        return next((run for run in self._core.runs.get(task["job"], ()) if run.pk == task["pk"]), None)

    def _found(self, call: Call) -> tuple[Row, Row]:
        job, task = find_task(self._core, call)
        call.check_conditions(task["modified"])
        return job, task

    def _url(self, job_id: str, task_id: str) -> str:
        return f"{self._core.base_url}/jobs/{job_id}/tasks/{task_id}"


def _task_body(item: Mapping[str, Any], job: Mapping[str, Any]) -> dict[str, Any]:
    check_task_id(item["id"], job)
    return bodies.task_body(item, job=job)


async def _end_of(run: TaskRun) -> None:
    await run.ended.wait()


def find_task(core: Core, call: Call) -> tuple[Row, Row]:
    """The job and the task a call names. Raises BatchError JobNotFound or TaskNotFound."""
    job = find_job(core, call)
    task = core.store.find("SELECT * FROM tasks WHERE job = ? AND id = ?", job["pk"], call.path["task"])
    if task is None:
        raise BatchError("TaskNotFound")
    return job, task
