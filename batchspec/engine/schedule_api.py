"""Operations on job schedules.

Place: named by the route table. In: a `Call`. Out: a `Reply`. What takes time is left to `schedules.Schedules`.
"""

import json
from sqlite3 import Row
from typing import Any

from batchspec.engine import job_bodies
from batchspec.engine.call import Call, Reply, changed
from batchspec.engine.core import Core
from batchspec.engine.errors import BatchError
from batchspec.engine.job_views import job_view, schedule_view
from batchspec.engine.lists import JOB_FIELDS, SCHEDULE_FIELDS, page_of_rows
from batchspec.engine.schedules import Schedules
from batchspec.engine.stats import job_stats, schedule_stats
from batchspec.engine.views import selected


class ScheduleApi:
    """Job schedule operations."""

    def __init__(self, core: Core, schedules: Schedules) -> None:
        self._core = core
        self._schedules = schedules

    async def create(self, call: Call) -> Reply:
        body = job_bodies.schedule_body(call.body)
        self._core.quotas.check_jobs(self._core.store)
        stamp = self._schedules.create(body)
        return changed(stamp, location=f"{self._core.base_url}/jobschedules/{body['id']}")

    async def list(self, call: Call) -> Reply:
        fields, store = SCHEDULE_FIELDS, self._core.store
        return page_of_rows(call, store, "schedules", fields, self._view, fragment="jobschedules", stats=self._stats)

    async def get(self, call: Call) -> Reply:
        row = self._found(call)
        view = {**self._view(row), **({"stats": self._stats(row)} if call.expands_stats else {})}
        return Reply(selected(view, call.select), fragment="jobschedules/@Element", stamp=row["modified"])

    async def exists(self, call: Call) -> Reply:
        return Reply(stamp=self._found(call)["modified"])

    async def update(self, call: Call) -> Reply:
        row = self._found(call)
        change = job_bodies.schedule_body(call.body)
        return changed(self._schedules.change(row, {**json.loads(row["body"]), **change}))

    async def replace(self, call: Call) -> Reply:
        row = self._found(call)
        if "jobSpecification" not in call.body:
            raise BatchError("MissingRequiredProperty", PropertyName="jobSpecification")
        change = job_bodies.schedule_body(call.body)
        kept = json.loads(row["body"])
        body = {name: kept[name] for name in ("displayName",) if name in kept}
        return changed(self._schedules.change(row, {**body, "schedule": {}, **change}))

    async def delete(self, call: Call) -> Reply:
        await self._schedules.delete(self._found(call))
        return Reply()

    async def terminate(self, call: Call) -> Reply:
        row = self._found(call)
        await self._schedules.terminate(row)
        return changed(self._stamp(row))

    async def enable(self, call: Call) -> Reply:
        return changed(self._schedules.switch(self._found(call), "enable"))

    async def disable(self, call: Call) -> Reply:
        return changed(self._schedules.switch(self._found(call), "disable"))

    async def jobs(self, call: Call) -> Reply:
        row = self._row(call)
        fields = {name: field for name, field in JOB_FIELDS.items() if name != "id"}
        return page_of_rows(
            call,
            self._core.store,
            "jobs",
            fields,
            lambda job: job_view(job, self._core.base_url),
            fragment="jobs",
            stats=self._job_stats,
            where="id > ? AND id < ?",
            values=(f"{row['id']}:", f"{row['id']};"),
        )

    def _view(self, row: Row) -> dict[str, Any]:
        return schedule_view(row, self._core.base_url)

    def _stats(self, row: Row) -> dict[str, Any]:
        store, url = self._core.store, f"{self._core.base_url}/jobschedules/{row['id']}"
        return schedule_stats(row, store, url, store.stamp())

    def _job_stats(self, job: Row) -> dict[str, Any]:
        store, url = self._core.store, f"{self._core.base_url}/jobs/{job['id']}"
        return job_stats(job, store, url, store.stamp())

    def _row(self, call: Call) -> Row:
        row = self._core.store.find("SELECT * FROM schedules WHERE id = ?", call.path["schedule"])
        if row is None:
            raise BatchError("JobScheduleNotFound")
        return row

    def _found(self, call: Call) -> Row:
        row = self._row(call)
        call.check_conditions(row["modified"])
        return row

    def _stamp(self, row: Row) -> int:
        now = self._core.store.find("SELECT modified FROM schedules WHERE pk = ?", row["pk"])
        stamp: int = (now or row)["modified"]
        return stamp
