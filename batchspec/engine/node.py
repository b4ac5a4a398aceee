"""A node: a folder tree that boots, runs its start task and then tasks.

Place: made by the fleet; given tasks by the scheduler. In: the pool's definition, tasks. Out: states in the store,
processes by way of `Attempt`. It never chooses what to run.
"""

import asyncio
import json
import logging
from collections import deque
from collections.abc import Sequence
from functools import partial
from sqlite3 import Row
from typing import Any, Literal

from batchspec.engine.attempt import Attempt, Work, called_off, stoppable
from batchspec.engine.core import Core
from batchspec.engine.environment import Place, environment
from batchspec.engine.lifecycle import NODE, Outcome, is_retried
from batchspec.engine.machine import limit_of_this_machine
from batchspec.engine.store import json_text
from batchspec.engine.task_run import Claim, Site, Stop, TaskRun
from batchspec.engine.times import text_from_ticks

_log = logging.getLogger("batchspec.engine")

FOLDERS = ("applications", "fsmounts", "shared", "startup", "volatile", "workitems")
_AT_WORK = ("idle", "running", "offline")
_RECENT_TASKS = 10

Vacate = Literal["requeue", "terminate", "taskcompletion", "retaineddata"]


class Node:
    """One node of a pool, in the state the store has it in."""

    def __init__(self, core: Core, row: Row, pool_id: str, slots: int, state_id: str) -> None:
        self.pk: int = row["pk"]
        self.id: str = row["id"]
        self.state: str = row["state"]
        self.schedules = bool(row["scheduling"])
        self.is_dedicated = bool(row["dedicated"])
        self.slots = slots
        self.used_slots = 0
        self.runs: dict[int, TaskRun] = {}
        self.recent: deque[int] = deque(maxlen=_RECENT_TASKS)
        self.root = core.nodes_dir / pool_id / self.id
        self._core = core
        self._pool: int = row["pool"]
        self._pool_id = pool_id
        self._mark = f"{state_id}/{pool_id}/{self.id}"
        self._starting: Attempt | None = None
        self._boot: asyncio.Task[None] | None = None
        self._is_stale = False
        self._emptied = asyncio.Event()
        self._emptied.set()

    # -- what the scheduler asks and does

    @property
    def free_slots(self) -> int:
        """How many slots a new task could have; none unless the node takes tasks."""
        if self.state not in ("idle", "running") or not self.schedules:
            return 0
        return self.slots - self.used_slots

    @property
    def is_coming_up(self) -> bool:
        """Whether the node may take tasks soon without anybody's doing."""
        return self._boot is not None and not self._boot.done()

    def reserve(self, claim: Claim) -> None:
        """Set slots aside for a task that is about to begin here."""
        self.used_slots += claim.slots

    def release(self, claim: Claim) -> None:
        """Give them back: the task does not begin, or is over."""
        self.used_slots -= claim.slots

    def begin(self, claim: Claim, helpers: Sequence["Node"] = ()) -> None:
        """Run a task, for which slots were reserved and which is marked as running; nothing here can fail.

        `helpers` are the further nodes of a multi-instance task: what happens to one of them happens to the task.
        """
        run = TaskRun(self._core, self._place(), self._mark, claim, [helper.site() for helper in helpers])
        for helper in helpers:
            helper.runs[run.pk] = run
            helper._emptied.clear()
        self.runs[run.pk] = run
        self._core.runs.setdefault(run.job, set()).add(run)
        self._emptied.clear()
        self._core.spawn(self._drive(run, helpers))

    async def _drive(self, run: TaskRun, helpers: Sequence["Node"]) -> None:
        try:
            outcome = await run.run()
        except Exception as error:  # noqa: BLE001 - whatever it was, the task must end
            _log.exception("a task run failed")
            outcome = run.outcome_of_fault(error)
        try:
            # One commit for all that the end of a task means: a kill leaves all of it or nothing.
            await self._core.written(lambda: self._conclude(run, outcome, helpers))
        finally:
            run.ended.set()
            self._core.wake()

    def _conclude(self, run: TaskRun, outcome: Outcome, helpers: Sequence["Node"]) -> None:
        effect = run.conclude(outcome)
        if effect is not None:
            sql = "UPDATE nodes SET tasks_run = tasks_run + 1, tasks_succeeded = tasks_succeeded + ? WHERE pk = ?"
            self._core.store.run(sql, int(run.succeeded), self.pk)
        if run.pk in self.runs:
            self._vacate_slots(run, completed=effect is not None)
            for helper in helpers:
                helper._let_go(run)
        else:
            # The commit failed after we had let go of it: what we are is not what is written.
            self.distrust()
        for node in (*helpers, self):
            node.settle()
        self._core.task_ended(run.job, effect)

    def _vacate_slots(self, run: TaskRun, *, completed: bool) -> None:
        self._let_go(run)
        self._core.running -= run.claim.is_counted
        siblings = self._core.runs[run.job]
        siblings.discard(run)
        if not siblings:
            del self._core.runs[run.job]
        if completed:
            self.recent.append(run.pk)

    def _let_go(self, run: TaskRun) -> None:
        del self.runs[run.pk]
        self.release(run.claim)
        if not self.runs:
            self._emptied.set()

    # -- its states

    def distrust(self) -> None:
        """The state was not written after all: write it at the next occasion, changed or not."""
        self._is_stale = True

    def _enter(self, event: str) -> None:
        state = NODE.after(self.state, event)
        if state != self.state or self._is_stale:
            self.state = state
            self._is_stale = False
            self._core.store.update("nodes", self.pk, state=state, state_time=self._core.store.stamp())

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing to write down: it was running and still is."""
        return self.state == "running" and bool(self.runs) and not self._is_stale

    def settle(self) -> None:
        """Be running, idle or offline, as what runs here says."""
        if self.state in _AT_WORK and not self.is_settled:
            self._enter("busy" if self.runs else "ready" if self.schedules else "off")

    def set_scheduling(self, enabled: bool, vacate: Stop | None = None) -> None:
        """Let the node take tasks, or no more; `vacate` says what becomes of those it runs."""
        self.schedules = enabled
        self._core.store.update("nodes", self.pk, scheduling=int(enabled))
        for run in list(self.runs.values()) if vacate else ():
            run.stop(vacate or "requeue")
        self.settle()
        self._core.wake()

    def _body(self) -> dict[str, Any]:
        row = self._core.store.one("SELECT body FROM nodes WHERE pk = ?", self.pk)
        body: dict[str, Any] = json.loads(row["body"])
        return body

    def _note(self, **properties: Any) -> None:
        body = {**self._body(), **properties}
        kept = {name: value for name, value in body.items() if value is not None}
        self._core.store.update("nodes", self.pk, body=json_text(kept))

    def site(self) -> Site:
        """Where a subtask would run, and the mark of its processes."""
        return Site(self._place(), self._mark)

    def _place(self) -> Place:
        core = self._core
        return Place(self.root, core.settings.account, core.base_url, self._pool_id, self.id, self.is_dedicated)

    # -- boot and start task

    def boot(self, pool_body: dict[str, Any]) -> None:
        """Come up with the pool's definition as it is now, in the background."""
        self._enter("start")
        self._boot = self._core.spawn(self._come_up(pool_body))

    async def _come_up(self, pool_body: dict[str, Any]) -> None:
        for name in FOLDERS:
            (self.root / name).mkdir(parents=True, exist_ok=True)
        start_task = pool_body.get("startTask")
        self._core.store.update("nodes", self.pk, booted=self._core.store.stamp())
        self._note(startTask=start_task, startTaskInfo=None, errors=None)
        if error := self._core.faults.on_node_start(self._pool_id) or await self._limit(pool_body):
            self._note(errors=[error])
            self._advance("break")
        elif start_task is None:
            self._advance("ready")
        elif not start_task["waitForSuccess"]:
            self._advance("ready")
            await self._run_start_task(start_task)
        else:
            self._advance("wait")
            succeeded = await self._run_start_task(start_task)
            await self._core.written(partial(self._advance, "ready" if succeeded else "fail_start_task"))

    async def _limit(self, pool_body: dict[str, Any]) -> dict[str, Any] | None:
        return limit_of_this_machine(pool_body) or await self._core.containers.pool_error(pool_body)

    def _advance(self, event: str) -> None:
        # A node that was told to leave meanwhile stays on its way out.
        if self.state != "leavingpool":
            self._enter(event)
            self.settle()
            self._core.wake()

    async def _run_start_task(self, body: dict[str, Any]) -> bool:
        # Start tasks of different nodes would fight over the same package manager: one at a time.
        async with self._core.start_turn:
            info: dict[str, Any] = {"state": "running", "startTime": self._now(), "retryCount": 0}
            while True:
                await self._core.written(partial(self._note, startTaskInfo=info))
                self._starting = Attempt(self._start_work(body, info["retryCount"]), self._core.carrier)
                outcome = await stoppable(self._starting)
                if not is_retried(outcome, retries=info["retryCount"], limit=body["maxTaskRetryCount"]):
                    break
                info = {**info, "retryCount": info["retryCount"] + 1, "lastRetryTime": self._now()}
        info = {**info, "state": "completed", "endTime": self._now(), **_ending(outcome)}
        await self._core.written(partial(self._note, startTaskInfo=info))
        return outcome.failure is None

    def _start_work(self, body: dict[str, Any], retry: int) -> Work:
        folder = self.root / "startup"
        self._core.mind_elevation(body["userIdentity"])
        return Work(
            command_line=body["commandLine"],
            folder=folder,
            env=environment(self._place(), folder, body.get("environmentSettings", ())),
            mark=f"{self._mark}/startup/{retry}",
            resource_files=body.get("resourceFiles", ()),
            container=self._core.containers.of(body, root=self.root),
        )

    def _now(self) -> str:
        return text_from_ticks(self._core.store.stamp())

    # -- leaving and coming back

    def recover(self, pool_body: dict[str, Any]) -> None:
        """Be again what the engine's end interrupted: only a boot that was going on runs the start task again."""
        if self.state == "deallocating":
            self._enter("deallocated")
        if self.state in ("creating", "starting", "waitingforstarttask", "rebooting", "reimaging", "preempted"):
            if self.state in ("reimaging", "preempted"):
                self._core.discard(self.root)
            self.boot(pool_body)
            return
        self.settle()
        info, start_task = self._body().get("startTaskInfo", {}), pool_body.get("startTask")
        if info.get("state") == "running" and start_task is not None and self.state in _AT_WORK:
            self._boot = self._core.spawn(self._rerun_start_task(start_task))

    async def _rerun_start_task(self, body: dict[str, Any]) -> None:
        await self._run_start_task(body)

    def restart(self, event: Literal["reboot", "reimage"], option: Vacate, pool_body: dict[str, Any]) -> None:
        """Reboot or reimage in the background. Raises BatchError (409) when the node's state does not allow it."""
        self._enter(event)
        self._boot = self._core.spawn(self._restart(event, option, pool_body, self._boot))

    async def _restart(
        self, event: str, option: Vacate, pool_body: dict[str, Any], earlier: "asyncio.Task[None] | None"
    ) -> None:
        await called_off(earlier)
        await self.vacate(option)
        if self.state == "leavingpool":  # meanwhile, and about to call this off
            return
        if event == "reimage":
            self._core.discard(self.root)
        self._enter("start")
        await self._come_up(pool_body)

    def deallocate(self, option: Vacate) -> None:
        """Give the machine back and stay listed. Raises BatchError (409) unless the node is idle or running."""
        self._enter("deallocate")
        self._boot = self._core.spawn(self._deallocate(option, self._boot))

    async def _deallocate(self, option: Vacate, earlier: "asyncio.Task[None] | None") -> None:
        await called_off(earlier)
        await self.vacate(option)
        await self._core.written(self._be_deallocated)

    def _be_deallocated(self) -> None:
        if self.state != "leavingpool":  # else meanwhile, and about to call this off
            self._enter("deallocated")

    def resume(self) -> "asyncio.Task[None]":
        """Come up after a deallocation; the returned work is the boot. Raises BatchError (409) in other states."""
        self._enter("resume")
        self.boot(self._pool_body())
        assert self._boot is not None
        return self._boot

    def preempt(self, absent_s: float) -> None:
        """Lose the machine, as a Spot node does, and get another after so many seconds. Raises BatchError (409)."""
        self._enter("preempt")
        self._boot = self._core.spawn(self._be_preempted(absent_s, self._boot))

    async def _be_preempted(self, absent_s: float, earlier: "asyncio.Task[None] | None") -> None:
        await called_off(earlier)
        # Not the user's doing: the tasks' requeueCount stays.
        await self.vacate("requeue", by_user=False)
        self._core.discard(self.root)
        await self._core.pause(absent_s)
        if self.state == "leavingpool":
            return
        self._enter("start")
        await self._come_up(self._pool_body())

    def _pool_body(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self._core.store.one("SELECT body FROM pools WHERE pk = ?", self._pool)[0])
        return body

    def leave(self) -> None:
        """Take no more tasks, on the way out of the pool."""
        self._enter("leave")

    def stay(self) -> None:
        """Be a node of the pool again after a resize that was stopped."""
        self._enter("stay")
        self.settle()
        self._core.wake()

    async def vacate(self, option: Vacate, *, by_user: bool = True) -> None:
        """Return when nothing runs here any more: tasks ended at once or, for `taskcompletion`, waited for."""
        if option in ("requeue", "terminate"):
            for run in list(self.runs.values()):
                run.stop("terminate" if option == "terminate" else "requeue", by_user=by_user)
        await self._emptied.wait()

    async def stop_boot(self) -> None:
        """End the start task, if one runs; it runs anew at the next boot."""
        await called_off(self._boot)


def _ending(outcome: Outcome) -> dict[str, Any]:
    body: dict[str, Any] = {"result": outcome.result}
    if outcome.exit_code is not None:
        body["exitCode"] = outcome.exit_code
    if outcome.failure is not None:
        body["failureInfo"] = outcome.failure.body()
    return body
