"""The images and node agents the service lists.

Place: read by `GET /supportedimages` and by pool creation. A table: the images of the public list that current
samples and tutorials name, and at its end retired ones that Microsoft's published examples still ask for; all Linux
images run on this one machine, Windows images are accepted and their nodes are unusable.
"""

from collections.abc import Iterator
from typing import Any, Final

# agent | os | publisher offer sku ... (several skus) | verification
_IMAGES: Final = """
batch.node.ubuntu 24.04 | linux | canonical ubuntu-24_04-lts server server-gen1 minimal
batch.node.ubuntu 22.04 | linux | canonical 0001-com-ubuntu-server-jammy 22_04-lts 22_04-lts-gen2
batch.node.ubuntu 20.04 | linux | canonical 0001-com-ubuntu-server-focal 20_04-lts 20_04-lts-gen2
batch.node.ubuntu 22.04 | linux | microsoft-dsvm ubuntu-hpc 2204
batch.node.ubuntu 20.04 | linux | microsoft-dsvm ubuntu-hpc 2004
batch.node.ubuntu 20.04 | linux | microsoft-azure-batch ubuntu-server-container 20-04-lts
batch.node.ubuntu 20.04 | linux | microsoft-azure-batch ubuntu-server-container-rdma 20-04-lts
batch.node.debian 12 | linux | debian debian-12 12 12-gen2
batch.node.debian 11 | linux | debian debian-11 11 11-gen2 11-backports
batch.node.el 9 | linux | almalinux almalinux-x86_64 9-gen1 9-gen2
batch.node.el 8 | linux | almalinux almalinux 8-gen1 8-gen2
batch.node.el 8 | linux | almalinux almalinux-hpc 8_7-hpc-gen2
batch.node.mariner 2.0 | linux | microsoftcblmariner cbl-mariner cbl-mariner-2 cbl-mariner-2-gen2
batch.node.windows amd64 | windows | microsoftwindowsserver windowsserver 2019-datacenter 2022-datacenter
batch.node.windows amd64 | windows | microsoftwindowsserver windowsserver 2025-datacenter 2025-datacenter-g2
batch.node.windows amd64 | windows | microsoftwindowsserver windowsserver 2016-datacenter 2016-datacenter-smalldisk
batch.node.ubuntu 18.04 | linux | canonical ubuntuserver 18.04-lts 18_04-lts-gen2
batch.node.ubuntu 16.04 | linux | canonical ubuntuserver 16.04-lts
batch.node.centos 7 | linux | openlogic centos 7_9 7_9-gen2
batch.node.debian 8 | linux | credativ debian 8
"""


def _rows() -> Iterator[tuple[str, str, str, str, str]]:
    for line in _IMAGES.strip().splitlines():
        agent, os, image = (part.strip() for part in line.split("|"))
        publisher, offer, *skus = image.split()
        yield from ((agent, os, publisher, offer, sku) for sku in skus)


SUPPORTED: Final[tuple[dict[str, Any], ...]] = tuple(
    {
        "nodeAgentSKUId": agent,
        "imageReference": {"publisher": publisher, "offer": offer, "sku": sku, "version": "latest"},
        "osType": os,
        "capabilities": ["DockerCompatible"] if "container" in offer or "hpc" in offer else [],
        "verificationType": "verified",
    }
    for agent, os, publisher, offer, sku in _rows()
)
"""What `GET /supportedimages` lists, in the service's form."""

AGENTS: Final = frozenset(image["nodeAgentSKUId"] for image in SUPPORTED)
"""The known node agent SKUs, in lower case."""


def is_windows(machine: dict[str, Any]) -> bool:
    """Whether a virtualMachineConfiguration asks for Windows, which this machine cannot be."""
    agent: str = machine["nodeAgentSKUId"]
    return agent.lower().startswith("batch.node.windows")
