"""Ports and rules of a pool's network.

Place in the pipeline: `models` calls these. In: data. Out: Findings. The rules are those of the docstrings of
BatchInboundNatPool and NetworkSecurityGroupRule (azure-batch 15.1).
"""

import ipaddress
import re
from collections.abc import Iterator

from batchspec.spec.checks.tree import Part, number
from batchspec.spec.document import At, Finding, shown
from batchspec.spec.words import has_template

_ENDPOINT = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9_])?")
_RESERVED = (29876, 29877)
_RESERVED_RANGE = (50000, 55000)
_LEAST_PORTS = 40
_MOST_RULES = 25
_RULES = "network_security_group_rules"
_MOST_PORT = 65535


def pool(part: Part) -> Iterator[Finding]:
    """What must differ, or not overlap, between all endpoints of a pool."""
    network = part.part("network_configuration")
    endpoints = network.part("endpoint_configuration")
    nats = list(endpoints.parts("inbound_nat_pools"))
    kind = network.part("public_ip_address_configuration").data.get("ip_address_provisioning_type")
    if nats and kind == "nopublicipaddresses":
        at = (*endpoints.at, "inbound_nat_pools")
        yield Finding(at, "needs public IP addresses; `ip_address_provisioning_type` says there are none", on_key=True)
    rules = [rule for nat in nats for rule in nat.parts(_RULES)]
    yield from _differ(nats, "name")
    yield from _differ(nats, "backend_port")
    yield from _differ(rules, "priority")
    if len(rules) > _MOST_RULES and not any(len(list(nat.parts(_RULES))) > _MOST_RULES for nat in nats):
        yield Finding(
            rules[_MOST_RULES].at, f"is rule {_MOST_RULES + 1} of the pool; at most {_MOST_RULES} are allowed"
        )
    yield from _overlaps(nats)


def _differ(parts: list[Part], word: str) -> Iterator[Finding]:
    first: dict[object, At] = {}
    for part in parts:
        value = part.data.get(word)
        if not isinstance(value, (str, int)) or has_template(value):
            continue
        key = value.lower() if isinstance(value, str) else value
        if first.setdefault(key, part.at) != part.at:
            yield Finding((*part.at, word), f"{shown(value)} is used twice in this pool; each must have its own")


def _overlaps(nats: list[Part]) -> Iterator[Finding]:
    taken: list[tuple[int, int]] = []
    for nat in nats:
        ends = _ports(nat)
        if ends is None:
            continue
        for start, end in taken:
            if ends[0] <= end and start <= ends[1]:
                message = f"ports {ends[0]} to {ends[1]} overlap {start} to {end} of another endpoint; move one range"
                yield Finding((*nat.at, "frontend_port_range_start"), message)
                break
        taken.append(ends)


def _ports(nat: Part) -> tuple[int, int] | None:
    start, end = number(nat, "frontend_port_range_start"), number(nat, "frontend_port_range_end")
    return None if start is None or end is None else (start, end)


def nat_pool(part: Part) -> Iterator[Finding]:
    """One endpoint: its name, its port on the node, its range of ports outside."""
    name = part.data.get("name")
    if isinstance(name, str) and not has_template(name) and not _ENDPOINT.fullmatch(name):
        message = f"{shown(name)} is not a name; use letters, digits, `_`, `.` and `-`, a letter or digit first"
        yield Finding((*part.at, "name"), message)
    if number(part, "backend_port") in _RESERVED:
        yield Finding((*part.at, "backend_port"), f"{part.data['backend_port']} is reserved by Batch; take another")
    ends = _ports(part)
    if ends is None:
        return
    start, end = ends
    at = (*part.at, "frontend_port_range_end")
    if start > end:
        yield Finding(at, f"{end} is less than `frontend_port_range_start` ({start})")
    elif end - start + 1 < _LEAST_PORTS:
        yield Finding(at, f"{start} to {end} are {end - start + 1} ports; a range has at least {_LEAST_PORTS}")
    elif start <= _RESERVED_RANGE[1] and _RESERVED_RANGE[0] <= end:
        first, last = _RESERVED_RANGE
        yield Finding(at, f"{start} to {end} overlap the ports {first} to {last}, which Batch reserves")


def rule(part: Part) -> Iterator[Finding]:
    """Where a rule's traffic comes from: an address, and ports that do not overlap."""
    source = part.data.get("source_address_prefix")
    if isinstance(source, str) and not has_template(source) and not _is_source(source):
        message = f"{shown(source)} is no address; write *, 10.10.10.10, a subnet such as 192.168.1.0/24, or a tag"
        yield Finding((*part.at, "source_address_prefix"), message)
    taken: list[tuple[int, int]] = []
    for at, text in part.texts("source_port_ranges"):
        if has_template(text):
            continue
        ends = _port_range(text)
        if ends is None:
            yield Finding(at, f"{shown(text)} is no port; write *, a port such as 22, or a range such as 100-200")
        elif any(ends[0] <= end and start <= ends[1] for start, end in taken):
            yield Finding(at, f"{shown(text)} overlaps another entry; each port stands in one")
        else:
            taken.append(ends)


def _is_source(text: str) -> bool:
    """Whether this may be a source: an address or a subnet, or a service's tag (a word)."""
    if text == "*" or re.fullmatch(r"[A-Za-z][A-Za-z0-9.]*", text):
        return True
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _port_range(text: str) -> tuple[int, int] | None:
    """The first and the last port; None when it is no range of ports."""
    if text == "*":
        return (0, _MOST_PORT)
    if not re.fullmatch(r"\d{1,5}(-\d{1,5})?", text, re.ASCII):
        return None
    ends = [int(one) for one in text.split("-")]
    return (ends[0], ends[-1]) if ends[0] <= ends[-1] <= _MOST_PORT else None
