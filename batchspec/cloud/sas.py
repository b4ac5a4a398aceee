"""Shared access signatures: which one a container gets, and that it works before anything depends on it.

Place in the pipeline: `blobs` hands `grant`, `revoke` and `sas` on to here. The least that works:

- Account key, our container: bound to a stored access policy `batchspec-<permissions>`. The SAS itself has no times, so
  it is the same text every time, and `revoke` kills it. Setting policies replaces the whole list (at most 5): others'
  are kept, and the write is conditional on the container being as it was read. A new policy takes up to 30 s to work on
  Azure, so it is probed with a real request.
- Account key, not our container: we write nothing there, so a plain SAS with an expiry.
- Microsoft Entra: a user-delegation SAS, 7 days at most (the life of its key).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from azure.core.exceptions import HttpResponseError
from azure.storage.blob import (
    AccessPolicy,
    BlobSasPermissions,
    ContainerSasPermissions,
    UserDelegationKey,
    generate_blob_sas,
    generate_container_sas,
)
from azure.storage.blob.aio import BlobServiceClient, ContainerClient

from batchspec.cloud.faults import refusal
from batchspec.cloud.retry import Sleep, Tries
from batchspec.cloud.target import StorageAccount
from batchspec.errors import PlanRefused, ServiceRefused

Probe = Callable[[str, str, str], Any]

POLICY_PREFIX = "batchspec-"
_MOST_POLICIES = 5
_LONGEST_DELEGATION = timedelta(days=7)
_CLOCK_SKEW = timedelta(minutes=5)
_PROBE_FOR_S = 45.0
_PROBE_EVERY_S = 1.5
_CHANGED_MEANWHILE = 412
_FORBIDDEN = 403


@dataclass(frozen=True, slots=True)
class _Grant:
    """What `sas` signs with: the name of a policy, or an expiry."""

    policy: str | None = None
    expiry: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Policies:
    """A container's stored access policies as they were read, and the condition to write them back under."""

    by_name: dict[str, Any]
    public: Any
    unmodified_since: datetime


@dataclass
class Sas:
    """Makes the SAS of one storage account. `probe(container, permissions, sas)` tries one out."""

    service: BlobServiceClient
    account: StorageAccount
    probe: Probe
    sleep: Sleep = asyncio.sleep
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    _grants: dict[tuple[str, str], _Grant] = field(default_factory=dict, repr=False)
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict, repr=False)
    _delegation: tuple[datetime, UserDelegationKey] | None = field(default=None, repr=False)

    @property
    def longest(self) -> timedelta | None:
        """The longest life a SAS can have, None when there is no limit."""
        return None if self.account.key else _LONGEST_DELEGATION

    async def grant(self, container: str, permissions: str, *, lasting: timedelta, ours: bool) -> None:
        """See `BlobStore.grant`. A policy that ends at most a day too early is left alone: a write saved."""
        async with self._locks.setdefault(container, asyncio.Lock()):
            if not self.account.key:
                expiry = await self._delegate(lasting)
                self._grants[container, permissions] = _Grant(expiry=expiry)
            elif not ours:
                self._grants[container, permissions] = _Grant(expiry=self.now() + lasting)
            else:
                self._grants[container, permissions] = _Grant(policy=POLICY_PREFIX + permissions)
                await self._see_to_policy(container, permissions, lasting)

    async def revoke(self, container: str) -> None:
        """Remove our policies; a container without any, or no container, is left alone."""
        async with self._locks.setdefault(container, asyncio.Lock()):
            try:
                await self._change("revoke access to container", container, _without_ours)
            except ServiceRefused as refused:
                if refused.status != 404:
                    raise

    def sas(self, container: str, permissions: str, *, blob: str | None = None) -> str:
        """The query, without "?"; LookupError without a `grant` before it."""
        granted = self._grants.get((container, permissions))
        if granted is None:
            raise LookupError(f"no grant of {permissions!r} on container {container}")
        common: dict[str, Any] = {"expiry": granted.expiry, "policy_id": granted.policy}
        if self.account.endpoint.startswith("https:"):
            common["protocol"] = "https"
        common |= self._signed_by()
        if blob is not None:
            allowed = None if granted.policy else BlobSasPermissions.from_string(permissions.replace("l", ""))
            return generate_blob_sas(self.account.name, container, blob, permission=allowed, **common)
        everything = None if granted.policy else ContainerSasPermissions.from_string(permissions)
        return generate_container_sas(self.account.name, container, permission=everything, **common)

    def _signed_by(self) -> dict[str, Any]:
        if self.account.key:
            return {"account_key": self.account.key}
        assert self._delegation is not None, "an Entra grant fetches the key"
        return {"user_delegation_key": self._delegation[1]}

    async def _delegate(self, lasting: timedelta) -> datetime:
        start = self.now() - _CLOCK_SKEW
        wanted = min(self.now() + lasting, start + _LONGEST_DELEGATION)
        if self._delegation is None or self._delegation[0] < wanted - _CLOCK_SKEW:
            tries = self._tries("get a user delegation key of", self.account.name)
            key = await tries.run(lambda: self.service.get_user_delegation_key(start, wanted))
            self._delegation = (wanted, key)
        return self._delegation[0]

    async def _see_to_policy(self, container: str, permissions: str, lasting: timedelta) -> None:
        now, name = self.now(), POLICY_PREFIX + permissions
        slack = min(timedelta(days=1), lasting / 7)

        def needed(policies: dict[str, Any]) -> dict[str, Any] | None:
            if _is_good(policies.get(name), permissions, now + lasting - slack):
                return None
            policy = AccessPolicy(permission=ContainerSasPermissions.from_string(permissions), expiry=now + lasting)
            return _with(policies, name, policy, container)

        before = await self._change("grant access to container", container, needed)
        if before is not None and not _is_good(before.get(name), permissions, now + _CLOCK_SKEW):
            await self._until_it_works(container, permissions)

    async def _change(
        self, operation: str, container: str, change: Callable[[dict[str, Any]], dict[str, Any] | None]
    ) -> dict[str, Any] | None:
        """Read, change, write back unless somebody else wrote meanwhile; the policies before, None without a write."""
        client = self.service.get_container_client(container)
        for attempt in (1, 2, 3):
            read = await self._tries(operation, container).run(lambda: _policies(client))
            changed = change(dict(read.by_name))
            if changed is None:
                return None
            try:
                await self._tries(operation, container).run(lambda r=read, c=changed: _write(client, c, r))  # type: ignore[misc]
            except ServiceRefused as refused:
                if refused.status != _CHANGED_MEANWHILE or attempt == 3:
                    raise
                continue
            return read.by_name
        raise AssertionError("unreachable")

    async def _until_it_works(self, container: str, permissions: str) -> None:
        waited = 0.0
        while True:
            refused = await self._refusal(container, permissions)
            if refused is None:
                return
            if waited >= _PROBE_FOR_S:
                raise refused
            await self.sleep(_PROBE_EVERY_S)
            waited += _PROBE_EVERY_S

    async def _refusal(self, container: str, permissions: str) -> ServiceRefused | None:
        tries = self._tries("try out the SAS of container", container)
        try:
            await tries.run(lambda: _probed(self.probe, container, permissions, self.sas(container, permissions)))
        except ServiceRefused as refused:
            return refused
        return None

    def _tries(self, operation: str, resource: str) -> Tries:
        return Tries(operation, resource, where=self.account.endpoint, sleep=self.sleep)


async def _probed(probe: Probe, container: str, permissions: str, sas: str) -> None:
    # Only 403 says that the SAS does not work; "no such blob" and "condition not met" say that it does.
    try:
        await probe(container, permissions, sas)
    except HttpResponseError as error:
        if error.response is None or refusal(error).status in (_FORBIDDEN, 408, 429) or refusal(error).status >= 500:
            raise


async def _policies(client: ContainerClient) -> _Policies:
    # The time is read first: what is written between the two reads then fails the condition.
    properties = await client.get_container_properties()
    read = await client.get_container_access_policy()
    by_name = {one.id: one.access_policy for one in read["signed_identifiers"]}
    return _Policies(by_name, read["public_access"], properties.last_modified)


async def _write(client: ContainerClient, policies: dict[str, Any], read: _Policies) -> None:
    await client.set_container_access_policy(
        policies, public_access=read.public, if_unmodified_since=read.unmodified_since
    )


def _without_ours(policies: dict[str, Any]) -> dict[str, Any] | None:
    kept = {name: policy for name, policy in policies.items() if not name.startswith(POLICY_PREFIX)}
    return kept if len(kept) < len(policies) else None


def _with(policies: dict[str, Any], name: str, policy: AccessPolicy, container: str) -> dict[str, Any]:
    policies[name] = policy
    if len(policies) > _MOST_POLICIES:
        others = ", ".join(sorted(other for other in policies if other != name))
        raise PlanRefused(
            f"container {container} has {_MOST_POLICIES} stored access policies, the most there can be: {others}",
            fix=f"remove one: az storage container policy delete --container-name {container} --name NAME",
        )
    return policies


def _is_good(policy: Any, permissions: str, until: datetime) -> bool:
    if policy is None or not policy.expiry or set(str(policy.permission or "")) != set(permissions):
        return False
    return _moment(policy.expiry) >= until and (not policy.start or _moment(policy.start) <= until)


def _moment(value: str | datetime) -> datetime:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


PermissionSort = Literal["read", "write"]


def probed_by(permissions: str) -> PermissionSort:
    """Which harmless request tries permissions out: a read when they allow one, else a write that cannot succeed."""
    return "read" if "r" in permissions else "write"
