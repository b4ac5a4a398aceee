"""Disks, encryption and security of a pool's machines, and the public addresses of its nodes.

Place in the pipeline: `models` calls these. In: data. Out: Findings. The rules are those of the docstrings of
DiskEncryptionConfiguration, DiskCustomerManagedKey, BatchVmDiskSecurityProfile and BatchPublicIpAddressConfiguration
(azure-batch 15.1).
"""

import re
from collections.abc import Iterator

from batchspec.spec.checks.tree import Part, number
from batchspec.spec.document import Finding, shown
from batchspec.spec.words import has_template

_VERSIONED_KEY = re.compile(r"https://[^/]+/keys/[^/]+/[^/]+/?")
_NODES_PER_ADDRESS = 100
_TARGETS = ("target_dedicated_nodes", "target_low_priority_nodes")
_GALLERY = ("virtual_machine_image_id", "shared_gallery_image_id", "community_gallery_image_id")
_STACKS = (["IPv4"], ["IPv4", "IPv6"])


def agent(pool: Part) -> Iterator[Finding]:
    """The service lists node agents for images of the Marketplace; what an own image needs, only its maker knows."""
    machine = pool.part("virtual_machine_configuration")
    clear = isinstance(pool.data.get("virtual_machine_configuration", {}), dict)
    image = pool.part("image").data or machine.part("image_reference").data
    own = any(isinstance(image.get(word), str) for word in ("id", *_GALLERY)) and "publisher" not in image
    if clear and own and "node_agent_sku_id" not in machine.data:
        message = (
            "missing; of an image of an Azure Compute Gallery it cannot be looked up: say what it was made from, "
            "such as batch.node.ubuntu 24.04"
        )
        yield Finding((*machine.at, "node_agent_sku_id"), message)


def _is_of_gallery(pool: Part, machine: Part) -> bool:
    return "id" in pool.part("image").data or any(one in machine.part("image_reference").data for one in _GALLERY)


def encryption(pool: Part) -> Iterator[Finding]:
    """Azure encrypts no disks of Linux nodes with an image of a gallery."""
    machine = pool.part("virtual_machine_configuration")
    gallery = _is_of_gallery(pool, machine)
    if "disk_encryption_configuration" in machine.data and gallery and pool.data.get("os", "linux") == "linux":
        message = "is not supported for Linux nodes with an image of an Azure Compute Gallery; remove one of the two"
        yield Finding((*machine.at, "disk_encryption_configuration"), message, on_key=True)


def confidential(machine: Part) -> Iterator[Finding]:
    """A confidential machine says how its disk is encrypted, and no other machine does."""
    kind = machine.part("security_profile").data.get("security_type")
    disk = machine.part("os_disk").part("managed_disk").part("security_profile")
    word = "security_encryption_type"
    if kind == "confidentialvm" and word not in disk.data:
        message = "missing; a confidential machine says it under `os_disk.managed_disk.security_profile`"
        yield Finding((*disk.at, word), message)
    elif word in disk.data and kind in (None, "trustedLaunch"):
        message = "goes only with `security_profile: {security_type: confidentialvm}` of the machine"
        yield Finding((*disk.at, word), message, on_key=True)


def key(part: Part) -> Iterator[Finding]:
    """The address of a key in a vault names a version, also where newer ones are taken."""
    url = part.data.get("key_url")
    if isinstance(url, str) and not has_template(url) and not _VERSIONED_KEY.fullmatch(url):
        message = f"{shown(url)} is no key with its version; write https://VAULT.vault.azure.net/keys/NAME/VERSION"
        yield Finding((*part.at, "key_url"), message)


def addresses(pool: Part) -> Iterator[Finding]:
    """Each public address serves 100 nodes of either kind."""
    public = pool.part("network_configuration").part("public_ip_address_configuration")
    families, ids = public.data.get("ip_families"), public.data.get("ip_address_ids")
    if (
        isinstance(families, list)
        and not any(map(has_template, families))
        and sorted(map(str, families)) not in _STACKS
    ):
        yield Finding((*public.at, "ip_families"), "expected [IPv4] or [IPv4, IPv6]; a pool has no other stacks")
    most = _NODES_PER_ADDRESS * len(ids) if isinstance(ids, list) and not any(map(has_template, ids)) else None
    for word in _TARGETS:
        wanted = number(pool, word)
        if most is not None and wanted is not None and wanted > most:
            enough = -(-wanted // _NODES_PER_ADDRESS)
            needs = f"the {wanted:,} of `{word}` need {enough}, one for {_NODES_PER_ADDRESS} nodes"
            message = f"has {len(ids or ())} addresses; {needs}"
            yield Finding((*public.at, "ip_address_ids"), message)
