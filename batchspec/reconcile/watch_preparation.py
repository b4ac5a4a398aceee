"""What job preparation and release tasks mean for a wait: nodes that take no task of the job, and its last results.

Place in the pipeline: `watch` asks `Preparation` at every poll, so a job with such a task costs one small request more;
`apply` waits for the release tasks once the tasks have ended. Reads only.

Decisions:
- A node whose preparation failed runs no task of that job until it is reimaged; the job is stuck when that is so of
  every node (docstring of BatchJobPreparationTask). Since a new job helps too, and no node is lost for it, that is what
  `apply` makes of a corrected spec and of `--retry-failed`.
- The service does not mind a release task that failed. What it should have done is missing all the same, so for `apply`
  it counts like a failed task.
- Release tasks run at the job's end. They are waited for where the job ends with its tasks; elsewhere they are a matter
  of `delete`, or of whoever ends the job.
"""

import shlex
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from batchspec.errors import PreparationFailed, ServiceRefused, ServiceUnreachable, TimedOut
from batchspec.reconcile.clock import Clock
from batchspec.reconcile.observe import time_of
from batchspec.reconcile.outcome import PREPARATION, RELEASE, Failure
from batchspec.reconcile.patience import Patience
from batchspec.reconcile.plan_job import wanted_finish
from batchspec.reconcile.pool_health import HOPELESS, target_of, told
from batchspec.reconcile.ports import BatchService, Services
from batchspec.reconcile.preparation import failed, failures_of_job, has, info_of
from batchspec.reconcile.preparation import told as failure_on
from batchspec.reconcile.report import Finished, Noted, Reporter, Started
from batchspec.render.model import Desired, JsonObject


@dataclass(slots=True)
class Preparation:
    """What is known of the job's preparation during one wait. It tells of each node once."""

    desired: Desired
    batch: BatchService
    report: Reporter
    _told: set[str] = field(default_factory=set)

    async def check(self, job: JsonObject, pool: JsonObject | None, *, idle: bool) -> None:
        """Tell where it failed. Raises PreparationFailed when no task runs and no node may run one of this job."""
        statuses = await self._tell(job)
        if statuses and idle and pool is not None and _is_waited_for(job) and await self._nowhere(statuses, pool):
            example = told(await failure_on(self.batch, statuses[0], PREPARATION))
            raise PreparationFailed(
                f"no node of pool {pool.get('id')} can run tasks of job {job.get('id')}: its preparation task failed "
                f"on every one of them\n{example}",
                fix="mend the preparation task and run `apply` again, which makes the job anew; when it was not its "
                "fault, `apply --retry-failed` does so",
            )

    async def last_look(self) -> None:
        """Tell of nodes since the last check; for a run that has ended it is no failure of its own."""
        with suppress(ServiceRefused, ServiceUnreachable):
            await self._tell(self.desired.job.body if self.desired.job is not None else None)

    async def _tell(self, job: JsonObject | None) -> tuple[JsonObject, ...]:
        """The nodes where it failed; those that are new are told of."""
        statuses = await failed(self.batch, job, PREPARATION)
        for status in statuses:
            node = str(status.get("nodeId"))
            if node not in self._told:
                self._told.add(node)
                self._note(await failure_on(self.batch, status, PREPARATION))
        return statuses

    def _note(self, failure: Failure) -> None:
        logs = f"batchspec logs {shlex.quote(self.desired.shown_as)} --preparation {failure.node}"
        for number, line in enumerate(f"{told(failure)}\nall of it: {logs}".splitlines()):
            self.report(Noted(line, warning=number == 0))

    async def _nowhere(self, statuses: tuple[JsonObject, ...], pool: JsonObject) -> bool:
        """Whether every node is barred or good for nothing, and no other is on its way."""
        begun = {str(one.get("nodeId")): time_of(info_of(one, PREPARATION).get("startTime")) for one in statuses}
        nodes = [node async for node in self.batch.list_nodes(str(pool["id"]), select="id,state,lastBootTime")]
        return len(nodes) >= target_of(pool) and all(
            str(node.get("state")) in HOPELESS or _barred(node, begun) for node in nodes
        )


def _barred(node: JsonObject, begun: dict[str, datetime | None]) -> bool:
    """Whether its preparation failed and it has not booted since."""
    began, booted = begun.get(str(node.get("id"))), time_of(node.get("lastBootTime"))
    return began is not None and (booted is None or began >= booted)


def _is_waited_for(job: JsonObject) -> bool:
    task = job.get("jobPreparationTask")
    return not isinstance(task, dict) or task.get("waitForSuccess") is not False


async def release_failures(
    desired: Desired, services: Services, report: Reporter, clock: Clock, *, ends: bool, deadline: float
) -> tuple[Failure, ...]:
    """Where the job's release task failed; it is waited for when the job `ends` with its tasks.

    Raises TimedOut at the deadline (of `clock`), ServiceRefused, and ServiceUnreachable after half a minute without an
    answer.
    """
    job = desired.job
    if job is None or not has(job.body, RELEASE):
        return ()
    waits, patience = ends and wanted_finish(job) != "noaction", Patience(deadline - clock.now(), report, clock)
    job_id, batch, began, waited = job.id, services.batch, clock.now(), False

    async def look() -> tuple[Failure, ...] | None:
        nonlocal waited
        there = await batch.get_job(job_id)
        if not waits or there is None or there.get("state") == "completed":
            return tuple(one for one in await failures_of_job(batch, there) if one.kind == RELEASE)
        if not waited:
            report(Started("release"))
            waited = True
        return None

    found = await patience.until(look)
    if found is None:
        raise TimedOut(
            f"waited {patience.timeout_s:.0f} s for the release tasks of job {job_id} to end",
            fix="they go on, 15 minutes at most; run `apply` again, or give `wait.timeout` more time",
        )
    if waited:
        report(Finished("release", f"job {job_id} has ended", clock.now() - began))
    return found
