"""The schema of what `--format json` prints. The end-to-end tests check every such output against it."""

import json
from dataclasses import replace

import pytest
from jsonschema.validators import Draft202012Validator

from batchspec.cli import as_json
from batchspec.errors import (
    BatchspecError,
    Difference,
    PlanRefused,
    PlanStale,
    Problem,
    ServiceRefused,
    SpecInvalid,
)
from batchspec.reconcile.change import Change, Check, Plan, Reason
from batchspec.reconcile.outcome import Counts, Group, Outcome, ScheduleState, Status
from batchspec.render.symbolic import Json
from tests.cli.test_as_json import FAILURE
from tests.output_schema import FILE, check

Object = dict[str, Json]

REASON = Reason("changed", "startTask", {"a": [1]}, None, "drift")
PLAN = Plan(
    name="t",
    changes=(Change("update", "upload", "c/b", (REASON,), "texts", 3, ("patch",)),),
    tasks=(Change("replace", "task", "a", (REASON,)),),
    kept_tasks=1,
    downloads=(Change("create", "download", "c/d", size=1),),
    failed_tasks=("f",),
    orphaned_tasks=("o",),
    pending_tasks=1,
    notes=("note",),
    cleaned_up=False,
    cleanup_due=("job",),
    checks=(Check("clock", "not checked", "fact", "fix"),),
    unseen=("this",),
    too_much=("would replace 1 of 1",),
    digest="0" * 64,
)
GROUPS = (Group("x", 1, ("a",), FAILURE, (FAILURE,)),)
SCHEDULE = ScheduleState("s", "active", "2026-01-01T00:00:00Z", None, "s:job-1", "active")
STATUS = Status(
    name="t",
    pool_id="p",
    pool_state=None,
    allocation_state=None,
    target_nodes=2,
    nodes=(("idle", 1),),
    pool_errors=("X: y",),
    node_failures=(FAILURE,),
    job_id="j",
    job_state="active",
    counts=Counts(1),
    blocked=0,
    failures=GROUPS,
    job_failures=(FAILURE,),
    schedule=SCHEDULE,
)
ERRORS = (
    PlanRefused("no", fix="do"),
    SpecInvalid([Problem("a.yaml", 1, 2, "pool", "wrong")]),
    PlanStale("stale", differences=[Difference("file", 1, [2], "x")]),
    ServiceRefused("no", operation="create pool", resource="p", status=409, code="PoolExists", request_id="r"),
)


def answer(command: str, more: Object, error: BatchspecError | None = None) -> Object:
    shown: Json = None if error is None else as_json.error_object(error)
    code = 0 if error is None else error.exit_code
    return {"version": 1, "command": command, "exit_code": code, "error": shown, **more}


def named(command: str, more: Object, error: BatchspecError | None = None) -> Object:
    return answer(command, {"name": "t", "target": "local", **more}, error)


def test_it_is_a_valid_schema() -> None:
    Draft202012Validator.check_schema(json.loads(FILE.read_text(encoding="utf-8")))


def test_it_describes_every_property_of_each_command() -> None:
    applied: Object = {
        "plan": as_json.plan_object(PLAN),
        "outcome": as_json.outcome_object(Outcome(Counts(1), 0, GROUPS, (FAILURE,))),
        "downloaded": 1,
        "seconds": 0.5,
        "schedule": as_json.schedule_object(SCHEDULE),
        "download_error": as_json.error_object(ERRORS[0]),
    }
    for whole in (
        named("plan", as_json.plan_object(PLAN)),
        named("apply", applied),
        named("apply", {**applied, "outcome": None, "schedule": None, "download_error": None}),
        named("status", as_json.status_object(STATUS)),
        named("status", as_json.status_object(replace(STATUS, schedule=ScheduleState("s", None), pool_id=None))),
    ):
        check(whole)


@pytest.mark.parametrize("error", ERRORS)
def test_it_describes_every_error_with_and_without_what_was_known_before(error: BatchspecError) -> None:
    for whole in (
        answer("plan", {}, error),
        named("plan", as_json.plan_object(PLAN), error),
        named("apply", {"plan": as_json.plan_object(PLAN)}, error),
        named("status", as_json.status_object(STATUS), error),
    ):
        check(whole)


@pytest.mark.parametrize("change", [{"version": 2}, {"totals": {}}, {"more": 1}, {"digest": "x"}, {"target": "moon"}])
def test_what_is_otherwise_does_not_pass_in_tests(change: Object) -> None:
    with pytest.raises(AssertionError):
        check({**named("plan", as_json.plan_object(PLAN)), **change})


@pytest.mark.parametrize("missing", ["checks", "name", "version", "error"])
def test_what_lacks_something_does_not_pass(missing: str) -> None:
    whole = named("plan", as_json.plan_object(PLAN))
    del whole[missing]
    with pytest.raises(AssertionError):
        check(whole)
