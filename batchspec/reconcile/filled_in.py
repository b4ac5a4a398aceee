"""What the service fills in where a body says nothing.

Place in the pipeline: comparisons do not take these values for a change, `batchspec import` leaves them out. Pure data.
Source: batch-service.md, "Defaults materialised on GET"; the docstrings of azure-batch 15.1 for those of job managers.
"""

from collections.abc import Mapping

from batchspec.render.model import JsonObject

INFINITE = "P10675199DT2H48M5.4775807S"
NON_ADMIN: JsonObject = {"scope": "pool", "elevationLevel": "nonadmin"}

# Of pools and jobs, at the top of their bodies; what is compared even when the spec does not name it.
POOL: JsonObject = {"targetDedicatedNodes": 0, "targetLowPriorityNodes": 0, "taskSlotsPerNode": 1}
JOB: JsonObject = {
    "priority": 0,
    "maxParallelTasks": -1,
    "allowTaskPreemption": False,
    "usesTaskDependencies": False,
    "onTaskFailure": "noaction",
}

# Anywhere inside, by name, when it is not known whose body it is.
ANYWHERE: Mapping[str, tuple[object, ...]] = {
    "id": ("jobpreparation", "jobrelease"),
    "userIdentity": ({"autoUser": NON_ADMIN},),
    "scope": ("pool",),
    "elevationLevel": ("nonadmin",),
    "maxWallClockTime": (INFINITE, "P7D", "PT15M"),
    "retentionTime": (INFINITE, "P7D"),
    "constraints": tuple(
        {"maxWallClockTime": clock, "retentionTime": kept, "maxTaskRetryCount": 0}
        for clock in (INFINITE, "P7D")
        for kept in (INFINITE, "P7D")
    ),
    "waitForSuccess": (True,),
    "rerunOnNodeRebootAfterSuccess": (True,),
    "version": ("latest",),
}

_USER: JsonObject = {"userIdentity": {"autoUser": NON_ADMIN}}
_SPECIAL: JsonObject = {
    **_USER,
    "constraints": {"maxWallClockTime": INFINITE, "retentionTime": "P7D", "maxTaskRetryCount": 0},
}
_WHOLE_POOL: JsonObject = {
    **POOL,
    "enableAutoScale": False,
    "enableInterNodeCommunication": False,
    "resizeTimeout": "PT15M",
    "autoScaleEvaluationInterval": "PT15M",
    "taskSchedulingPolicy": {"nodeFillType": "Spread", "jobDefaultOrder": "none"},
}
_WHOLE_JOB: JsonObject = {**JOB, "onAllTasksComplete": "noaction"}

# Exactly, by the model of the SDK that the body is one of.
BY_MODEL: Mapping[str, JsonObject] = {
    "BatchPoolCreateOptions": _WHOLE_POOL,
    "BatchPoolSpecification": _WHOLE_POOL,
    "BatchJobCreateOptions": _WHOLE_JOB,
    "BatchJobSpecification": _WHOLE_JOB,
    "BatchJobConstraints": {"maxWallClockTime": INFINITE, "maxTaskRetryCount": 0},
    "BatchTaskCreateOptions": {**_USER, "requiredSlots": 1},
    # Not the retries: those of a task are its job's where it says nothing.
    "BatchTaskConstraints": {"maxWallClockTime": INFINITE, "retentionTime": "P7D"},
    "BatchStartTask": {**_USER, "maxTaskRetryCount": 0, "waitForSuccess": True},
    "BatchJobManagerTask": {
        **_SPECIAL,
        "requiredSlots": 1,
        "killJobOnCompletion": True,
        "runExclusive": True,
        "allowLowPriorityNode": True,
    },
    "BatchJobPreparationTask": {
        **_SPECIAL,
        "id": "jobpreparation",
        "waitForSuccess": True,
        "rerunOnNodeRebootAfterSuccess": True,
    },
    "BatchJobReleaseTask": {**_USER, "id": "jobrelease", "maxWallClockTime": "PT15M", "retentionTime": "P7D"},
}
