"""What the body of a job or a job schedule must fulfil, and the defaults the service shows on a GET.

Place: between `validate.py` and the handlers, beside `bodies.py`. In: a checked body. Out: the body to keep. Pure.

Sources: Job_Create, JobSchedule_Create and their models' descriptions; the defaults of job preparation and job release
tasks are recorded ones. A release task without a preparation task is refused ("cannot be specified without also
specifying"); the code for it is documented nowhere, InvalidPropertyValue is our choice.
"""

from collections.abc import Mapping
from typing import Any, Final

from batchspec.engine.bodies import (
    DEFAULT_USER,
    check_display_name,
    check_environment,
    check_id,
    check_retries,
    check_slots,
    check_task_parts,
)
from batchspec.engine.errors import BatchError, bad_value
from batchspec.engine.times import INFINITE, seconds_from_duration

_MAX_RELEASE_S = 900.0
_MIN_INTERVAL_S = 60.0
_MAX_PREFIX = 20
_SPECIAL_TASKS: Final = ("jobManagerTask", "jobPreparationTask", "jobReleaseTask")
_CONSTRAINTS: Final = {"maxWallClockTime": INFINITE, "retentionTime": "P7D", "maxTaskRetryCount": 0}


def job_body(body: Mapping[str, Any]) -> dict[str, Any]:
    """A job as it is kept. Raises BatchError."""
    check_id("id", body["id"])
    kept = specification_body(body)
    if _auto_pool(kept).get("poolLifetimeOption") == "jobschedule":
        reason = "A pool with the lifetime of a job schedule needs a job schedule."
        raise bad_value("poolInfo.autoPoolSpecification.poolLifetimeOption", "jobschedule", reason)
    return kept


def specification_body(body: Mapping[str, Any]) -> dict[str, Any]:
    """A job, or what a job schedule makes its jobs of. Raises BatchError."""
    check_environment(body.get("commonEnvironmentSettings", ()), "commonEnvironmentSettings")
    kept = {
        "priority": 0,
        "maxParallelTasks": -1,
        "allowTaskPreemption": False,
        "usesTaskDependencies": False,
        "onAllTasksComplete": "noaction",
        "onTaskFailure": "noaction",
        **body,
        "constraints": job_constraints(body.get("constraints", {})),
    }
    check_job_limits(kept)
    makers = {"jobManagerTask": _manager, "jobPreparationTask": _preparation, "jobReleaseTask": _release}
    kept |= {name: make(body[name]) for name, make in makers.items() if name in body}
    _check_special_tasks(kept)
    return kept


def job_constraints(body: Mapping[str, Any]) -> dict[str, Any]:
    """A job's constraints with the defaults."""
    return {"maxWallClockTime": INFINITE, "maxTaskRetryCount": 0, **body}


def check_job_limits(body: Mapping[str, Any]) -> None:
    """What is true of a job at all times. Raises BatchError."""
    check_display_name(body)
    if not -1000 <= body["priority"] <= 1000:
        raise bad_value("priority", body["priority"], "The value must be between -1000 and 1000.")
    parallel = body["maxParallelTasks"]
    if parallel != -1 and parallel < 1:
        raise bad_value("maxParallelTasks", parallel, "The value must be -1 or greater than 0.")
    check_retries(body["constraints"], "constraints.maxTaskRetryCount")
    pool = body["poolInfo"]
    if "poolId" in pool and "autoPoolSpecification" in pool:
        raise bad_value("poolInfo", "poolId, autoPoolSpecification", "Exactly one of them must be specified.")
    if "autoPoolSpecification" in pool:
        _check_auto_pool(pool["autoPoolSpecification"])
    elif "poolId" not in pool:
        raise BatchError("MissingRequiredProperty", PropertyName="poolInfo.poolId")


def _check_auto_pool(specification: Mapping[str, Any]) -> None:
    path = "poolInfo.autoPoolSpecification"
    if "pool" not in specification:
        raise BatchError("MissingRequiredProperty", PropertyName=f"{path}.pool")
    prefix = specification.get("autoPoolIdPrefix")
    if prefix is not None:
        check_id(f"{path}.autoPoolIdPrefix", prefix)
        if len(prefix) > _MAX_PREFIX:
            raise bad_value(f"{path}.autoPoolIdPrefix", prefix, f"The maximum is {_MAX_PREFIX} characters.")


def _auto_pool(body: Mapping[str, Any]) -> Mapping[str, Any]:
    specification: Mapping[str, Any] = body["poolInfo"].get("autoPoolSpecification", {})
    return specification


def _manager(body: Mapping[str, Any]) -> dict[str, Any]:
    check_id("jobManagerTask.id", body["id"])
    check_display_name(body)
    check_task_parts(body, "jobManagerTask")
    check_retries(body.get("constraints", {}), "jobManagerTask.constraints.maxTaskRetryCount")
    check_slots(body, "jobManagerTask.")
    return {
        "userIdentity": DEFAULT_USER,
        "requiredSlots": 1,
        "killJobOnCompletion": True,
        "runExclusive": True,
        "allowLowPriorityNode": True,
        **body,
        "constraints": {**_CONSTRAINTS, **body.get("constraints", {})},
    }


def manager_task(job: Mapping[str, Any]) -> dict[str, Any]:
    """The task that a job's manager is, as the ledger keeps it."""
    manager: Mapping[str, Any] = job["jobManagerTask"]
    own = ("killJobOnCompletion", "runExclusive", "allowLowPriorityNode")
    return {name: value for name, value in manager.items() if name not in own}


def _preparation(body: Mapping[str, Any]) -> dict[str, Any]:
    check_task_parts(body, "jobPreparationTask")
    check_retries(body.get("constraints", {}), "jobPreparationTask.constraints.maxTaskRetryCount")
    return {
        "id": "jobpreparation",
        "userIdentity": DEFAULT_USER,
        "waitForSuccess": True,
        "rerunOnNodeRebootAfterSuccess": True,
        **body,
        "constraints": {**_CONSTRAINTS, **body.get("constraints", {})},
    }


def _release(body: Mapping[str, Any]) -> dict[str, Any]:
    check_task_parts(body, "jobReleaseTask")
    limit = body.get("maxWallClockTime")
    if limit is not None and seconds_from_duration(limit) > _MAX_RELEASE_S:
        raise bad_value("jobReleaseTask.maxWallClockTime", limit, "The maximum is 15 minutes.")
    return {
        "id": "jobrelease",
        "userIdentity": DEFAULT_USER,
        "maxWallClockTime": "PT15M",
        "retentionTime": "P7D",
        **body,
    }


def _check_special_tasks(body: Mapping[str, Any]) -> None:
    if "jobReleaseTask" in body and "jobPreparationTask" not in body:
        reason = "A job release task cannot be specified without a job preparation task."
        raise bad_value("jobReleaseTask", body["jobReleaseTask"]["id"], reason)
    ids = [body[name]["id"] for name in _SPECIAL_TASKS if name in body]
    for name in ids:
        check_id("id", name)
    if len({name.lower() for name in ids}) < len(ids):
        reason = "The job's manager, preparation and release tasks must have different ids."
        raise bad_value("id", ", ".join(ids), reason)


def check_task_id(task_id: str, job: Mapping[str, Any]) -> None:
    """A task is not named like its job's preparation or release task. Raises BatchError (409)."""
    codes = {"jobPreparationTask": "TaskIdSameAsJobPreparationTask", "jobReleaseTask": "TaskIdSameAsJobReleaseTask"}
    for name, code in codes.items():
        if name in job and job[name]["id"].lower() == task_id.lower():
            raise BatchError(code)


def schedule_body(body: Mapping[str, Any]) -> dict[str, Any]:
    """A job schedule as it is kept; an update's body may lack parts. Raises BatchError."""
    kept = dict(body)
    if "id" in body:
        check_id("id", body["id"])
    check_display_name(body)
    for name in ("startWindow", "recurrenceInterval"):
        text = body.get("schedule", {}).get(name)
        if text is not None and seconds_from_duration(text) < _MIN_INTERVAL_S:
            raise bad_value(f"schedule.{name}", text, "The minimum value is 1 minute.")
    if "jobSpecification" in body:
        kept["jobSpecification"] = specification_body(body["jobSpecification"])
    return kept
