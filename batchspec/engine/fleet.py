"""The pools and their nodes: growing, shrinking, deleting, coming back after a restart.

Place: under the pool and node handlers; the scheduler takes nodes from here. In: pool rows, targets. Out: nodes. The
database is the truth; the objects here are its running side.
"""

import asyncio
import json
import logging
import secrets
from collections.abc import Callable, Sequence
from sqlite3 import Row
from typing import Any

from batchspec.engine.clock import Timer
from batchspec.engine.core import Core
from batchspec.engine.errors import BatchError
from batchspec.engine.lifecycle import ALLOCATION, POOL
from batchspec.engine.machine import cores
from batchspec.engine.node import Node, Vacate
from batchspec.engine.quotas import UNLIMITED
from batchspec.engine.store import json_text
from batchspec.engine.times import seconds_from_duration

_log = logging.getLogger("batchspec.engine")

MAX_NODES = 1_000
"""The account's quota over all pools: each node is a folder and a few objects, and they share one machine."""

_LEAVING_ORDER = {
    "unusable": 0,
    "starttaskfailed": 0,
    "deallocated": 0,
    "preempted": 0,
    "offline": 1,
    "idle": 1,
    "running": 3,
}

_QUOTA = {
    "code": "AccountCoreQuotaReached",
    "message": "The specified account has reached core quota",
    "values": [{"name": "LocalEngineNodeLimit", "value": str(MAX_NODES)}],
}


def _quota_reached(dedicated: bool, most: int) -> dict[str, Any]:
    kind = "core" if dedicated else "low-priority core"
    return {
        "code": "AccountCoreQuotaReached" if dedicated else "AccountLowPriorityCoreQuotaReached",
        "message": f"The specified account has reached {kind} quota",
        "values": [{"name": "Quota", "value": str(most)}],
    }


_ABANDONED = {
    "ResizeStopped": "Desired number of nodes could not be allocated as the resize was stopped",
    "AllocationTimedout": "Desired number of dedicated nodes could not be allocated before the resize timeout",
}


class Pool:
    """The running side of a pool."""

    def __init__(self, row: Row) -> None:
        body = json.loads(row["body"])
        self.pk: int = row["pk"]
        self.id: str = row["id"]
        self.nodes: dict[str, Node] = {}
        self.abandoned: asyncio.Future[str] | None = None
        self.packs = False
        self.slots = 1
        self.communicates = False
        self.oldest_job_first = False
        self.obey(body)

    def obey(self, body: dict[str, Any]) -> None:
        """Take over the pool's scheduling properties."""
        self.packs = body["taskSchedulingPolicy"]["nodeFillType"].lower() == "pack"
        self.slots = body["taskSlotsPerNode"]
        self.communicates = body["enableInterNodeCommunication"]
        self.oldest_job_first = body["taskSchedulingPolicy"].get("jobDefaultOrder") == "creationtime"

    @property
    def members(self) -> Sequence[Node]:
        return list(self.nodes.values())


class Fleet:
    """All pools of the engine; `scale` is told of new ones that size themselves."""

    def __init__(self, core: Core, state_id: str) -> None:
        self._core = core
        self._state_id = state_id
        self._pools: dict[int, Pool] = {}
        self.scale: Callable[[int], None] = lambda pool: None

    @property
    def active_pools(self) -> Sequence[Pool]:
        return list(self._pools.values())

    def nodes(self, pool: int) -> dict[str, Node]:
        """The nodes of a pool by id, empty when it is gone."""
        return self._pools[pool].nodes if pool in self._pools else {}

    def obey(self, pool: int, body: dict[str, Any]) -> None:
        """Take over changed scheduling properties."""
        self._pools[pool].obey(body)
        self._core.wake()

    # -- after a restart

    def recover(self) -> None:
        """Bring back every pool and node as the database has them; go on with what was interrupted."""
        for row in self._core.store.all("SELECT * FROM pools"):
            pool = self._pools[row["pk"]] = Pool(row)
            body = json.loads(row["body"])
            for node_row in self._core.store.all("SELECT * FROM nodes WHERE pool = ? ORDER BY pk", row["pk"]):
                node = pool.nodes[node_row["id"]] = self._node(pool, node_row)
                node.recover(body)
            if row["state"] == "deleting":
                self._core.spawn(self._remove_pool(pool))
            elif row["allocation"] != "steady":
                self._core.spawn(self._shrink(pool, self._leaving(pool), "requeue", None))

    def _leaving(self, pool: Pool) -> list[Node]:
        return [node for node in pool.nodes.values() if node.state == "leavingpool"]

    def _node(self, pool: Pool, row: Row) -> Node:
        return Node(self._core, row, pool.id, pool.slots, self._state_id)

    # -- growing and shrinking

    def create(self, body: dict[str, Any]) -> int:
        """Make a pool of a body that `bodies.pool_body` made; return its key. Raises BatchError (409)."""
        store = self._core.store
        if existing := store.find("SELECT state FROM pools WHERE id = ?", body["id"]):
            raise BatchError("PoolBeingDeleted" if existing["state"] == "deleting" else "PoolExists")
        self._core.quotas.check_pools(store)
        now = store.stamp()
        with store.transaction():
            pk = store.insert(
                "pools",
                id=body["id"],
                state="active",
                state_time=now,
                allocation="steady",
                allocation_time=now,
                created=now,
                modified=now,
                body=json_text({name: value for name, value in body.items() if name != "id"}),
            )
            row = store.one("SELECT * FROM pools WHERE pk = ?", pk)
            self._pools[pk] = Pool(row)
            self.resize(row, {})
        if body["enableAutoScale"]:
            self.scale(pk)
        return pk

    def resize(self, row: Row, change: dict[str, Any], option: Vacate = "requeue") -> "asyncio.Task[None] | None":
        """Set targets and grow at once; what must shrink does so in the background, in the returned work.

        `change` holds the targets to change. Raises BatchError (409) unless the pool is steady.
        """
        pool = self._pools[row["pk"]]
        body = {**json.loads(row["body"]), **change}
        body.pop("resizeErrors", None)
        leaving: list[Node] = []
        with self._core.store.transaction():
            self._allocate(row["pk"], "resize")
            for dedicated, name in ((True, "targetDedicatedNodes"), (False, "targetLowPriorityNodes")):
                present = [node for node in pool.nodes.values() if node.is_dedicated == dedicated]
                missing = body[name] - len(present)
                if missing > 0 and (error := self._refusal(missing, dedicated, body)):
                    body["resizeErrors"] = [*body.get("resizeErrors", ()), error]
                elif missing > 0:
                    self._grow(pool, missing, dedicated, body)
                leaving += sorted(present, key=_leaving_rank)[: max(-missing, 0)]
            return self._begin_shrink(pool, leaving, option, body)

    def remove(self, row: Row, node_ids: Sequence[str], option: Vacate, timeout: str | None) -> "asyncio.Task[None]":
        """Remove chosen nodes and lower the targets by them; the returned work ends when they are gone."""
        pool = self._pools[row["pk"]]
        leaving = [pool.nodes[node_id] for node_id in dict.fromkeys(node_ids)]
        body = json.loads(row["body"])
        body.pop("resizeErrors", None)
        for node in leaving:
            name = "targetDedicatedNodes" if node.is_dedicated else "targetLowPriorityNodes"
            body[name] = max(body[name] - 1, 0)
        with self._core.store.transaction():
            self._allocate(row["pk"], "remove")
            work = self._begin_shrink(
                pool, leaving, option, {**body, "resizeTimeout": timeout or body["resizeTimeout"]}
            )
        assert work is not None
        return work

    def stop_resize(self, row: Row) -> None:
        """Keep the nodes that have not left yet; nothing when no resize is going on. Raises BatchError (409)."""
        # Here most resizes are done before a client could stop them, so one that is over is no fault of the caller.
        if row["allocation"] == "steady":
            return
        self._allocate(row["pk"], "stop")
        self._abandon(self._pools[row["pk"]], "ResizeStopped")

    def _refusal(self, missing: int, dedicated: bool, body: dict[str, Any]) -> dict[str, Any] | None:
        """Why so many more nodes cannot be had: the account's cores, or what this machine can hold."""
        per_node, most = cores(body["vmSize"]), self._core.quotas.cores(dedicated=dedicated)
        sql = "SELECT p.body FROM nodes n JOIN pools p ON p.pk = n.pool WHERE n.dedicated = ?"
        if most < UNLIMITED:
            used = sum(cores(json.loads(row["body"])["vmSize"]) for row in self._core.store.all(sql, dedicated))
            if used + missing * per_node > most:
                return _quota_reached(dedicated, most)
        room = MAX_NODES - self._core.store.one("SELECT COUNT(*) FROM nodes")[0]
        return _QUOTA if missing > room else None

    def _grow(self, pool: Pool, count: int, dedicated: bool, body: dict[str, Any]) -> None:
        for _ in range(count):
            row = self._new_node(pool, dedicated)
            node = pool.nodes[row["id"]] = self._node(pool, row)
            node.boot(body)

    def _new_node(self, pool: Pool, dedicated: bool) -> Row:
        now = self._core.store.stamp()
        pk = self._core.store.insert(
            "nodes",
            pool=pool.pk,
            id=f"tvmps_{secrets.token_hex(32)}_{'d' if dedicated else 'p'}",
            dedicated=int(dedicated),
            state="creating",
            state_time=now,
            created=now,
            body="{}",
        )
        return self._core.store.one("SELECT * FROM nodes WHERE pk = ?", pk)

    def _begin_shrink(
        self, pool: Pool, leaving: list[Node], option: Vacate, body: dict[str, Any]
    ) -> "asyncio.Task[None] | None":
        for node in leaving:
            node.leave()
        self._core.store.update("pools", pool.pk, body=json_text(body), modified=self._core.store.stamp())
        if not leaving:
            self._allocate(pool.pk, "settle")
            return None
        timeout_s = seconds_from_duration(body["resizeTimeout"])
        return self._core.spawn(self._shrink(pool, leaving, option, timeout_s))

    async def _shrink(self, pool: Pool, leaving: Sequence[Node], option: Vacate, timeout_s: float | None) -> None:
        pool.abandoned = asyncio.get_running_loop().create_future()
        timer: Timer | None = None
        if timeout_s is not None and timeout_s != float("inf"):
            timer = self._core.clock.call_later(timeout_s, lambda: self._abandon(pool, "AllocationTimedout"))
        works = [self._core.spawn(self._see_off(pool, node, option)) for node in leaving]
        try:
            everyone = asyncio.gather(*works, return_exceptions=True)
            waited: set[asyncio.Future[Any]] = {everyone, pool.abandoned}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if timer is not None:
                timer.cancel()
        reason = pool.abandoned.result() if pool.abandoned.done() else None
        pool.abandoned = None
        await self._settle(pool, works, reason)

    async def _settle(self, pool: Pool, works: Sequence["asyncio.Task[None]"], reason: str | None) -> None:
        for work in works:
            work.cancel()
        if works:
            await asyncio.wait(works)
        row = self._core.store.find("SELECT * FROM pools WHERE pk = ?", pool.pk)
        if row is None or row["state"] == "deleting":
            return
        with self._core.store.transaction():
            for node in self._leaving(pool):
                node.stay()
            if reason is not None:
                error = {"code": reason, "message": _ABANDONED[reason], "values": []}
                body = {**json.loads(row["body"]), "resizeErrors": [error]}
                self._core.store.update("pools", pool.pk, body=json_text(body))
            self._allocate(pool.pk, "settle")

    async def _see_off(self, pool: Pool, node: Node, option: Vacate) -> None:
        await node.stop_boot()
        await node.vacate(option)
        self._core.store.run("DELETE FROM nodes WHERE pk = ?", node.pk)
        self._core.store.run("DELETE FROM node_users WHERE node = ?", node.id)
        del pool.nodes[node.id]
        self._core.discard(node.root)

    def _abandon(self, pool: Pool, reason: str) -> None:
        if pool.abandoned is not None and not pool.abandoned.done():
            pool.abandoned.set_result(reason)

    def _allocate(self, pk: int, event: str) -> None:
        row = self._core.store.one("SELECT allocation FROM pools WHERE pk = ?", pk)
        state = ALLOCATION.after(row["allocation"], event)
        now = self._core.store.stamp()
        self._core.store.update("pools", pk, allocation=state, allocation_time=now, modified=now)

    # -- the end

    async def delete(self, row: Row) -> None:
        """Begin to delete a pool and wait for it briefly; its running tasks go back to their jobs."""
        state, now = POOL.after(row["state"], "delete"), self._core.store.stamp()
        if state == row["state"]:
            return
        self._core.store.update("pools", row["pk"], state=state, state_time=now, modified=now)
        await self._core.brief(self._core.spawn(self._remove_pool(self._pools[row["pk"]])))

    async def _remove_pool(self, pool: Pool) -> None:
        self._abandon(pool, "ResizeStopped")
        for node in pool.members:
            node.leave()
        works = [self._core.spawn(self._see_off_quietly(pool, node)) for node in pool.members]
        if works:
            await asyncio.wait(works)
        with self._core.store.transaction():
            self._core.store.run("DELETE FROM nodes WHERE pool = ?", pool.pk)
            self._core.store.run("DELETE FROM pools WHERE pk = ?", pool.pk)
        del self._pools[pool.pk]
        self._core.discard(self._core.nodes_dir / pool.id)

    async def _see_off_quietly(self, pool: Pool, node: Node) -> None:
        await node.stop_boot()
        await node.vacate("requeue")

    async def stop(self) -> None:
        """Bring every node to rest: running tasks go back to the queue, without counting as anybody's doing."""
        nodes = [node for pool in self._pools.values() for node in pool.members]
        await asyncio.gather(*(node.stop_boot() for node in nodes))
        await asyncio.gather(*(node.vacate("requeue", by_user=False) for node in nodes))


def _leaving_rank(node: Node) -> tuple[int, int]:
    return _LEAVING_ORDER.get(node.state, 2), -node.pk
