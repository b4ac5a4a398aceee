"""Images and node agents that exist, and fit each other."""

from typing import Any

import pytest

from batchspec.engine.errors import BatchError
from batchspec.engine.images import AGENTS, SUPPORTED, check_image, check_subnet, is_windows


def machine(agent: str, **image: str) -> dict[str, Any]:
    return {"nodeAgentSKUId": agent, "imageReference": image}


def test_every_listed_image_is_accepted_with_its_agent() -> None:
    for image in SUPPORTED:
        check_image(machine(image["nodeAgentSKUId"].upper(), **image["imageReference"]))
    names = [tuple(image["imageReference"].values()) for image in SUPPORTED]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (machine("batch.node.amiga", publisher="debian", offer="debian-12", sku="12"), "NodeAgentSKUNotFound"),
        (machine("batch.node.ubuntu 24.04", publisher="debian", offer="debian-12", sku="12"), "InvalidPropertyValue"),
        (machine("batch.node.debian 12", publisher="debian", offer="debian-12", sku="99"), "InvalidPropertyValue"),
        (machine("batch.node.debian 12", publisher="debian"), "MissingRequiredProperty"),
        (machine("batch.node.debian 12", virtualMachineImageId="/i"), "InvalidPropertyValue"),
        (machine("batch.node.debian 12", sharedGalleryImageId="/i", sku="12"), "InvalidPropertyValue"),
    ],
)
def test_an_image_that_cannot_be_is_refused(wrong: dict[str, Any], code: str) -> None:
    with pytest.raises(BatchError) as caught:
        check_image(wrong)
    assert caught.value.code == code


def test_a_shared_image_is_accepted_and_a_subnet_is_not() -> None:
    check_image(machine("batch.node.debian 12", sharedGalleryImageId="/sharedGalleries/g/images/i"))
    check_subnet({"dynamicVNetAssignmentScope": "none"})
    with pytest.raises(BatchError, match="InvalidPropertyValue"):
        check_subnet({"subnetId": "/s"})


def test_windows_is_known_by_its_agent() -> None:
    assert [agent for agent in sorted(AGENTS) if is_windows({"nodeAgentSKUId": agent})] == ["batch.node.windows amd64"]
