"""Jobs, job schedules, and what jobs prepare on nodes, as the JSON objects the service returns.

Place: beside `views.py`, the last thing before a response. In: rows. Out: REST bodies (api-version 2025-06-01).
"""

import json
from collections.abc import Iterator
from sqlite3 import Row
from typing import Any

from batchspec.engine.folders import job_path
from batchspec.engine.store import Store
from batchspec.engine.times import text_from_ticks
from batchspec.engine.views import identity, node_info, transitions, without_secrets

_KINDS = {"preparation": "jobPreparationTask", "release": "jobReleaseTask"}


def job_view(row: Row, base_url: str) -> dict[str, Any]:
    """A job."""
    body = json.loads(row["body"])
    info: dict[str, Any] = {"startTime": text_from_ticks(row["created"])}
    if row["ended"] is not None:
        info["endTime"] = text_from_ticks(row["ended"])
    if row["pool"] is not None:
        info["poolId"] = row["pool"]
    if "schedulingError" in body:
        info["schedulingError"] = body.pop("schedulingError")
    if row["reason"] is not None and row["state"] in ("terminating", "completed", "deleting"):
        info["terminateReason"] = row["reason"]
    return {
        "id": row["id"],
        "url": f"{base_url}/jobs/{row['id']}",
        **identity(row),
        **transitions(row),
        **without_secrets(body),
        "executionInfo": info,
    }


def schedule_view(row: Row, base_url: str) -> dict[str, Any]:
    """A job schedule."""
    info: dict[str, Any] = {}
    if row["due"] is not None and row["state"] == "active":
        info["nextRunTime"] = text_from_ticks(row["due"])
    if row["jobs"]:
        job_id = f"{row['id']}:job-{row['jobs']}"
        info["recentJob"] = {"id": job_id, "url": f"{base_url}/jobs/{job_id}"}
    if row["ended"] is not None:
        info["endTime"] = text_from_ticks(row["ended"])
    return {
        "id": row["id"],
        "url": f"{base_url}/jobschedules/{row['id']}",
        **identity(row),
        **transitions(row),
        **without_secrets(json.loads(row["body"])),
        "executionInfo": info,
    }


def preparation_views(job: Row, store: Store, base_url: str) -> Iterator[dict[str, Any]]:
    """The preparation and release of a job, one object per node that has run either, in the order of the nodes' ids."""
    body = json.loads(job["body"])
    rows: dict[str, list[Row]] = {}
    for row in store.all("SELECT * FROM preparations WHERE job = ?", job["pk"]):
        rows.setdefault(row["node"], []).append(row)
    for place in sorted(rows, key=lambda place: place.partition("/")[2]):
        pool_id, _, node_id = place.partition("/")
        node_url = f"{base_url}/pools/{pool_id}/nodes/{node_id}"
        infos = {f"{_KINDS[row['kind']]}ExecutionInfo": _run(row, job["id"], body, node_url) for row in rows[place]}
        yield {"poolId": pool_id, "nodeId": node_id, "nodeUrl": node_url, **infos}


def _run(row: Row, job_id: str, body: dict[str, Any], node_url: str) -> dict[str, Any]:
    folder = f"{job_path(job_id)}/{body[_KINDS[row['kind']]]['id']}"
    info: dict[str, Any] = {
        "state": row["state"],
        "startTime": text_from_ticks(row["started"]),
        "taskRootDirectory": folder,
        "taskRootDirectoryUrl": f"{node_url}/files/{folder}",
        **_ending(row),
    }
    if row["kind"] == "preparation":
        info["retryCount"] = row["retries"]
        if row["retried"] is not None:
            info["lastRetryTime"] = text_from_ticks(row["retried"])
    return info


def _ending(row: Row) -> dict[str, Any]:
    ending: dict[str, Any] = {}
    if row["ended"] is not None:
        ending["endTime"] = text_from_ticks(row["ended"])
        ending["result"] = row["result"]
    if row["exit_code"] is not None:
        ending["exitCode"] = row["exit_code"]
    if row["failure"] is not None:
        ending["failureInfo"] = json.loads(row["failure"])
    return ending


def subtask_views(task: Row, job: Row, store: Store, base_url: str) -> list[dict[str, Any]]:
    """The subtasks of a multi-instance task, in the order of their ids; empty when it has none."""
    rows = store.all("SELECT * FROM subtasks WHERE task = ? ORDER BY number", task["pk"])
    return [_subtask(row, task["id"], job["id"], base_url) for row in rows]


def _subtask(row: Row, task_id: str, job_id: str, base_url: str) -> dict[str, Any]:
    view = {
        "id": row["number"],
        "nodeInfo": node_info(row["node"], job_id, f"{task_id}/{row['number']}", base_url),
        **transitions(row),
        **_ending(row),
    }
    if row["started"] is not None:
        view["startTime"] = text_from_ticks(row["started"])
    return view
