"""How failures and states are told."""

from dataclasses import replace

from batchspec.cli.given import Given
from batchspec.cli.text_outcome import counts_phrase, failure_lines, node_failure_lines, status_lines
from batchspec.reconcile.outcome import PREPARATION, RELEASE, Counts, Failure, Group, Status

FAILED = Failure(
    kind="task",
    id="railway",
    node="tvmps_1",
    exit_code=3,
    category="usererror",
    code="FailureExitCode",
    message="The task exited with an exit code representing a failure",
    details=("Message: see https://h/c?sv=1&sig=SECRET",),
    stderr=("Traceback\x1b[31m:", "\tOops"),
    fix="",
)
NODE = Failure(
    "start task", "tvmps_2", "tvmps_2", 1, "usererror", "FailureExitCode", "it failed", (), ("no apt",), "be root"
)


def test_a_cause_is_told_once_with_an_example_in_full() -> None:
    group = Group(FAILED.cause, 7, ("railway", "b", "c", "d", "e"), FAILED)

    assert list(failure_lines((group,), Given(("n=5",)), "specs/t.yaml")) == [
        "  FailureExitCode (exit code 3): 7 tasks (railway, b, c, d, e, ...)",
        "    task railway on node tvmps_1: The task exited with an exit code representing a failure",
        "      Message: see https://h/c?sv=1&sig=<masked>",
        "      stderr | Traceback:",
        "      stderr |         Oops",
        "      more: batchspec logs specs/t.yaml railway --var n=5",
    ]


def test_others_of_a_cause_are_told_too_and_an_unusable_node_has_no_logs() -> None:
    other = Failure("node", "tvmps_3", "tvmps_3", None, "", "Bad", "it is broken", (), (), "")

    assert list(failure_lines((Group("Bad", 2, ("railway", "b"), FAILED, (other,)),), Given(), "t.yaml"))[-2:] == [
        "      more: batchspec logs t.yaml railway",
        "    node tvmps_3: it is broken",
    ]


def test_a_start_task_names_its_node_the_next_step_and_where_more_is() -> None:
    assert list(node_failure_lines((NODE,), Given(), "s.yaml")) == [
        "  FailureExitCode (exit code 1)",
        "    start task on node tvmps_2: it failed",
        "      stderr | no apt",
        "      be root",
        "      more: batchspec logs s.yaml --start-task tvmps_2",
    ]


def test_counts_say_what_ended_how_and_what_is_left() -> None:
    assert counts_phrase(Counts(0, 0, 3, 3, 0)) == "3 of 3 completed: 3 succeeded"
    assert (
        counts_phrase(Counts(4, 2, 1, 0, 1), blocked=3) == "1 of 7 completed: 1 failed; 2 running, 1 waiting, 3 blocked"
    )


def test_a_status_shows_pool_nodes_job_tasks_and_failures() -> None:
    status = Status(
        name="t",
        pool_id="t-pool",
        pool_state="active",
        allocation_state="steady",
        target_nodes=3,
        nodes=(("idle", 1), ("starttaskfailed", 1)),
        pool_errors=("AllocationFailed: no cores",),
        node_failures=(NODE,),
        job_id="t-job",
        job_state="active",
        counts=Counts(0, 1, 1, 0, 1),
        blocked=0,
        failures=(Group(FAILED.cause, 1, ("railway",), FAILED),),
        job_failures=(replace(NODE, kind=PREPARATION), replace(NODE, kind=RELEASE, id="tvmps_3", node="tvmps_3")),
    )

    lines = list(status_lines(status, Given(), "s.yaml"))
    assert lines[:7] == [
        "pool        t-pool: active, steady",
        "            AllocationFailed: no cores",
        "nodes       2 of 3: 1 idle, 1 starttaskfailed",
        "job         t-job: active",
        "tasks       1 of 2 completed: 1 failed; 1 running",
        "1 node failed:",
        "  FailureExitCode (exit code 1)",
    ]
    assert [line for line in lines if "job preparation" in line or "job release" in line or "--" in line] == [
        "      more: batchspec logs s.yaml --start-task tvmps_2",
        "job preparation task failed on 1 node:",
        "    job preparation task on node tvmps_2: it failed",
        "      more: batchspec logs s.yaml --preparation tvmps_2",
        "job release task failed on 1 node:",
        "    job release task on node tvmps_3: it failed",
        "      more: batchspec logs s.yaml --release tvmps_3",
    ]


def test_what_is_not_there_is_said_to_be_not_there() -> None:
    status = Status("t", "t-pool", None, None, 0, (), (), (), "t-job", None, Counts(), 0, ())

    assert list(status_lines(status, Given(), "s.yaml")) == [
        "pool        t-pool: not there",
        "job         t-job: not there",
    ]
