"""How many cores a VM size has, as far as its name says: `standard_d2s_v3` -> 2.

Place in the pipeline: `preflight` asks when Azure Resource Manager does not tell. Pure. Source: "Azure virtual machine
sizes naming conventions" (family, sub-family, vCPUs, constrained vCPUs, features, accelerator, version), which hold for
all but the oldest series; those are listed below from their pages of sizes, or left unknown.
"""

import re

_NAME = re.compile(
    r"(?:standard|basic)_(?P<series>[a-z]{1,8})(?P<cores>\d{1,4})(?:-(?P<constrained>\d{1,4}))?[a-z]*(?:_[a-z0-9]+)*",
    re.IGNORECASE | re.ASCII,
)
_VERSION = re.compile(r"_v(\d{1,2})$", re.IGNORECASE | re.ASCII)
# Series whose number is a position in a list.
_D = {1: 1, 2: 2, 3: 4, 4: 8, 5: 16, 11: 2, 12: 4, 13: 8, 14: 16, 15: 20}
_NUMBERED = {
    ("a", 1): {1: 1, 2: 2, 3: 4, 4: 8, 5: 2, 6: 4, 7: 8, 8: 8, 9: 16, 10: 8, 11: 16},
    ("d", 1): _D,
    ("d", 2): _D,
    ("ds", 1): _D,
    ("ds", 2): _D,
    ("g", 1): {1: 2, 2: 4, 3: 8, 4: 16, 5: 32},
    ("gs", 1): {1: 2, 2: 4, 3: 8, 4: 16, 5: 32},
}


def cores_by_name(vm_size: str) -> int | None:
    """The cores of a size, None when its name does not say."""
    match = _NAME.fullmatch(vm_size)
    if match is None:
        return None
    if match["constrained"]:
        return int(match["constrained"])
    version = _VERSION.search(vm_size)
    series = match["series"].lower(), int(version[1]) if version else 1
    number = int(match["cores"])
    return _NUMBERED[series].get(number) if series in _NUMBERED else number or None
