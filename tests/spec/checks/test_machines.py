"""What the checks of machines and addresses must not find; what they find is in `tests/examples/invalid`."""

from typing import Any

import pytest

from batchspec.spec.checks import models
from batchspec.spec.checks.tree import root

ENCRYPTED = {
    "node_agent_sku_id": "n",
    "disk_encryption_configuration": {"customer_managed_key": {"key_url": "{{ x }}"}},
}
CONFIDENTIAL = {
    "security_profile": {"security_type": "confidentialvm"},
    "os_disk": {"managed_disk": {"security_profile": {"security_encryption_type": "NonPersistedTPM"}}},
}
TWO = {"ip_families": ["IPv6", "IPv4"], "ip_address_ids": ["a", "b"]}


@pytest.mark.parametrize(
    "pool",
    [
        {"os": "windows", "image": {"id": "x"}, "virtual_machine_configuration": ENCRYPTED},
        {"os": "{{ x }}", "image": {"id": "x"}, "virtual_machine_configuration": ENCRYPTED},
        {"image": {"publisher": "x"}, "virtual_machine_configuration": ENCRYPTED},
        {"virtual_machine_configuration": CONFIDENTIAL},
        {"virtual_machine_configuration": CONFIDENTIAL | {"security_profile": {"security_type": "{{ x }}"}}},
        {"target_dedicated_nodes": 200, "network_configuration": {"public_ip_address_configuration": TWO}},
        {
            "target_dedicated_nodes": 300,
            "network_configuration": {"public_ip_address_configuration": {"ip_address_ids": ["{{ x }}"]}},
        },
        {"network_configuration": {"public_ip_address_configuration": {"ip_families": ["IPv4", "{{ x }}"]}}},
    ],
)
def test_what_azure_takes_and_templates_are_passed_over(pool: dict[str, Any]) -> None:
    assert list(models.by_model(root({"pool": pool}))) == []


@pytest.mark.parametrize(
    "source", ["*", "10.10.10.10", "192.168.1.0/24", "2001:db8::/32", "Storage.WestEurope", "{{ x }}"]
)
def test_a_source_is_an_address_a_subnet_or_a_tag(source: str) -> None:
    rule = {"source_address_prefix": source, "source_port_ranges": ["22", "{{ x }}", "23-30"]}
    nats = {"inbound_nat_pools": [{"network_security_group_rules": [rule]}]}
    pool = {"network_configuration": {"endpoint_configuration": nats}}
    assert list(models.by_model(root({"pool": pool}))) == []
