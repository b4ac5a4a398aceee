"""One example for each of our own words, by the model or definition that has it ("" is the whole spec).

Read by `schemas.generate`, which puts them into the schema, where editors show them, and by `schemas.reference`. Pure
data. A test holds that every word of ours has one and that the schema takes it.
"""

from typing import Any

_TEXT = "echo $AZ_BATCH_TASK_ID"

_IMAGE = {"publisher": "canonical", "offer": "ubuntu-24_04-lts", "sku": "server"}
_IDENTITY = "/subscriptions/.../userAssignedIdentities/nodes"
_COMMANDS: dict[str, Any] = {"command": _TEXT, "commands": ["sort words.txt > sorted.txt", "uniq -c sorted.txt"]}
_IMPORTED = "0123456789abcdef0123456789abcdef=fedcba9876543210fedcba9876543210"

EXAMPLES: dict[str, dict[str, Any]] = {
    "": {
        "version": 1,
        "name": "topwords",
        "vars": {"numwords": 3},
        "containers": {"input": {}, "output": {"keep": True}},
        "uploads": {"texts": {"container": "input", "files": "texts/*.txt"}},
        "pool": {"vm_size": "standard_d2s_v3", "target_dedicated_nodes": 2, "image": _IMAGE},
        "job": {"constraints": {"max_task_retry_count": 1}},
        "schedule": {
            "schedule": {"recurrence_interval": "P1D"},
            "job_specification": {"job_manager_task": {"id": "manager", "command": "python3 add_tasks.py"}},
        },
        "tasks": [{"id": "hello", "command": "echo hello"}],
        "wait": {"timeout": "PT2H"},
        "downloads": [{"container": "output", "to": "results"}],
        "cleanup": {"after_success": ["container.input", "pool"]},
    },
    "variable": {
        "type": "integer",
        "default": 3,
        "description": "How many words to show",
        "secret": True,
        "from_env": "LICENCE_KEY",
        "allowed": [1, 2, 3],
    },
    "container": {
        "name": "shared-texts",
        "existing": True,
        "keep": True,
        "url": "https://theirs.blob.core.windows.net/census",
        "sas": {"from_env": "CENSUS_SAS"},
    },
    "upload": {
        "container": "input",
        "files": ["texts/*.txt", "more/**/*.txt"],
        "prefix": "2027/",
        "prune": True,
    },
    "image": {**_IMAGE, "version": "latest", "id": "/subscriptions/.../galleries/mine/images/tools"},
    "autoscale": {
        "formula": "scale_to_pending_tasks",
        "max_nodes": 20,
        "min_nodes": 1,
        "node_type": "low_priority",
        "tasks_per_node": 4,
        "start_nodes": 2,
        "idle": "PT20M",
        "from_hour": 7,
        "until_hour": 19,
        "days": ["monday", "tuesday"],
        "utc_offset": 1,
        "interval": "PT10M",
    },
    "generator": {
        "upload": "texts",
        "container": "input",
        "prefix": "2027/",
        "pattern": "*.txt",
        "items": ["red", "green"],
        "rows": "people.csv",
        "range": [1, 10],
        "matrix": {"rate": [96, 128], "file": {"upload": "videos"}},
        "zip": {"name": ["a", "b"], "size": [1, 2]},
    },
    "range": {"start": 1, "stop": 100, "end": 99, "step": 10},
    "download": {"container": "output", "to": "../results", "prefix": "2027/", "pattern": "*.csv"},
    "BatchPoolCreateOptions": {
        "existing": True,
        "os": "windows",
        "image": _IMAGE,
        "autoscale": {"formula": "scale_to_pending_tasks", "max_nodes": 20},
        "identity": _IDENTITY,
        "lifetime": "job",
        "keep_alive": True,
        "imported": _IMPORTED,
    },
    "BatchPoolSpecification": {"autoscale": {"formula": "scale_to_pending_tasks", "max_nodes": 20}},
    "BatchJobCreateOptions": {"existing": True, "imported": _IMPORTED},
    "BatchJobScheduleCreateOptions": {"existing": True, "imported": _IMPORTED},
    "BatchTaskCreateOptions": {
        "name": "count",
        "for_each": {"upload": "texts"},
        "needs": ["count"],
        "imported": _IMPORTED,
        **_COMMANDS,
    },
    "BatchStartTask": _COMMANDS,
    "BatchJobManagerTask": _COMMANDS,
    "BatchJobPreparationTask": _COMMANDS,
    "BatchJobReleaseTask": _COMMANDS,
    "ResourceFile": {"upload": "texts", "file": "{{ file.name }}", "container": "input", "prefix": "tools/"},
    "OutputFile": {
        "container": "output",
        "path": "{{ file.stem }}",
        "identity_reference": {"resource_id": _IDENTITY},
        "upload_headers": [{"name": "x-ms-blob-content-type", "value": "text/csv"}],
        "upload_condition": "tasksuccess",
    },
}
