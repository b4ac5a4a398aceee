"""Operations on nodes.

Place: named by the route table. In: a `Call`. Out: a `Reply`. The work is the node's.
"""

import json
from sqlite3 import Row
from typing import Any, Literal

from batchspec.engine.call import Call, Reply, changed
from batchspec.engine.core import Core
from batchspec.engine.errors import BatchError
from batchspec.engine.fleet import Fleet
from batchspec.engine.lifecycle import NODE
from batchspec.engine.lists import NODE_FIELDS, page_of_items
from batchspec.engine.node import Node
from batchspec.engine.pool_api import find_pool
from batchspec.engine.task_run import Stop
from batchspec.engine.views import node_view, selected

_STOPS: dict[str, Stop] = {"requeue": "requeue", "terminate": "terminate"}


class NodeApi:
    """Node operations."""

    def __init__(self, core: Core, fleet: Fleet) -> None:
        self._core = core
        self._fleet = fleet

    async def list(self, call: Call) -> Reply:
        pool = find_pool(self._core, call.path["pool"])
        rows = self._core.store.all("SELECT * FROM nodes WHERE pool = ? ORDER BY id", pool["pk"])
        items = (self._view(row, pool) for row in rows)
        return page_of_items(call, items, NODE_FIELDS, key="id", fragment="nodes")

    async def get(self, call: Call) -> Reply:
        pool, node = self._found(call)
        row = self._core.store.one("SELECT * FROM nodes WHERE pk = ?", node.pk)
        view = selected(self._view(row, pool), call.select)
        return Reply(view, fragment="nodes/@Element", stamp=row["state_time"])

    async def reboot(self, call: Call) -> Reply:
        return self._restart(call, "reboot", call.body.get("nodeRebootOption", "requeue"))

    async def reimage(self, call: Call) -> Reply:
        return self._restart(call, "reimage", call.body.get("nodeReimageOption", "requeue"))

    def _restart(self, call: Call, event: Literal["reboot", "reimage"], option: Any) -> Reply:
        pool, node = self._found(call)
        node.restart(event, option, json.loads(pool["body"]))
        return changed(self._core.store.stamp())

    async def deallocate(self, call: Call) -> Reply:
        _, node = self._found(call)
        node.deallocate(call.body.get("nodeDeallocateOption", "requeue"))
        return changed(self._core.store.stamp())

    async def start(self, call: Call) -> Reply:
        _, node = self._found(call)
        await self._core.brief(node.resume())
        return changed(self._core.store.stamp())

    async def disable_scheduling(self, call: Call) -> Reply:
        option = call.body.get("nodeDisableSchedulingOption", "requeue")
        return self._schedule(call, False, _STOPS.get(option))

    async def enable_scheduling(self, call: Call) -> Reply:
        return self._schedule(call, True, None)

    def _schedule(self, call: Call, enabled: bool, stop: Stop | None) -> Reply:
        _, node = self._found(call)
        NODE.after(node.state, "schedule")
        if node.schedules == enabled:
            raise BatchError("NodeAlreadyInTargetSchedulingState")
        node.set_scheduling(enabled, stop)
        return changed(self._core.store.stamp())

    def _view(self, row: Row, pool: Row) -> dict[str, Any]:
        node = self._fleet.nodes(pool["pk"]).get(row["id"])
        return node_view(row, node, pool, self._core.store, self._core.base_url)

    def _found(self, call: Call) -> tuple[Row, Node]:
        return find_node(self._core, self._fleet, call)


def find_node(core: Core, fleet: Fleet, call: Call) -> tuple[Row, Node]:
    """The pool and the node a path names. Raises BatchError PoolNotFound, NodeNotFound."""
    pool = find_pool(core, call.path["pool"])
    node = fleet.nodes(pool["pk"]).get(call.path["node"])
    if node is None:
        raise BatchError("NodeNotFound")
    return pool, node
