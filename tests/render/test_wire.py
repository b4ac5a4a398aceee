from typing import Any

import pytest
from azure.batch import models
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.render.conftest import Render

TASK = """\
pool: {vm_size: s}
tasks:
  - id: one
    command_line: x
"""


def test_every_name_on_the_wire_is_the_one_of_the_sdk() -> None:
    from batchspec.render.shape import rest_name
    from batchspec.spec import schema

    checked = 0
    for name, node in schema.schema()["$defs"].items():
        model = getattr(models, name, None)
        if model is None:
            continue
        fields = {
            word: field._rest_name_input or word
            for one in model.__mro__
            for word, field in vars(one).items()
            if hasattr(field, "_rest_name_input")
        }
        ours = {word: rest_name(word, inner) for word, inner in node["properties"].items() if word in fields}
        assert ours == {word: fields[word] for word in ours}
        checked += len(ours)
    assert checked > 200


def test_a_task_of_many_properties_arrives_in_the_sdk(render_spec: Render) -> None:
    spec = f"""{TASK}
    display_name: "{{{{ name }}}} 1"
    required_slots: "{{{{ 1 + 1 }}}}"
    constraints: {{max_wall_clock_time: PT1H, max_task_retry_count: 2, retention_time: P1D}}
    user_identity: {{auto_user: {{scope: pool, elevation_level: admin}}}}
    exit_conditions:
      exit_codes: [{{code: 3, exit_options: {{job_action: terminate}}}}]
      default: {{dependency_action: satisfy}}
    application_package_references: [{{application_id: blender, version: "4"}}]
    depends_on: {{task_ids: [a], task_id_ranges: [{{start: 1, end: 5}}]}}
    container_settings: {{image_name: img, container_run_options: --rm}}
job: {{job_manager_task: {{id: adds-tasks, command_line: x}}}}
"""
    (body,) = render_spec(spec).bodies
    task: Any = models.BatchTaskCreateOptions(body)
    assert task.display_name == "run 1"
    assert task.required_slots == 2
    assert task.constraints.max_wall_clock_time.total_seconds() == 3600
    assert task.user_identity.auto_user.elevation_level == "admin"
    assert task.exit_conditions.exit_codes[0].exit_options.job_action == "terminate"
    assert task.exit_conditions.default.dependency_action == "satisfy"
    assert task.application_package_references[0].application_id == "blender"
    assert task.depends_on.task_id_ranges[0].end == 5
    assert task.container_settings.container_run_options == "--rm"
    assert task.as_dict() == body


def test_a_pool_of_many_properties_arrives_in_the_sdk(render_spec: Render) -> None:
    spec = """\
pool:
  vm_size: s
  os: windows
  task_scheduling_policy: {node_fill_type: pack}
  virtual_machine_configuration:
    image_reference: {virtual_machine_image_id: /subscriptions/x}
    node_agent_sku_id: batch.node.ubuntu 24.04
    extensions: [{name: n, publisher: p, type: t, settings: {commandToExecute: a, command: b, snake_case: "{{ 5 }}"}}]
  network_configuration:
    public_ip_address_configuration: {ip_address_provisioning_type: nopublicipaddresses}
  mount_configuration: [{nfs_mount_configuration: {source: s, relative_mount_path: m}}]
  enable_auto_scale: true
  auto_scale_formula: $TargetDedicated = 1
  auto_scale_evaluation_interval: PT5M
"""
    pool = render_spec(spec).desired.pool
    assert pool is not None
    body: Any = pool.body
    made: Any = models.BatchPoolCreateOptions(body)
    assert made.task_scheduling_policy.node_fill_type == "pack"
    assert made.virtual_machine_configuration.node_agent_sku_id == "batch.node.ubuntu 24.04"
    extension = body["virtualMachineConfiguration"]["extensions"][0]
    assert extension["settings"] == {"commandToExecute": "a", "command": "b", "snake_case": 5}
    assert made.network_configuration.public_ip_address_configuration.ip_address_provisioning_type is not None
    assert made.mount_configuration[0].nfs_mount_configuration.relative_mount_path == "m"
    assert made.as_dict() == body


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("required_slots: '{{ 2.0 }}'", {"requiredSlots": 2}),
        ("required_slots: '{{ none }}'", {}),
        ("display_name: '{{ [1] }}'", {"displayName": "[1]"}),
        ("constraints: \"{{ {'max_task_retry_count': 3} }}\"", {"constraints": {"maxTaskRetryCount": 3}}),
        ("user_identity: {username: '{{ name }}'}", {"userIdentity": {"username": "run"}}),
    ],
)
def test_a_template_gives_the_type_that_belongs_there(render_spec: Render, written: str, expected: Any) -> None:
    (body,) = render_spec(f"{TASK}    {written}\n").bodies
    assert body == {"id": "one", "commandLine": "x", **expected}


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("required_slots: '{{ name }}'", "required_slots: expected a whole number, got 'run'"),
        ("required_slots: '{{ true }}'", "required_slots: expected a whole number, got true"),
        ("required_slots: '{{ 2.5 }}'", "required_slots: expected a whole number, got the number 2.5"),
        ("required_slots: '{{ 0 }}'", "required_slots: 0 is too small; the least is 1"),
        (
            "constraints: {max_wall_clock_time: \"{{ '1h' }}\"}",
            "constraints.max_wall_clock_time: '1h' does not have the right form; a duration looks like PT30M or P1D",
        ),
        (
            "user_identity: {auto_user: {scope: \"{{ 'pol' }}\"}}",
            "user_identity.auto_user.scope: 'pol' is not one of task, pool; did you mean 'pool'?",
        ),
        (
            "constraints: \"{{ {'max_task_retry': 3} }}\"",
            "constraints: the value has an unknown property 'max_task_retry'; did you mean 'max_task_retry_count'?",
        ),
        (
            "user_identity: \"{{ {'username': 'u', 'auto_user': {}} }}\"",
            "user_identity.auto_user: `username` and `auto_user` exclude each other; remove one",
        ),
        (
            "exit_conditions: {exit_code_ranges: \"{{ [{'start': 5, 'end': 2, 'exit_options': {}}] }}\"}",
            "exit_conditions.exit_code_ranges[0].end: 2 is less than `start` (5); a range goes up, both ends included",
        ),
        (
            "output_files: \"{{ [{'container': 'c', 'destination': {}, 'file_pattern': 'x'}] }}\"",
            "output_files[0].destination: `container` and `destination` exclude each other; remove one",
        ),
        (
            "resource_files: [\"{{ {'container': 'c', 'file': 'x', 'prefix': 'y'} }}\"]",
            "resource_files[0].prefix: `file` and `prefix` exclude each other; remove one",
        ),
        (
            "resource_files: [\"{{ {'container': 'c', 'fil': 'x'} }}\"]",
            "resource_files[0]: the value has an unknown property 'fil'; did you mean 'file'?",
        ),
        (
            "output_files: [\"{{ {'container': 'c', 'file_pattern': 'x', 'condition': 'tasksuccess'} }}\"]",
            "output_files[0]: the value has an unknown property 'condition'; did you mean 'upload_condition'?",
        ),
        (
            "environment_settings: \"{{ {'BATCHSPEC_TASK_HASH': 'x'} }}\"",
            "environment_settings.BATCHSPEC_TASK_HASH: BATCHSPEC_TASK_HASH is set by batchspec; choose another name",
        ),
        (
            "environment_settings: \"{{ [{'name': 'A', 'value': 'x'}] * 2 }}\"",
            "environment_settings[1].name: 'A' is set by environment_settings[0] too; remove one of them",
        ),
        ("constraints: '{{ 3 }}'", "constraints: expected a mapping, got the number 3"),
        ("resource_files: '{{ 3 }}'", "resource_files: expected a list, got the number 3"),
    ],
)
def test_a_template_that_gives_another_type_is_told(render_spec: Render, written: str, message: str) -> None:
    (told,) = render_spec(f"{TASK}    {written}\ncontainers: {{c: {{}}}}\n").told
    assert told.endswith(f": tasks[0].{message}")


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (
            "exit_conditions: {exit_code_ranges: [{start: '{{ vars.high }}', end: 2, exit_options: {}}]}",
            "exit_conditions.exit_code_ranges[0].end: 2 is less than `start` (9); a range goes up, both ends included",
        ),
        (
            "depends_on: {task_id_ranges: [{start: '{{ vars.high }}', end: 2}]}",
            "depends_on.task_id_ranges[0].end: 2 is less than `start` (9); a range goes up, both ends included",
        ),
        (
            "resource_files: [{http_url: 'https://x/y', file_path: '../{{ name }}'}]",
            "resource_files[0].file_path: '../run' leaves the task's working directory",
        ),
    ],
)
def test_what_templates_make_is_held_against_the_rules(render_spec: Render, written: str, message: str) -> None:
    (told,) = render_spec(f"{TASK}    {written}\nvars: {{high: 9}}\n").told
    assert told.endswith(f": tasks[0].{message}")


def test_what_templates_make_of_pool_and_job_is_held_against_the_rules(render_spec: Render) -> None:
    spec = """\
pool:
  vm_size: s
  os: "{{ vars.os }}"
  image: {id: /x}
  virtual_machine_configuration:
    disk_encryption_configuration: {targets: [temporarydisk]}
  network_configuration:
    endpoint_configuration:
      inbound_nat_pools:
        - name: ssh
          protocol: tcp
          backend_port: "{{ vars.port }}"
          frontend_port_range_start: 15000
          frontend_port_range_end: 15100
job: {max_parallel_tasks: "{{ vars.many }}"}
vars: {os: windows, port: 22, many: 1}
"""
    assert render_spec(spec).told == []
    disks = "disk_encryption_configuration: is not supported for Linux nodes with an image of an Azure Compute Gallery"
    many = "job.max_parallel_tasks: 0 would run nothing; write -1 for no limit, or at least 1"
    assert render_spec(spec, variables={"os": "linux", "many": 0}).told == [
        f"spec.yaml:8:36: pool.virtual_machine_configuration.{disks}; remove one of the two",
        f"spec.yaml:17:27: {many}",
    ]
    place = "pool.network_configuration.endpoint_configuration.inbound_nat_pools[0].backend_port"
    assert render_spec(spec, variables={"port": 29876, "many": 0}).told == [
        f"spec.yaml:14:25: {place}: 29876 is reserved by Batch; take another",
        f"spec.yaml:17:27: {many}",
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            "{'command': 'a', 'command_line': 'b'}",
            "command_line: `command` and `command_line` exclude each other; remove one",
        ),
        (
            "{'wait_for_success': true}",
            "command: missing; write `command` (shell text), `commands` (a list of them) or `command_line` (as it is)",
        ),
    ],
)
def test_a_task_that_a_template_gives_has_one_command(render_spec: Render, given: str, message: str) -> None:
    spec = f'pool:\n  vm_size: s\n  start_task: "{{{{ {given} }}}}"\n'
    assert render_spec(spec).told == [f"spec.yaml:5:15: pool.start_task.{message}"]


def test_a_value_is_rendered_once(render_spec: Render) -> None:
    spec = f"""{TASK}
    display_name: "{{{{ vars.text }}}}"
    environment_settings: "{{{{ vars.settings }}}}"
vars:
  text: "{{{{ name }}}}"
  settings: {{default: {{A: "{{{{ name }}}}"}}}}
"""
    (body,) = render_spec(spec).bodies
    assert body["displayName"] == "{{ name }}"
    assert body["environmentSettings"] == [{"name": "A", "value": "{{ name }}"}]


@given(st.text(alphabet="{}%'\" \\n:a|b[]", max_size=30))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_variable_holds_it_arrives_unchanged(render_spec: Render, value: str) -> None:
    spec = f"{TASK}    environment_settings: {{A: '{{{{ vars.a }}}}'}}\nvars: {{a: x}}\n"
    (body,) = render_spec(spec, variables={"a": value}).bodies
    assert body["environmentSettings"] == [{"name": "A", "value": value}]
