"""Job preparation and job release tasks: what a job runs on a node before its first task there and after its last.

Place: beside the jobs. Task runs wait here for the preparation of their node, the scheduler asks which nodes are
barred, a job that ends has its releases run here. In: job rows, places. Out: rows of `preparations`. It never changes
a task.

Decisions:
- A preparation counts as long as its node has not booted since; `rerunOnNodeRebootAfterSuccess: false` keeps a success
  over a reboot (a reimaged node lost it with its folders).
- A preparation that failed bars the node for the job until it boots again ("batch-job-task-error-checking").
- Releases run on nodes where the preparation completed (and had to succeed, if it was waited for), in parallel, outside
  the task slots, once; their failure changes nothing for the job.
"""

import asyncio
import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from sqlite3 import Row
from typing import Any

from batchspec.engine.attempt import Attempt, Work, called_off, stoppable
from batchspec.engine.core import Core
from batchspec.engine.environment import Place, environment
from batchspec.engine.folders import job_folder
from batchspec.engine.lifecycle import Outcome, is_retried
from batchspec.engine.store import json_text
from batchspec.engine.times import seconds_from_duration

_CURRENT = """
SELECT p.*, n.booted FROM preparations p JOIN nodes n ON n.id = substr(p.node, instr(p.node, '/') + 1)
WHERE p.job = ? AND p.kind = 'preparation'
"""
_AT_WORK = ("idle", "running", "offline")


@dataclass(slots=True)
class _Going:
    """A preparation that is going on, and how many task runs wait for it."""

    work: "asyncio.Task[bool]"
    waiters: int = 0


class Preparations:
    """The preparation and release tasks of all jobs."""

    def __init__(self, core: Core, state_id: str) -> None:
        self._core = core
        self._state_id = state_id
        self._going: dict[tuple[int, str], _Going] = {}
        self._releases: dict[int, asyncio.Task[None]] = {}

    # -- before the first task

    def states(self, job: Row) -> dict[str, str]:
        """`ready` or `barred` by node (`pool/node`) for a job with a preparation task; others are to be prepared."""
        body = json.loads(job["body"]).get("jobPreparationTask")
        if body is None:
            return {}
        found: dict[str, str] = {}
        for row in self._core.store.all(_CURRENT, job["pk"]):
            if row["state"] == "completed" and self._counts(row, job, body):
                is_ready = row["result"] == "success" or not body["waitForSuccess"]
                found[row["node"]] = "ready" if is_ready else "barred"
        return found

    def _counts(self, row: Row, job: Row, body: dict[str, Any]) -> bool:
        if row["booted"] is None or row["started"] >= row["booted"]:
            return True
        folder = job_folder(self._core.nodes_dir / row["node"], job["id"]) / body["id"]
        return row["result"] == "success" and not body["rerunOnNodeRebootAfterSuccess"] and folder.is_dir()

    async def prepare(self, job: Row, place: Place) -> bool:
        """Run the job's preparation here unless it has been; whether tasks of the job may run here.

        Several task runs wait for one preparation; when all have been cancelled it ends.
        """
        node = f"{place.pool_id}/{place.node_id}"
        state = self.states(job).get(node)
        if state is not None:
            return state == "ready"
        body = json.loads(job["body"])["jobPreparationTask"]
        going = self._going.get((job["pk"], node))
        if going is None:
            work = asyncio.get_running_loop().create_task(self._prepare(job, body, place, node))
            going = self._going[job["pk"], node] = _Going(work)
            work.add_done_callback(lambda _: self._going.pop((job["pk"], node), None))
        if not body["waitForSuccess"]:
            return True
        going.waiters += 1
        try:
            return await asyncio.shield(going.work)
        finally:
            going.waiters -= 1
            if not going.waiters:
                going.work.cancel()

    async def _prepare(self, job: Row, body: dict[str, Any], place: Place, node: str) -> bool:
        limit = body["constraints"]["maxTaskRetryCount"]
        wall_clock_s = seconds_from_duration(body["constraints"]["maxWallClockTime"])
        await self._core.written(partial(self._begin, job["pk"], node, "preparation"))
        retries = 0
        while True:
            work = self._work(job, body, place, "preparation", retries, wall_clock_s)
            outcome = await stoppable(Attempt(work, self._core.carrier))
            if not is_retried(outcome, retries=retries, limit=limit):
                break
            retries += 1
            await self._core.written(partial(self._retry, job["pk"], node))
        await self._core.written(partial(self._end, job["pk"], node, "preparation", outcome))
        return outcome.failure is None

    # -- after the last task

    async def release(self, job: Row, *, force: bool = False) -> None:
        """End what prepares and run the job's release task where it was prepared; returns when all have ended.

        Forced, what releases is ended too, and nothing more is run.
        """
        for (pk, _), going in list(self._going.items()):
            if pk == job["pk"]:
                going.work.cancel()
                await asyncio.wait({going.work})
        body = json.loads(job["body"]).get("jobReleaseTask")
        if body is None:
            return
        work = self._releases.get(job["pk"])
        if force:
            await called_off(work)
            return
        if work is None:
            work = self._releases[job["pk"]] = self._core.spawn(self._release(job, body))
            work.add_done_callback(lambda _: self._releases.pop(job["pk"], None))
        await asyncio.wait({work})

    async def _release(self, job: Row, body: dict[str, Any]) -> None:
        places = [place for row in self._released_rows(job) if (place := self._place(row["node"])) is not None]
        await asyncio.gather(*(self._release_node(job, body, place) for place in places))

    def _released_rows(self, job: Row) -> list[Row]:
        sql = (
            "SELECT p.node FROM preparations p LEFT JOIN preparations r "
            "ON r.job = p.job AND r.node = p.node AND r.kind = 'release' "
            "WHERE p.job = ? AND p.kind = 'preparation' AND p.state = 'completed' "
            "AND (p.result = 'success' OR ?) AND (r.state IS NULL OR r.state <> 'completed')"
        )
        waits = json.loads(job["body"])["jobPreparationTask"]["waitForSuccess"]
        return self._core.store.all(sql, job["pk"], not waits)

    def _place(self, node: str) -> Place | None:
        pool_id, _, node_id = node.partition("/")
        row = self._core.store.find("SELECT * FROM nodes WHERE id = ?", node_id)
        if row is None or row["state"] not in _AT_WORK:
            return None
        core = self._core
        root = core.nodes_dir / pool_id / node_id
        return Place(root, core.settings.account, core.base_url, pool_id, node_id, bool(row["dedicated"]))

    async def _release_node(self, job: Row, body: dict[str, Any], place: Place) -> None:
        node = f"{place.pool_id}/{place.node_id}"
        await self._core.written(partial(self._begin, job["pk"], node, "release"))
        wall_clock_s = seconds_from_duration(body["maxWallClockTime"])
        work = self._work(job, body, place, "release", 0, wall_clock_s)
        outcome = await stoppable(Attempt(work, self._core.carrier))
        await self._core.written(partial(self._end, job["pk"], node, "release", outcome))

    # -- both

    def _work(self, job: Row, body: dict[str, Any], place: Place, kind: str, retry: int, wall_clock_s: float) -> Work:
        folder = job_folder(place.root, job["id"]) / body["id"]
        job_body = json.loads(job["body"])
        self._core.mind_elevation(body["userIdentity"])
        common, own = job_body.get("commonEnvironmentSettings", ()), body.get("environmentSettings", ())
        more = preparation_variables(place.root, job["id"], job_body) if kind == "release" else {}
        return Work(
            command_line=body["commandLine"],
            folder=folder,
            env=environment(place, folder, common, own, job_id=job["id"], task_id=body["id"], more=more),
            mark=f"{self._state_id}/{place.pool_id}/{place.node_id}/{job['id']}/{kind}/{body['id']}/{retry}",
            resource_files=body.get("resourceFiles", ()),
            wall_clock_s=None if wall_clock_s == float("inf") else wall_clock_s,
            container=self._core.containers.of(body, root=place.root),
        )

    def _begin(self, job: int, node: str, kind: str) -> None:
        sql = "INSERT OR REPLACE INTO preparations(job, node, kind, state, started) VALUES(?, ?, ?, 'running', ?)"
        self._core.store.run(sql, job, node, kind, self._core.store.stamp())

    def _retry(self, job: int, node: str) -> None:
        sql = "UPDATE preparations SET retries = retries + 1, retried = ? WHERE job = ? AND node = ? AND kind = ?"
        self._core.store.run(sql, self._core.store.stamp(), job, node, "preparation")

    def _end(self, job: int, node: str, kind: str, outcome: Outcome) -> None:
        self._core.store.run(
            "UPDATE preparations SET state = 'completed', ended = ?, exit_code = ?, result = ?, failure = ? "
            "WHERE job = ? AND node = ? AND kind = ?",
            self._core.store.stamp(),
            outcome.exit_code,
            outcome.result,
            json_text(outcome.failure.body()) if outcome.failure else None,
            job,
            node,
            kind,
        )

    async def stop(self) -> None:
        """End every preparation; the task that waits for it runs it anew."""
        works = {going.work for going in self._going.values()}
        for work in works:
            work.cancel()
        if works:
            await asyncio.wait(works)


def preparation_variables(root: Path, job_id: str, job_body: dict[str, Any]) -> dict[str, str]:
    """Where a job's tasks find what its preparation left; empty without one."""
    body = job_body.get("jobPreparationTask")
    if body is None:
        return {}
    folder = job_folder(root, job_id) / body["id"]
    return {"AZ_BATCH_JOB_PREP_DIR": str(folder), "AZ_BATCH_JOB_PREP_WORKING_DIR": f"{folder}/wd"}
