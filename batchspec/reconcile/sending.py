"""From a symbolic body to what is sent: the last step before a write, and the only place where secrets appear.

Place in the pipeline: `apply` passes every body through a `Sender` just before it goes to the service. It sees to it
that each SAS exists and lasts before the first body that carries it is sent, once per container and permissions.
"""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from batchspec.errors import PlanRefused
from batchspec.reconcile.images import node_agent_sku
from batchspec.reconcile.ports import BlobStore
from batchspec.reconcile.schedule_times import times_of
from batchspec.render.model import Desired, JsonObject
from batchspec.render.symbolic import Json, Symbol, resolve, symbols
from batchspec.spec.durations import NotADuration, duration

_SHORTEST_SAS = timedelta(days=7)
# Of a schedule that never ends; every `apply` extends it.
_ENDLESS_SAS = timedelta(days=365)
_SAS_PERMISSIONS = {"blob_sas_url": "r"}


def sas_life(desired: Desired, longest: timedelta | None, *, now: datetime | None = None) -> timedelta:
    """How long a SAS must work: the longest of 7 days, twice the wait's timeout and the job's wall clock.

    For a schedule until its last job is over, and a year if it has no end. Raises PlanRefused when the wait, the job's
    wall clock or a schedule whose jobs carry a SAS is longer than a SAS can last (7 days with Entra).
    """
    wall_clock = _job_wall_clock(desired)
    scheduled = _schedule_life(desired, wall_clock, now or datetime.now(UTC))
    if longest is None:
        return max(_SHORTEST_SAS, 2 * desired.wait_timeout, wall_clock, scheduled)
    body = desired.schedule.body if desired.schedule else None
    if scheduled > longest and any(map(_grant_of, symbols(body))):
        raise PlanRefused(
            f"the schedule goes on for longer than the {longest.days} days that a SAS lasts with an Entra credential",
            fix="end it earlier (`do_not_run_after`), use an account key, or a pool with a managed identity",
        )
    for what, needed in (("wait.timeout", desired.wait_timeout), ("the job's max_wall_clock_time", wall_clock)):
        if needed > longest:
            raise PlanRefused(
                f"{what} is {needed}, longer than the {longest.days} days that a SAS lasts with an Entra credential",
                fix="shorten it, use an account key, or a pool with a managed identity",
            )
    return longest


def _schedule_life(desired: Desired, wall_clock: timedelta, now: datetime) -> timedelta:
    """How long the jobs of a schedule can go on from now; nothing without schedule."""
    if desired.schedule is None or desired.schedule.body is None:
        return timedelta(0)
    last = times_of(desired.schedule.body).last_begin(now)
    return max(last - now, timedelta(0)) + wall_clock if last is not None else _ENDLESS_SAS


def _job_wall_clock(desired: Desired) -> timedelta:
    constraints = (desired.described_job or {}).get("constraints")
    text = constraints.get("maxWallClockTime") if isinstance(constraints, dict) else None
    try:
        length = duration(text) if isinstance(text, str) else timedelta(0)
    except NotADuration:
        return timedelta(0)
    # Batch writes "no limit" as a duration of 10,675,199 days.
    return length if length < timedelta(days=3650) else timedelta(0)


@dataclass(slots=True)
class Sender:
    """Resolves symbols for one run; `images` are the service's supported ones, for a SKU that is to be looked up."""

    desired: Desired
    blobs: BlobStore
    images: Sequence[JsonObject] = ()
    _granted: dict[tuple[str, str], asyncio.Task[None]] = field(default_factory=dict)

    async def body(self, symbolic: JsonObject) -> JsonObject:
        """A copy of a body with every symbol replaced; grants the SAS it needs first."""
        await self.grant(symbolic)
        resolved = resolve(symbolic, self._value)
        assert isinstance(resolved, dict)
        return resolved

    async def grant(self, symbolic: Json) -> None:
        """See to it that every SAS a body carries works for long enough; nothing when that was done before."""
        for one in sorted(symbols(symbolic), key=lambda one: (one.kind, one.arguments)):
            wanted = _grant_of(one)
            if wanted is not None:
                await self._once(*wanted)

    async def _once(self, key: str, permissions: str) -> None:
        if (key, permissions) not in self._granted:
            container = self.desired.containers[key]
            life = sas_life(self.desired, self.blobs.longest_sas)
            granting = self.blobs.grant(container.name, permissions, lasting=life, ours=not container.existing)
            self._granted[key, permissions] = asyncio.ensure_future(granting)
        await self._granted[key, permissions]

    def _value(self, one: Symbol) -> str:
        if one.kind == "secret":
            return self.desired.secrets[one.arguments[0]].value
        if one.kind == "node_agent_sku":
            return node_agent_sku(self.desired, self.images)
        container = self.desired.containers[one.arguments[0]].name
        if one.kind == "container_url":
            return self.blobs.container_url(container)
        if one.kind == "sas_url":
            return f"{self.blobs.container_url(container)}?{self.blobs.sas(container, one.arguments[1])}"
        url = self.blobs.blob_url(container, one.arguments[1])
        return url if one.kind == "blob_url" else f"{url}?{self.blobs.sas(container, 'r', blob=one.arguments[1])}"


async def check_others(desired: Desired, blobs: BlobStore) -> None:
    """See to it that the SAS that others gave for their containers allow what the bodies need.

    Raises PlanRefused. Asks no service; walks the tasks only when there is such a container.
    """
    others = {key for key, container in desired.containers.items() if container.sas_from}
    if not others:
        return
    needed: dict[tuple[str, str], None] = {}
    bodies = [one.body for one in (desired.pool, desired.job, desired.schedule) if one is not None]
    tasks = (task.body for task in desired.tasks() if task.uses & others)
    for body in itertools.chain(filter(None, bodies), tasks):
        wanted = (_grant_of(one) for one in symbols(body))
        needed |= dict.fromkeys(one for one in wanted if one is not None and one[0] in others)
    for key, permissions in needed:
        await blobs.grant(desired.containers[key].name, permissions, lasting=_SHORTEST_SAS, ours=False)


def _grant_of(one: Symbol) -> tuple[str, str] | None:
    if one.kind == "sas_url":
        return one.arguments[0], one.arguments[1]
    permissions = _SAS_PERMISSIONS.get(one.kind)
    return (one.arguments[0], permissions) if permissions else None
