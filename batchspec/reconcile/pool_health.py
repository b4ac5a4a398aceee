"""Whether the pool will ever run the tasks: nodes on their way, start tasks that failed, resizes that ended in errors.

Place in the pipeline: `watch` asks it at every poll while no task runs, and when the time is up. It tells of each
failed node once, and raises only when no node is left to hope for.
"""

import shlex
from contextlib import suppress
from dataclasses import dataclass, field

from batchspec.errors import ServiceRefused, ServiceUnreachable, StartTaskFailed, TimedOut
from batchspec.reconcile.clock import Clock
from batchspec.reconcile.failures import failures_of_nodes
from batchspec.reconcile.job_pool import pool_id_of
from batchspec.reconcile.outcome import Failure
from batchspec.reconcile.ports import BatchService
from batchspec.reconcile.report import Advanced, Finished, Noted, Reporter
from batchspec.render.model import Desired, JsonObject
from batchspec.render.symbolic import Json

_USABLE = ("idle", "running")
# States in which a node can run nothing. Nodecounts writes them in camelCase, a node's own state is in lower case.
HOPELESS = ("starttaskfailed", "unusable")
# Nodes in these come up, or fail, by themselves; preempted ones come back when the service has room, maybe never.
_COMING = ("creating", "starting", "waitingforstarttask", "rebooting", "reimaging", "upgradingos", "unknown")
_UNUSABLE = "each of them is unusable"
# Keys of a nodecounts entry that are no states.
_NO_STATES = ("total",)


@dataclass(slots=True)
class PoolHealth:
    """What is known of the pool during one wait; `pool` is how it was when it was looked at last."""

    desired: Desired
    batch: BatchService
    report: Reporter
    clock: Clock
    _told: set[str] = field(default_factory=set)
    _hopeless: int = 0
    _ready: bool = False
    _began: float | None = None
    _states: tuple[tuple[str, int], ...] = ()
    pool: JsonObject | None = None
    _pool_id: str | None = None

    async def check(self, *, idle: bool) -> None:
        """Look at the nodes, unless all are up or tasks run anyway.

        Raises StartTaskFailed when no node can run a task any more, TimedOut when there is none and none will come.
        """
        if self._ready and not idle:
            return
        pool_id = await self._id()
        if pool_id is None:
            return
        self._began = self.clock.now() if self._began is None else self._began
        states = states_of(await self.batch.node_counts(pool_id))
        usable = sum(number for state, number in states.items() if state in _USABLE)
        hopeless = sum(number for state, number in states.items() if state.lower() in HOPELESS)
        target = await self._target(pool_id, sum(states.values()))
        self._tell(states, usable, target)
        all_of_them = hopeless == sum(states.values()) and hopeless >= target
        if hopeless and (all_of_them or hopeless != self._hopeless):
            await self._tell_failures(pool_id, all_of_them)
        self._hopeless = hopeless

    async def _id(self) -> str | None:
        """The pool's id, None while nobody can tell; asked for once, where the spec does not say it."""
        if self._pool_id is None:
            self._pool_id = await pool_id_of(self.desired, self.batch)
        return self._pool_id

    async def last_look(self) -> None:
        """Tell of nodes that failed since the last check; for a run that has ended it is no failure of its own."""
        if not self._ready:
            with suppress(StartTaskFailed, TimedOut, ServiceRefused, ServiceUnreachable):
                await self.check(idle=True)

    async def settled(self) -> bool:
        """`check`, and whether the pool is as it shall be, or no node of it is on its way any more.

        A pool that scales by itself always is.
        """
        await self.check(idle=True)
        there = self.pool
        if there is None or there.get("enableAutoScale"):
            return True
        if there.get("allocationState") != "steady":
            return False
        target, present = target_of(there), sum(number for _, number in self._states)
        coming = present < target or any(state.lower() in _COMING for state, _ in self._states)
        return self._ready or target == 0 or not coming

    async def _target(self, pool_id: str, present: int) -> int:
        there = await self.batch.get_pool(pool_id)
        if there is None and self.desired.pool is None:
            return 0  # it went with its job, of whose end the wait tells
        if there is None:
            raise TimedOut(f"pool {pool_id} is not there any more", fix="run `apply` again: it makes the pool anew")
        self.pool = there
        target = target_of(there)
        errors = errors_of(there)
        if errors and there.get("allocationState") == "steady" and not there.get("enableAutoScale"):
            self._note(errors[0], f"pool {pool_id}: {errors[0]}")
            if present == 0:
                raise TimedOut(
                    f"pool {pool_id} has no node and gets none: {'; '.join(errors)}",
                    fix="check quota and vm_size; `apply` again tries the resize again",
                )
            return present
        if (
            target == 0
            and present == 0
            and not there.get("enableAutoScale")
            and there.get("allocationState") == "steady"
        ):
            self._note("empty", f"pool {pool_id} has 0 nodes and its target is 0: no task can run until it is resized")
        return target

    def _tell(self, states: dict[str, int], usable: int, target: int) -> None:
        now = tuple(sorted(states.items()))
        if now != self._states:
            self._states = now
            self.report(Advanced("pool", usable, target, detail=now))
        if not self._ready and usable >= target > 0:
            self._ready = True
            began = self._began if self._began is not None else self.clock.now()
            self.report(Finished("pool", f"{usable} of {target} nodes ready", self.clock.now() - began))

    async def _tell_failures(self, pool_id: str, all_of_them: bool) -> None:
        failures = await failures_of_nodes(self.batch, pool_id)
        if all_of_them and failures:
            first = failures[0]
            each = "the start task failed on every one of them" if first.kind == "start task" else _UNUSABLE
            raise StartTaskFailed(
                f"no node of pool {pool_id} can run tasks: {each}\n{told(first)}",
                fix=_next_step(first, self._logs(first)),
            )
        for failure in failures:
            more = f"\nall of it: {self._logs(failure)}" if failure.kind == "start task" else ""
            self._note(failure.id, told(failure) + more)

    def _logs(self, failure: Failure) -> str:
        return f"batchspec logs {shlex.quote(self.desired.shown_as)} --start-task {failure.id}"

    def _note(self, key: str, text: str) -> None:
        if key not in self._told:
            self._told.add(key)
            for number, line in enumerate(text.splitlines()):
                self.report(Noted(line, warning=number == 0))

    async def explain(self) -> str:
        """What is known of the nodes, for the message of a timeout; nothing when the service does not answer."""
        try:
            pool_id = await self._id()
            there = await self.batch.get_pool(pool_id) if pool_id is not None else None
            if pool_id is None or there is None:
                return ""
            counts = states_of(await self.batch.node_counts(pool_id))
        except (ServiceRefused, ServiceUnreachable):
            return ""
        nodes = ", ".join(f"{number} {state}" for state, number in sorted(counts.items())) or "no nodes"
        errors = "; ".join(errors_of(there))
        return f"; pool {pool_id}: {nodes} of {target_of(there)} wanted" + (f" ({errors})" if errors else "")


def _next_step(failure: Failure, logs: str) -> str:
    if failure.kind != "start task":
        return "correct the spec's pool and run `apply` again; `apply --retry-failed` starts the same nodes again"
    return (
        "mend the start task and run `apply` again; when it was not its fault, `apply --retry-failed` runs it again; "
        f"all of it: {logs}"
    )


def told(failure: Failure) -> str:
    """A node's failure in words, its details and the last lines of the start task's stderr in lines of their own."""
    code = f", exit code {failure.exit_code}" if failure.exit_code is not None else ""
    lines = [f"{failure.kind} failed on {failure.node}: {failure.code}{code}: {failure.message}"]
    if failure.kind == "node":
        lines = [f"node {failure.node} is unusable: {failure.code}: {failure.message}"]
    lines += [f"  {detail}" for detail in failure.details]
    lines += [f"  | {line}" for line in failure.stderr]
    return "\n".join(lines)


def states_of(counts: JsonObject | None) -> dict[str, int]:
    """Nodes by state (the service's camelCase words), dedicated and low-priority together, without empty states."""
    states: dict[str, int] = {}
    for kind in ("dedicated", "lowPriority"):
        numbers = (counts or {}).get(kind)
        for state, number in numbers.items() if isinstance(numbers, dict) else ():
            if isinstance(number, int) and number and state not in _NO_STATES:
                states[state] = states.get(state, 0) + number
    return states


def target_of(pool: JsonObject) -> int:
    """How many nodes the pool shall have."""
    return sum(_number(pool.get(key)) for key in ("targetDedicatedNodes", "targetLowPriorityNodes"))


def errors_of(pool: JsonObject) -> list[str]:
    """The errors of the last resize as `code: message`."""
    errors = pool.get("resizeErrors")
    if not isinstance(errors, list):
        return []
    return [f"{error.get('code')}: {error.get('message')}" for error in errors if isinstance(error, dict)]


def _number(value: Json) -> int:
    return value if isinstance(value, int) else 0
