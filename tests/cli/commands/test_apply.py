"""What `apply` asks and tells."""

import json
import re
from dataclasses import replace

import pytest

from batchspec.cli.commands.apply import Dialogue, Options
from batchspec.cli.given import Given
from batchspec.cli.reviewed import Reviewed
from batchspec.errors import Declined, PlanStale, ServiceUnreachable, TimedOut, TooMuchAtOnce, TransferFailed
from batchspec.reconcile.apply import Applied
from batchspec.reconcile.asked import Asked
from batchspec.reconcile.change import Change, Plan, Reason
from batchspec.reconcile.freeze import Freezing
from batchspec.reconcile.frozen import Frozen
from batchspec.reconcile.observe import Observed, Strays
from batchspec.reconcile.outcome import Counts, Failure, Group, Outcome
from batchspec.reconcile.report import Event, Finished, Started, silent
from tests.cli.made import console, desired, shown

FAILURE = Failure(
    "task", "b", "n1", 3, "usererror", "FailureExitCode", "it failed", (), ("Traceback", "Oops"), "look at it"
)
WELL = Outcome(Counts(0, 0, 3, 3, 0), 0, ())
BADLY = Outcome(Counts(1, 0, 2, 1, 1), 1, (Group(FAILURE.cause, 1, ("b",), FAILURE),))


def plan(*changes: Change, failed: tuple[str, ...] = (), kept: int = 0) -> Plan:
    return Plan("topwords", changes, (), kept, (), failed, (), 0, (), False)


NEW = plan(Change("create", "job", "topwords-job"))
DONE = plan(kept=3)
REPLACED = plan(Change("replace", "pool", "topwords-pool", (Reason("changed", "vmSize", "a", "b"),)))
TOO_MUCH = replace(REPLACED, too_much=("would replace pool p",))
SEEN = Observed({}, {}, None, (), (), None, {}, Strays())

FREEZING = Freezing(replace(desired(), uploads={}), "local")


PLAIN = Options()


def dialogue(options: Options = PLAIN, *, quiet: bool = False, as_json: bool = False) -> Dialogue:
    one = console()
    one.quiet, one.as_json = quiet, as_json
    return Dialogue(one, "s.yaml", Given(("n=5",)), options, Reviewed(options.digest))


def approve(run: Dialogue, one: Plan) -> None:
    """What `apply` does with a plan before the first write."""
    run.show(one, desired())
    run.refuse(one, SEEN, FREEZING)
    run.ask(one)


def test_a_plan_without_questions_is_shown_and_goes_on() -> None:
    run = dialogue()
    run.show(NEW, desired())

    assert shown(run.console) == (
        "  + job        topwords-job\nPlan: 1 to create, 0 to change, 0 to replace, 0 to delete.\n\n",
        "",
    )


def test_a_replacement_that_nobody_can_agree_to_is_shown_and_refused() -> None:
    run = dialogue(quiet=True)
    with pytest.raises(Declined, match=re.escape("Replace 1 of what is there? There is no terminal")):
        approve(run, REPLACED)

    assert "vm_size: a -> b" in shown(run.console)[0]


def test_a_replacement_with_yes_goes_on() -> None:
    run = dialogue(Options(yes=True), quiet=True)
    approve(run, REPLACED)

    assert shown(run.console) == ("", "")


def test_too_much_at_once_is_shown_and_refused_whatever_was_agreed_to() -> None:
    run = dialogue(Options(yes=True), quiet=True)
    with pytest.raises(TooMuchAtOnce, match="would replace pool p") as refused:
        approve(run, TOO_MUCH)

    assert refused.value.fix == "read the plan; if all of that is meant, apply with --force"
    assert "vm_size: a -> b" in shown(run.console)[0]


def test_too_much_at_once_goes_on_with_force_and_is_asked_about_like_the_rest() -> None:
    approve(dialogue(Options(yes=True, force=True)), TOO_MUCH)
    with pytest.raises(Declined) as declined:
        approve(dialogue(Options(force=True)), TOO_MUCH)

    assert declined.value.fix == "if you agree: batchspec apply s.yaml --yes --force --var n=5"


@pytest.mark.parametrize("digits", [12, 64])
def test_a_plan_with_the_digest_that_was_reviewed_is_not_asked_about(digits: int) -> None:
    digest = FREEZING.digest(REPLACED, SEEN)

    approve(dialogue(Options(digest=digest[:digits])), REPLACED)


def test_a_plan_with_another_digest_is_refused() -> None:
    now = FREEZING.digest(REPLACED, SEEN)
    with pytest.raises(PlanStale) as stale:
        approve(dialogue(Options(digest="0" * 64, yes=True)), REPLACED)

    assert str(stale.value) == (
        f"the plan made now has the digest {now[:12]}, not 000000000000: the spec, its inputs or what is there has "
        "changed since it was reviewed; nothing was changed"
    )
    assert stale.value.fix == "see what it would do now: batchspec plan s.yaml --var n=5"


def test_a_good_end_says_how_long_it_took_and_how_to_delete() -> None:
    run = dialogue()

    assert run.ended(Applied(NEW, WELL, 3, 4.11)) == 0
    assert shown(run.console) == (
        "Done in 4.1 s. Delete what this spec owns with: batchspec delete s.yaml --var n=5\n",
        "",
    )


@pytest.mark.parametrize("quiet", [False, True])
def test_nothing_to_do_is_said_once(quiet: bool) -> None:
    run = dialogue(quiet=quiet)
    run.show(DONE, desired())

    assert run.ended(Applied(DONE, WELL, 0, 0.2)) == 0
    assert shown(run.console) == ("Nothing to do\n", "")


def test_failures_are_told_with_all_that_is_known_and_what_to_do() -> None:
    run = dialogue()

    assert run.ended(Applied(NEW, BADLY, 1, 4.11)) == 3
    out, err = shown(run.console)
    assert out == "Ended in 4.1 s: 2 of 3 completed: 1 succeeded, 1 failed; 1 blocked\n"
    assert err.splitlines() == [
        "error: 1 of 3 tasks failed",
        "  FailureExitCode (exit code 3)",
        "    task b on node n1: it failed",
        "      stderr | Traceback",
        "      stderr | Oops",
        "      look at it",
        "      more: batchspec logs s.yaml b --var n=5",
        "  1 task can never run: a task that is needed has failed",
        "  run them again with: batchspec apply s.yaml --retry-failed --var n=5",
    ]


def test_tasks_that_failed_before_are_a_failure_again_and_nothing_is_written() -> None:
    run = dialogue()
    before = plan(kept=3, failed=("b",))
    run.show(before, desired())

    assert run.ended(Applied(before, BADLY, 0, 0.2)) == 3
    out, err = shown(run.console)
    assert out.splitlines()[0] == "Nothing to do"
    assert "--retry-failed" in err


def test_without_waiting_it_says_how_to_come_back() -> None:
    run = dialogue(Options(wait=False, asked=Asked(retry_failed=True)))

    assert run.ended(Applied(NEW, None, 0, 2.0)) == 0
    assert shown(run.console)[0].splitlines() == [
        "Submitted. Look with: batchspec status s.yaml --var n=5",
        "Wait and get the results with: batchspec apply s.yaml --var n=5",
    ]


def test_after_ctrl_c_the_next_step_depends_on_whether_the_tasks_are_in_the_service() -> None:
    run = dialogue()
    seen: list[Event] = []
    listen = run.listening(seen.append)
    early = run.how_to_come_back()
    listen(Started("wait", 3))

    assert early == "go on with: batchspec apply s.yaml --var n=5"
    assert run.how_to_come_back().splitlines() == [
        "the run goes on in the service; look with: batchspec status s.yaml --var n=5",
        "wait again and get the results with: batchspec apply s.yaml --var n=5",
    ]
    listen(Finished("wait", "3 of 3", 1.0))
    assert run.how_to_come_back() == early
    assert seen == [Started("wait", 3), Finished("wait", "3 of 3", 1.0)]


def test_what_is_suggested_asks_for_the_same_again_and_a_wait_that_goes_on_for_no_more_than_the_wait() -> None:
    asked = Asked(retry_failed=True, refresh_secrets=True)
    run = dialogue(Options(wait=False, force=True, asked=asked))
    with pytest.raises(Declined) as declined:
        approve(run, REPLACED)
    with pytest.raises(PlanStale) as stale:
        approve(dialogue(Options(digest="0" * 64, asked=asked)), REPLACED)

    again = "--retry-failed --refresh-secrets"
    assert declined.value.fix == f"if you agree: batchspec apply s.yaml {again} --yes --force --no-wait --var n=5"
    assert stale.value.fix == f"see what it would do now: batchspec plan s.yaml {again} --var n=5"
    assert run.how_to_come_back() == f"go on with: batchspec apply s.yaml {again} --force --no-wait --var n=5"
    run.listening(silent)(Started("wait", 3))
    assert run.how_to_come_back().endswith("get the results with: batchspec apply s.yaml --var n=5")


def test_a_plan_in_a_file_is_come_back_to_with_that_file() -> None:
    held_to = Reviewed(None, "my plan.json", Frozen("s.yaml", {}, ""))
    options = Options(wait=False, force=True, asked=Asked(retry_failed=True), plan_file="my plan.json")
    run = Dialogue(console(), "s.yaml", Given(frozen={"n": 5}), options, held_to)

    early = run.how_to_come_back()
    run.listening(silent)(Started("wait", 3))

    assert early == "go on with: batchspec apply s.yaml --plan 'my plan.json' --force --no-wait"
    assert run.how_to_come_back().endswith("the results with: batchspec apply s.yaml --plan 'my plan.json'")


def test_a_wait_that_times_out_says_how_to_come_back() -> None:
    run = dialogue()
    run.listening(silent)(Started("wait", 3))
    with pytest.raises(TimedOut) as caught, run.goes_on():
        raise TimedOut("late", fix="more time")

    assert caught.value.fix.splitlines() == [
        "more time",
        "the run goes on in the service; look with: batchspec status s.yaml --var n=5",
        "wait again and get the results with: batchspec apply s.yaml --var n=5",
    ]


def test_a_service_that_is_gone_is_not_said_to_go_on() -> None:
    run = dialogue()
    run.listening(silent)(Started("wait", 3))
    with pytest.raises(ServiceUnreachable) as caught, run.goes_on():
        raise ServiceUnreachable("nobody answers")

    assert caught.value.fix == "wait again and get the results with: batchspec apply s.yaml --var n=5"


def test_failed_tasks_and_then_a_failed_download_are_both_told() -> None:
    missed = TransferFailed("1 blob was not downloaded", fix="rename it")
    run, in_json = dialogue(), dialogue(as_json=True)

    assert run.ended(Applied(NEW, BADLY, 0, 4.1, missed)) == 3
    assert shown(run.console)[1].splitlines()[-2:] == ["error: 1 blob was not downloaded", "  rename it"]
    assert in_json.ended(Applied(NEW, BADLY, 0, 4.1, missed)) == 3
    assert in_json.console.answer["download_error"] == {
        "kind": "TransferFailed",
        "message": "1 blob was not downloaded",
        "fix": "rename it",
    }


def test_a_release_task_that_failed_is_told_with_the_way_to_run_it_again() -> None:
    release = replace(FAILURE, kind="job release task", id="n1", fix="")
    run = dialogue()

    assert run.ended(Applied(NEW, replace(WELL, release_failures=(release,)), 1, 4.1)) == 3
    again = "batchspec apply s.yaml --retry-failed --var n=5"
    assert shown(run.console)[1].splitlines() == [
        "error: the job release task failed on 1 node",
        "  FailureExitCode (exit code 3)",
        "    job release task on node n1: it failed",
        "      stderr | Traceback",
        "      stderr | Oops",
        "      more: batchspec logs s.yaml --release n1 --var n=5",
        f"  it runs once in a job; make the job anew, and run all of its tasks, with: {again}",
    ]


def test_json_holds_the_plan_and_the_outcome_and_stdout_nothing_else() -> None:
    run = dialogue(as_json=True)
    run.show(NEW, desired())

    assert run.ended(Applied(NEW, BADLY, 1, 4.1119)) == 3
    assert shown(run.console)[0] == ""
    answer = json.loads(json.dumps(run.console.answer))
    assert answer["plan"]["totals"] == {"create": 1, "change": 0, "replace": 0, "delete": 0}
    assert answer["outcome"]["tasks"] == {
        "total": 3,
        "active": 1,
        "running": 0,
        "completed": 2,
        "succeeded": 1,
        "failed": 1,
    }
    assert answer["outcome"]["failures"][0]["example"]["stderr"] == ["Traceback", "Oops"]
    assert (answer["downloaded"], answer["seconds"]) == (1, 4.112)
