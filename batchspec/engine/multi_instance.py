"""One attempt of a multi-instance task: a coordination command on every node, then the command on the primary.

Place: made by a task run instead of a plain `Attempt`. In: the primary's work, the nodes of the subtasks. Out: an
`Outcome`, and the rows of `subtasks`. It never chooses nodes.

Decisions (source: "Use multi-instance tasks to run MPI applications in Batch"):
- Files: the common ones land in the task's root folder on each node, the task's own only on the primary; then the
  coordination commands run at once, the command line when all have succeeded. Its output follows that of the primary's
  coordination command in the same files.
- What a coordination command leaves running (a daemon such as smpd) lives until the command line has ended.
- All nodes are this machine: every address is 127.0.0.1. `AZ_BATCH_TASK_SHARED_DIR` is the task's root folder on the
  node concerned; the service gives one path for all nodes, which one machine cannot.
- A coordination command that fails ends the others and fails the task, with the exit code it had.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from batchspec.engine.attempt import Attempt, Work
from batchspec.engine.containers import Container
from batchspec.engine.core import Core
from batchspec.engine.lifecycle import TASK_ENDED, Failure, Outcome
from batchspec.engine.process import end_leftovers
from batchspec.engine.store import json_text

_ADDRESS = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Member:
    """A subtask: the node as `pool/node`, and what its work has of its own."""

    node: str
    folder: Path
    env: Mapping[str, str]
    mark: str
    container: Container | None


class Team:
    """The primary and the subtasks of one attempt; it can be stopped at any moment."""

    def __init__(
        self, core: Core, task: int, primary: Work, settings: Mapping[str, Any], *, members: Sequence[Member]
    ) -> None:
        self._core = core
        self._task = task
        self._primary = primary
        self._members = members
        self._common = settings.get("commonResourceFiles", ())
        self._command_line: str = settings["coordinationCommandLine"]
        self._attempts: list[Attempt] = []
        self._is_stopped = False

    def stop(self) -> None:
        """End everything on every node; `run` then returns soon."""
        self._is_stopped = True
        for attempt in self._attempts:
            attempt.stop()

    async def run(self) -> Outcome:
        """Coordinate, run the command line on the primary, and end what is left everywhere."""
        try:
            failed = await self._coordinate()
            if failed is not None or self._is_stopped:
                return failed or Outcome(None, TASK_ENDED, "ended")
            return await self._attempt(replace(self._primary, resource_files=(), appends=True)).run()
        finally:
            for mark in (self._primary.mark, *(member.mark for member in self._members)):
                await asyncio.to_thread(end_leftovers, mark)

    async def _coordinate(self) -> Outcome | None:
        """Run the coordination command everywhere; the outcome of the one that failed first, if one did."""
        await self._core.written(self._add_subtasks)
        works = [self._coordination(self._primary, self._primary.folder)]
        works += [self._coordination(self._subtask_work(member), member.folder.parent) for member in self._members]
        running = [asyncio.ensure_future(self._one(number, work)) for number, work in enumerate(works)]
        failed: Outcome | None = None
        for ended in asyncio.as_completed(running):
            outcome = await ended
            if outcome.failure is not None and failed is None:
                failed = outcome
                for attempt in self._attempts:
                    attempt.stop()
        return failed

    async def _one(self, number: int, work: Work) -> Outcome:
        outcome = await self._attempt(work).run()
        if number:
            await self._core.written(partial(self._end_subtask, number, outcome))
        if number and outcome.failure is not None and outcome.phase != "ended":
            details = (*outcome.failure.details, ("SubtaskId", str(number)))
            return replace(outcome, failure=replace(outcome.failure, details=details))
        return outcome

    def _attempt(self, work: Work) -> Attempt:
        attempt = Attempt(work, self._core.carrier)
        self._attempts.append(attempt)
        if self._is_stopped:
            attempt.stop()
        return attempt

    def _coordination(self, work: Work, shared: Path) -> Work:
        return replace(
            work,
            command_line=self._command_line,
            output_files=(),
            common_files=self._common,
            common_folder=shared,
            keeps_children=True,
        )

    def _subtask_work(self, member: Member) -> Work:
        return replace(
            self._primary,
            folder=member.folder,
            env=member.env,
            mark=member.mark,
            container=member.container,
            resource_files=(),
        )

    # -- what clients see of the subtasks

    def _add_subtasks(self) -> None:
        self._core.store.run("DELETE FROM subtasks WHERE task = ?", self._task)
        now = self._core.store.stamp()
        sql = "INSERT INTO subtasks(task, number, node, state, state_time, started) VALUES(?, ?, ?, 'running', ?, ?)"
        for number, member in enumerate(self._members, start=1):
            self._core.store.run(sql, self._task, number, member.node, now, now)

    def _end_subtask(self, number: int, outcome: Outcome) -> None:
        now = self._core.store.stamp()
        failure: Failure | None = outcome.failure
        self._core.store.run(
            "UPDATE subtasks SET previous = state, previous_time = state_time, state = 'completed', state_time = ?, "
            "ended = ?, exit_code = ?, result = ?, failure = ? WHERE task = ? AND number = ?",
            now,
            now,
            outcome.exit_code,
            outcome.result,
            json_text(failure.body()) if failure else None,
            self._task,
            number,
        )


def team_variables(count: int, *, is_primary: bool, shared: Path) -> dict[str, str]:
    """What the programs of a multi-instance task see besides. Source: the environment variables page."""
    hosts = [_ADDRESS] * count
    return {
        "AZ_BATCH_HOST_LIST": ",".join(hosts),
        "AZ_BATCH_NODE_LIST": ";".join(hosts),
        "AZ_BATCH_MASTER_NODE": f"{_ADDRESS}:6000",
        "AZ_BATCH_IS_CURRENT_NODE_MASTER": "true" if is_primary else "false",
        "AZ_BATCH_TASK_SHARED_DIR": str(shared),
        "CCP_NODES": " ".join([str(count), *(f"{host} 1" for host in hosts)]),
    }
