"""Operations on pools.

Place: named by the route table. In: a `Call`. Out: a `Reply`. Each checks what the service checks and leaves the work
to the fleet.
"""

import json
from functools import partial
from sqlite3 import Row
from typing import Any

from batchspec.engine import bodies
from batchspec.engine.call import Call, Reply, changed
from batchspec.engine.core import Core
from batchspec.engine.errors import BatchError, bad_value
from batchspec.engine.fleet import Fleet
from batchspec.engine.lifecycle import POOL
from batchspec.engine.lists import COUNT_FIELDS, POOL_FIELDS, page_of_items, page_of_rows
from batchspec.engine.stats import pool_stats
from batchspec.engine.store import json_text
from batchspec.engine.views import pool_of_version, pool_view, selected

_MAX_REMOVED = 100
# Source: Pool - Patch; the others may change only while the pool has no nodes.
_CHANGED_ANY_TIME = frozenset({"startTask", "metadata", "applicationPackageReferences"})

# The service's own spelling of the states in node counts.
_COUNTED_STATES = (  # noqa: SIM905 - words read better than quotes
    "creating deallocated deallocating idle leavingPool offline preempted rebooting reimaging running starting "
    "startTaskFailed unknown unusable waitingForStartTask upgradingOS"
).split()
_FIRST_WITH_DEALLOCATED = "2024-07-01.20.0"


class PoolApi:
    """Pool operations."""

    def __init__(self, core: Core, fleet: Fleet) -> None:
        self._core = core
        self._fleet = fleet

    async def create(self, call: Call) -> Reply:
        body = bodies.pool_body(call.body)
        pk = self._fleet.create(body)
        return changed(self._stamp(pk), location=f"{self._core.base_url}/pools/{body['id']}")

    async def list(self, call: Call) -> Reply:
        view, store = partial(self._view, call), self._core.store
        return page_of_rows(call, store, "pools", POOL_FIELDS, view, fragment="pools", stats=self._stats)

    async def get(self, call: Call) -> Reply:
        row = self._found(call)
        call.check_conditions(row["modified"])
        view = {**self._view(call, row), **({"stats": self._stats(row)} if call.expands_stats else {})}
        return Reply(selected(view, call.select), fragment="pools/@Element", stamp=row["modified"])

    async def exists(self, call: Call) -> Reply:
        row = self._found(call)
        call.check_conditions(row["modified"])
        return Reply(stamp=row["modified"])

    async def update(self, call: Call) -> Reply:
        row = self._to_change(call)
        change = bodies.check_pool_change(call.body)
        frozen = sorted(set(change) - _CHANGED_ANY_TIME)
        if frozen and self._fleet.nodes(row["pk"]):
            raise BatchError(
                "OperationInvalidForCurrentState",
                PropertyName=", ".join(frozen),
                Reason="These properties can be changed only while the pool has no nodes.",
            )
        return self._keep(row, {**json.loads(row["body"]), **change})

    async def replace(self, call: Call) -> Reply:
        row = self._to_change(call)
        change = bodies.check_pool_change(call.body)
        kept = {name: value for name, value in json.loads(row["body"]).items() if name not in _CHANGED_ANY_TIME}
        return self._keep(row, {**kept, **change})

    async def resize(self, call: Call) -> Reply:
        row = self._to_change(call)
        if json.loads(row["body"])["enableAutoScale"]:
            reason = "The pool scales automatically; disable that first."
            raise BatchError("OperationInvalidForCurrentState", Reason=reason)
        bodies.check_targets(call.body)
        bodies.check_resize_timeout(call.body)
        names = ("targetDedicatedNodes", "targetLowPriorityNodes", "resizeTimeout")
        change = {name: call.body[name] for name in names if name in call.body}
        if not {"targetDedicatedNodes", "targetLowPriorityNodes"} & change.keys():
            name = "targetDedicatedNodes and/or targetLowPriorityNodes"
            raise BatchError("MissingRequiredProperty", PropertyName=name)
        work = self._fleet.resize(row, change, call.body.get("nodeDeallocationOption", "requeue"))
        if work is not None:
            await self._core.brief(work)
        return changed(self._stamp(row["pk"]))

    async def stop_resize(self, call: Call) -> Reply:
        row = self._to_change(call)
        self._fleet.stop_resize(row)
        return changed(self._stamp(row["pk"]))

    async def remove_nodes(self, call: Call) -> Reply:
        row = self._to_change(call)
        ids: list[str] = call.body["nodeList"]
        bodies.check_resize_timeout(call.body)
        if not 1 <= len(ids) <= _MAX_REMOVED:
            raise bad_value("nodeList", len(ids), f"A request removes 1 to {_MAX_REMOVED} nodes.")
        nodes = self._fleet.nodes(row["pk"])
        if unknown := [node_id for node_id in ids if node_id not in nodes]:
            raise BatchError("NodeNotFound", NodeId=unknown[0])
        option = call.body.get("nodeDeallocationOption", "requeue")
        await self._core.brief(self._fleet.remove(row, ids, option, call.body.get("resizeTimeout")))
        return changed(self._stamp(row["pk"]))

    async def delete(self, call: Call) -> Reply:
        row = self._found(call)
        call.check_conditions(row["modified"])
        await self._fleet.delete(row)
        return Reply()

    async def node_counts(self, call: Call) -> Reply:
        pools = self._core.store.all("SELECT pk, id FROM pools ORDER BY id")
        items = (self._counts(row, call.version) for row in pools)
        return page_of_items(call, items, COUNT_FIELDS, key="poolId", fragment="poolnodecounts", most=10)

    def _counts(self, pool: Row, version: str) -> dict[str, Any]:
        counts = [dict.fromkeys([*_COUNTED_STATES, "total"], 0) for _ in range(2)]
        spelled = {name.lower(): name for name in _COUNTED_STATES}
        query = "SELECT dedicated, state, COUNT(*) FROM nodes WHERE pool = ? GROUP BY dedicated, state"
        for dedicated, state, number in self._core.store.all(query, pool["pk"]):
            counts[dedicated][spelled[state]] += number
            counts[dedicated]["total"] += number
        if version < _FIRST_WITH_DEALLOCATED:
            counts = [{name: n for name, n in one.items() if not name.startswith("deallocat")} for one in counts]
        return {"poolId": pool["id"], "dedicated": counts[1], "lowPriority": counts[0]}

    def _view(self, call: Call, row: Row) -> dict[str, Any]:
        view = pool_view(row, self._core.store, self._core.base_url)
        return pool_of_version(view, call.version)

    def _stats(self, row: Row) -> dict[str, Any]:
        store, url = self._core.store, f"{self._core.base_url}/pools/{row['id']}"
        return pool_stats(row, store, url, store.stamp())

    def _found(self, call: Call) -> Row:
        return find_pool(self._core, call.path["pool"])

    def _to_change(self, call: Call) -> Row:
        row = self._found(call)
        call.check_conditions(row["modified"])
        POOL.after(row["state"], "change")
        return row

    def _keep(self, row: Row, body: dict[str, Any]) -> Reply:
        self._core.store.update("pools", row["pk"], body=json_text(body), modified=self._core.store.stamp())
        self._fleet.obey(row["pk"], body)
        return changed(self._stamp(row["pk"]))

    def _stamp(self, pk: int) -> int:
        # A pool that shrank to nothing and was deleted at once has no row any more.
        row = self._core.store.find("SELECT modified FROM pools WHERE pk = ?", pk)
        return row["modified"] if row else self._core.store.stamp()


def find_pool(core: Core, pool_id: str) -> Row:
    """The pool with that id. Raises BatchError PoolNotFound."""
    row = core.store.find("SELECT * FROM pools WHERE id = ?", pool_id)
    if row is None:
        raise BatchError("PoolNotFound")
    return row
