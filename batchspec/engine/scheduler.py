"""Which task runs on which node, when.

Place: between the ledger and the nodes; woken when either changes, never polling. In: ready tasks, free slots. Out:
tasks that began. Choosing a node is pure; what is ready is asked of an index, so that a job with 100,000 waiting tasks
costs no memory and no more than a short one.

Decisions: jobs by priority, then age; tasks of a job in the order they were added; a task that does not fit now does
not keep smaller ones from running. However many nodes there are, they share one machine: at most `task_limit` ordinary
tasks run at once. Pools take turns at what is free.
"""

import asyncio
import json
import logging
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from sqlite3 import Row
from typing import Protocol

from batchspec.engine import tasks
from batchspec.engine.core import Core
from batchspec.engine.node import Node

_log = logging.getLogger("batchspec.engine")
_FULL_DISK_PAUSE_S = 0.5


class PoolOfNodes(Protocol):
    """What the scheduler asks of a pool."""

    id: str
    packs: bool

    @property
    def members(self) -> Sequence[Node]: ...


class Fleet(Protocol):
    """What the scheduler asks of the fleet."""

    @property
    def active_pools(self) -> Sequence[PoolOfNodes]: ...


_JOBS = """
SELECT * FROM jobs j WHERE pool = ? AND state = 'active'
AND EXISTS (SELECT 1 FROM tasks INDEXED BY tasks_ready WHERE job = j.pk AND state = 'active' AND unmet = 0)
ORDER BY priority DESC, pk
"""
_READY = """
SELECT * FROM tasks INDEXED BY tasks_ready
WHERE job = ? AND state = 'active' AND unmet = 0 AND slots <= ? ORDER BY pk LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class Choice:
    """A task that is to begin on a node."""

    node: Node
    task: Row
    job: Row


class Scheduler:
    """Gives ready tasks to free nodes."""

    def __init__(self, core: Core, fleet: Fleet) -> None:
        self._core = core
        self._fleet = fleet
        self._is_woken = False
        self._is_stopped = False
        self._turn = 0
        core.wake = self.wake

    def wake(self) -> None:
        """Look for work soon; any number of calls before that are one."""
        if not self._is_woken and not self._is_stopped:
            self._is_woken = True
            asyncio.get_running_loop().call_soon(self._pass)

    def stop(self) -> None:
        """Start nothing any more."""
        self._is_stopped = True

    def _pass(self) -> None:
        self._is_woken = False
        if self._is_stopped or self._room() <= 0:
            return
        chosen: list[Choice] = []
        try:
            with self._core.store.transaction():
                for pool in self._pools_in_turn():
                    self._fill(pool, chosen)
        except sqlite3.OperationalError:
            _log.exception("no task can be started")
            for choice in chosen:
                choice.node.release(choice.task)
            self._core.clock.call_later(_FULL_DISK_PAUSE_S, self.wake)
            return
        for choice in chosen:
            choice.node.begin(choice.task, choice.job)
        self._settle({choice.node.pk: choice.node for choice in chosen}.values())

    def _settle(self, nodes: Collection[Node]) -> None:
        try:
            with self._core.store.transaction():
                for node in nodes:
                    node.settle()
        except sqlite3.OperationalError:
            _log.exception("the state of nodes cannot be written")
            for node in nodes:
                node.distrust()

    def _pools_in_turn(self) -> Sequence[PoolOfNodes]:
        pools = self._fleet.active_pools
        self._turn += 1
        first = self._turn % len(pools) if pools else 0
        return [*pools[first:], *pools[:first]]

    def _room(self) -> int:
        return self._core.settings.task_limit - self._core.running

    def _fill(self, pool: PoolOfNodes, chosen: list[Choice]) -> None:
        nodes = [node for node in pool.members if node.free_slots > 0] if self._room() > 0 else []
        if not nodes:
            return
        for job in self._core.store.all(_JOBS, pool.id):
            while batch := self._next_tasks(job, nodes, chosen):
                for task in batch:
                    self._choose(pool, nodes, task, job, chosen)
            if self._room() <= 0:
                return

    def _next_tasks(self, job: Row, nodes: Sequence[Node], chosen: Sequence[Choice]) -> list[Row]:
        most = max(node.free_slots for node in nodes)
        room = min(self._room(), sum(node.free_slots for node in nodes))
        if job["parallel"] > 0:
            begun = sum(choice.job["pk"] == job["pk"] for choice in chosen)
            room = min(room, job["parallel"] - begun - len(self._core.runs.get(job["pk"], ())))
        return self._core.store.all(_READY, job["pk"], most, room) if room > 0 and most > 0 else []

    def _choose(self, pool: PoolOfNodes, nodes: Sequence[Node], task: Row, job: Row, chosen: list[Choice]) -> None:
        node = choose(nodes, task["slots"], packs=pool.packs, affinity=_affinity(task))
        if node is not None:
            node.reserve(task)
            chosen.append(Choice(node, task, job))
            tasks.start(self._core.store, task["pk"], node=f"{pool.id}/{node.id}")


def choose(nodes: Sequence[Node], slots: int, *, packs: bool, affinity: str = "") -> Node | None:
    """The node for a task of that many slots: the one it is bound to, else the fullest (pack) or emptiest that fits."""
    fitting = [node for node in nodes if node.free_slots >= slots]
    bound = next((node for node in fitting if affinity in (node.id, f"TVM:{node.id}")), None)
    if bound is not None or not fitting:
        return bound
    if packs:
        return max(fitting, key=lambda node: node.used_slots)
    return min(fitting, key=lambda node: node.used_slots)


def _affinity(task: Row) -> str:
    body: str = task["body"]
    if '"affinityInfo"' not in body:
        return ""
    # The text may only mention it, in an environment variable.
    affinity: str = json.loads(body).get("affinityInfo", {}).get("affinityId", "")
    return affinity
