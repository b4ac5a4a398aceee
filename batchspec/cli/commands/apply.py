"""`batchspec apply`: plan, ask where something is replaced or deleted, execute, wait, download, clean up.

In: a spec. Out: the plan and how it ended on stdout, progress and failures on stderr. Exit code 0, or 3 when tasks have
failed; errors have their own (see `errors`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from batchspec.cli import as_json, phrases
from batchspec.cli.ask import ask
from batchspec.cli.boundary import print_error
from batchspec.cli.console import Console
from batchspec.cli.given import Given, asked_words
from batchspec.cli.plan_entries import nothing_or_totals
from batchspec.cli.progress import reporting
from batchspec.cli.reviewed import Reviewed, reviewed
from batchspec.cli.session import online
from batchspec.cli.text_outcome import counts_phrase, failure_lines, node_failure_lines, schedule_phrase
from batchspec.cli.text_plan import print_plan
from batchspec.errors import ServiceUnreachable, TasksFailed, TimedOut
from batchspec.reconcile.apply import Applied
from batchspec.reconcile.asked import NOTHING, Asked
from batchspec.reconcile.change import Plan, Totals
from batchspec.reconcile.observe import Observed
from batchspec.reconcile.outcome import Outcome
from batchspec.reconcile.ports import Services
from batchspec.reconcile.report import Event, Finished, Reporter, Started
from batchspec.render.model import Desired

if TYPE_CHECKING:
    from batchspec.reconcile.freeze import Freezing


@dataclass(frozen=True, slots=True)
class Options:
    """What was said; with `digest` or `plan_file` only what that plan would do is done, as it was planned."""

    yes: bool = False
    force: bool = False
    wait: bool = True
    asked: Asked = NOTHING
    digest: str | None = None
    plan_file: str | None = None

    def words(self, *more: str) -> list[str]:
        """These options as typed, for a run that goes on with this one; a digest is spent once a part is done."""
        asked = asked_words(self.asked) if self.plan_file is None else ["--plan", self.plan_file]
        return [*asked, *more, *["--force"] * self.force, *["--no-wait"] * (not self.wait)]


def apply(console: Console, spec: str | None, given: Given, options: Options) -> int:
    """Apply the spec, or the plan that the options name."""
    held_to, path, given = reviewed(spec, given, digest=options.digest, plan_file=options.plan_file)
    asked = held_to.asked(options.asked)
    run = Dialogue(console, path, given, replace(options, asked=asked), held_to)

    async def work(desired: Desired, services: Services) -> int:
        from batchspec.reconcile.apply import Approval
        from batchspec.reconcile.apply import apply as applied
        from batchspec.reconcile.freeze import Freezing

        freezing = Freezing(desired, services.place, asked)
        with reporting(console) as report, run.goes_on():
            approval = Approval(
                lambda plan: run.show(plan, desired),
                lambda plan, observed: run.refuse(plan, observed, freezing),
                run.ask,
            )
            heard = run.listening(report)
            result = await applied(desired, services, report=heard, approval=approval, asked=asked, wait=options.wait)
        return run.ended(result)

    return online(console, path, given, work, need="all", check=held_to.refuse_other, told=run.how_to_come_back)


@dataclass(slots=True)
class Dialogue:
    """What one run asks and tells; `waiting` is true while only the service works.

    What was `reviewed` is not asked about again.
    """

    console: Console
    spec: str
    given: Given
    options: Options
    reviewed: Reviewed
    waiting: bool = False

    def listening(self, report: Reporter) -> Reporter:
        """The same reporter, noting when the wait begins and ends."""

        def listen(event: Event, /) -> None:
            if isinstance(event, Started | Finished) and event.stage in ("wait", "release"):
                self.waiting = isinstance(event, Started)
            report(event)

        return listen

    def show(self, plan: Plan, desired: Desired) -> None:
        """Show the plan; a quiet run shows one that is asked about or refused."""
        self.console.answer["plan"] = as_json.plan_object(plan)
        refused = any(one.verdict == "failed" for one in plan.checks) or bool(plan.too_much and not self.options.force)
        asking = bool(plan.questions and not self.options.yes and not self.reviewed) or refused
        if not self.console.as_json and (asking or not self.console.quiet):
            print_plan(self.console, plan, desired)
            if not plan.nothing_to_do:
                self.console.result("")
            self.console.flush()

    def refuse(self, plan: Plan, observed: Observed, freezing: "Freezing") -> None:
        """Raise PlanStale when it is not the plan that was reviewed, and TooMuchAtOnce unless `--force` was said."""
        from batchspec.reconcile.blast_radius import refuse_too_much

        see = self.given.suggest("plan", self.spec, *asked_words(self.options.asked))
        self.reviewed.refuse_stale(plan, observed, freezing, see=see)
        if not self.options.force:
            refuse_too_much(plan)

    def ask(self, plan: Plan) -> None:
        """Ask when something is replaced or deleted. Raises Declined."""
        if plan.questions and not self.reviewed:
            again = self._again("--yes")
            ask(self.console, _question(plan.totals), yes=self.options.yes, again=again)

    def _again(self, *more: str) -> str:
        """The command line that goes on with this run; the plan knows the variables."""
        again = self.given if self.reviewed.frozen is None else replace(self.given, frozen={})
        return again.suggest("apply", self.spec, *self.options.words(*more))

    def _wait_again(self) -> str:
        """The command line that comes back to what is in the service: nothing of it is retried or sent again."""
        if self.reviewed.frozen is None:
            return self.given.suggest("apply", self.spec)
        return replace(self.given, frozen={}).suggest("apply", self.spec, "--plan", self.reviewed.file)

    def how_to_come_back(self) -> str:
        """The next step after Ctrl-C."""
        if not self.waiting:
            return f"go on with: {self._again()}"
        look = self.given.suggest("status", self.spec)
        again = f"wait again and get the results with: {self._wait_again()}"
        return f"the run goes on in the service; look with: {look}\n{again}"

    @contextmanager
    def goes_on(self) -> Iterator[None]:
        """When the wait ends with an error, say how to come back to what goes on in the service."""
        try:
            yield
        except TimedOut as error:
            if self.waiting:
                error.fix = "\n".join(filter(None, (error.fix, self.how_to_come_back())))
            raise
        except ServiceUnreachable as error:  # whether the run goes on there, nobody knows
            if self.waiting:
                again = f"wait again and get the results with: {self._wait_again()}"
                error.fix = "\n".join(filter(None, (error.fix, again)))
            raise

    def ended(self, result: Applied) -> int:
        """Print how it ended; the exit code."""
        failed = _has_failed(result)
        if self.console.as_json:
            self.console.answer |= {
                "plan": as_json.plan_object(result.plan),
                "outcome": None if result.outcome is None else as_json.outcome_object(result.outcome),
                "downloaded": result.downloaded,
                "seconds": round(result.seconds, 3),
                "schedule": None if result.schedule is None else as_json.schedule_object(result.schedule),
                "download_error": None if result.missed is None else as_json.error_object(result.missed),
            }
        self._tell(result)
        if failed:
            self._tell_failures(result)
        if result.missed is not None:
            print_error(self.console, result.missed)
        return TasksFailed.exit_code if failed else 0

    def _tell(self, result: Applied) -> None:
        if self.console.as_json:
            return
        if result.schedule is not None and not self.console.quiet:
            self.console.result(f"Schedule {schedule_phrase(result.schedule)}")
        if result.plan.nothing_to_do:
            if self.console.quiet:
                self.console.result(nothing_or_totals(result.plan))
            return
        took = phrases.duration(result.seconds)
        delete = self.given.suggest("delete", self.spec)
        if not self.options.wait:
            self.console.result(f"Submitted. Look with: {self.given.suggest('status', self.spec)}")
            self.console.result(f"Wait and get the results with: {self._wait_again()}")
        elif _has_failed(result):
            self.console.result(f"Ended in {took}: {_phrase(result.outcome)}")
        else:
            self.console.result(f"Done in {took}. Delete what this spec owns with: {delete}")

    def _tell_failures(self, result: Applied) -> None:
        outcome = result.outcome
        again = self.given.suggest("apply", self.spec, "--retry-failed")
        if outcome is None or outcome.counts.failed or outcome.blocked:
            self._tell_tasks(result)
            if result.schedule is None:
                self.console.error(f"  run them again with: {again}")
        if outcome is not None and outcome.release_failures:
            self._say_error(f"the job release task failed on {phrases.count(len(outcome.release_failures), 'node')}")
            for line in node_failure_lines(outcome.release_failures, self.given, self.spec):
                self.console.error(line)
            self.console.error(f"  it runs once in a job; make the job anew, and run all of its tasks, with: {again}")

    def _tell_tasks(self, result: Applied) -> None:
        outcome, before = result.outcome, result.plan.failed_tasks
        if outcome is None:
            self._say_error(f"{phrases.count(len(before), 'task')} failed before: {phrases.some(before)}")
            return
        self._say_error(f"{outcome.counts.failed:,} of {phrases.count(outcome.counts.total, 'task')} failed")
        for line in failure_lines(outcome.failures, self.given, self.spec):
            self.console.error(line)
        if outcome.blocked:
            blocked = phrases.count(outcome.blocked, "task")
            self.console.error(f"  {blocked} can never run: a task that is needed has failed")

    def _say_error(self, text: str) -> None:
        self.console.error(f"{self.console.mark('error', 'error:', stream=self.console.err)} {text}")


def _question(totals: Totals) -> str:
    parts = ((totals.replace, "replace"), (totals.delete, "delete"))
    text = " and ".join(f"{verb} {number:,}" for number, verb in parts if number)
    return f"{text[0].upper()}{text[1:]} of what is there"


def _has_failed(result: Applied) -> bool:
    """Whether tasks have failed, in this run or an earlier one, or can never run because of that."""
    return result.outcome.failed if result.outcome is not None else bool(result.plan.failed_tasks)


def _phrase(outcome: Outcome | None) -> str:
    return counts_phrase(outcome.counts, outcome.blocked) if outcome is not None else "tasks failed before"
