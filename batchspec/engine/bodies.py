"""What a body that has the right shape must still fulfil, and the defaults the service shows on a GET.

Place: between `validate.py` and the handlers. In: a checked body. Out: the body to keep. Pure.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from batchspec.engine.errors import BatchError, bad_value
from batchspec.engine.images import check_image, check_subnet
from batchspec.engine.scaling_rules import autoscale_settings
from batchspec.engine.times import INFINITE, seconds_from_duration

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_FILE_MODE = re.compile(r"[0-7]{3,4}")
_MAX_DISPLAY_NAME = 1024
_MAX_DEPENDENCY_CHARACTERS = 64_000
_MAX_SLOTS = 256
_MIN_RESIZE_TIMEOUT_S = 300.0
DEFAULT_USER: Final[dict[str, Any]] = {"autoUser": {"scope": "pool", "elevationLevel": "nonadmin"}}


def pool_body(body: Mapping[str, Any]) -> dict[str, Any]:
    """A pool as it is kept. Raises BatchError."""
    check_id("id", body["id"])
    _check_pool_limits(body)
    _check_image(body)
    start_task = body.get("startTask")
    kept = {
        "resizeTimeout": "PT15M",
        "targetDedicatedNodes": 0,
        "targetLowPriorityNodes": 0,
        "enableAutoScale": False,
        "enableInterNodeCommunication": False,
        "taskSlotsPerNode": 1,
        **body,
        **autoscale_settings(body),
        "taskSchedulingPolicy": {
            "nodeFillType": "Spread",
            "jobDefaultOrder": "none",
            **body.get("taskSchedulingPolicy", {}),
        },
    }
    if start_task is not None:
        kept["startTask"] = start_task_body(start_task)
    return kept


def start_task_body(body: Mapping[str, Any]) -> dict[str, Any]:
    """A start task with its defaults. Raises BatchError."""
    check_task_parts(body, "startTask")
    return {"userIdentity": DEFAULT_USER, "maxTaskRetryCount": 0, "waitForSuccess": True, **body}


def check_pool_change(body: Mapping[str, Any]) -> dict[str, Any]:
    """The properties of a pool update, defaults filled in below them. Raises BatchError."""
    _check_pool_limits(body)
    if "virtualMachineConfiguration" in body:
        _check_image(body)
    changed = dict(body)
    if "startTask" in body:
        changed["startTask"] = start_task_body(body["startTask"])
    return changed


def check_resize_timeout(body: Mapping[str, Any]) -> None:
    """At least five minutes. Raises BatchError."""
    timeout = body.get("resizeTimeout")
    if timeout is not None and seconds_from_duration(timeout) < _MIN_RESIZE_TIMEOUT_S:
        raise bad_value("resizeTimeout", timeout, "The minimum value is 5 minutes.")


def check_targets(body: Mapping[str, Any]) -> None:
    """Node counts are not negative. Raises BatchError."""
    for name in ("targetDedicatedNodes", "targetLowPriorityNodes"):
        if body.get(name, 0) < 0:
            raise bad_value(name, body[name], "The value must not be negative.")


def _check_pool_limits(body: Mapping[str, Any]) -> None:
    check_targets(body)
    check_resize_timeout(body)
    check_display_name(body)
    slots = body.get("taskSlotsPerNode", 1)
    if not 1 <= slots <= _MAX_SLOTS:
        raise bad_value("taskSlotsPerNode", slots, f"The value must be between 1 and {_MAX_SLOTS}.")
    if not body.get("vmSize", "x").strip():
        raise bad_value("vmSize", body["vmSize"])
    check_subnet(body.get("networkConfiguration", {}))
    _check_packages(body)
    check_environment(body.get("startTask", {}).get("environmentSettings", ()), "startTask.environmentSettings")


def _check_image(body: Mapping[str, Any]) -> None:
    machine = body.get("virtualMachineConfiguration")
    if "cloudServiceConfiguration" in body:  # until 2024-02-01.19.0
        if machine is not None:
            reason = "It cannot be specified together with virtualMachineConfiguration."
            raise bad_value("cloudServiceConfiguration", body["cloudServiceConfiguration"], reason)
        return
    if machine is None:
        raise BatchError("MissingRequiredProperty", PropertyName="virtualMachineConfiguration")
    check_image(machine)


def task_body(body: Mapping[str, Any], *, job: Mapping[str, Any]) -> dict[str, Any]:
    """A task as it is kept, `job` being its job's body. Raises BatchError."""
    check_id("id", body["id"])
    check_display_name(body)
    check_task_parts(body, "")
    _check_instances(body)
    check_retries(body.get("constraints", {}), "constraints.maxTaskRetryCount")
    check_slots(body, "")
    _check_dependencies(body.get("dependsOn", {}), job)
    _check_exit_conditions(body.get("exitConditions", {}), job)
    return {
        "userIdentity": DEFAULT_USER,
        "requiredSlots": 1,
        **body,
        "constraints": task_constraints(body.get("constraints", {}), job),
    }


def task_constraints(body: Mapping[str, Any], job: Mapping[str, Any]) -> dict[str, Any]:
    """A task's constraints; the job's retry count is the default."""
    default = {
        "maxWallClockTime": INFINITE,
        "retentionTime": "P7D",
        "maxTaskRetryCount": job["constraints"]["maxTaskRetryCount"],
    }
    return {**default, **body}


def check_constraints(body: Mapping[str, Any]) -> None:
    """The constraints of a task update. Raises BatchError."""
    check_retries(body, "constraints.maxTaskRetryCount")


def check_task_parts(body: Mapping[str, Any], path: str) -> None:
    """What all kinds of tasks have in common; `path` is where the task stands. Raises BatchError."""
    prefix = f"{path}." if path else ""
    if not body["commandLine"].strip():
        raise bad_value(f"{prefix}commandLine", body["commandLine"])
    _check_packages(body)
    check_environment(body.get("environmentSettings", ()), f"{prefix}environmentSettings")
    for index, file in enumerate(body.get("resourceFiles", ())):
        _check_resource_file(file, f"{prefix}resourceFiles[{index}]")
    _check_mounts(body.get("containerSettings", {}), prefix)
    for index, file in enumerate(body.get("outputFiles", ())):
        if "container" not in file["destination"]:
            raise BatchError("MissingRequiredProperty", PropertyName=f"{prefix}outputFiles[{index}].destination")


def _check_packages(body: Mapping[str, Any]) -> None:
    references = ", ".join(item["applicationId"] for item in body.get("applicationPackageReferences", ()))
    if references:
        reason = "The local engine has no application packages: this is its limit, not the service's."
        raise BatchError("InvalidApplicationPackageReferences", ApplicationId=references, Reason=reason)


def _check_mounts(settings: Mapping[str, Any], prefix: str) -> None:
    # Source: the published example TaskAdd_ContainerSettingsWithDataIsolation_DuplicateSources, a 400.
    sources = [item.get("source") for item in settings.get("containerHostBatchBindMounts", ())]
    if len(sources) != len(set(sources)):
        name = f"{prefix}containerSettings.containerHostBatchBindMounts"
        raise bad_value(name, ", ".join(map(str, sources)), "A source is named twice.")


def _check_resource_file(file: Mapping[str, Any], path: str) -> None:
    sources = [name for name in ("httpUrl", "storageContainerUrl", "autoStorageContainerName") if name in file]
    if len(sources) != 1:
        reason = "Exactly one of httpUrl, storageContainerUrl and autoStorageContainerName must be specified."
        raise bad_value(path, ", ".join(sources), reason)
    if sources == ["httpUrl"] and not file.get("filePath"):
        raise BatchError("MissingRequiredProperty", PropertyName=f"{path}.filePath")
    if sources == ["httpUrl"] and "blobPrefix" in file:
        raise bad_value(f"{path}.blobPrefix", file["blobPrefix"], "blobPrefix does not go with httpUrl.")
    mode = file.get("fileMode")
    if mode is not None and not _FILE_MODE.fullmatch(mode):
        raise bad_value(f"{path}.fileMode", mode, "The value must be an octal file mode such as 0770.")


def _check_instances(body: Mapping[str, Any]) -> None:
    settings = body.get("multiInstanceSettings")
    if settings is None:
        return
    path = "multiInstanceSettings"
    if not settings["coordinationCommandLine"].strip():
        raise bad_value(f"{path}.coordinationCommandLine", settings["coordinationCommandLine"])
    count = settings.get("numberOfInstances", 1)
    if count < 1:
        raise bad_value(f"{path}.numberOfInstances", count, "The value must be greater than 0.")
    if body.get("requiredSlots", 1) != 1:
        reason = "A multi-instance task takes whole nodes: requiredSlots must not be specified."
        raise bad_value("requiredSlots", body["requiredSlots"], reason)
    for index, file in enumerate(settings.get("commonResourceFiles", ())):
        _check_resource_file(file, f"{path}.commonResourceFiles[{index}]")


def _check_dependencies(depends_on: Mapping[str, Any], job: Mapping[str, Any]) -> None:
    if depends_on and not job["usesTaskDependencies"]:
        raise BatchError("TaskDependenciesNotSpecifiedOnJob")
    ids = depends_on.get("taskIds", ())
    if sum(map(len, ids)) > _MAX_DEPENDENCY_CHARACTERS:
        raise BatchError("TaskDependencyListTooLong")
    for item in ids:
        check_id("dependsOn.taskIds", item)
    for item in depends_on.get("taskIdRanges", ()):
        if item["start"] < 0 or item["end"] < item["start"]:
            raise bad_value("dependsOn.taskIdRanges", item, "start must not be negative nor greater than end.")


def _check_exit_conditions(conditions: Mapping[str, Any], job: Mapping[str, Any]) -> None:
    if job["onTaskFailure"] == "noaction" and any("jobAction" in options for options in _exit_options(conditions)):
        reason = "A jobAction needs onTaskFailure to be performexitoptionsjobaction on the job."
        raise bad_value("exitConditions.jobAction", "jobAction", reason)
    for item in conditions.get("exitCodeRanges", ()):
        if item["end"] < item["start"]:
            raise bad_value("exitConditions.exitCodeRanges", item, "start must not be greater than end.")


def _exit_options(conditions: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    for name in ("exitCodes", "exitCodeRanges"):
        yield from (item["exitOptions"] for item in conditions.get(name, ()))
    for name in ("preProcessingError", "fileUploadError", "default"):
        yield conditions.get(name, {})


def check_environment(settings: Iterable[Mapping[str, Any]], path: str) -> None:
    """Names and values a process can be given. Raises BatchError."""
    for item in settings:
        name = item["name"]
        if not name or "=" in name or "\0" in name or "\0" in item.get("value", ""):
            raise bad_value(f"{path}.name", name)


def check_retries(body: Mapping[str, Any], path: str) -> None:
    """-1 (no limit) or more. Raises BatchError."""
    if body.get("maxTaskRetryCount", 0) < -1:
        raise bad_value(path, body["maxTaskRetryCount"], "The value must be -1 or greater.")


def check_id(name: str, value: str) -> None:
    """1 to 64 letters, digits, hyphens and underscores. Raises BatchError."""
    if not _ID.fullmatch(value):
        reason = "An id has 1 to 64 letters, digits, hyphens and underscores."
        raise bad_value(name, value[:100], reason)


def check_slots(body: Mapping[str, Any], prefix: str) -> None:
    """Task slots in the service's range. Raises BatchError."""
    slots = body.get("requiredSlots", 1)
    if not 1 <= slots <= _MAX_SLOTS:
        raise bad_value(f"{prefix}requiredSlots", slots, f"The value must be between 1 and {_MAX_SLOTS}.")


def check_display_name(body: Mapping[str, Any]) -> None:
    """Not too long. Raises BatchError."""
    name = body.get("displayName", "")
    if len(name) > _MAX_DISPLAY_NAME:
        raise bad_value("displayName", name[:100], f"The maximum is {_MAX_DISPLAY_NAME} characters.")
