"""The JSON objects, whole."""

from dataclasses import replace

from batchspec.cli import as_json
from batchspec.errors import Difference, PlanStale, TimedOut
from batchspec.reconcile.change import Change, Check, Plan, Reason
from batchspec.reconcile.outcome import Counts, Failure, Group, ScheduleState, Status
from batchspec.render.symbolic import symbol

FAILURE = Failure("task", "a", "n", None, "usererror", "BlobNotFound", "no ?sig=x", ("u: h?sig=y",), ("&sig=z",), "up")
FAILURE_OBJECT = {
    "kind": "task",
    "id": "a",
    "node": "n",
    "exit_code": None,
    "category": "usererror",
    "code": "BlobNotFound",
    "message": "no ?sig=<masked>",
    "details": ["u: h?sig=<masked>"],
    "stderr": ["&sig=<masked>"],
    "fix": "up",
}


def test_a_plan_is_complete_and_holds_no_symbol_and_no_signature() -> None:
    reason = Reason("changed", "startTask", {"url": "h?sv=1&sig=abc"}, [symbol("sas_url", "output", "cw"), 1], "drift")
    change = Change("replace", "pool", "p", (reason,), steps=("delete", "create"))
    checks = (Check("quota", "warning", "?sig=abc", "ask for more"),)
    plan = Plan("t", (change,), (), 1, (), ("b",), ("c",), 2, ("note",), True, ("job",), checks, ("theirs: no SAS",))

    assert as_json.plan_object(plan) == {
        "nothing_to_do": False,
        "totals": {"create": 0, "change": 0, "replace": 1, "delete": 0},
        "changes": [
            {
                "action": "replace",
                "kind": "pool",
                "id": "p",
                "key": "",
                "size": 0,
                "reasons": [
                    {
                        "text": "changed",
                        "path": "startTask",
                        "old": {"url": "h?sv=1&sig=<masked>"},
                        "new": ["<sas_url output cw>", 1],
                        "cause": "drift",
                        "replaces": False,
                    }
                ],
                "steps": ["delete", "create"],
            }
        ],
        "tasks": [],
        "downloads": [],
        "kept_tasks": 1,
        "pending_tasks": 2,
        "failed_tasks": ["b"],
        "orphaned_tasks": ["c"],
        "notes": ["note"],
        "digest": "",
        "cleaned_up": True,
        "cleanup_due": ["job"],
        "unseen": ["theirs: no SAS"],
        "needs_force": [],
        "checks": [{"name": "quota", "verdict": "warning", "fact": "?sig=<masked>", "fix": "ask for more"}],
    }


def test_a_status_is_complete() -> None:
    groups = (Group("BlobNotFound", 2, ("a", "b"), FAILURE, (FAILURE,)),)
    status = Status("t", "p", "active", "steady", 2, (("idle", 1),), ("X: y",), (FAILURE,), "j", "active",
                    Counts(1, 0, 1, 0, 1), 1, groups, (FAILURE,))  # fmt: skip

    assert as_json.status_object(status) == {
        "pool": {
            "id": "p",
            "state": "active",
            "allocation_state": "steady",
            "target_nodes": 2,
            "nodes": {"idle": 1},
            "errors": ["X: y"],
            "failures": [FAILURE_OBJECT],
        },
        "schedule": None,
        "job": {"id": "j", "state": "active", "failures": [FAILURE_OBJECT]},
        "tasks": {"total": 2, "active": 1, "running": 0, "completed": 1, "succeeded": 0, "failed": 1},
        "blocked": 1,
        "failures": [
            {
                "cause": "BlobNotFound",
                "count": 2,
                "ids": ["a", "b"],
                "example": FAILURE_OBJECT,
                "others": [FAILURE_OBJECT],
            }
        ],
    }


def test_a_schedule_says_when_the_next_job_is_due_and_which_one_is_the_newest() -> None:
    new = ScheduleState("s", "active", next_run="2027-01-01T00:00:00Z")
    assert as_json.schedule_object(new) == {
        "id": "s",
        "state": "active",
        "next_run": "2027-01-01T00:00:00Z",
        "ended": None,
        "newest_job": None,
    }
    assert as_json.schedule_object(replace(new, newest_job="s:job-1", job_state="active"))["newest_job"] == {
        "id": "s:job-1",
        "state": "active",
    }


def test_a_spec_without_pool_and_job_has_a_status_without_them() -> None:
    status = Status("t", None, None, None, 0, (), (), (), None, None, Counts(), 0, ())

    answer = as_json.status_object(status)
    assert (answer["pool"], answer["job"]) == (None, None)


def test_an_error_names_its_kind_and_the_next_step() -> None:
    assert as_json.error_object(TimedOut("late", fix="wait")) == {"kind": "TimedOut", "message": "late", "fix": "wait"}


def test_a_stale_plan_says_what_differs() -> None:
    stale = PlanStale("stale", fix="look", differences=[Difference("pool p", 2, "https://a?sig=abc", "vmSize")])

    assert as_json.error_object(stale) == {
        "kind": "PlanStale",
        "message": "stale",
        "fix": "look",
        "differences": [{"what": "pool p", "path": "vmSize", "was": 2, "now": "https://a?sig=<masked>"}],
    }
