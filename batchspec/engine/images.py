"""The images and node agents the service lists.

Place: read by `GET /supportedimages` and by pool creation. A table; all Linux images run on this one machine, Windows
images are accepted and their nodes are unusable.

Decisions and their sources:
- Current images: what the service lists and its documentation and samples name (2025 and 2026).
- Retired images stay, with the end of support they had: published examples and samples still use them, and a run of
  such a sample here says more than a refusal. This is the one knowing deviation in images. It includes
  two misprints of the OpenAPI's examples, which those say are accepted: sku `120_04-lts` (PoolAdd_SecurityProfile) and
  offer `UbuntuServer` with sku `20_04-lts` (PoolAdd_MountConfiguration).
- A date is that of the image's publisher where the service's own is not known.
- The order is by agent, newest first, then publisher.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from batchspec.engine.errors import BatchError, bad_value

# agent | end of support or - | publisher offer sku ... (several skus)
_IMAGES: Final = """
batch.node.ubuntu 24.04 | 2029-05-31 | canonical ubuntu-24_04-lts server server-gen1 minimal minimal-gen1
batch.node.ubuntu 24.04 | 2029-05-31 | microsoft-dsvm ubuntu-hpc 2404
batch.node.ubuntu 22.04 | 2027-06-30 | canonical 0001-com-ubuntu-server-jammy 22_04-lts 22_04-lts-gen2
batch.node.ubuntu 22.04 | 2027-06-30 | microsoft-dsvm ubuntu-hpc 2204
batch.node.ubuntu 22.04 | 2027-06-30 | microsoft-dsvm ubuntu-2204 2204-gen2
batch.node.ubuntu 20.04 | 2025-05-31 | canonical 0001-com-ubuntu-server-focal 20_04-lts 20_04-lts-gen2 120_04-lts
batch.node.ubuntu 20.04 | 2025-05-31 | canonical ubuntuserver 20_04-lts
batch.node.ubuntu 20.04 | 2025-05-31 | microsoft-azure-batch ubuntu-server-container 20-04-lts
batch.node.ubuntu 20.04 | 2025-05-31 | microsoft-azure-batch ubuntu-server-container-rdma 20-04-lts
batch.node.ubuntu 20.04 | 2025-05-31 | microsoft-dsvm ubuntu-hpc 2004 2004-preview-ndv5
batch.node.ubuntu 20.04 | 2025-05-31 | microsoft-dsvm ubuntu-2004 2004 2004-gen2
batch.node.ubuntu 18.04 | 2023-05-31 | canonical ubuntuserver 18.04-lts 18_04-lts-gen2 18_04-daily-lts-gen2
batch.node.ubuntu 18.04 | 2023-05-31 | microsoft-dsvm ubuntu-hpc 1804 18.04
batch.node.ubuntu 18.04 | 2023-05-31 | microsoft-dsvm ubuntu-1804 1804 1804-gen2
batch.node.ubuntu 18.04 | 2023-05-31 | microsoft-dsvm linux-data-science-vm-ubuntu linuxdsvmubuntu
batch.node.ubuntu 16.04 | 2021-05-21 | canonical ubuntuserver 16.04-lts 16.04.0-lts 16_04-lts-gen2
batch.node.ubuntu 16.04 | 2021-05-21 | microsoft-azure-batch ubuntu-server-container 16-04-lts
batch.node.ubuntu 16.04 | 2021-05-21 | microsoft-azure-batch ubuntu-server-container-rdma 16-04-lts
batch.node.ubuntu 14.04 | 2019-04-25 | canonical ubuntuserver 14.04.5-lts 14.04.4-lts 14.04.0-lts
batch.node.debian 12 | 2028-06-30 | debian debian-12 12 12-gen2
batch.node.debian 11 | 2026-08-31 | debian debian-11 11 11-gen2 11-backports 11-backports-gen2
batch.node.debian 10 | 2024-06-30 | debian debian-10 10 10-gen2 10-backports 10-backports-gen2
batch.node.debian 9 | 2022-06-30 | credativ debian 9 9-backports
batch.node.debian 8 | 2020-06-30 | credativ debian 8
batch.node.el 9 | 2032-05-31 | almalinux almalinux-x86_64 9-gen1 9-gen2
batch.node.el 9 | 2032-05-31 | almalinux almalinux-hpc 9-hpc-gen2
batch.node.el 9 | 2032-05-31 | resf rockylinux-x86_64 9-base 9-lvm
batch.node.el 8 | 2029-03-01 | almalinux almalinux 8-gen1 8-gen2
batch.node.el 8 | 2029-03-01 | almalinux almalinux-x86_64 8-gen1 8-gen2
batch.node.el 8 | 2029-03-01 | almalinux almalinux-hpc 8_7-hpc-gen2 8_10-hpc-gen1 8_10-hpc-gen2
batch.node.el 8 | 2029-05-31 | resf rockylinux-x86_64 8-base 8-lvm
batch.node.centos 8 | 2021-12-31 | openlogic centos 8_0 8_1 8_2 8_3 8_4 8_5 8_5-gen2
batch.node.centos 8 | 2021-12-31 | openlogic centos-hpc 8_1 8_1-gen2
batch.node.centos 7 | 2024-06-30 | openlogic centos 7.0 7.1 7.2 7.3 7.4 7.5 7.6 7.7 7_8 7_8-gen2 7_9 7_9-gen2
batch.node.centos 7 | 2024-06-30 | openlogic centos-hpc 7.1 7.3 7.4 7.6 7.7 7_8 7_9 7_9-gen2
batch.node.centos 7 | 2024-06-30 | microsoft-azure-batch centos-container 7-4 7-6 7-7 7-8
batch.node.centos 7 | 2024-06-30 | microsoft-azure-batch centos-container-rdma 7-4 7-6 7-7 7-8
batch.node.centos 7 | 2024-06-30 | microsoft-ads linux-data-science-vm linuxdsvm
batch.node.centos 7 | 2024-06-30 | oracle oracle-linux 7.2 7.3 7.4 7.5 7.6 77
batch.node.mariner 2.0 | 2025-07-31 | microsoftcblmariner cbl-mariner cbl-mariner-2 cbl-mariner-2-gen2
batch.node.opensuse 42.3 | 2019-06-30 | suse sles-hpc 12-sp2 12-sp3
batch.node.windows amd64 | - | microsoftwindowsserver windowsserver 2025-datacenter 2025-datacenter-g2
batch.node.windows amd64 | - | microsoftwindowsserver windowsserver 2025-datacenter-smalldisk 2025-datacenter-core
batch.node.windows amd64 | - | microsoftwindowsserver windowsserver 2022-datacenter 2022-datacenter-g2
batch.node.windows amd64 | - | microsoftwindowsserver windowsserver 2022-datacenter-smalldisk 2022-datacenter-core
batch.node.windows amd64 | - | microsoftwindowsserver windowsserver 2022-datacenter-azure-edition
batch.node.windows amd64 | - | microsoftwindowsserver windowsserver 2019-datacenter 2019-datacenter-gensecond
batch.node.windows amd64 | - | microsoftwindowsserver windowsserver 2019-datacenter-smalldisk 2019-datacenter-core
batch.node.windows amd64 | - | microsoftwindowsserver windowsserver 2019-datacenter-with-containers
batch.node.windows amd64 | - | microsoftwindowsserver windowsserver 2019-datacenter-core-with-containers
batch.node.windows amd64 | 2027-01-12 | microsoftwindowsserver windowsserver 2016-datacenter 2016-datacenter-gensecond
batch.node.windows amd64 | 2027-01-12 | microsoftwindowsserver windowsserver 2016-datacenter-smalldisk
batch.node.windows amd64 | 2027-01-12 | microsoftwindowsserver windowsserver 2016-datacenter-with-containers
batch.node.windows amd64 | 2023-10-10 | microsoftwindowsserver windowsserver 2012-r2-datacenter 2012-datacenter
batch.node.windows amd64 | 2023-10-10 | microsoftwindowsserver windowsserver 2012-r2-datacenter-smalldisk
batch.node.windows amd64 | - | microsoft-dsvm dsvm-win-2022 winserver-2022
batch.node.windows amd64 | - | microsoft-dsvm dsvm-win-2019 winserver-2019 server-2019
batch.node.windows amd64 | - | microsoft-azure-batch windowsserver-container 2019-datacenter-with-containers
"""

_NO_AAD: Final = "It needs authentication by Microsoft Entra ID; this request was signed with the account's key."


def _rows() -> Iterator[tuple[str, str, str, str, str]]:
    for line in _IMAGES.strip().splitlines():
        agent, end, image = (part.strip() for part in line.split("|"))
        publisher, offer, *skus = image.split()
        yield from ((agent, end, publisher, offer, sku) for sku in skus)


def _listed(agent: str, end: str, publisher: str, offer: str, sku: str) -> dict[str, Any]:
    image: dict[str, Any] = {
        "nodeAgentSKUId": agent,
        "imageReference": {"publisher": publisher, "offer": offer, "sku": sku, "version": "latest"},
        "osType": "windows" if agent.startswith("batch.node.windows") else "linux",
        "capabilities": _capabilities(offer, sku),
        "verificationType": "verified",
    }
    return image if end == "-" else {**image, "batchSupportEndOfLife": f"{end}T00:00:00Z"}


def _capabilities(offer: str, sku: str) -> list[str]:
    found = ["DockerCompatible"] if "container" in offer or "container" in sku or "hpc" in offer else []
    if "hpc" in offer or "rdma" in offer:
        found += ["SupportsRDMAOverInfiniband", "IntelMPIRuntimeInstalled"]
    return found


SUPPORTED: Final[tuple[dict[str, Any], ...]] = tuple(_listed(*row) for row in _rows())
"""What `GET /supportedimages` lists, in the service's form."""

AGENTS: Final = frozenset(image["nodeAgentSKUId"] for image in SUPPORTED)
"""The known node agent SKUs, in lower case."""

_AGENT_OF: Final = {(publisher, offer, sku): agent for agent, _, publisher, offer, sku in _rows()}


def check_image(machine: Mapping[str, Any]) -> None:
    """A virtualMachineConfiguration names an image and a node agent that exist and fit. Raises BatchError."""
    image, agent = machine["imageReference"], machine["nodeAgentSKUId"].lower()
    if agent not in AGENTS:
        raise BatchError("NodeAgentSKUNotFound", nodeAgentSKUId=machine["nodeAgentSKUId"])
    ids = [name for name in image if name.endswith("ImageId")]
    parts = tuple(image[name].lower() for name in ("publisher", "offer", "sku") if name in image)
    if not ids and len(parts) < 3:
        raise BatchError("MissingRequiredProperty", PropertyName="imageReference.publisher, offer and sku")
    if len(ids) > 1 or (ids and parts):
        raise bad_value("imageReference", sorted(image), "Give publisher, offer and sku, or one image id.")
    if "virtualMachineImageId" in image:
        raise bad_value("imageReference.virtualMachineImageId", image["virtualMachineImageId"], _NO_AAD)
    if not ids:
        _check_pair(image, parts, agent)


def _check_pair(image: Mapping[str, Any], parts: tuple[str, ...], agent: str) -> None:
    shown = " ".join(str(image[name]) for name in ("publisher", "offer", "sku"))
    wanted = _AGENT_OF.get((parts[0], parts[1], parts[2]))
    if wanted is None:
        reason = f"The image {shown} is not supported; see the account's list of supported images."
        raise bad_value("imageReference", shown, reason)
    if wanted != agent:
        raise bad_value("nodeAgentSKUId", agent, f"The image {shown} needs the node agent {wanted!r}.")


def check_subnet(network: Mapping[str, Any]) -> None:
    """No subnet, which takes another kind of authentication. Raises BatchError. Source: NetworkConfiguration."""
    if "subnetId" in network:
        raise bad_value("networkConfiguration.subnetId", network["subnetId"], _NO_AAD)


def is_windows(machine: Mapping[str, Any]) -> bool:
    """Whether a virtualMachineConfiguration asks for Windows, which this machine cannot be."""
    agent: str = machine["nodeAgentSKUId"]
    return agent.lower().startswith("batch.node.windows")
