"""Preflight of the pool: its VM size, its image, its node agent, and its number of nodes.

Place in the pipeline: `preflight` asks these. Pure. Sources: the docstrings of azure-batch 15.1 (BatchSupportedImage:
`batch_support_end_of_life` is when the service stops to accept requests for new pools; BatchPoolCreateOptions:
`task_slots_per_node` is at most four times the cores, and 256); the service's retirement notices (existing pools
grow no more and are brought to zero nodes); "Support for generation 2 VMs".
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from difflib import get_close_matches

from batchspec.reconcile.account import Account, Unknown
from batchspec.reconcile.change import Check, Verdict
from batchspec.reconcile.images import node_agent_sku
from batchspec.reconcile.preflight_facts import Facts, member, some
from batchspec.render.model import JsonObject
from batchspec.render.symbolic import holds_marker

_ENDS_SOON = timedelta(days=90)
_MOST_SLOTS = 256
_SLOTS_PER_CORE = 4
_IMAGES = "`az batch pool supported-images list` shows all"
_SECOND = re.compile(r"gen2|gensecond|-g2$|-gs$")
_FIRST = re.compile(r"gen1|-g1$")


def vm_size(facts: Facts) -> Iterator[Check]:
    """Whether the account's region offers the size, and for how long."""
    name, account = facts.vm_size, facts.account
    if not name or account is None:
        return
    sizes = account.sizes if isinstance(account, Account) else account
    cores = facts.cores(name)
    has = f"{name} has {some(cores, 'core')}" if cores is not None else name
    if isinstance(sizes, Unknown) or not isinstance(account, Account):
        reason = sizes.reason if isinstance(sizes, Unknown) else ""
        yield Check("vm size", "not checked", f"{has}; whether it can be had here is not known: {reason}")
    elif facts.known_size is None:
        near = get_close_matches(name.lower(), sizes, n=3)
        hint = f"; near: {', '.join(near)}" if near else ""
        verdict: Verdict = "failed" if facts.pool_is_made else "warning"
        fix = "choose a size of this region (az batch location list-skus --location " + account.region + ")"
        yield Check("vm size", verdict, f"Batch offers no {name} in {account.region}{hint}", fix)
    else:
        yield from _ending("vm size", name, facts.known_size.ends, facts, fact=f"{has} and is offered here")


def _ending(name: str, what: str, ends: datetime | None, facts: Facts, *, fact: str) -> Iterator[Check]:
    """A check of the day when Batch stops to support something."""
    if ends is None or ends - facts.now > _ENDS_SOON:
        until = f" until {ends:%Y-%m-%d}" if ends is not None else ""
        yield Check(name, "ok", f"{fact}{until}")
    elif ends > facts.now:
        days = (ends - facts.now).days
        fix = "move to a newer one: after that day no pool can be made of it, and existing ones lose their nodes"
        yield Check(name, "warning", f"Batch supports {what} for {some(days, 'more day')}, until {ends:%Y-%m-%d}", fix)
    elif facts.pool_is_made:
        yield Check(name, "failed", f"Batch makes no new pools of {what} since {ends:%Y-%m-%d}", "choose a newer one")
    else:
        fix = "choose a newer one: the pool gets no more nodes, and loses those that it has"
        yield Check(name, "warning", f"Batch does not support {what} since {ends:%Y-%m-%d}", fix)


def image(facts: Facts) -> Iterator[Check]:
    """Whether the service supports the image, with which node agent, until when, and for which commands."""
    machine = member(facts.pool, "virtualMachineConfiguration")
    reference = member(machine, "imageReference")
    if not reference or not facts.observed.images:
        return
    wanted = _name(reference)
    if not all(wanted):
        yield Check("image", "not checked", "an own image is not in the service's list")
        yield from _os(facts, str(machine.get("nodeAgentSKUId", "")))
        return
    entries = [one for one in facts.observed.images if _name(one.get("imageReference")) == wanted]
    shown = " ".join(wanted)
    if not entries:
        yield _unknown(shown, facts)
        return
    agent = str(machine.get("nodeAgentSKUId", ""))
    fitting = [one for one in entries if _agent(one) == agent.casefold()]
    yield from _support(shown, fitting or entries, facts)
    if holds_marker(agent):
        yield Check("node agent", "ok", f"{node_agent_sku(facts.desired, entries)} was looked up for the image")
    else:
        yield _agent_check(shown, agent, entries, fits=bool(fitting))
    yield from _os(facts, _agent((fitting or entries)[0]))


def _unknown(shown: str, facts: Facts) -> Check:
    names = sorted({" ".join(_name(one.get("imageReference"))) for one in facts.observed.images})
    near = get_close_matches(shown, names, n=3)
    hint = f"; near: {', '.join(near)}" if near else ""
    verdict: Verdict = "failed" if facts.pool_is_made else "warning"
    return Check("image", verdict, f"the service supports no image {shown!r} (publisher offer sku){hint}", _IMAGES)


def _support(shown: str, entries: list[JsonObject], facts: Facts) -> Iterator[Check]:
    known = [end for one in entries if (end := _end(one)) is not None]
    ends = max(known) if len(known) == len(entries) else None
    yield from _ending("image", shown, ends, facts, fact=f"the service supports {shown}")
    if not any(one.get("verificationType", "verified") == "verified" for one in entries):
        fix = "try it with one node first, or choose a verified image"
        yield Check("image verification", "warning", f"Batch has not verified that {shown} works with its agent", fix)


def _agent_check(shown: str, agent: str, entries: list[JsonObject], *, fits: bool) -> Check:
    if fits:
        return Check("node agent", "ok", f"{agent} fits the image")
    right = ", ".join(sorted({str(one.get("nodeAgentSKUId", "")) for one in entries}))
    fix = f"write {right}, or leave `node_agent_sku_id` out (with `image:`) so that it is looked up"
    return Check("node agent", "failed", f"{agent} does not fit {shown}, which needs {right}", fix)


def _os(facts: Facts, agent: str) -> Iterator[Check]:
    """The commands are wrapped for one operating system; the agent says which one runs them."""
    if not agent or holds_marker(agent):
        return
    found = "windows" if agent.casefold().startswith("batch.node.windows") else "linux"
    if found == facts.desired.os:
        yield Check("operating system", "ok", f"the image has {found}, and so do the commands")
        return
    fact = f"the image has {found}, and the commands are made for {facts.desired.os}"
    yield Check("operating system", "failed", fact, f"write `os: {found}` under `pool`")


def generation(facts: Facts) -> Iterator[Check]:
    """The image's generation against the size's, where both are told."""
    size = facts.known_size
    sku = str(member(member(facts.pool, "virtualMachineConfiguration"), "imageReference").get("sku", "")).lower()
    wanted = "V2" if _SECOND.search(sku) else "V1" if _FIRST.search(sku) else ""
    if not wanted or not facts.vm_size or facts.account is None:
        return
    if size is None or not size.generations:
        fact = f"the image is for generation {wanted[1]}; the generations of {facts.vm_size} are not known"
        yield Check("image generation", "not checked", fact)
    elif wanted in size.generations:
        yield Check("image generation", "ok", f"{facts.vm_size} takes images of generation {wanted[1]}")
    else:
        takes = " and ".join(one[1:] for one in size.generations)
        fact = f"the image is for generation {wanted[1]}, and {facts.vm_size} takes {takes}"
        yield Check(
            "image generation", "failed", fact, "choose the image's sku of the other generation, or another size"
        )


def slots(facts: Facts) -> Iterator[Check]:
    """The pool's slots per node against what the size allows."""
    if not facts.vm_size or facts.slots_per_node == 1:
        return
    cores = facts.cores(facts.vm_size)
    most = _MOST_SLOTS if cores is None else min(_SLOTS_PER_CORE * cores, _MOST_SLOTS)
    fact = f"task_slots_per_node is {facts.slots_per_node}"
    if facts.slots_per_node > most:
        why = (
            f"{facts.vm_size} allows {most} (4 for each core, 256 at most)" if cores is not None else "Batch allows 256"
        )
        verdict: Verdict = "failed" if facts.pool_is_made else "warning"
        yield Check("slots per node", verdict, f"{fact}, and {why}", f"write {most} or less, or take a larger size")
    elif cores is None:
        yield Check("slots per node", "not checked", f"{fact}; the name {facts.vm_size} does not say its cores")
    else:
        yield Check("slots per node", "ok", f"{fact}; {facts.vm_size} allows {most}")


def nodes(facts: Facts) -> Iterator[Check]:
    """Whether anything is there to run tasks on."""
    pool = facts.desired.pool
    if facts.pool is None or not facts.runs_tasks:
        return
    if facts.autoscales:
        return
    dedicated, low_priority = facts.nodes
    if not (dedicated or low_priority):
        fix = "set target_dedicated_nodes or target_low_priority_nodes, or an autoscale formula"
        if pool is not None and pool.existing:
            fix = "resize the pool; this spec does not own it"
        yield Check("nodes", "warning", f"{facts.pool_name} shall have 0 nodes, so no task can start", fix)
        return
    parts = [some(dedicated, "dedicated node")] if dedicated else []
    parts += [some(low_priority, "low-priority node")] if low_priority else []
    yield Check("nodes", "ok", f"{facts.pool_name} shall have {' and '.join(parts)}")


def _name(reference: object) -> tuple[str, str, str]:
    if not isinstance(reference, dict):
        return "", "", ""
    publisher, offer, sku = (str(reference.get(part, "")).casefold() for part in ("publisher", "offer", "sku"))
    return publisher, offer, sku


def _agent(image: JsonObject) -> str:
    return str(image.get("nodeAgentSKUId", "")).casefold()


def _end(image: JsonObject) -> datetime | None:
    text = image.get("batchSupportEndOfLife")
    return datetime.fromisoformat(text) if isinstance(text, str) else None
