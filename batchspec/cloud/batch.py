"""`BatchService` over the official SDK: the adapter to Azure Batch, real or local.

Place in the pipeline: `clients` makes it, `reconcile` uses it through its port. Bodies in and out are plain REST JSON
of api-version 2025-06-01. Every write may be repeated after a lost answer; a refusal that only says that the first
attempt took effect ("PoolExists", "TaskNotCompleted") is then recognised and is no error.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from batchspec.cloud.batch_files import read_file
from batchspec.cloud.batch_http import Ask, BatchHttp, Body, Reply
from batchspec.cloud.batch_tasks import add_tasks
from batchspec.errors import ServiceRefused
from batchspec.reconcile.ports import Added, TextPart
from batchspec.render.model import JsonObject


class AzureBatch:
    """One Azure Batch account."""

    def __init__(self, http: BatchHttp) -> None:
        self._http = http

    # pools and nodes

    async def get_pool(self, pool_id: str) -> JsonObject | None:
        """GET /pools/{id}."""
        return await self._get("get pool", pool_id, f"/pools/{quote(pool_id)}")

    def list_pools(self, *, select: str = "") -> AsyncIterator[JsonObject]:
        """GET /pools."""
        return self._http.pages("list pools", "", "/pools", select=select)

    async def create_pool(self, body: JsonObject) -> None:
        """POST /pools."""
        await self._create("pool", "/pools", body, self.get_pool)

    async def update_pool(self, pool_id: str, patch: JsonObject, *, if_match: str | None = None) -> None:
        """PATCH /pools/{id}."""
        await self._patch("update pool", pool_id, f"/pools/{quote(pool_id)}", patch, if_match, self.get_pool)

    async def resize_pool(self, pool_id: str, body: JsonObject) -> None:
        """POST /pools/{id}/resize."""
        ask = Ask("POST", f"/pools/{quote(pool_id)}/resize", body=body)
        await self._write("resize pool", pool_id, ask, settled=("PoolBeingResized",))

    async def set_autoscale(self, pool_id: str, body: JsonObject | None) -> None:
        """POST /pools/{id}/enableautoscale or disableautoscale."""
        verb = "disableautoscale" if body is None else "enableautoscale"
        ask = Ask("POST", f"/pools/{quote(pool_id)}/{verb}", body=body)
        await self._write(f"{verb} of pool", pool_id, ask, settled=("PoolBeingResized",))

    async def evaluate_autoscale(self, pool_id: str, formula: str) -> JsonObject:
        """POST /pools/{id}/evaluateautoscale."""
        ask = Ask("POST", f"/pools/{quote(pool_id)}/evaluateautoscale", body={"autoScaleFormula": formula})
        reply = await self._http.send(self._http.tries("evaluate autoscale formula of pool", pool_id), ask)
        return reply.body

    async def remove_nodes(self, pool_id: str, node_ids: Sequence[str]) -> None:
        """POST /pools/{id}/removenodes."""
        ask = Ask("POST", f"/pools/{quote(pool_id)}/removenodes", body={"nodeList": list(node_ids)})
        await self._write("remove nodes of pool", pool_id, ask, settled=("PoolBeingResized", "NodeNotFound"))

    async def delete_pool(self, pool_id: str) -> bool:
        """DELETE /pools/{id}; one that is being deleted already counts as deleted."""
        return await self._delete("delete pool", pool_id, f"/pools/{quote(pool_id)}")

    def list_nodes(self, pool_id: str, *, filter: str = "", select: str = "") -> AsyncIterator[JsonObject]:
        """GET /pools/{id}/nodes."""
        path = f"/pools/{quote(pool_id)}/nodes"
        return _until_gone(self._http.pages("list nodes of pool", pool_id, path, filter=filter, select=select))

    async def node_counts(self, pool_id: str) -> JsonObject | None:
        """GET /nodecounts for one pool; the service takes at most 10 results a page there."""
        ask = Ask("GET", "/nodecounts", (("$filter", f"poolId eq '{pool_id}'"), ("maxresults", "10")))
        reply = await self._http.send(self._http.tries("count nodes of pool", pool_id), ask)
        found = [one for one in reply.body.get("value", []) if str(one.get("poolId")).lower() == pool_id.lower()]
        return found[0] if found else None

    async def reboot_node(self, pool_id: str, node_id: str, option: str) -> None:
        """POST /pools/{id}/nodes/{id}/reboot."""
        path = f"/pools/{quote(pool_id)}/nodes/{quote(node_id)}/reboot"
        ask = Ask("POST", path, body={"nodeRebootOption": option})
        await self._write("reboot node", f"{pool_id}/{node_id}", ask, settled=("NodeBeingRebooted",))

    def list_images(self) -> AsyncIterator[JsonObject]:
        """GET /supportedimages."""
        return self._http.pages("list supported images", "", "/supportedimages")

    # jobs

    async def get_job(self, job_id: str) -> JsonObject | None:
        """GET /jobs/{id}."""
        return await self._get("get job", job_id, f"/jobs/{quote(job_id)}")

    def list_jobs(self, *, select: str = "") -> AsyncIterator[JsonObject]:
        """GET /jobs."""
        return self._http.pages("list jobs", "", "/jobs", select=select)

    async def create_job(self, body: JsonObject) -> None:
        """POST /jobs."""
        await self._create("job", "/jobs", body, self.get_job)

    async def update_job(self, job_id: str, patch: JsonObject, *, if_match: str | None = None) -> None:
        """PATCH /jobs/{id}."""
        await self._patch("update job", job_id, f"/jobs/{quote(job_id)}", patch, if_match, self.get_job)

    async def delete_job(self, job_id: str) -> bool:
        """DELETE /jobs/{id}; one that is being deleted already counts as deleted."""
        return await self._delete("delete job", job_id, f"/jobs/{quote(job_id)}")

    def list_preparations(self, job_id: str, *, filter: str = "") -> AsyncIterator[JsonObject]:
        """GET /jobs/{id}/jobpreparationandreleasetaskstatus."""
        path = f"/jobs/{quote(job_id)}/jobpreparationandreleasetaskstatus"
        return _until_gone(self._http.pages("list preparations of job", job_id, path, filter=filter))

    # job schedules

    async def get_schedule(self, schedule_id: str) -> JsonObject | None:
        """GET /jobschedules/{id}."""
        return await self._get("get job schedule", schedule_id, f"/jobschedules/{quote(schedule_id)}")

    def list_schedules(self, *, select: str = "") -> AsyncIterator[JsonObject]:
        """GET /jobschedules."""
        return self._http.pages("list job schedules", "", "/jobschedules", select=select)

    async def create_schedule(self, body: JsonObject) -> None:
        """POST /jobschedules."""
        await self._create("job schedule", "/jobschedules", body, self.get_schedule)

    async def update_schedule(self, schedule_id: str, patch: JsonObject, *, if_match: str | None = None) -> None:
        """PATCH /jobschedules/{id}."""
        path = f"/jobschedules/{quote(schedule_id)}"
        await self._patch("update job schedule", schedule_id, path, patch, if_match, self.get_schedule)

    async def delete_schedule(self, schedule_id: str) -> bool:
        """DELETE /jobschedules/{id}; one that is being deleted already counts as deleted."""
        return await self._delete("delete job schedule", schedule_id, f"/jobschedules/{quote(schedule_id)}")

    def list_jobs_of_schedule(self, schedule_id: str, *, select: str = "") -> AsyncIterator[JsonObject]:
        """GET /jobschedules/{id}/jobs."""
        path = f"/jobschedules/{quote(schedule_id)}/jobs"
        return _until_gone(self._http.pages("list jobs of job schedule", schedule_id, path, select=select))

    async def task_counts(self, job_id: str) -> JsonObject | None:
        """GET /jobs/{id}/taskcounts."""
        return await self._get("count tasks of job", job_id, f"/jobs/{quote(job_id)}/taskcounts")

    # tasks

    def list_tasks(self, job_id: str, *, filter: str = "", select: str = "") -> AsyncIterator[JsonObject]:
        """GET /jobs/{id}/tasks."""
        path = f"/jobs/{quote(job_id)}/tasks"
        return _until_gone(self._http.pages("list tasks of job", job_id, path, filter=filter, select=select))

    async def get_task(self, job_id: str, task_id: str) -> JsonObject | None:
        """GET /jobs/{id}/tasks/{id}."""
        return await self._get("get task", f"{job_id}/{task_id}", _task_path(job_id, task_id))

    async def add_tasks(self, job_id: str, bodies: Sequence[JsonObject]) -> list[Added]:
        """POST /jobs/{id}/addtaskcollection; see `batch_tasks`."""
        return await add_tasks(self._http, job_id, bodies, self.get_task)

    async def update_task(self, job_id: str, task_id: str, body: JsonObject) -> None:
        """PUT /jobs/{id}/tasks/{id}."""
        await self._write("update task", f"{job_id}/{task_id}", Ask("PUT", _task_path(job_id, task_id), body=body))

    async def delete_task(self, job_id: str, task_id: str) -> bool:
        """DELETE /jobs/{id}/tasks/{id}."""
        return await self._delete("delete task", f"{job_id}/{task_id}", _task_path(job_id, task_id))

    async def reactivate_task(self, job_id: str, task_id: str) -> None:
        """POST /jobs/{id}/tasks/{id}/reactivate."""
        ask = Ask("POST", f"{_task_path(job_id, task_id)}/reactivate")
        await self._write("reactivate task", f"{job_id}/{task_id}", ask, settled=("TaskNotCompleted",))

    async def read_task_file(
        self, job_id: str, task_id: str, name: str, *, start: int = 0, tail: int | None = None, limit: int = 1 << 20
    ) -> TextPart | None:
        """GET /jobs/{id}/tasks/{id}/files/{name}."""
        path = f"{_task_path(job_id, task_id)}/files/{quote(name, safe='')}"
        return await read_file(self._http, f"{job_id}/{task_id}/{name}", path, start=start, tail=tail, limit=limit)

    async def read_node_file(
        self, pool_id: str, node_id: str, name: str, *, start: int = 0, tail: int | None = None, limit: int = 1 << 20
    ) -> TextPart | None:
        """GET /pools/{id}/nodes/{id}/files/{name}."""
        path = f"/pools/{quote(pool_id)}/nodes/{quote(node_id)}/files/{quote(name, safe='')}"
        return await read_file(self._http, f"{pool_id}/{node_id}/{name}", path, start=start, tail=tail, limit=limit)

    @property
    def clock_ahead(self) -> timedelta | None:
        """By the `Date` header of the last answer."""
        return self._http.clock_ahead

    # inside

    async def _get(self, operation: str, resource: str, path: str) -> Body | None:
        try:
            reply = await self._http.send(self._http.tries(operation, resource), Ask("GET", path))
        except ServiceRefused as refused:
            if _is_gone(refused):
                return None
            raise
        return reply.body

    async def _write(self, operation: str, resource: str, ask: Ask, *, settled: tuple[str, ...] = ()) -> Reply | None:
        """Send a write; None when a repeated one was refused with a code that says the first took effect."""
        tries = self._http.tries(operation, resource)
        try:
            return await self._http.send(tries, ask)
        except ServiceRefused as refused:
            if tries.repeated and refused.code in settled:
                return None
            raise

    async def _create(self, kind: str, path: str, body: JsonObject, get: Callable[[str], Any]) -> None:
        resource = str(body.get("id", ""))
        exists = f"{kind.title().replace(' ', '')}Exists"
        if await self._write(f"create {kind}", resource, Ask("POST", path, body=body), settled=(exists,)) is None:
            there = await get(resource) or {}
            if there.get("metadata") != body.get("metadata"):
                raise ServiceRefused(
                    f"another {kind} of that id was made meanwhile",
                    operation=f"create {kind}",
                    resource=resource,
                    status=409,
                    code=exists,
                    fix="run the command again",
                )

    async def _patch(
        self,
        operation: str,
        resource: str,
        path: str,
        patch: JsonObject,
        if_match: str | None,
        get: Callable[[str], Any],
    ) -> None:
        conditions = () if if_match is None else (("If-Match", _quoted(if_match)),)
        tries = self._http.tries(operation, resource)
        try:
            await self._http.send(tries, Ask("PATCH", path, body=patch, headers=conditions))
        except ServiceRefused as refused:
            there = await get(resource) if tries.repeated and refused.status == 412 else None
            if there is None or any(there.get(key) != value for key, value in patch.items()):
                raise

    async def _delete(self, operation: str, resource: str, path: str) -> bool:
        tries = self._http.tries(operation, resource)
        try:
            await self._http.send(tries, Ask("DELETE", path))
        except ServiceRefused as refused:
            if _is_gone(refused):
                return tries.repeated
            if refused.code not in ("PoolBeingDeleted", "JobBeingDeleted", "JobScheduleBeingDeleted"):
                raise
        return True


async def _until_gone(items: AsyncIterator[Body]) -> AsyncIterator[Body]:
    try:
        async for item in items:
            yield item
    except ServiceRefused as refused:
        if not _is_gone(refused):
            raise


def _is_gone(refused: ServiceRefused) -> bool:
    # A 404 without the service's code is something else: a wrong endpoint, a proxy's page.
    return (
        refused.status == 404 and refused.code.endswith("NotFound")
    ) or refused.code == "JobPreparationTaskNotSpecified"


def _task_path(job_id: str, task_id: str) -> str:
    return f"/jobs/{quote(job_id)}/tasks/{quote(task_id)}"


def _quoted(etag: str) -> str:
    return etag if etag.startswith('"') else f'"{etag}"'
