"""Which task runs on which node, when.

Place: between the ledger and the nodes; woken when either changes, never polling. In: ready tasks, free slots. Out:
tasks that began. Choosing a node is pure; what is ready is asked of an index, so that a job with 100,000 waiting tasks
costs no memory and no more than a short one.

Decisions: jobs by priority; jobs of one priority in turns, or by age if the pool says so; tasks of a job in the order
they were added; a task that does not fit now does not keep smaller ones from running. However many nodes there are,
they share one machine: at most `task_limit` ordinary tasks run at once. Pools take turns at what is free.
"""

import asyncio
import json
import logging
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from sqlite3 import Row
from typing import Any, Protocol

from batchspec.engine import tasks
from batchspec.engine.core import Core
from batchspec.engine.node import Node
from batchspec.engine.preemption import Waiting, victims
from batchspec.engine.preparation import Preparations
from batchspec.engine.task_run import Claim

_log = logging.getLogger("batchspec.engine")
_FULL_DISK_PAUSE_S = 0.5


class PoolOfNodes(Protocol):
    """What the scheduler asks of a pool."""

    id: str
    packs: bool
    slots: int
    communicates: bool
    oldest_job_first: bool

    @property
    def members(self) -> Sequence[Node]: ...


class Fleet(Protocol):
    """What the scheduler asks of the fleet."""

    @property
    def active_pools(self) -> Sequence[PoolOfNodes]: ...


_JOBS = """
SELECT * FROM jobs j WHERE pool = ? AND state = 'active'
AND EXISTS (SELECT 1 FROM tasks INDEXED BY tasks_ready WHERE job = j.pk AND state = 'active' AND unmet = 0)
AND (priority, -pk) < (?, -?) ORDER BY priority DESC, pk LIMIT ?
"""
_JOBS_AT_ONCE = 100
_MAX_PRIORITY = 1_001
_MAX_SERVED = 10_000
_READY = """
SELECT * FROM tasks INDEXED BY tasks_ready
WHERE job = ? AND state = 'active' AND unmet = 0 AND pk > ? AND slots <= ? ORDER BY pk LIMIT ?
"""
# A job may have any number of multi-instance tasks for which there are not enough nodes: they are not all looked at.
_MAX_MISSES = 1_000


@dataclass(frozen=True, slots=True)
class Choice:
    """A task that is to begin: its node, the further nodes of a multi-instance task, and what it takes of each."""

    team: Sequence[Node]
    claim: Claim


@dataclass(frozen=True, slots=True)
class JobView:
    """What the scheduler must know of a job beyond its columns."""

    job: Row
    pool_id: str
    manager: Mapping[str, Any] | None
    prepares: bool
    states: Mapping[str, str]

    @classmethod
    def of(cls, job: Row, preparations: Preparations, pool_id: str) -> "JobView":
        """Look into the body only when the text says that there is something; most jobs have neither."""
        text = job["body"]
        body = json.loads(text) if '"jobManagerTask"' in text or '"jobPreparationTask"' in text else {}
        prepares = "jobPreparationTask" in body
        states = preparations.states(job) if prepares else {}
        return cls(job, pool_id, body.get("jobManagerTask"), prepares, states)

    def state(self, node: Node) -> str:
        """`ready`, `barred` or, while the node is still to be prepared for the job, nothing."""
        return self.states.get(f"{self.pool_id}/{node.id}", "") if self.prepares else "ready"

    def is_manager(self, task: Row) -> bool:
        """Whether the task is the job's manager."""
        manager_id: str = self.manager["id"] if self.manager else ""
        return manager_id.lower() == str(task["id"]).lower()

    def choose_for_manager(self, nodes: Sequence[Node], task: Row, *, packs: bool) -> Node | None:
        """A node of its own for a manager that wants one, and none that may be preempted if it says so."""
        manager = self.manager or {}
        fitting = [node for node in nodes if node.used_slots == 0] if manager["runExclusive"] else nodes
        allowed = [node for node in fitting if node.is_dedicated or manager["allowLowPriorityNode"]]
        return choose(allowed, task["slots"], packs=packs)

    def claim(self, task: Row, node: Node, helpers: Sequence[Node]) -> Claim:
        """What the task takes: a node of its own for an exclusive manager; managers do not count, they only wait."""
        is_manager = self.is_manager(task)
        takes_all = bool(helpers) or (is_manager and self.manager is not None and self.manager["runExclusive"])
        return Claim(
            task,
            self.job,
            slots=node.slots if takes_all else task["slots"],
            is_counted=not is_manager,
            prepares=any(self.state(member) != "ready" for member in (node, *helpers)),
        )


class Scheduler:
    """Gives ready tasks to free nodes."""

    def __init__(self, core: Core, fleet: Fleet) -> None:
        self._core = core
        self._fleet = fleet
        self._is_woken = False
        self._is_stopped = False
        self._turn = 0
        self._servings = 0
        self._served: dict[int, int] = {}
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
        if self._is_stopped:
            return
        if self._room() > 0:
            self._start_ready()
        self._preempt()

    def _start_ready(self) -> None:
        chosen: list[Choice] = []
        try:
            with self._core.store.transaction():
                for pool in self._pools_in_turn():
                    self._fill(pool, chosen)
        except sqlite3.OperationalError:
            _log.exception("no task can be started")
            for choice in chosen:
                self._core.running -= choice.claim.is_counted
                for node in choice.team:
                    node.release(choice.claim)
            self._core.clock.call_later(_FULL_DISK_PAUSE_S, self.wake)
            return
        for choice in chosen:
            choice.team[0].begin(choice.claim, choice.team[1:])
        self._settle({node.pk: node for choice in chosen for node in choice.team}.values())

    def _settle(self, nodes: Iterable[Node]) -> None:
        nodes = [node for node in nodes if not node.is_settled]
        if not nodes:
            return
        try:
            with self._core.store.transaction():
                for node in nodes:
                    node.settle()
        except sqlite3.OperationalError:
            _log.exception("the state of nodes cannot be written")
            for node in nodes:
                node.distrust()

    def _preempt(self) -> None:
        for pool in self._fleet.active_pools:
            runs = [run for node in pool.members for run in node.runs.values() if run.is_preemptible]
            if runs:
                lowest = min(run.priority for run in runs)
                waiting = self._waiting(pool, lowest, len(runs))
                for run in victims(pool.members, waiting, machine_is_full=self._room() <= 0):
                    run.stop("requeue", by_user=False)

    def _waiting(self, pool: PoolOfNodes, priority: int, limit: int) -> list[Waiting]:
        """The first tasks that wait in jobs of a higher priority, as many as could be made room for."""
        found: list[Waiting] = []
        for job in self._core.store.all(_JOBS, pool.id, _MAX_PRIORITY, 0, _JOBS_AT_ONCE):
            if job["priority"] <= priority or len(found) >= limit:
                break
            view = JobView.of(job, self._core.preparations, pool.id)
            if "barred" in view.states.values():
                continue
            room = limit - len(found)
            if job["parallel"] > 0:
                room = min(room, job["parallel"] - len(self._core.runs.get(job["pk"], ())))
            ready = self._core.store.all(_READY, job["pk"], 0, pool.slots, max(room, 0))
            found += [Waiting(job["priority"], task["slots"]) for task in ready if _is_ordinary(view, task)]
        return found

    def _pools_in_turn(self) -> Sequence[PoolOfNodes]:
        pools = self._fleet.active_pools
        self._turn += 1
        first = self._turn % len(pools) if pools else 0
        return [*pools[first:], *pools[:first]]

    def _room(self) -> int:
        return self._core.settings.task_limit - self._core.running

    def _fill(self, pool: PoolOfNodes, chosen: list[Choice]) -> None:
        nodes = [node for node in pool.members if node.free_slots > 0]
        for jobs in self._groups(pool) if nodes else ():
            placing = [self._place(pool, nodes, job, chosen) for job in jobs]
            while placing and self._room() > 0 and any(node.free_slots > 0 for node in nodes):
                # One task of each job in turn; a job that has none left is out.
                placing = [each for each in placing if next(each, False)]
            if self._room() <= 0:
                return

    def _groups(self, pool: PoolOfNodes) -> Iterator[Sequence[Row]]:
        """The jobs with ready tasks, those first that come first; jobs that share what is free are together.

        Source: `jobDefaultOrder`: none is "uniformly from all equal-priority jobs", creationtime the earlier job first.
        """
        last: tuple[int, int] = (_MAX_PRIORITY, 0)
        while page := self._core.store.all(_JOBS, pool.id, *last, _JOBS_AT_ONCE):
            last = (page[-1]["priority"], page[-1]["pk"])
            if pool.oldest_job_first:
                yield from ([job] for job in page)
                continue
            for _, jobs in groupby(page, key=lambda job: int(job["priority"])):
                yield sorted(jobs, key=lambda job: self._served.get(job["pk"], 0))

    def _place(self, pool: PoolOfNodes, nodes: Sequence[Node], job: Row, chosen: list[Choice]) -> Iterator[bool]:
        """Begin the job's next ready task at each step, as long as there is one that fits."""
        view = JobView.of(job, self._core.preparations, pool.id)
        usable = [node for node in nodes if view.state(node) != "barred"]
        after = misses = 0
        while (batch := self._next_tasks(job, usable, chosen, after)) and misses <= _MAX_MISSES:
            for task in batch:
                after = task["pk"]
                if self._choose(pool, usable, task, view, chosen):
                    yield True
                    if self._room() <= 0:
                        return
                else:
                    misses += 1

    def _note_served(self, job: int) -> None:
        self._servings += 1
        if len(self._served) >= _MAX_SERVED:
            # Jobs come and go; to forget whose turn it was does no harm.
            self._served.clear()
        self._served[job] = self._servings

    def _next_tasks(self, job: Row, nodes: Sequence[Node], chosen: Sequence[Choice], after: int) -> list[Row]:
        most = max((node.free_slots for node in nodes), default=0)
        room = min(self._room(), sum(node.free_slots for node in nodes))
        if job["parallel"] > 0:
            begun = sum(choice.claim.job["pk"] == job["pk"] for choice in chosen)
            room = min(room, job["parallel"] - begun - len(self._core.runs.get(job["pk"], ())))
        return self._core.store.all(_READY, job["pk"], after, most, room) if room > 0 and most > 0 else []

    def _choose(self, pool: PoolOfNodes, nodes: Sequence[Node], task: Row, view: JobView, chosen: list[Choice]) -> bool:
        if '"multiInstanceSettings"' in task["body"] and (count := _instances(task)):
            team = choose_team(pool, nodes, count)
        elif view.is_manager(task):
            team = _as_team(view.choose_for_manager(nodes, task, packs=pool.packs))
        else:
            team = _as_team(choose(nodes, task["slots"], packs=pool.packs, affinity=_affinity(task)))
        if not team:
            return False
        node = team[0]
        claim = view.claim(task, node, team[1:])
        for member in team:
            member.reserve(claim)
        self._core.running += claim.is_counted
        self._note_served(claim.job["pk"])
        chosen.append(Choice(team, claim))
        tasks.start(self._core.store, task["pk"], node=f"{pool.id}/{node.id}", prepares=claim.prepares)
        return True


def _is_ordinary(view: JobView, task: Row) -> bool:
    """Whether free slots are all that the task needs: others would preempt again and again, for nothing."""
    return not view.is_manager(task) and not ('"multiInstanceSettings"' in task["body"] and _instances(task))


def _instances(task: Row) -> int:
    settings = json.loads(task["body"]).get("multiInstanceSettings")
    return settings.get("numberOfInstances", 1) if settings else 0


def _as_team(node: Node | None) -> list[Node]:
    return [] if node is None else [node]


def choose_team(pool: PoolOfNodes, nodes: Sequence[Node], count: int) -> list[Node]:
    """The nodes of a multi-instance task, the primary's first; empty while there are not enough that are free.

    Without communication between nodes, or with several slots on a node, it waits for ever, as at the service.
    """
    if not pool.communicates or pool.slots != 1:
        return []
    free = [node for node in nodes if node.used_slots == 0]
    return free[:count] if len(free) >= count else []


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
