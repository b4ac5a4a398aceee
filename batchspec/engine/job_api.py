"""Operations on jobs.

Place: named by the route table. In: a `Call`. Out: a `Reply`. What takes time is left to `jobs.Jobs`.
"""

import json
from sqlite3 import Row
from typing import Any, Final

from batchspec.engine import job_bodies, tasks
from batchspec.engine.call import Call, Reply, changed
from batchspec.engine.core import Core
from batchspec.engine.errors import BatchError, bad_value
from batchspec.engine.job_views import job_view, preparation_views
from batchspec.engine.jobs import Jobs
from batchspec.engine.lifecycle import JOB
from batchspec.engine.lists import JOB_FIELDS, PREPARATION_FIELDS, page_of_items, page_of_rows
from batchspec.engine.stats import job_stats
from batchspec.engine.store import json_text
from batchspec.engine.views import selected

# Source: Job - Patch and Job - Update; what an update (PUT) leaves out goes back to these.
_CHANGEABLE = (
    "priority",
    "maxParallelTasks",
    "allowTaskPreemption",
    "onAllTasksComplete",
    "constraints",
    "metadata",
    "networkConfiguration",
)
_PUT_DEFAULTS: Final[dict[str, Any]] = {
    "priority": 0,
    "maxParallelTasks": -1,
    "allowTaskPreemption": False,
    "constraints": {},
}


class JobApi:
    """Job operations."""

    def __init__(self, core: Core, jobs: Jobs) -> None:
        self._core = core
        self._jobs = jobs

    async def create(self, call: Call) -> Reply:
        body = job_bodies.job_body(call.body)
        self._core.quotas.check_jobs(self._core.store)
        now = self._jobs.create(call.body["id"], body)
        # The service says job-1 whatever the id; recorded.
        return changed(now, location=f"{self._core.base_url}/jobs/job-1")

    async def list(self, call: Call) -> Reply:
        fields, store = JOB_FIELDS, self._core.store
        return page_of_rows(call, store, "jobs", fields, self._view, fragment="jobs", stats=self._stats)

    async def get(self, call: Call) -> Reply:
        row = self._found(call)
        view = {**self._view(row), **({"stats": self._stats(row)} if call.expands_stats else {})}
        return Reply(selected(view, call.select), fragment="jobs/@Element", stamp=row["modified"])

    async def update(self, call: Call) -> Reply:
        return self._change(self._found(call), call.body)

    async def replace(self, call: Call) -> Reply:
        row = self._found(call)
        if "poolInfo" not in call.body:
            raise BatchError("MissingRequiredProperty", PropertyName="poolInfo")
        kept = json.loads(row["body"])
        default_action = {"onAllTasksComplete": kept["onAllTasksComplete"]}
        return self._change(row, {"metadata": [], **default_action, **_PUT_DEFAULTS, **call.body})

    def _change(self, row: Row, change: dict[str, Any]) -> Reply:
        JOB.after(row["state"], "change")
        body: dict[str, Any] = json.loads(row["body"])
        pool = _changed_pool(row, body, change)
        _check_action(body, change)
        body |= {name: change[name] for name in _CHANGEABLE if name in change}
        body["constraints"] = job_bodies.job_constraints(body["constraints"])
        body["poolInfo"] = pool
        job_bodies.check_job_limits(body)
        now = self._core.store.stamp()
        with self._core.store.transaction():
            self._core.store.update(
                "jobs",
                row["pk"],
                body=json_text(body),
                pool=pool.get("poolId", row["pool"]),
                priority=body["priority"],
                parallel=body["maxParallelTasks"],
                modified=now,
            )
            self._jobs.watch(self._core.store.one("SELECT * FROM jobs WHERE pk = ?", row["pk"]))
        self._core.wake()
        return changed(now)

    async def delete(self, call: Call) -> Reply:
        await self._jobs.delete(self._found(call), force=call.flag("force"))
        return Reply()

    async def terminate(self, call: Call) -> Reply:
        row = self._found(call)
        await self._jobs.terminate(row, call.body.get("terminateReason", "UserTerminate"), force=call.flag("force"))
        return changed(self._stamp(row))

    async def disable(self, call: Call) -> Reply:
        row = self._found(call)
        await self._jobs.disable(row, call.body["disableTasks"])
        return changed(self._stamp(row))

    async def enable(self, call: Call) -> Reply:
        return changed(self._jobs.enable(self._found(call)))

    async def task_counts(self, call: Call) -> Reply:
        row = find_job(self._core, call)
        return Reply(tasks.counts(self._core.store, row["pk"]), fragment="taskcountsresult/@Element")

    async def preparation_status(self, call: Call) -> Reply:
        row = find_job(self._core, call)
        if '"jobPreparationTask"' not in row["body"]:
            raise BatchError("JobPreparationTaskNotSpecified")
        items = preparation_views(row, self._core.store, self._core.base_url)
        fragment = "jobpreparationandreleasetaskstatuslist"
        return page_of_items(call, items, PREPARATION_FIELDS, key="nodeId", fragment=fragment)

    def _view(self, row: Row) -> dict[str, Any]:
        return job_view(row, self._core.base_url)

    def _stats(self, row: Row) -> dict[str, Any]:
        store, url = self._core.store, f"{self._core.base_url}/jobs/{row['id']}"
        return job_stats(row, store, url, store.stamp())

    def _found(self, call: Call) -> Row:
        row = find_job(self._core, call)
        call.check_conditions(row["modified"])
        return row

    def _stamp(self, row: Row) -> int:
        now = self._core.store.find("SELECT modified FROM jobs WHERE pk = ?", row["pk"])
        stamp: int = (now or row)["modified"]
        return stamp


def find_job(core: Core, call: Call) -> Row:
    """The job a call names. Raises BatchError JobNotFound."""
    row = core.store.find("SELECT * FROM jobs WHERE id = ?", call.path["job"])
    if row is None:
        raise BatchError("JobNotFound")
    return row


def _changed_pool(row: Row, body: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = body["poolInfo"]
    pool: dict[str, Any] = change.get("poolInfo", kept)
    if "autoPoolSpecification" in kept and "autoPoolSpecification" in pool:
        return _kept_alive(kept, pool)
    if "autoPoolSpecification" in pool:
        reason = "A job on a pool cannot be given an auto pool: only keepAlive of an auto pool can be updated."
        raise bad_value("poolInfo.autoPoolSpecification", "autoPoolSpecification", reason)
    if pool != kept and row["state"] != "disabled":
        reason = "poolInfo can be changed only while the job is disabled."
        raise BatchError("OperationInvalidForCurrentState", PropertyName="poolInfo", Reason=reason)
    return pool


def _kept_alive(kept: dict[str, Any], pool: dict[str, Any]) -> dict[str, Any]:
    """Of an auto pool only `keepAlive` can change, and only when the pool has the lifetime of the job."""
    old, new = kept["autoPoolSpecification"], pool["autoPoolSpecification"]
    keeps = new.get("keepAlive", False)
    if old["poolLifetimeOption"] != "job" and keeps != old.get("keepAlive", False):
        reason = "keepAlive can be changed only when poolLifetimeOption is job."
        raise bad_value("poolInfo.autoPoolSpecification.keepAlive", keeps, reason)
    return {"autoPoolSpecification": {**old, "keepAlive": keeps}}


def _check_action(body: dict[str, Any], change: dict[str, Any]) -> None:
    action = change.get("onAllTasksComplete", body["onAllTasksComplete"])
    if body["onAllTasksComplete"] == "terminatejob" and action == "noaction":
        raise bad_value("onAllTasksComplete", action, "It cannot be changed back from terminatejob.")
