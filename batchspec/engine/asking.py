"""A few questions to a running engine, over its REST service, as any client asks them.

Place: used by `daemon.py`, to see that the engine answers and what it does. In: port, account key. Out: JSON, or None
when it does not answer. It changes nothing; it imports little, because every `apply` waits for `start`.
"""

import base64
import hashlib
import hmac
import http.client
import json
import time
from collections.abc import Iterator, Mapping
from email.utils import formatdate
from typing import Any

from batchspec.engine.ports import HOST
from batchspec.engine.state_dir import BATCH_ACCOUNT

_API_VERSION = "2025-06-01"
# No fault that somebody asked for happens to the engine's own questions (`fault_injection.py`).
_OWN_HEADER = "batchspec-own"
_AT_REST = frozenset({"idle", "offline", "starttaskfailed", "unusable", "unknown", "preempted", "deallocated", "total"})


def get(port: int, key: str, path: str, *, timeout_s: float = 5.0) -> dict[str, Any] | None:
    """What an authenticated GET answers; None when nothing, or nobody with this key, answers."""
    status, answer = ask(port, key, "GET", path, timeout_s=timeout_s)
    return answer if status == 200 else None


def ask(
    port: int, key: str, method: str, path: str, body: Mapping[str, Any] | None = None, *, timeout_s: float = 5.0
) -> tuple[int, dict[str, Any]]:
    """Status and JSON object of an authenticated request's answer; status 0 when nobody answers."""
    date = formatdate(time.time(), usegmt=True)
    content = b"" if body is None else json.dumps(body).encode()
    length = "" if method == "GET" else str(len(content))
    lines = [method, "", "", length, *[""] * 8, f"ocp-date:{date}", f"/{BATCH_ACCOUNT}{path}"]
    signed = "\n".join([*lines, f"api-version:{_API_VERSION}"])
    signature = base64.b64encode(hmac.digest(base64.b64decode(key), signed.encode(), hashlib.sha256)).decode()
    headers = {"ocp-date": date, "Authorization": f"SharedKey {BATCH_ACCOUNT}:{signature}", _OWN_HEADER: "1"}
    connection = http.client.HTTPConnection(HOST, port, timeout=timeout_s)
    try:
        connection.request(method, f"{path}?api-version={_API_VERSION}", body=content or None, headers=headers)
        response = connection.getresponse()
        answer = json.loads(response.read() or b"{}")
    except (OSError, http.client.HTTPException, ValueError):
        return 0, {}
    finally:
        connection.close()
    return response.status, answer if isinstance(answer, dict) else {}


def answers(port: int, key: str) -> bool:
    """Whether the engine with this key answers on this port."""
    return get(port, key, "/nodecounts") is not None


def is_busy(port: int, key: str) -> bool:
    """Whether a node of the engine runs something, or is about to."""
    return any(
        number > 0 for counts in _node_counts(port, key) for state, number in counts.items() if state not in _AT_REST
    )


def counts(port: int, key: str) -> dict[str, int]:
    """How many pools, nodes and jobs the engine holds (a thousand at most of each), and how many nodes run tasks."""
    nodes = list(_node_counts(port, key))
    return {
        "pools": _length(get(port, key, "/pools")),
        "nodes": sum(each.get("total", 0) for each in nodes),
        "nodes running tasks": sum(each.get("running", 0) for each in nodes),
        "jobs": _length(get(port, key, "/jobs")),
    }


def _node_counts(port: int, key: str) -> Iterator[Mapping[str, int]]:
    for pool in (get(port, key, "/nodecounts") or {}).get("value", ()):
        for kind in ("dedicated", "lowPriority"):
            found = pool.get(kind) or {}
            yield {state.lower(): number for state, number in found.items() if isinstance(number, int)}


def _length(listing: dict[str, Any] | None) -> int:
    return len((listing or {}).get("value", ()))
