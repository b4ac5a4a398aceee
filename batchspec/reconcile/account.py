"""What a Batch account may have and what it has: quotas and VM sizes, pools and active jobs.

Place in the pipeline: `preflight` compares the two. Quotas and sizes come through a port of their own, `AccountReader`,
which `cloud.arm` implements (only Azure Resource Manager knows them) and `cloud.engine_account` for the local engine;
what the account has is counted by `observe` from the lists that it reads anyway.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from batchspec.render.model import JsonObject


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that could not be read; `reason` is a clause ("no Microsoft Entra credential is here")."""

    reason: str


@dataclass(frozen=True, slots=True)
class VmSize:
    """A VM size that Batch offers in the account's region.

    `cores` and `ends` (when Batch stops supporting it) are None when they are not told; `generations` are "V1" and
    "V2", empty when they are not told.
    """

    name: str
    family: str
    cores: int | None = None
    generations: tuple[str, ...] = ()
    ends: datetime | None = None


@dataclass(frozen=True, slots=True)
class Quotas:
    """The most pools, active jobs and schedules, and cores; None where the account has no such limit of its own.

    `family_cores` are the dedicated cores by VM family, lower-cased; empty where only the total counts.
    """

    pools: int | None = None
    active_jobs: int | None = None
    dedicated_cores: int | None = None
    low_priority_cores: int | None = None
    family_cores: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Account:
    """A Batch account as Azure Resource Manager describes it; `sizes` are by lower-cased name."""

    name: str
    region: str
    quotas: Quotas
    sizes: Mapping[str, VmSize] | Unknown


class AccountReader(Protocol):
    """Who can look up the target's account."""

    async def read(self) -> Account | Unknown:
        """The account; raises nothing, and takes a few seconds at most."""
        ...


@dataclass(frozen=True, slots=True)
class PoolInUse:
    """What a pool takes of the quotas: nodes that it has or shall have, of each kind."""

    id: str
    vm_size: str
    dedicated: int
    low_priority: int


@dataclass(frozen=True, slots=True)
class Use:
    """What the account has: pools, and the ids of jobs and schedules that are not completed."""

    pools: tuple[PoolInUse, ...] = ()
    active_jobs: tuple[str, ...] = ()


POOL_PROPERTIES = (
    "id,metadata,state,vmSize,currentDedicatedNodes,targetDedicatedNodes,currentLowPriorityNodes,targetLowPriorityNodes"
)


WORK_PROPERTIES = "id,metadata,state"


def in_use(pools: Iterable[JsonObject], work: Iterable[JsonObject]) -> Use:
    """What these pools, jobs and schedules take, listed with POOL_PROPERTIES and WORK_PROPERTIES."""
    active = tuple(str(one["id"]) for one in work if one.get("state") not in ("completed", "deleting"))
    return Use(tuple(map(pool_in_use, pools)), active)


def pool_in_use(pool: JsonObject) -> PoolInUse:
    """One entry of the account's pools, listed with POOL_PROPERTIES."""
    return PoolInUse(
        str(pool.get("id")), str(pool.get("vmSize", "")), _nodes(pool, "Dedicated"), _nodes(pool, "LowPriority")
    )


def _nodes(pool: JsonObject, kind: str) -> int:
    counts = (pool.get(f"{when}{kind}Nodes") for when in ("current", "target"))
    return max(count if isinstance(count, int) else 0 for count in counts)
