"""What the checks by model must not find; what they find is in `tests/examples/invalid`."""

from typing import Any

import pytest

from batchspec.spec.checks import across, models, network
from batchspec.spec.checks.tree import root

NAT: dict[str, Any] = {"name": "a.b-c_", "backend_port": 22, "frontend_port_range_start": 1000}
TEMPLATES: list[Any] = [
    {"pool": {"os": "windows", "virtual_machine_configuration": {"license_type": "{{ x }}", "data_disks": "{{ x }}"}}},
    {"pool": {"virtual_machine_configuration": {"data_disks": [{"logical_unit_number": "{{ x }}"}] * 2}}},
    {"pool": {"upgrade_policy": {"rolling_upgrade_policy": {"max_batch_instance_percent": "{{ x }}"}}}},
    {"pool": {"start_task": {"resource_files": [{"upload": "u", "file_mode": "{{ x }}"}], "user_identity": "{{ x }}"}}},
    {"tasks": [{"depends_on": {"task_id_ranges": [{"start": 5, "end": "{{ x }}"}]}}]},
    {"job": {"task_failure_mode": "{{ x }}"}, "tasks": [{"exit_conditions": {"default": {"job_action": "none"}}}]},
    {"pool": {"os": "{{ x }}", "virtual_machine_configuration": {"windows_configuration": {}}}},
    {"pool": {"enable_inter_node_communication": "{{ x }}"}, "tasks": [{"multi_instance_settings": {}}]},
]
SOUND: list[Any] = [
    {"pool": {"existing": True}, "tasks": [{"container_settings": {}, "multi_instance_settings": {}}]},
    {"job": {"existing": True}, "tasks": [{"exit_conditions": {"default": {"job_action": "none"}}}]},
    {"job": {"pool_info": {"pool_id": "p"}}, "pool": {"vm_size": "s"}, "tasks": [{"container_settings": {}}]},
    {"tasks": [{"depends_on": {"task_id_ranges": [{"start": 5, "end": 5}], "task_ids": ["x" * 64_000]}}]},
    {"job": {"job_preparation_task": {"id": "a"}, "job_release_task": {"id": "b"}}, "tasks": [{"id": "c"}]},
]


@pytest.mark.parametrize("data", [*TEMPLATES, *SOUND])
def test_templates_and_what_is_not_this_specs_are_passed_over(data: Any) -> None:
    checks = (models.by_model, across.multi_instance, across.containers, across.job_actions, across.windows)
    assert [finding for check in (*checks, across.special_ids) for finding in check(root(data))] == []


def test_forty_ports_are_enough_and_ranges_may_touch() -> None:
    nats = [{**NAT, "frontend_port_range_end": 1039}, {**NAT, "name": "b", "backend_port": 23}]
    nats[1] |= {"frontend_port_range_start": 1040, "frontend_port_range_end": 49999}
    pool = {"network_configuration": {"endpoint_configuration": {"inbound_nat_pools": nats}}}
    assert list(network.pool(root(pool))) == []
    assert [finding for nat in nats for finding in network.nat_pool(root(nat))] == []


def test_the_twenty_sixth_rule_of_a_pool_is_one_too_many() -> None:
    rules = [{"priority": 200 + number} for number in range(26)]
    nats = [{**NAT, "network_security_group_rules": rules[:13]}, {"network_security_group_rules": rules[13:]}]
    pool = {"network_configuration": {"endpoint_configuration": {"inbound_nat_pools": nats}}}
    assert [finding.message for finding in network.pool(root(pool))] == [
        "is rule 26 of the pool; at most 25 are allowed"
    ]


def test_more_ids_than_azure_takes_are_told() -> None:
    data = {"tasks": [{"depends_on": {"task_ids": ["x" * 64] * 1001}}]}
    assert [finding.message for finding in models.by_model(root(data))] == [
        (
            "has 64,064 characters of ids, Azure Batch takes 64,000; "
            "name the template under `needs`, or use `task_id_ranges`"
        )
    ]
