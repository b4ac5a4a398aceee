"""Why a job has ended, as the service tells it: a job's body -> words, or an error.

Place in the pipeline: `step_job`, `plan`, `watch` and `status` ask. Pure.

A job whose auto pool cannot be made is no refused request: it is completed at once, with a scheduling error
(batch-service.md section 2).
"""

from batchspec.errors import ServiceRefused
from batchspec.render.model import JsonObject


def reason_of_end(job: JsonObject | None) -> str:
    """` (AllTasksComplete)`, ` (<code>: <message>)` of a scheduling error; "" when nothing is told."""
    code, message = _scheduling_error(job)
    if code:
        return f" ({code}: {message})"
    reason = _info(job).get("terminateReason")
    return f" ({reason})" if reason else ""


def check_scheduled(job: JsonObject | None) -> None:
    """Raise ServiceRefused when the service could not make the job's pool."""
    code, message = _scheduling_error(job)
    if job is not None and code:
        raise ServiceRefused(
            message,
            operation="make the pool of job",
            resource=str(job.get("id")),
            status=409,
            code=code,
            fix="correct the job's pool, or ask for more quota; then run `apply` again",
        )


def _scheduling_error(job: JsonObject | None) -> tuple[str, str]:
    """Its code and its message with all details; "" when there is none."""
    error = _info(job).get("schedulingError")
    if not isinstance(error, dict):
        return "", ""
    details = error.get("details")
    pairs = [one for one in details if isinstance(one, dict)] if isinstance(details, list) else []
    told = ", ".join(f"{one.get('name')} {one.get('value')!r}" for one in pairs)
    return str(error.get("code") or "Unknown"), f"{error.get('message')}" + (f" ({told})" if told else "")


def _info(job: JsonObject | None) -> JsonObject:
    info = (job or {}).get("executionInfo")
    return info if isinstance(info, dict) else {}
