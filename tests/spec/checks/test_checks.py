"""Each check on the smallest data that it speaks about; whole specs are in `tests/examples/invalid`."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from batchspec.spec.checks import choices, declared, models, names, references, reserved, resources, secrets
from batchspec.spec.checks.tree import Part, root
from batchspec.spec.document import Finding, dotted

Check = Callable[[Part], Iterator[Finding]]


def paths(check: Check, data: object) -> list[str]:
    """Where a check finds something."""
    return [dotted(finding.at) for finding in check(root(data))]


def task(**words: Any) -> dict[str, Any]:
    """A spec with one task."""
    return {"tasks": [words]}


SOUND: list[tuple[Check, Any]] = [
    (names.names, {"name": "a-1", "vars": {"a_1": 1}, "tasks": [{"name": "a-b_c"}]}),
    (names.names, {"name": "{{ Vars }}"}),
    (names.ids, {"pool": {"id": "A_b-1"}, "tasks": [{"id": "x" * 64}, {"id": "{{ file.stem | task_id }}"}]}),
    (names.container_names, {"name": "{{ vars.x }}", "containers": {"A": None}}),
    (names.container_names, {"name": "a", "containers": {"b": {"name": "x{{ 1 }}"}, "c": {"name": "{{ 1 }}x"}}}),
    (references.references, {"containers": {"a": None}, "uploads": {"u": {"container": "a"}}}),
    (references.references, {"uploads": {"u": {"container": "{{ vars.c }}"}}}),
    (references.needs, {"tasks": [{"name": "a"}, {"needs": "a"}, {"needs": ["a", "a"]}]}),
    (
        references.cleanup,
        {"containers": {"a": None}, "pool": {}, "cleanup": {"after_success": ["container.a", "pool", "job"]}},
    ),
    (
        choices.commands,
        {"pool": {"start_task": {"commands": ["a"]}}, "job": {"job_release_task": {"command_line": "a"}}},
    ),
    (choices.for_each, task(for_each={"container": "a", "prefix": "b", "pattern": "c"})),
    (models.by_model, task(resource_files=[{"http_url": "u", "file_path": "p"}, {"upload": "u", "file": "f"}])),
    (models.by_model, task(output_files=[{"container": "c", "path": "p", "upload_condition": "tasksuccess"}])),
    (choices.image, {"pool": {"image": {"id": "i"}}}),
    (resources.pool, {"pool": {"existing": "{{ vars.there }}"}}),
    (resources.pool, {"pool": {"vm_size": "s", "virtual_machine_configuration": {"image_reference": {}}}}),
    (resources.existing, {"pool": {"existing": False, "vm_size": "s"}, "job": {"existing": True, "id": "i"}}),
    (
        resources.sizes,
        {"pool": {"enable_auto_scale": "{{ x }}", "target_dedicated_nodes": 1, "auto_scale_formula": "f"}},
    ),
    (resources.job, {"job": {"existing": True}, "tasks": [{}]}),
    (resources.job, {"job": {"pool_info": {"pool_id": "p"}}, "tasks": [{}]}),
    (resources.job, {"containers": {}}),
    (resources.dependencies, {"job": {"uses_task_dependencies": True}, "tasks": [{"needs": "a"}]}),
    (reserved.environment, task(environment_settings={"AZ_BATCH_X": "a", "BATCHSPEC_OTHER": "b"})),
    (reserved.environment, task(environment_settings=[{"name": "A"}, {"name": "a"}, *[{"name": "{{ x }}"}] * 2])),
    (reserved.metadata, {"pool": {"metadata": [{"name": "batchspec", "value": "a"}]}}),
    (secrets.secrets, task(environment_settings={"password": "plain"}, command="{{ vars.key }}")),
    (secrets.secrets, {"pool": {"user_accounts": [{"name": "n", "password": "{{ vars.p }}"}]}}),
    (
        declared.variables,
        {"vars": {"a": {"type": "number", "default": 1, "allowed": [1, 2.5]}, "b": {"secret": False}}},
    ),
]

BROKEN: list[tuple[Check, Any, list[str]]] = [
    (names.names, {"name": "a--b"}, ["name"]),
    (names.names, {"name": "-a", "uploads": {"1a": {}}}, ["name", "uploads['1a']"]),
    (names.ids, {"job": {"id": "ü", "job_manager_task": {"id": "a/b"}}}, ["job.id", "job.job_manager_task.id"]),
    (names.container_names, {"containers": {"a": {"name": "$logs"}}}, ["containers.a.name"]),
    (references.references, task(for_each={"upload": "u"}), ["tasks[0].for_each.upload"]),
    (references.needs, {"tasks": [{"name": "a", "needs": ["a"]}]}, ["tasks[0].needs[0]"]),
    (
        references.cleanup,
        {"cleanup": {"after_success": ["pool", "container."]}},
        [f"cleanup.after_success[{i}]" for i in (0, 1)],
    ),
    (
        choices.commands,
        {"job": {"job_manager_task": {"command": "a", "command_line": "b"}}},
        ["job.job_manager_task.command_line"],
    ),
    (choices.image, {"pool": {"image": {"id": "i", "version": "v"}}}, ["pool.image.version"]),
    (
        resources.pool,
        {"pool": {"vm_size": "s", "image": {}, "virtual_machine_configuration": {"image_reference": {}}}},
        ["pool.virtual_machine_configuration.image_reference"],
    ),
    (resources.job, {"job": {}}, ["pool"]),
    (
        resources.job,
        {"pool": {}, "job": {"pool_info": {"auto_pool_specification": {}}}},
        ["job.pool_info.auto_pool_specification"],
    ),
    (reserved.environment, task(environment_settings={"": "a"}), ["tasks[0].environment_settings['']"]),
    (
        secrets.secrets,
        {"pool": {"mount_configuration": [{"cifs_mount_configuration": {"password": "x"}}]}},
        ["pool.mount_configuration[0].cifs_mount_configuration.password"],
    ),
]


@pytest.mark.parametrize(("check", "data"), SOUND)
def test_what_is_sound_is_left_alone(check: Check, data: object) -> None:
    assert paths(check, data) == []


@pytest.mark.parametrize(("check", "data", "expected"), BROKEN)
def test_what_is_broken_is_found_where_it_is(check: Check, data: object, expected: list[str]) -> None:
    assert paths(check, data) == expected


def test_a_long_chain_of_needs_is_walked_without_recursion() -> None:
    tasks = [{"name": f"t{i}", "needs": [f"t{i + 1}"]} for i in range(5000)]
    assert len(paths(references.needs, {"tasks": [*tasks, {"name": "t5000", "needs": ["t0"]}]})) == 1
