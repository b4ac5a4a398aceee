"""A plan becomes effects: containers, uploads, pool, job, tasks or a schedule; then waiting, downloads, clean-up.

Place in the pipeline: the heart of the `apply` command. In: `Desired` and the services. Out: `Applied`. It observes and
plans, lets a person confirm, takes the lock, plans again under it, writes step by step, gives the lock back, and waits.
Killed at any moment, the next run finds from the services alone what is left to do.

The second plan is what is carried out. When it asks for something that the confirmed one did not (a replacement or
deletion that was not shown), or is refused as the first one would have been, nothing is written.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace

from batchspec.errors import BatchspecError, Locked, PlanRefused
from batchspec.reconcile.asked import NOTHING, Asked
from batchspec.reconcile.change import Change, Plan
from batchspec.reconcile.cleanup import clean_up
from batchspec.reconcile.clock import Clock, SystemClock
from batchspec.reconcile.failures import failures_of_tasks
from batchspec.reconcile.fetch import download
from batchspec.reconcile.lock import lock_container, locked
from batchspec.reconcile.observe import Observed
from batchspec.reconcile.outcome import Counts, Group, Outcome, ScheduleState
from batchspec.reconcile.plan import plan
from batchspec.reconcile.ports import Lease, Services
from batchspec.reconcile.preflight import Preflight, refuse_failed
from batchspec.reconcile.report import Noted, Reporter
from batchspec.reconcile.run import Run
from batchspec.reconcile.sending import Sender, check_others, sas_life
from batchspec.reconcile.step_blobs import create_container, create_containers, upload
from batchspec.reconcile.step_job import finish_job, make_job
from batchspec.reconcile.step_pool import make_pool
from batchspec.reconcile.step_sas import renew_sas, renew_start_task
from batchspec.reconcile.step_scaling import check_formula
from batchspec.reconcile.step_schedule import make_schedule
from batchspec.reconcile.step_tasks import make_tasks
from batchspec.reconcile.tally import Left, OwnJob, SharedJob, Tally, left_of
from batchspec.reconcile.task_reasons import with_task_reasons
from batchspec.reconcile.watch import Watch
from batchspec.reconcile.watch_pool import wait_for_nodes
from batchspec.reconcile.watch_preparation import release_failures
from batchspec.reconcile.watch_schedule import ScheduleWatch, can_end, check_newest_job, schedule_state
from batchspec.render.model import Desired, DesiredJob, DesiredSchedule


@dataclass(frozen=True, slots=True)
class Applied:
    """What `apply` did: the plan that was carried out, how the tasks ended (None without tasks or with `wait` off),
    how many files were downloaded, how long it took, why the download ended when tasks had failed before it, and how
    the schedule is now, if the spec has one."""

    plan: Plan
    outcome: Outcome | None
    downloaded: int
    seconds: float
    missed: BatchspecError | None = None
    schedule: ScheduleState | None = None


@dataclass(frozen=True, slots=True)
class Approval:
    """Whoever must agree to a plan before the first write.

    `show` is called once, then `refuse`, which raises PlanRefused, then `ask`, which raises Declined to stop. `refuse`
    is called again with the plan that was made under the lock.
    """

    show: Callable[[Plan], None]
    refuse: Callable[[Plan, Observed], None]
    ask: Callable[[Plan], None]


async def apply(
    desired: Desired,
    services: Services,
    *,
    report: Reporter,
    approval: Approval,
    asked: Asked = NOTHING,
    wait: bool = True,
    clock: Clock | None = None,
) -> Applied:
    """Make it so, once `approval` has let the plan pass.

    Raises PlanRefused and its kin with nothing changed; StartTaskFailed, PreparationFailed, TimedOut, TransferFailed,
    LocalIOFailed, ServiceRefused and ServiceUnreachable. Failed tasks are no error here: they are in the outcome, and
    then so is what befell the download, since they matter more.
    """
    clock = clock or SystemClock()
    began = clock.now()
    applying = _Applying(desired, services, report, clock, asked)
    shown = await applying.approved(approval)
    done = await applying.write(shown, approval) if shown.totals else shown
    if not wait:
        return Applied(done, None, 0, clock.now() - began, schedule=await applying.schedule())
    ended = await applying.wait(done)
    failed = ended is not None and ended.failed
    downloaded, missed = 0, None
    try:
        downloaded = await download(desired, services, report=report, clock=clock)
    except BatchspecError as error:
        if not failed:
            raise
        missed = error
    if ended is not None and not failed and not done.cleaned_up:
        await applying.clean_up()
    return Applied(done, ended, downloaded, clock.now() - began, missed, await applying.schedule())


@dataclass(slots=True)
class _Applying:
    desired: Desired
    services: Services
    report: Reporter
    clock: Clock
    asked: Asked
    observed: Observed | None = None

    async def look(self) -> Plan:
        """Observe and plan. Everything that can be refused is refused here."""
        ahead = Preflight(self.desired, self.services, thorough=False, refresh_secrets=self.asked.refresh_secrets)
        self.observed = await ahead.observe()
        sas_life(self.desired, self.services.blobs.longest_sas)
        await check_others(self.desired, self.services.blobs)
        return ahead.checked(plan(ahead.desired, self.observed, self.asked), self.observed)

    async def approved(self, approval: Approval) -> Plan:
        """The plan that was shown and that nobody refused."""
        shown = await self.look()
        approval.show(await with_task_reasons(shown, self.desired, self._seen, self.services.batch))
        refuse_failed(shown)
        approval.refuse(shown, self._seen)
        approval.ask(shown)
        return shown

    @property
    def _seen(self) -> Observed:
        assert self.observed is not None
        return self.observed

    async def write(self, shown: Plan, approval: Approval) -> Plan:
        """Take the lock, plan again, and carry it out; the plan that was carried out."""
        made = await self._make_lock_container(shown)
        async with locked(self.desired, self.services) as lease:
            again = await self.look()
            _refuse_unseen(shown, again)
            refuse_failed(again)
            done = replace(again, changes=(*made, *again.changes))
            approval.refuse(done, self._seen)
            await self._carry_out(self._run(done, made, alone=lease is not None), lease)
        return done

    async def _make_lock_container(self, shown: Plan) -> tuple[Change, ...]:
        """The lock needs its container: it is made first, before the lock is held. The change that was made here."""
        name = lock_container(self.desired)
        for change in shown.changes:
            if change.kind == "container" and change.id == name and await create_container(self._run(shown), name):
                return (change,)
        return ()

    def _run(self, chosen: Plan, made: tuple[Change, ...] = (), *, alone: bool = False) -> Run:
        seen = self._seen
        sender = Sender(self.desired, self.services.blobs, seen.images)
        run_id = uuid.uuid4().hex
        return Run(run_id, self.desired, seen, chosen, self.services, sender, self.report, self.clock, made, alone)

    async def _carry_out(self, run: Run, lease: Lease | None) -> None:
        pool = (renew_start_task, make_pool, check_formula)
        work = (make_job, make_tasks, finish_job, make_schedule)
        for step in (create_containers, upload, *pool, *work, renew_sas):
            if lease is not None:
                lease.check()
            await step(run)

    async def wait(self, done: Plan) -> Outcome | None:
        """Wait for tasks and for the release tasks of a job that ends with them, for a schedule, or for nodes alone."""
        if self.desired.schedule is not None:
            return await self._wait_for_schedule(self.desired.schedule, done)
        deadline = self.clock.now() + self.desired.wait_timeout.total_seconds()
        ended = await self._wait_for_tasks(done)
        if ended is None:
            return None
        failures = await release_failures(
            self.desired, self.services, self.report, self.clock, ends=not ended.blocked, deadline=deadline
        )
        return replace(ended, release_failures=failures)

    async def _wait_for_tasks(self, done: Plan) -> Outcome | None:
        job = self.desired.job
        sent = sum(change.action != "delete" for change in done.tasks)
        begins = job is not None and job.has_manager and self._is_new(done)
        if job is None or not (sent or done.kept_tasks or done.pending_tasks or begins):
            changed = any(change.kind == "pool" for change in done.changes)
            await wait_for_nodes(self.desired, self.services, self.report, self.clock, changed=changed)
            return None
        if not (done.pending_tasks or sent or begins):
            failed, kept = len(done.failed_tasks), done.kept_tasks
            _, groups = await self._failures(job, done) if failed else (0, ())
            return Outcome(Counts(0, 0, kept, kept - failed, failed), 0, groups)
        if not done.totals:
            run = self._run(done)
            await renew_start_task(run)
            await renew_sas(run)
        tally = self._tally(job, done, expected=sent + done.kept_tasks)
        return await Watch(self.desired, self.services, self.report, self.clock, tally).until_done()

    async def _wait_for_schedule(self, schedule: DesiredSchedule, done: Plan) -> Outcome | None:
        if not done.totals:
            await renew_sas(self._run(done))
        there = await self.services.batch.get_schedule(schedule.id)
        if schedule.existing or not can_end(self.desired, there):
            await check_newest_job(there, self.services.batch)
            changed = any(change.kind == "pool" for change in done.changes)
            await wait_for_nodes(self.desired, self.services, self.report, self.clock, changed=changed)
            return None
        return await ScheduleWatch(self.desired, self.services, self.report, self.clock).until_ended()

    async def schedule(self) -> ScheduleState | None:
        """How the schedule is at the end."""
        wanted = self.desired.schedule
        return await schedule_state(wanted.id, self.services.batch) if wanted is not None else None

    async def _failures(self, job: DesiredJob, done: Plan) -> tuple[int, tuple[Group, ...]]:
        failed = frozenset(task_id.casefold() for task_id in done.failed_tasks)
        return await failures_of_tasks(self.services.batch, job.id, lambda task_id: task_id.casefold() in failed)

    def _tally(self, job: DesiredJob, done: Plan, *, expected: int) -> Tally:
        if job.existing:
            ids = frozenset(task.id.casefold() for task in self.desired.tasks())
            return SharedJob(self.services.batch, job.id, ids)
        left = Left() if self._is_new(done) else left_of(self._seen, done.orphaned_tasks)
        return OwnJob(self.services.batch, job.id, expected, left)

    @staticmethod
    def _is_new(done: Plan) -> bool:
        """Whether the job was made in this run."""
        return any(change.kind == "job" and change.action in ("create", "replace") for change in done.changes)

    async def clean_up(self) -> None:
        """Remove what the spec's cleanup names; another client's run is a reason to leave it."""
        if not self.desired.cleanup_after_success:
            return
        try:
            async with locked(self.desired, self.services):
                await clean_up(self.desired, self.services, self.report, self.clock)
        except Locked as error:
            self.report(Noted(f"nothing is cleaned up: {error}", warning=True))


def _refuse_unseen(shown: Plan, again: Plan) -> None:
    seen = {(one.action, one.kind, one.id) for one in shown.questions}
    unseen = [one for one in again.questions if (one.action, one.kind, one.id) not in seen]
    if unseen:
        names = ", ".join(sorted(f"{one.action} {one.kind} {one.id}" for one in unseen)[:5])
        raise PlanRefused(
            f"the services changed since the plan was shown: it would now {names}", fix="run `apply` again"
        )
