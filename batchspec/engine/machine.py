"""What nodes of this machine cannot be, and how much of a quota a node of some size uses.

Place: asked by nodes as they come up, by the fleet and by usage metrics. In: a pool's definition. Out: an error of the
node in the service's form, or None; a number of cores. Pure.
"""

import re
from typing import Any, Final

from batchspec.engine.images import is_windows

_CORES = re.compile(r"(?:standard|basic)_[a-z]+?(?:c|s)?(\d+)", re.IGNORECASE)
_SMALL: Final = {"small": 1, "medium": 2, "large": 4, "extralarge": 8}

# Source: "Mount a virtual file system on a Batch pool": a mount that fails makes the node unusable, with this code.
_NO_MOUNTS: Final = {
    "code": "MountConfigurationError",
    "message": "The local engine mounts no file systems: this is its limit, not the service's.",
    "errorDetails": [],
}


def limit_of_this_machine(pool_body: dict[str, Any]) -> dict[str, Any] | None:
    """Why a node of this pool can never work here, as an error of the node."""
    if "cloudServiceConfiguration" in pool_body:
        return _no_windows(f"osFamily {pool_body['cloudServiceConfiguration']['osFamily']}")
    machine = pool_body["virtualMachineConfiguration"]
    if is_windows(machine):
        return _no_windows(machine["nodeAgentSKUId"])
    if pool_body.get("mountConfiguration"):
        return _NO_MOUNTS
    return None


def _no_windows(image: str) -> dict[str, Any]:
    message = "The local engine has no Windows nodes; this is its limit, not the service's."
    return {"code": "UnsupportedImage", "message": message, "errorDetails": [{"name": "Image", "value": image}]}


def cores(vm_size: str) -> int:
    """The cores of a VM size, which its name says: `standard_d4s_v3` has 4; 1 where the name does not say."""
    found = _CORES.match(vm_size)
    return int(found[1]) if found else _SMALL.get(vm_size.lower(), 1)
