"""Operations that Azure does not have: faults on demand, preemption, quotas.

Place: named by the route table under `/.batchspec`, which is no path of the service; signed like any request. In: a
`Call`. Out: a `Reply`. `batchspec engine fault` is their client.
"""

from collections.abc import Collection

from batchspec.engine.call import Call, Reply
from batchspec.engine.core import Core
from batchspec.engine.errors import BatchError, bad_value
from batchspec.engine.fleet import Fleet
from batchspec.engine.lifecycle import NODE
from batchspec.engine.node import Node
from batchspec.engine.pool_api import find_pool

_ABSENT_S = 1.0
_MAX_ABSENT_S = 86_400


class AdminApi:
    """The engine's own operations."""

    def __init__(self, core: Core, fleet: Fleet, operations: Collection[str]) -> None:
        self._core = core
        self._fleet = fleet
        self._operations = operations

    async def faults(self, call: Call) -> Reply:
        body = {
            "value": [fault.view() for fault in self._core.faults.all],
            "quotas": self._core.quotas.body(),
            "changedQuotas": self._core.quotas != self._core.settings.quotas,
        }
        return Reply(body, fragment="faults")

    async def add_fault(self, call: Call) -> Reply:
        operation = call.body.get("operation")
        if operation is not None and operation not in self._operations:
            raise bad_value("operation", operation, f"The value must be one of {', '.join(sorted(self._operations))}.")
        return Reply(self._core.faults.add(call.body).view(), fragment="faults/@Element")

    async def reset_faults(self, call: Call) -> Reply:
        """All faults go, and the quotas are those of the start."""
        self._core.faults.reset()
        self._core.quotas = self._core.settings.quotas
        return Reply()

    async def reset_fault(self, call: Call) -> Reply:
        text = call.path["fault"]
        if not self._core.faults.reset(int(text) if text.isdigit() else -1):
            raise BatchError("ResourceNotFound")
        return Reply()

    async def change_quotas(self, call: Call) -> Reply:
        for name, value in call.body.items():
            if value < 0:
                raise bad_value(name, value, "The value must not be negative.")
        self._core.quotas = self._core.quotas.changed(call.body)
        return Reply(self._core.quotas.body(), fragment="quotas/@Element")

    async def preempt(self, call: Call) -> Reply:
        """Preempt one node, `count` nodes or all Spot nodes of a pool; those that can be are in the answer."""
        pool = find_pool(self._core, call.body["pool"])
        absent_s = call.body.get("absent", _ABSENT_S)
        if not 0 <= absent_s <= _MAX_ABSENT_S:
            raise bad_value("absent", absent_s, f"The value must be between 0 and {_MAX_ABSENT_S} seconds.")
        nodes = self._preemptible(pool["pk"], call.body.get("node"))
        chosen = nodes[: call.body.get("count", len(nodes))]
        with self._core.store.transaction():
            for node in chosen:
                node.preempt(absent_s)
        return Reply({"nodes": [node.id for node in chosen]}, fragment="preemption/@Element")

    def _preemptible(self, pool: int, wanted: str | None) -> list[Node]:
        nodes = self._fleet.nodes(pool)
        if wanted is None:
            spot = (node for node in nodes.values() if not node.is_dedicated)
            return [node for node in spot if (node.state, "preempt") in NODE.moves]
        if wanted not in nodes:
            raise BatchError("NodeNotFound")
        if nodes[wanted].is_dedicated:
            raise BatchError("OperationNotValidOnNode", Reason="Only Spot (low-priority) nodes are preempted.")
        return [nodes[wanted]]
