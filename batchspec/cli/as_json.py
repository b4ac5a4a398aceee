"""Plans, outcomes, states and errors as JSON objects: what `--format json` prints.

Place in the pipeline: commands put these into `Console.answer`. In: the stages' data. Out: plain JSON values. Every
object a command prints has `version` (1), `command`, `exit_code` and `error` (null when all went well); names of
properties do not change within a version. Sizes are bytes, times seconds. What `plan`, `apply`, `status` and `doctor`
print is described by schemas/batchspec-output-v1.schema.json.
"""

from typing import cast

from batchspec.cli.phrases import without_signatures
from batchspec.errors import BatchspecError, Difference, PlanStale, Problem, ServiceRefused, SpecInvalid
from batchspec.reconcile.change import Change, Check, Plan, Reason
from batchspec.reconcile.outcome import Counts, Failure, Group, Outcome, ScheduleState, Status
from batchspec.render.symbolic import Json, display

VERSION = 1


def plan_object(plan: Plan) -> dict[str, Json]:
    """A plan, complete."""
    totals = plan.totals
    return {
        "nothing_to_do": plan.nothing_to_do,
        "totals": {
            "create": totals.create,
            "change": totals.change,
            "replace": totals.replace,
            "delete": totals.delete,
        },
        "changes": [change_object(change) for change in plan.changes],
        "tasks": [change_object(change) for change in plan.tasks],
        "downloads": [change_object(change) for change in plan.downloads],
        "kept_tasks": plan.kept_tasks,
        "pending_tasks": plan.pending_tasks,
        "failed_tasks": list(plan.failed_tasks),
        "orphaned_tasks": list(plan.orphaned_tasks),
        "notes": list(plan.notes),
        "digest": plan.digest,
        "cleaned_up": plan.cleaned_up,
        "cleanup_due": list(plan.cleanup_due),
        "unseen": list(plan.unseen),
        "needs_force": list(plan.too_much),
        "checks": [check_object(check) for check in plan.checks],
    }


def check_object(check: Check) -> dict[str, Json]:
    """One check: `verdict` is ok, warning, failed or not checked."""
    fact, fix = without_signatures(check.fact), without_signatures(check.fix)
    return {"name": check.name, "verdict": check.verdict, "fact": fact, "fix": fix}


def change_object(change: Change) -> dict[str, Json]:
    """One change with its reasons."""
    return {
        "action": change.action,
        "kind": change.kind,
        "id": change.id,
        "key": change.key,
        "size": change.size,
        "reasons": [_reason(reason) for reason in change.reasons],
        "steps": list(change.steps),
    }


def _reason(reason: Reason) -> dict[str, Json]:
    return {
        "text": without_signatures(reason.text),
        "path": reason.path,
        "old": _without_secrets(reason.old),
        "new": _without_secrets(reason.new),
        "cause": reason.cause,
        "replaces": reason.replaces,
    }


def _without_secrets(value: Json) -> Json:
    shown = display(value)
    if isinstance(shown, str):
        return without_signatures(shown)
    if isinstance(shown, list):
        return [_without_secrets(one) for one in shown]
    if isinstance(shown, dict):
        return {key: _without_secrets(one) for key, one in shown.items()}
    return shown


def outcome_object(outcome: Outcome) -> dict[str, Json]:
    """How the wait ended."""
    return {
        "tasks": counts_object(outcome.counts),
        "blocked": outcome.blocked,
        "failures": [_group(group) for group in outcome.failures],
        "release_failures": [failure_object(failure) for failure in outcome.release_failures],
    }


def counts_object(counts: Counts) -> dict[str, Json]:
    """Tasks by state."""
    return {
        "total": counts.total,
        "active": counts.active,
        "running": counts.running,
        "completed": counts.completed,
        "succeeded": counts.succeeded,
        "failed": counts.failed,
    }


def status_object(status: Status) -> dict[str, Json]:
    """The live state; `pool`, `schedule` and `job` are null when the spec has none, their `state` when they are not
    there."""
    pool: Json = None
    if status.pool_id is not None:
        pool = {
            "id": status.pool_id,
            "state": status.pool_state,
            "allocation_state": status.allocation_state,
            "target_nodes": status.target_nodes,
            "nodes": dict(status.nodes),
            "errors": list(status.pool_errors),
            "failures": [failure_object(failure) for failure in status.node_failures],
        }
    job: Json = None
    if status.job_id is not None:
        failures: Json = [failure_object(failure) for failure in status.job_failures]
        job = {"id": status.job_id, "state": status.job_state, "failures": failures}
    return {
        "pool": pool,
        "schedule": None if status.schedule is None else schedule_object(status.schedule),
        "job": job,
        "tasks": counts_object(status.counts),
        "blocked": status.blocked,
        "failures": [_group(group) for group in status.failures],
    }


def schedule_object(schedule: ScheduleState) -> dict[str, Json]:
    """A job schedule; `newest_job` is null before it has made one."""
    newest: Json = None if schedule.newest_job is None else {"id": schedule.newest_job, "state": schedule.job_state}
    return {
        "id": schedule.id,
        "state": schedule.state,
        "next_run": schedule.next_run,
        "ended": schedule.ended,
        "newest_job": newest,
    }


def _group(group: Group) -> dict[str, Json]:
    return {
        "cause": group.cause,
        "count": group.count,
        "ids": list(group.ids),
        "example": failure_object(group.example),
        "others": [failure_object(failure) for failure in group.others],
    }


def failure_object(failure: Failure) -> dict[str, Json]:
    """One failed task or node."""
    return {
        "kind": failure.kind,
        "id": failure.id,
        "node": failure.node,
        "exit_code": failure.exit_code,
        "category": failure.category,
        "code": failure.code,
        "message": without_signatures(failure.message),
        "details": [without_signatures(line) for line in failure.details],
        "stderr": [without_signatures(line) for line in failure.stderr],
        "fix": failure.fix,
    }


def problem_object(problem: Problem) -> dict[str, Json]:
    """One thing wrong in a spec; line and column count from 1."""
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "path": problem.path,
        "message": problem.message,
    }


def difference_object(one: Difference) -> dict[str, Json]:
    """What has changed since a plan was made; `was` and `now` are as in the spec, or in words."""
    was, now = (_without_secrets(cast("Json", value)) for value in (one.was, one.now))
    return {"what": one.what, "path": one.path, "was": was, "now": now}


def error_object(error: BatchspecError) -> dict[str, Json]:
    """Why a run ended; `kind` is the name of the error's class."""
    result: dict[str, Json] = {
        "kind": type(error).__name__,
        "message": without_signatures(str(error)),
        "fix": error.fix,
    }
    if isinstance(error, SpecInvalid):
        result["problems"] = [problem_object(problem) for problem in error.problems]
    if isinstance(error, PlanStale):
        result["differences"] = [difference_object(one) for one in error.differences]
    if isinstance(error, ServiceRefused):
        result |= {
            "operation": error.operation,
            "resource": error.resource,
            "status": error.status,
            "code": error.code,
            "request_id": error.request_id,
        }
    return result
