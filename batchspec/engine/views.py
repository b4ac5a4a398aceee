"""Rows as the JSON objects the service returns.

Place: the last thing before a response. In: rows. Out: REST bodies (api-version 2025-06-01). Secrets that a client
sent (passwords, keys) are never given back, as at the service.
"""

import json
from collections.abc import Mapping, Sequence
from sqlite3 import Row
from typing import Any

from batchspec.engine.folders import job_path
from batchspec.engine.node import Node
from batchspec.engine.shapes import OLDER
from batchspec.engine.store import Store
from batchspec.engine.times import etag_from_ticks, text_from_ticks

_SSH = {
    "name": "SSHRule.0",
    "protocol": "tcp",
    "publicIPAddress": "127.0.0.1",
    "publicFQDN": "localhost",
    "frontendPort": 50000,
    "backendPort": 22,
}
_SECRETS = frozenset({"password", "accountKey", "sasKey", "sshPrivateKey", "protectedSettings"})


def pool_view(row: Row, store: Store, base_url: str) -> dict[str, Any]:
    """A pool, with its current node counts."""
    current = {True: 0, False: 0}
    for dedicated, number in store.all(
        "SELECT dedicated, COUNT(*) FROM nodes WHERE pool = ? GROUP BY dedicated", row["pk"]
    ):
        current[bool(dedicated)] = number
    return {
        "id": row["id"],
        "url": f"{base_url}/pools/{row['id']}",
        **identity(row),
        **transitions(row),
        "allocationState": row["allocation"],
        "allocationStateTransitionTime": text_from_ticks(row["allocation_time"]),
        **without_secrets(json.loads(row["body"])),
        "currentDedicatedNodes": current[True],
        "currentLowPriorityNodes": current[False],
    }


def task_view(row: Row, job_id: str, base_url: str) -> dict[str, Any]:
    """A task."""
    url = f"{base_url}/jobs/{job_id}/tasks/{row['id']}"
    view = {
        "id": row["id"],
        "url": url,
        **identity(row),
        **transitions(row),
        **without_secrets(json.loads(row["body"])),
        "executionInfo": _execution(row),
    }
    if row["node"] is not None:
        view["nodeInfo"] = node_info(row["node"], job_id, row["id"], base_url)
    return view


def _execution(row: Row) -> dict[str, Any]:
    info: dict[str, Any] = {"retryCount": row["retries"], "requeueCount": row["requeues"]}
    for name, column in (
        ("startTime", "started"),
        ("endTime", "ended"),
        ("lastRetryTime", "retried"),
        ("lastRequeueTime", "requeued"),
    ):
        if row[column] is not None:
            info[name] = text_from_ticks(row[column])
    # Between two attempts the last exit code is known, but the service shows it only of a completed task.
    if row["state"] == "completed":
        if row["exit_code"] is not None:
            info["exitCode"] = row["exit_code"]
        if row["failure"] is not None:
            info["failureInfo"] = json.loads(row["failure"])
        info["result"] = row["result"]
    return info


def node_info(place: str, job_id: str, task_id: str, base_url: str) -> dict[str, Any]:
    """Where a task runs or ran; `place` is `pool/node`."""
    pool_id, _, node_id = place.partition("/")
    node_url = f"{base_url}/pools/{pool_id}/nodes/{node_id}"
    folder = f"{job_path(job_id)}/{task_id}"
    return {
        "affinityId": f"TVM:{node_id}",
        "nodeUrl": node_url,
        "poolId": pool_id,
        "nodeId": node_id,
        "taskRootDirectory": folder,
        "taskRootDirectoryUrl": f"{node_url}/files/{folder}",
    }


def pool_of_version(view: dict[str, Any], version: str) -> dict[str, Any]:
    """A pool as an api-version knows it. Source: the differences of the OpenAPI documents."""
    if version >= "2025":
        return {name: value for name, value in view.items() if name not in OLDER["BatchPoolCreateOptions"]}
    policy = {name: value for name, value in view["taskSchedulingPolicy"].items() if name != "jobDefaultOrder"}
    shown = {**view, "taskSchedulingPolicy": policy}
    if version >= "2022-10":
        shown["currentNodeCommunicationMode"] = view.get("targetNodeCommunicationMode", "simplified").lower()
    return shown


def node_view(row: Row, node: Node | None, pool: Row, store: Store, base_url: str) -> dict[str, Any]:
    """A node; `node` is its running side, None when it has just gone."""
    pool_body = json.loads(pool["body"])
    url = f"{base_url}/pools/{pool['id']}/nodes/{row['id']}"
    booted = text_from_ticks(row["booted"] or row["created"])
    view = {
        "id": row["id"],
        "url": url,
        "state": row["state"],
        "schedulingState": "enabled" if row["scheduling"] else "disabled",
        "stateTransitionTime": text_from_ticks(row["state_time"]),
        "lastBootTime": booted,
        "allocationTime": text_from_ticks(row["created"]),
        "ipAddress": "127.0.0.1",
        "affinityId": f"TVM:{row['id']}",
        "endpointConfiguration": {"inboundEndpoints": [_SSH]},
        "vmSize": pool_body["vmSize"],
        "totalTasksRun": row["tasks_run"],
        "totalTasksSucceeded": row["tasks_succeeded"],
        "runningTasksCount": len(node.runs) if node else 0,
        "runningTaskSlotsCount": node.used_slots if node else 0,
        "isDedicated": bool(row["dedicated"]),
        "nodeAgentInfo": {"version": "1.12.2", "lastUpdateTime": booted},
        **without_secrets(json.loads(row["body"])),
    }
    if machine := pool_body.get("virtualMachineConfiguration"):
        view["virtualMachineInfo"] = {"imageReference": machine["imageReference"]}
    if node is not None and (recent := _recent_tasks(node, store, base_url)):
        view["recentTasks"] = recent
    return view


def _recent_tasks(node: Node, store: Store, base_url: str) -> list[dict[str, Any]]:
    keys = [*node.runs, *reversed(node.recent)]
    sql = "SELECT t.*, j.id AS job_id FROM tasks t JOIN jobs j ON j.pk = t.job WHERE t.pk = ?"
    rows = [row for key in keys if (row := store.find(sql, key)) is not None]
    return [
        {
            "taskUrl": f"{base_url}/jobs/{row['job_id']}/tasks/{row['id']}",
            "jobId": row["job_id"],
            "taskId": row["id"],
            "taskState": row["state"],
            "executionInfo": _execution(row),
        }
        for row in rows
    ]


def pool_body_of(pool: Row) -> dict[str, Any]:
    """A pool's definition."""
    body: dict[str, Any] = json.loads(pool["body"])
    return body


def selected(item: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Only the chosen top-level properties; all when none are chosen."""
    return {name: item[name] for name in names if name in item} if names else item


def identity(row: Row) -> dict[str, Any]:
    """The ETag and the times of a row."""
    return {
        "eTag": etag_from_ticks(row["modified"]),
        "lastModified": text_from_ticks(row["modified"]),
        "creationTime": text_from_ticks(row["created"]),
    }


def transitions(row: Row) -> dict[str, Any]:
    """The state a row is in since when, and the one before."""
    state = {"state": row["state"], "stateTransitionTime": text_from_ticks(row["state_time"])}
    if "previous" in row.keys() and row["previous"] is not None:  # noqa: SIM118 - a Row is no mapping
        state["previousState"] = row["previous"]
        state["previousStateTransitionTime"] = text_from_ticks(row["previous_time"])
    return state


def without_secrets(value: Any) -> Any:
    """What a client sent, but for passwords and keys."""
    if isinstance(value, Mapping):
        return {name: without_secrets(item) for name, item in value.items() if name not in _SECRETS}
    return [without_secrets(item) for item in value] if isinstance(value, list) else value
