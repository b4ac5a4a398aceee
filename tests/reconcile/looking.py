"""What tests of preflight need: facts about a small spec, of which each test changes what it is about.

`facts` makes a `Facts` of a pool's body and whatever else; `account` a Batch account with quotas and sizes; `told` the
checks as (name, verdict, fact, fix).
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from batchspec.reconcile.account import Account, Quotas, Unknown, Use, VmSize
from batchspec.reconcile.change import Change, Plan
from batchspec.reconcile.observe import Observed, Strays
from batchspec.reconcile.preflight import CHECKS
from batchspec.reconcile.preflight_facts import Checks, Facts
from batchspec.reconcile.scaling import Evaluation
from batchspec.reconcile.task_summary import TaskSummary
from batchspec.render.model import Desired, DesiredContainer, DesiredJob, DesiredPool, DesiredTask, JsonObject

NOW = datetime(2026, 6, 1, tzinfo=UTC)
UBUNTU: JsonObject = {"publisher": "canonical", "offer": "ubuntu-24_04-lts", "sku": "server"}
POOL: JsonObject = {
    "id": "p",
    "vmSize": "standard_d2s_v3",
    "targetDedicatedNodes": 2,
    "virtualMachineConfiguration": {"imageReference": UBUNTU, "nodeAgentSKUId": "batch.node.ubuntu 24.04"},
}
NEW = (Change("create", "pool", "p"), Change("create", "job", "j"))
SIZES = {
    "standard_d2s_v3": VmSize("standard_d2s_v3", "standardDSv3Family", 2, ("V1", "V2")),
    "standard_d4s_v3": VmSize("standard_d4s_v3", "standardDSv3Family", 4, ("V1", "V2")),
    "standard_a1": VmSize("standard_a1", "standardAFamily", 1, ("V1",), datetime(2026, 7, 1, tzinfo=UTC)),
    "standard_a2": VmSize("standard_a2", "standardAFamily", 2, ("V1",), datetime(2026, 5, 1, tzinfo=UTC)),
}


def account(sizes: Mapping[str, VmSize] | Unknown = SIZES, **quotas: Any) -> Account:
    """An account in westeurope."""
    return Account("acc", "westeurope", Quotas(**quotas), sizes)


def image(reference: JsonObject = UBUNTU, agent: str = "batch.node.ubuntu 24.04", **more: Any) -> JsonObject:
    """An entry of the service's list of images."""
    return {"imageReference": reference, "nodeAgentSKUId": agent, "verificationType": "verified", **more}


def tasks(*bodies: JsonObject) -> TaskSummary:
    """The summary of tasks t0, t1 ..., each of a template of its own."""
    summary = TaskSummary()
    for number, body in enumerate(bodies):
        whole = {"id": f"t{number}", "commandLine": "/bin/bash -c 'echo hello'", **body}
        summary.add(DesiredTask(f"t{number}", whole, "", frozenset(), number, ()))
    return summary


def facts(
    pool: JsonObject | None = POOL,
    *bodies: JsonObject,
    existing: bool = False,
    os: Literal["linux", "windows"] = "linux",
    job: JsonObject | None = None,
    changes: Sequence[Change] = NEW,
    pending: int = 1,
    images: Sequence[JsonObject] = (),
    use: Use = Use(),  # noqa: B008 (frozen)
    scaling: Evaluation | Unknown | None = None,
    known: Account | Unknown | None = None,
    clock_ahead: timedelta | None = timedelta(0),
    longest_sas: timedelta | None = None,
    wait: timedelta = timedelta(minutes=30),
    containers: Mapping[str, DesiredContainer] | None = None,
    existing_job: bool = False,
) -> Facts:
    """Facts about a spec of that pool and tasks of these bodies."""
    there = pool if existing or not any(one.kind == "pool" for one in changes) else None
    body = None if existing else pool
    desired = Desired(
        name="spec",
        shown_as="spec.yaml",
        containers=containers or {},
        uploads={},
        pool=None if pool is None else DesiredPool("p", existing, body, "", "", frozenset(), ()),
        job=DesiredJob("j", existing_job, job or {}, "", frozenset(), ()),
        tasks=lambda: iter(()),
        wait_timeout=wait,
        downloads=(),
        cleanup_after_success=(),
        secrets={},
        os=os,
    )
    seen = Observed({}, {}, there, (), tuple(images), None, {}, Strays(), use=use, scaling=scaling)
    plan = Plan("spec", tuple(changes), (), 0, (), (), (), pending, (), False)
    return Facts(desired, seen, plan, tasks(*bodies), known, clock_ahead, longest_sas, NOW)


def told(checks: Checks, about: Facts) -> list[tuple[str, str, str, str]]:
    """The checks as (name, verdict, fact, fix); each has a name that CHECKS says, and a fix when it is not fine."""
    for one in checks(about):
        assert re.sub("^program .*", "program NAME", one.name) in CHECKS[checks]
        assert bool(one.fix) == (one.verdict in ("warning", "failed"))
    return [(one.name, one.verdict, one.fact, one.fix) for one in checks(about)]


__all__ = ["NEW", "NOW", "POOL", "SIZES", "UBUNTU", "account", "facts", "image", "tasks", "told"]
