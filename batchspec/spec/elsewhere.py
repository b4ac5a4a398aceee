"""What other tools call things, and what a spec calls them.

Place in the pipeline: `complaints` asks when a property or a choice is unknown. In: the unknown word, what is known at
its place. Out: the word that was meant, or nothing. Pure data; only words that cannot mean something else there.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from batchspec.spec.expected import alternatives

_RETRIES = ("constraints.max_task_retry_count", "max_task_retry_count")
_SETTINGS = ("environment_settings", "common_environment_settings", "from_env")
_COMMAND = ("command",)

# By the name elsewhere (CI systems, compose files, Kubernetes, Terraform, plain English): ours, the first one that is
# known at the place.
PROPERTIES: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("variables", "params", "parameters"), ("vars",)),
    **dict.fromkeys(("inputs", "input_files"), ("resource_files", "uploads")),
    **dict.fromkeys(("outputs", "artifacts"), ("output_files", "downloads")),
    **dict.fromkeys(("buckets", "storage", "blob_containers"), ("containers",)),
    **dict.fromkeys(("volumes", "volume_mounts", "mounts"), ("mount_configuration",)),
    **dict.fromkeys(("env", "environment", "env_vars", "environment_variables"), _SETTINGS),
    **dict.fromkeys(("run", "cmd", "shell", "entrypoint", "args"), _COMMAND),
    "script": ("commands",),
    **dict.fromkeys(("foreach", "loop", "with_items", "strategy"), ("for_each",)),
    **dict.fromkeys(("timeout", "timeout_minutes"), ("constraints.max_wall_clock_time", "wait.timeout")),
    **dict.fromkeys(("retries", "retry", "max_retries", "retry_count", "backoff_limit"), _RETRIES),
    **dict.fromkeys(("nodes", "node_count", "replicas", "dedicated_nodes"), ("target_dedicated_nodes",)),
    **dict.fromkeys(("spot_nodes", "low_priority_nodes", "preemptible_nodes"), ("target_low_priority_nodes",)),
    **dict.fromkeys(("instance_type", "machine_type", "vm_sku", "node_size"), ("vm_size",)),
    **dict.fromkeys(("tags", "labels"), ("metadata",)),
    **dict.fromkeys(("slots", "cpus", "cores"), ("required_slots", "task_slots_per_node")),
    **dict.fromkeys(("image", "docker", "docker_image"), ("container_settings.image_name",)),
    **dict.fromkeys(("after", "requires", "dependencies"), ("needs",)),
    **dict.fromkeys(("startup_script", "setup", "bootstrap"), ("start_task",)),
    **dict.fromkeys(("steps", "task_templates"), ("tasks",)),
    **dict.fromkeys(("destination", "dest", "folder", "directory", "local_path"), ("to",)),
    **dict.fromkeys(("path", "paths", "source", "src", "glob"), ("files",)),
    **dict.fromkeys(("from", "begin"), ("start",)),
    **dict.fromkeys(("to", "until", "last"), ("end",)),
    **dict.fromkeys(("by", "increment"), ("step",)),
    **dict.fromkeys(("cron", "every", "interval"), ("recurrence_interval", "schedule.recurrence_interval")),
    "job": ("job_specification",),
    "min": ("min_nodes",),
    "max": ("max_nodes",),
    **dict.fromkeys(("values", "choices", "enum"), ("allowed",)),
    "value": ("default",),
    "env_var": ("from_env",),
}

CHOICES: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("spot", "preemptible", "lowpriority"), ("low_priority",)),
    "on_demand": ("dedicated",),
    **dict.fromkeys(("text", "str"), ("string",)),
    "int": ("integer",),
    **dict.fromkeys(("float", "double"), ("number",)),
    "bool": ("boolean",),
    **dict.fromkeys(("array", "tuple"), ("list",)),
    **dict.fromkeys(("dict", "map", "mapping"), ("object",)),
    **dict.fromkeys(("root", "administrator", "sudo"), ("admin",)),
    "user": ("nonadmin",),
    "success": ("tasksuccess",),
    "failure": ("taskfailure",),
    **dict.fromkeys(("always", "completion"), ("taskcompletion",)),
    "ubuntu": ("linux",),
    "terminate": ("terminatejob",),
    "none": ("noaction",),
}


def property_meant(name: str, known: Mapping[str, Any]) -> str:
    """The property ("constraints.max_task_retry_count") that a name from elsewhere stands for, or ""."""
    for candidate in PROPERTIES.get(name, ()):
        first, _, rest = candidate.partition(".")
        if first in known and (
            not rest or any(rest in one.get("properties", {}) for one in alternatives(known[first]))
        ):
            return candidate
    return ""


def choice_meant(name: str, choices: Iterable[str]) -> str:
    """The choice that a word from elsewhere stands for, or ""."""
    known = set(choices)
    meant = CHOICES.get(name.lower().replace("-", "_"), ())
    return next((one for one in meant if one in known), "")
