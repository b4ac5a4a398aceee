"""What a symbol stands for, as far as it is an address: the URL of a container or blob, without its SAS.

Place in the pipeline: `observe` hands one of these to the planners, so that a resource file swapped for another is seen
in what the service holds. In: symbols. Out: URLs. Pure; never asks a service, never holds a SAS.

The local engine's port may change between two starts, so addresses of this machine are compared without it.
"""

import re
from collections.abc import Callable

from batchspec.reconcile.ports import BlobStore
from batchspec.render.model import Desired
from batchspec.render.symbolic import Symbol

Address = Callable[[Symbol], str | None]
_LOOPBACK = re.compile(r"(https?://(?:127\.[0-9.]+|localhost|\[::1\])):[0-9]+")


def unknown(one: Symbol) -> None:
    """No symbol's address is known: any text may stand for it."""


def addresses(desired: Desired, blobs: BlobStore) -> Address:
    """The addresses of one target; None for a symbol that stands for something else."""

    def address(one: Symbol) -> str | None:
        container = desired.containers.get(one.arguments[0]) if one.arguments else None
        if container is None or one.kind == "secret":
            return None
        if one.kind in ("blob_url", "blob_sas_url"):
            return blobs.blob_url(container.name, one.arguments[1])
        return blobs.container_url(container.name)

    return address


def without_port(text: str) -> str:
    """A text in which addresses of this machine have no port."""
    return _LOOPBACK.sub(r"\1", text) if "://" in text else text
