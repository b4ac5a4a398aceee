"""Pools, jobs, schedules and tasks for the tests of the suite: made with the least that works, deleted afterwards."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from tests.conformance.account import IMAGE, PATIENCE_S, VM_SIZE, new_id
from tests.conformance.wire import Raw

T = TypeVar("T")


def wait_for(read: Callable[[], T], is_done: Callable[[T], bool]) -> T:
    """Read until it is as wanted; fail with what was read last."""
    end = time.monotonic() + PATIENCE_S
    while not is_done(value := read()):
        assert time.monotonic() < end, f"still not so after {PATIENCE_S} s: {value!r}"
        time.sleep(0.02)
    return value


class Things:
    """Makes what a test needs through requests by hand, so that the client under test does only what it is about."""

    def __init__(self, raw: Raw) -> None:
        self._raw = raw
        self._made: list[str] = []

    def pool(self, *, nodes: int = 0, **properties: Any) -> str:
        """The id of a new pool; it is steady and its nodes are idle."""
        body = {"id": new_id("pool"), "vmSize": VM_SIZE, "virtualMachineConfiguration": IMAGE}
        path = self._create("/pools", {**body, "targetDedicatedNodes": nodes, **properties})
        wait_for(lambda: self.get(path), lambda pool: pool["allocationState"] == "steady")
        if nodes:
            self.nodes_in("idle", pool=path.rpartition("/")[2], least=nodes)
        return path.rpartition("/")[2]

    def nodes_in(self, *states: str, pool: str, least: int = 0) -> list[Any]:
        """The nodes of a pool, once each is in one of the states and there are enough of them."""

        def is_so(nodes: list[Any]) -> bool:
            return len(nodes) >= least and all(node["state"] in states for node in nodes)

        return wait_for(lambda: list(self.get(f"/pools/{pool}/nodes")["value"]), is_so)

    def job(self, pool: str, **properties: Any) -> str:
        """The id of a new job."""
        body = {"id": new_id("job"), "poolInfo": {"poolId": pool}, **properties}
        return self._create("/jobs", body).rpartition("/")[2]

    def schedule(self, pool: str, **properties: Any) -> str:
        """The id of a new job schedule; without properties it never starts a job."""
        body = {
            "id": new_id("schedule"),
            "schedule": {"doNotRunUntil": "2099-01-01T00:00:00Z"},
            "jobSpecification": {"poolInfo": {"poolId": pool}},
            **properties,
        }
        return self._create("/jobschedules", body).rpartition("/")[2]

    def task(self, job: str, command_line: str = "/bin/true", **properties: Any) -> str:
        """The id of a new task."""
        body = {"id": new_id("task"), "commandLine": command_line, **properties}
        made = self._raw.send("POST", f"/jobs/{job}/tasks", body)
        assert made.status == 201, made.body
        return str(body["id"])

    def completed(self, job: str, task: str) -> Any:
        """The task, once it is completed."""
        return self.task_in("completed", job, task)

    def task_in(self, state: str, job: str, task: str) -> Any:
        """The task, once it is in the state."""
        return wait_for(lambda: self.get(f"/jobs/{job}/tasks/{task}"), lambda item: item["state"] == state)

    def get(self, path: str) -> Any:
        """A resource that is there, as JSON."""
        got = self._raw.send("GET", path)
        assert got.status == 200, got.body
        return got.body

    def delete_all(self) -> None:
        """Delete what was made and is still there."""
        for path in reversed(self._made):
            deleted = self._raw.send("DELETE", path)
            assert deleted.status in (202, 404, 409), deleted.body

    def also_delete(self, path: str) -> None:
        """Delete something else at the end, too."""
        self._made.append(path)

    def _create(self, collection: str, body: dict[str, Any]) -> str:
        made = self._raw.send("POST", collection, body)
        assert made.status == 201, made.body
        self._made.append(f"{collection}/{body['id']}")
        return f"{collection}/{body['id']}"
