"""The part of the schema that is ours: the words of a spec around the models of Azure Batch.

Read by `schemas.generate`. Pure data: nodes of JSON Schema (draft 2020-12) with the descriptions that editors show.
What a schema says badly (exclusive words, references, ids) is left to `batchspec.spec.rules`.
"""

from typing import Any

Node = dict[str, Any]


def ref(name: str) -> Node:
    """A reference to one of the definitions."""
    return {"$ref": f"#/$defs/{name}"}


def string(description: str = "", **more: Any) -> Node:
    """A text, which may be a template."""
    return {"type": "string", **more, **({"description": description} if description else {})}


def flag(description: str) -> Node:
    """A boolean or a template that gives one."""
    return {**ref("boolean"), "description": description}


def mapping(properties: Node, *required: str, description: str = "") -> Node:
    """A mapping with these words and no others."""
    node: Node = {"type": "object", "additionalProperties": False, "properties": properties}
    if required:
        node["required"] = list(required)
    return {**node, "description": description} if description else node


def named(node: Node, description: str) -> Node:
    """A mapping from keys that the writer chooses."""
    return {"type": "object", "additionalProperties": node, "description": description}


def one_or_more(description: str) -> Node:
    """A text or a list of texts."""
    texts = {"type": "array", "items": {"type": "string"}, "minItems": 1}
    return {"anyOf": [{"type": "string"}, texts], "description": description}


def _count(least: int, most: int | None = None) -> Node:
    """A whole number within limits, or a template."""
    return {**ref("integer"), "minimum": least, **({} if most is None else {"maximum": most})}


_KEY_OF_CONTAINER = string("Key of a container under `containers`.")

DEFINITIONS: dict[str, Node] = {
    "template": {
        "type": "string",
        "pattern": r"^\s*\{\{[\s\S]*\}\}\s*$",
        "description": "One whole {{ }}, which keeps its type.",
    },
    "integer": {"anyOf": [{"type": "integer"}, ref("template")]},
    "number": {"anyOf": [{"type": "number"}, ref("template")]},
    "boolean": {"anyOf": [{"type": "boolean"}, ref("template")]},
    "duration": {
        "anyOf": [
            {
                "type": "string",
                "format": "duration",
                "pattern": r"^P(?!$)(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$",
            },
            {"type": "string", "pattern": r"\{\{|\{%"},
        ]
    },
    "datetime": {
        "anyOf": [
            {
                "type": "string",
                "format": "date-time",
                "x-moment": True,
                "pattern": r"^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,7})?([Zz]|[+-]\d{2}:\d{2})$",
            },
            {"type": "string", "pattern": r"\{\{|\{%"},
        ]
    },
    "plainValue": {"type": ["string", "number", "boolean"]},
    "environmentSettings": {
        "type": "object",
        "additionalProperties": ref("plainValue"),
        "description": "Environment variables: NAME: value.",
    },
    "metadata": {
        "type": "object",
        "additionalProperties": ref("plainValue"),
        "description": "Metadata: name: value.",
    },
    "variable": {
        "anyOf": [
            {"type": ["string", "number", "boolean", "array", "null"]},
            mapping(
                {
                    "type": {
                        "enum": ["string", "integer", "number", "boolean", "list", "object"],
                        "description": "The type; that of `default`, or string by default.",
                    },
                    "default": {"description": "The value unless --var or --var-file gives one."},
                    "description": string("What it is for."),
                    "secret": {
                        "type": "boolean",
                        "description": "Its value comes from the environment and is shown nowhere.",
                    },
                    "from_env": string("Name of the environment variable that holds a secret's value."),
                    "allowed": {"type": "array", "minItems": 1, "description": "The only values that it may have."},
                }
            ),
        ],
        "description": "A variable: its default, or a mapping of type, default, description and so on.",
    },
    "container": {
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": {
            "name": string("Name of the blob container; `<name>-<key>` by default."),
            "existing": flag("Use one that this spec does not own; it is never changed or deleted."),
            "keep": flag("`delete` leaves it."),
            "url": string("Address of a container in another storage account, without SAS; needs `existing: true`."),
            "sas": mapping(
                {"from_env": string("Name of the environment variable that holds the SAS.")},
                "from_env",
                description="The SAS of the container at `url`; it is read from the environment and shown nowhere.",
            ),
        },
    },
    "upload": mapping(
        {
            "container": _KEY_OF_CONTAINER,
            "files": one_or_more("Paths or globs (`*`, `**`, `?`, `[abc]`), relative to this file."),
            "prefix": string("Put in front of the names of the blobs."),
            "prune": flag("Delete our blobs whose local file is gone."),
        },
        "container",
        "files",
    ),
    "image": {
        "anyOf": [
            mapping(
                {
                    "publisher": string("Publisher in the Azure Marketplace, such as canonical."),
                    "offer": string("Offer, such as ubuntu-24_04-lts."),
                    "sku": string("SKU, such as server."),
                    "version": string("Version; latest by default."),
                    "id": string("Resource id of an image of an Azure Compute Gallery, instead of the other words."),
                }
            ),
            ref("template"),
        ],
        "description": "The nodes' image; the node agent that fits is looked up in the service's list.",
    },
    "autoscale": {
        "anyOf": [
            mapping(
                {
                    "formula": string(
                        "scale_to_pending_tasks, scale_down_when_idle, workday, or a formula of Azure Batch."
                    ),
                    "max_nodes": {**_count(1), "description": "With a named formula: never more nodes than this."},
                    "min_nodes": {**_count(0), "description": "With a named formula: never fewer; 0 by default."},
                    "node_type": {
                        "anyOf": [{"enum": ["dedicated", "low_priority"]}, ref("template")],
                        "description": "With a named formula: the kind of nodes; dedicated by default.",
                    },
                    "tasks_per_node": {
                        **_count(1),
                        "description": "scale_to_pending_tasks: tasks for one node; its task slots by default.",
                    },
                    "start_nodes": {
                        **_count(0),
                        "description": "scale_to_pending_tasks: a new pool's nodes before tasks count; 1 by default.",
                    },
                    "idle": {
                        **ref("duration"),
                        "description": "scale_down_when_idle: how long without a task; PT10M by default.",
                        "x-shortest": "PT1M",
                    },
                    "from_hour": {
                        **_count(0, 23),
                        "description": "workday: the hour at which `max_nodes` begin; 8 by default.",
                    },
                    "until_hour": {
                        **_count(1, 24),
                        "description": "workday: the hour at which they end; 18 by default.",
                    },
                    "days": {
                        "anyOf": [
                            {
                                "type": "array",
                                "minItems": 1,
                                "items": {
                                    "enum": [
                                        *("monday", "tuesday", "wednesday", "thursday", "friday"),
                                        *("saturday", "sunday"),
                                    ]
                                },
                            },
                            ref("template"),
                        ],
                        "description": "workday: days of the week; monday to friday by default.",
                    },
                    "utc_offset": {
                        **ref("number"),
                        "minimum": -14,
                        "maximum": 14,
                        "description": "workday: hours by which local time is ahead of UTC; 0 by default.",
                    },
                    "interval": {
                        **ref("duration"),
                        "description": "How often Azure Batch evaluates it; with a named formula PT5M by default.",
                        "x-shortest": "PT5M",
                        "x-longest": "P7D",
                    },
                },
                "formula",
            ),
            ref("template"),
        ],
        "description": "The pool's size by a formula: a named one with its numbers, or one written out.",
    },
    "generator": mapping(
        {
            "upload": string("Key of an upload: one task per file; gives `file`."),
            "container": string("Key of a container: one task per blob; gives `file`."),
            "prefix": string("With `container`: only blobs whose names begin with this."),
            "pattern": string("With `container`: only blobs whose names, after the prefix, match this glob."),
            "items": {
                "anyOf": [{"type": "array"}, ref("template")],
                "description": "A list: one task per item; gives `item`.",
            },
            "rows": string("A CSV, TSV or JSON Lines file, relative to this one: one task per row; gives `row`."),
            "range": ref("range"),
            "matrix": {
                "type": "object",
                "additionalProperties": ref("listOrGenerator"),
                "minProperties": 1,
                "description": "Lists or generators by key: one task per combination; gives `matrix.<key>`.",
            },
            "zip": {
                "type": "object",
                "additionalProperties": ref("listOrGenerator"),
                "minProperties": 1,
                "description": "Lists or generators of one length by key: one task per position; gives `item.<key>`.",
            },
        },
        description="One task per element of exactly one of these.",
    ),
    "listOrGenerator": {"anyOf": [{"type": "array"}, ref("generator"), ref("template")]},
    "range": {
        "anyOf": [
            {"type": "integer"},
            mapping(
                {
                    "start": {**ref("integer"), "description": "The first number; 0 by default."},
                    "stop": {**ref("integer"), "description": "Where it ends; not one of the numbers."},
                    "end": {**ref("integer"), "description": "The last number, in place of `stop`."},
                    "step": {**ref("integer"), "description": "From one number to the next; 1 by default."},
                }
            ),
            {"type": "array", "items": ref("integer"), "minItems": 1, "maxItems": 3},
            ref("template"),
        ],
        "description": "Numbers from start (0) up to, not including, stop, or up to and including end; gives `value`.",
    },
    "download": mapping(
        {
            "container": _KEY_OF_CONTAINER,
            "to": string("Folder on this machine, relative to this file."),
            "prefix": string("Only blobs whose names begin with this; its folders are no part of the local path."),
            "pattern": string("Only blobs whose names, after the prefix, match this glob."),
        },
        "container",
        "to",
    ),
}

ROOT: Node = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "urn:batchspec:schema:v1",
    "title": "batchspec, version 1",
    "description": "A parallel workload on Azure Batch: what should exist, what runs, where results go.",
    **mapping(
        {
            "version": {"const": 1, "description": "Version of this format: 1."},
            "name": string(
                "Owner of all that this spec makes, and the beginning of default names: lower-case words and `-`."
            ),
            "vars": named(
                ref("variable"), "Variables, `{{ vars.<key> }}`; --var and --var-file override the defaults."
            ),
            "containers": named(ref("container"), "Blob containers by key."),
            "uploads": named(ref("upload"), "Local files by key, and the container that they go to."),
            "pool": {**ref("BatchPoolCreateOptions"), "description": "The pool: the nodes that run the tasks."},
            "job": {**ref("BatchJobCreateOptions"), "description": "The job; may be left out."},
            "schedule": {
                **ref("BatchJobScheduleCreateOptions"),
                "description": "A job schedule, which makes a job again and again; in place of `job` and `tasks`.",
            },
            "tasks": {
                "type": "array",
                "items": ref("BatchTaskCreateOptions"),
                "minItems": 1,
                "description": "Templates of tasks; each is one task, or with `for_each` one per element.",
            },
            "wait": mapping(
                {"timeout": {**ref("duration"), "description": "ISO 8601, from submission; PT30M by default."}},
                description="How long `apply` waits for the tasks.",
            ),
            "downloads": {"type": "array", "items": ref("download"), "description": "Blobs to fetch afterwards."},
            "cleanup": mapping(
                {
                    "after_success": {
                        "type": "array",
                        "items": {"type": "string"},
                        "description": "`container.<key>`, `job`, `schedule` or `pool`: deleted after a success.",
                    }
                },
                description="What `apply` deletes by itself.",
            ),
        },
        "version",
        "name",
    ),
}

_COMMANDS: Node = {
    "command": string("Shell text, wrapped once for the pool's operating system."),
    "commands": {
        "anyOf": [{"type": "array", "items": {"type": "string"}, "minItems": 1}, ref("template")],
        "description": "Lines of one shell script, which stops at the first failure.",
    },
}
_IMPORTED = string(
    "Written by `batchspec import`: fingerprints by which a plan has nothing to do until something here is edited. "
    "Delete the word to have it fingerprinted anew."
)
_EXISTING = "Use one that this spec does not own; it is never changed or deleted."

# Words of ours inside Azure's models.
ADDED_PROPERTIES: dict[str, Node] = {
    "BatchPoolCreateOptions": {
        "existing": flag(_EXISTING),
        "os": {
            "anyOf": [{"enum": ["linux", "windows"]}, ref("template")],
            "description": "Operating system of the nodes; linux by default.",
        },
        "image": ref("image"),
        "autoscale": ref("autoscale"),
        "identity": string(
            "Resource id of a managed identity of an `existing` pool: containers are used with it, without SAS."
        ),
        "lifetime": {
            "anyOf": [{"enum": ["job", "job_schedule"]}, ref("template")],
            "description": "The service makes and deletes it with the job (or with the schedule); `id` is a prefix.",
        },
        "keep_alive": flag("With `lifetime`: the service does not delete it; `batchspec delete` does."),
        "imported": _IMPORTED,
    },
    "BatchPoolSpecification": {"autoscale": ref("autoscale")},
    "BatchJobCreateOptions": {"existing": flag(_EXISTING), "imported": _IMPORTED},
    "BatchJobScheduleCreateOptions": {"existing": flag(_EXISTING), "imported": _IMPORTED},
    "BatchTaskCreateOptions": {
        "name": string("Name of this template, for `needs` of others."),
        "for_each": ref("generator"),
        "needs": one_or_more("Names of templates whose tasks must all have succeeded before."),
        "imported": _IMPORTED,
        **_COMMANDS,
    },
    "BatchStartTask": _COMMANDS,
    "BatchJobManagerTask": _COMMANDS,
    "BatchJobPreparationTask": _COMMANDS,
    "BatchJobReleaseTask": _COMMANDS,
    "ResourceFile": {
        "upload": string("Key of an upload: its files, or with `file` one of them."),
        "file": string("With `upload` or `container`: the exact name of one of its files."),
        "container": string("Key of a container: its blobs, those below `prefix`, or with `file` one of them."),
        "prefix": string("With `container`: only blobs whose names begin with this."),
    },
    "OutputFile": {
        "container": string("Key of a container that the service uploads to."),
        "path": string("With `container`: the blob's name, or the folder for a pattern with wildcards."),
        "identity_reference": {
            "anyOf": [ref("BatchNodeIdentityReference"), ref("template")],
            "description": "With `container`: the managed identity that writes, instead of a SAS.",
        },
        "upload_headers": {
            "anyOf": [
                {"type": "array", "items": {"anyOf": [ref("OutputFileUploadHeader"), ref("template")]}},
                ref("template"),
            ],
            "description": "With `container`: headers of the upload, such as the blob's content type.",
        },
        "upload_condition": {
            "anyOf": [{"enum": ["tasksuccess", "taskfailure", "taskcompletion"]}, ref("template")],
            "description": "When to upload; taskcompletion by default.",
        },
    },
}

# Properties of Azure whose first sentence in the SDK is missing or too long to show.
DESCRIBED: dict[tuple[str, str], str] = {
    ("AutomaticOsUpgradePolicy", "enable_automatic_os_upgrade"): (
        "Whether nodes get a new version of the operating system's image by themselves when there is one."
    ),
    ("HostEndpointSettings", "in_vm_access_control_profile_reference_id"): (
        "Resource id of the InVMAccessControlProfileVersion that applies."
    ),
    ("RollingUpgradePolicy", "max_unhealthy_instance_percent"): (
        "The most of all nodes, in percent, that may be unhealthy at once before the upgrade stops."
    ),
}

# What Batch requires and we fill in, or check by rules that know more.
OPTIONAL: dict[str, tuple[str, ...]] = {
    "BatchPoolCreateOptions": ("id", "vm_size"),
    "VirtualMachineConfiguration": ("node_agent_sku_id", "image_reference"),
    "BatchJobCreateOptions": ("id", "pool_info"),
    "BatchTaskCreateOptions": ("command_line",),
    "BatchStartTask": ("command_line",),
    "BatchJobManagerTask": ("command_line",),
    "BatchJobPreparationTask": ("command_line",),
    "BatchJobReleaseTask": ("command_line",),
    "BatchJobScheduleCreateOptions": ("id", "schedule", "job_specification"),
    "BatchJobSpecification": ("pool_info",),
    "OutputFile": ("destination", "upload_options"),
}

# Texts that Batch requires and that may be empty.
MAY_BE_EMPTY = ("value", "relative_mount_path")

# Lists of Azure that may be written as a mapping.
ALSO_A_MAPPING = {"EnvironmentSetting": "environmentSettings", "BatchMetadataItem": "metadata"}

_POOLS = ("BatchPoolCreateOptions", "BatchPoolSpecification")
_JOBS = ("BatchJobCreateOptions", "BatchJobSpecification")
_TASKS = ("BatchTaskCreateOptions", "BatchJobManagerTask")
_RETRIED = ("BatchStartTask", "BatchJobConstraints", "BatchTaskConstraints")
_NAMED = (*_POOLS, *_JOBS, *_TASKS, "BatchJobScheduleCreateOptions")


def _for(models: tuple[str, ...], limits: dict[str, Node]) -> dict[tuple[str, str], Node]:
    return {(model, word): limit for model in models for word, limit in limits.items()}


def _between(least: int, most: int | None = None) -> Node:
    return {"minimum": least, **({} if most is None else {"maximum": most})}


# Limits that the docstrings of azure-batch 15.1 and the REST reference tell, and the SDK's types do not. Durations
# have `x-shortest` and `x-longest` (see `batchspec.spec.validator`).
LIMITS: dict[tuple[str, str], Node] = {
    **_for(_NAMED, {"display_name": {"maxLength": 1024}}),
    **_for(
        _POOLS,
        {
            "target_dedicated_nodes": _between(0),
            "target_low_priority_nodes": _between(0),
            "task_slots_per_node": _between(1, 256),
            "resize_timeout": {"x-shortest": "PT5M"},
            "auto_scale_formula": {"maxLength": 8192},
            "auto_scale_evaluation_interval": {"x-shortest": "PT5M", "x-longest": "P7D"},
            "application_package_references": {"maxItems": 10},
            # https://learn.microsoft.com/azure/batch/virtual-file-mount
            "mount_configuration": {"maxItems": 10},
        },
    ),
    **_for(_JOBS, {"priority": _between(-1000, 1000), "max_parallel_tasks": _between(-1)}),
    **_for(_TASKS, {"required_slots": _between(1, 256)}),
    **_for(_RETRIED, {"max_task_retry_count": _between(-1)}),
    ("BatchJobReleaseTask", "max_wall_clock_time"): {"x-longest": "PT15M"},
    ("BatchAutoPoolSpecification", "auto_pool_id_prefix"): {"maxLength": 20},
    **_for(
        ("BatchJobScheduleConfiguration",),
        {"start_window": {"x-shortest": "PT1M"}, "recurrence_interval": {"x-shortest": "PT1M"}},
    ),
    ("MultiInstanceSettings", "number_of_instances"): _between(1),
    ("BatchTaskIdRange", "start"): _between(0),
    ("BatchTaskIdRange", "end"): _between(0),
    ("DataDisk", "logical_unit_number"): _between(0, 63),
    ("DataDisk", "disk_size_gb"): _between(1),
    ("BatchOsDisk", "disk_size_gb"): _between(1),
    ("UserAccount", "name"): {"maxLength": 20},
    ("BatchPoolEndpointConfiguration", "inbound_nat_pools"): {"maxItems": 5},
    ("BatchInboundNatPool", "name"): {"maxLength": 77},
    ("BatchInboundNatPool", "backend_port"): _between(1, 65535),
    ("BatchInboundNatPool", "frontend_port_range_start"): _between(1, 65534),
    ("BatchInboundNatPool", "frontend_port_range_end"): _between(1, 65534),
    ("BatchInboundNatPool", "network_security_group_rules"): {"maxItems": 25},
    ("NetworkSecurityGroupRule", "priority"): _between(150, 4096),
    ("RollingUpgradePolicy", "max_batch_instance_percent"): _between(5, 100),
    ("RollingUpgradePolicy", "max_unhealthy_instance_percent"): _between(5, 100),
    ("RollingUpgradePolicy", "max_unhealthy_upgraded_instance_percent"): _between(0, 100),
}
