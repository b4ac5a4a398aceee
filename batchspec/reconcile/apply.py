"""A plan becomes effects: containers, uploads, pool, job, tasks; then waiting, downloads and clean-up.

Place in the pipeline: the heart of the `apply` command. In: `Desired` and the services. Out: `Applied`. It observes and
plans, lets a person confirm, takes the lock, plans again under it, writes step by step, gives the lock back, and waits.
Killed at any moment, the next run finds from the services alone what is left to do.

The second plan is what is carried out. When it asks for something that the confirmed one did not (a replacement or
deletion that was not shown), nothing is written.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace

from batchspec.errors import Locked, PlanRefused
from batchspec.reconcile.change import Plan
from batchspec.reconcile.cleanup import clean_up
from batchspec.reconcile.clock import Clock, SystemClock
from batchspec.reconcile.fetch import download
from batchspec.reconcile.images import node_agent_sku
from batchspec.reconcile.lock import lock_container, locked
from batchspec.reconcile.observe import Observed, observe
from batchspec.reconcile.outcome import Outcome
from batchspec.reconcile.plan import plan
from batchspec.reconcile.ports import Lease, Services
from batchspec.reconcile.report import Noted, Reporter
from batchspec.reconcile.run import Run
from batchspec.reconcile.sending import Sender, sas_life
from batchspec.reconcile.step_blobs import create_container, create_containers, upload
from batchspec.reconcile.step_job import finish_job, make_job
from batchspec.reconcile.step_pool import make_pool
from batchspec.reconcile.step_tasks import make_tasks
from batchspec.reconcile.watch import Left, Watch, counts_of, outcome
from batchspec.reconcile.watch_pool import wait_for_nodes
from batchspec.render.model import Desired


@dataclass(frozen=True, slots=True)
class Applied:
    """What `apply` did: the plan that was carried out, how the tasks ended (None without tasks or with `wait` off),
    how many files were downloaded, and how long it took."""

    plan: Plan
    outcome: Outcome | None
    downloaded: int
    seconds: float


async def apply(
    desired: Desired,
    services: Services,
    *,
    report: Reporter,
    confirm: Callable[[Plan], None],
    wait: bool = True,
    retry_failed: bool = False,
    clock: Clock | None = None,
) -> Applied:
    """Make it so. `confirm` is called once, before the first write, with the plan; it raises Declined to stop.

    Raises PlanRefused and its kin with nothing changed; StartTaskFailed, TimedOut, TransferFailed, LocalIOFailed,
    ServiceRefused and ServiceUnreachable. Failed tasks are no error here: they are in the outcome.
    """
    clock = clock or SystemClock()
    began = clock.now()
    applying = _Applying(desired, services, report, clock, retry_failed)
    shown = await applying.look()
    confirm(shown)
    done = await applying.write(shown) if shown.totals else shown
    if not wait:
        return Applied(done, None, 0, clock.now() - began)
    ended = await applying.wait(done)
    downloaded = await download(desired, services, report=report, clock=clock)
    if ended is not None and not ended.counts.failed and not ended.blocked and not done.cleaned_up:
        await applying.clean_up()
    return Applied(done, ended, downloaded, clock.now() - began)


@dataclass(slots=True)
class _Applying:
    desired: Desired
    services: Services
    report: Reporter
    clock: Clock
    retry_failed: bool
    observed: Observed | None = None

    async def look(self) -> Plan:
        """Observe and plan. Everything that can be refused is refused here."""
        self.observed = await observe(self.desired, self.services)
        sas_life(self.desired, self.services.blobs.longest_sas)
        return plan(self.desired, self.observed, retry_failed=self.retry_failed)

    async def write(self, shown: Plan) -> Plan:
        """Take the lock, plan again, and carry it out; the plan that was carried out."""
        made = await self._make_lock_container(shown)
        async with locked(self.desired, self.services) as lease:
            again = await self.look()
            _refuse_unseen(shown, again)
            await self._carry_out(self._run(again), lease)
        return replace(again, changes=shown.changes) if made else again

    async def _make_lock_container(self, shown: Plan) -> bool:
        """The lock needs its container: it is made first, before the lock is held. Whether it was made here."""
        container = lock_container(self.desired)
        if container is None or not any(one.kind == "container" and one.id == container for one in shown.changes):
            return False
        return await create_container(self._run(shown), container)

    def _run(self, chosen: Plan) -> Run:
        assert self.observed is not None
        sku = node_agent_sku(self.desired, self.observed.images)
        sender = Sender(self.desired, self.services.blobs, sku)
        run_id = uuid.uuid4().hex
        return Run(run_id, self.desired, self.observed, chosen, self.services, sender, self.report, self.clock)

    async def _carry_out(self, run: Run, lease: Lease | None) -> None:
        for step in (create_containers, upload, make_pool, make_job, make_tasks, finish_job):
            if lease is not None:
                lease.check()
            await step(run)

    async def wait(self, done: Plan) -> Outcome | None:
        """Wait for tasks, or for nodes where the spec has no tasks."""
        assert self.observed is not None
        job = self.desired.job
        if job is None or not (done.tasks or done.kept_tasks):
            if any(change.kind == "pool" for change in done.changes):
                await wait_for_nodes(self.desired, self.services, self.report, self.clock)
            return None
        left = left_of(self.observed, done)
        if not done.pending_tasks and not any(change.action != "delete" for change in done.tasks):
            counts = await counts_of(self.services.batch, job.id, left)
            return None if counts is None else await outcome(self.services.batch, job.id, counts, 0, left.ids)
        if not done.totals:
            await self._renew_sas(done)
        return await Watch(self.desired, self.services, self.report, self.clock, left).until_done()

    async def _renew_sas(self, done: Plan) -> None:
        """A run that only waits extends what its unfinished tasks hold, as every `apply` does."""
        assert self.observed is not None
        sender = self._run(done).sender
        for task in self.desired.tasks():
            there = self.observed.tasks.get(task.id.casefold())
            if there is not None and not there.completed:
                await sender.grant(task.body)

    async def clean_up(self) -> None:
        """Remove what the spec's cleanup names; another client's run is a reason to leave it."""
        if not self.desired.cleanup_after_success:
            return
        try:
            async with locked(self.desired, self.services):
                await clean_up(self.desired, self.services, self.report, self.clock)
        except Locked as error:
            self.report(Noted(f"nothing is cleaned up: {error}", warning=True))


def left_of(observed: Observed, done: Plan) -> Left:
    """The orphaned tasks among the job's, so that they count neither as done nor as failed."""
    if any(change.kind == "job" and change.action in ("create", "replace") for change in done.changes):
        return Left()
    ids = frozenset(task_id.casefold() for task_id in done.orphaned_tasks)
    failed = sum(observed.tasks[task_id].failed for task_id in ids)
    return Left(ids, len(ids) - failed, failed)


def _refuse_unseen(shown: Plan, again: Plan) -> None:
    unseen = set(again.questions) - set(shown.questions)
    if unseen:
        names = ", ".join(sorted(f"{one.action} {one.kind} {one.id}" for one in unseen)[:5])
        raise PlanRefused(
            f"the services changed since the plan was shown: it would now {names}", fix="run `apply` again"
        )
