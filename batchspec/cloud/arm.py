"""Azure Resource Manager: the quotas of the Batch account and the VM sizes of its region.

Place in the pipeline: `clients` makes it for a target on Azure, `preflight` reads it beside everything else. Only a
Microsoft Entra credential is taken there, and it may well not be here or be allowed nothing: whatever goes wrong is an
answer (`Unknown`, with the reason), never an error, and all of it takes a few seconds at most.

Requests, all GET: the subscriptions (unless AZURE_SUBSCRIPTION_ID names one; "Subscriptions - List", 2022-12-01), the
Batch accounts of each at once (at most 20; "Batch Account - List", Microsoft.Batch 2024-07-01), among which the account
is known by its endpoint, and the sizes of its region ("Location - List Supported Virtual Machine Skus", same version).

Following a page's link never sends the token to another host.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from azure.core import AsyncPipelineClient
from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.core.pipeline.policies import UserAgentPolicy
from azure.core.rest import HttpRequest

from batchspec.cloud.faults import FOREIGN
from batchspec.cloud.transport import Verbose, transport
from batchspec.reconcile.account import Account, Quotas, Unknown, VmSize

_HOSTS = {
    ".batch.chinacloudapi.cn": "https://management.chinacloudapi.cn",
    ".batch.usgovcloudapi.net": "https://management.usgovcloudapi.net",
}
_PUBLIC = "https://management.azure.com"
_SUBSCRIPTIONS_VERSION = "2022-12-01"
_BATCH_VERSION = "2024-07-01"
_WITHIN_S = 6.0
_MOST_SUBSCRIPTIONS = 20
_MOST_PAGES = 20
_NO_CREDENTIAL = "no Microsoft Entra credential is here (az login makes one)"
_REFUSALS = {
    401: "Azure Resource Manager does not accept this credential",
    403: "this credential may not read it (the role Reader on the Batch account is enough)",
    429: "Azure Resource Manager is busy",
}
# What JSON of another form than documented makes of the code below.
_ODD = (ValueError, TypeError, KeyError, AttributeError)


class Credential(Protocol):
    """What gives tokens (azure-identity's credentials do)."""

    async def get_token(self, *scopes: str) -> Any:
        """An access token, in its `token`."""
        ...


class _Told(Exception):
    """The reason why something is not known."""


def manager_of(batch_endpoint: str) -> str:
    """The address of the Resource Manager that knows a Batch endpoint."""
    host = urlsplit(batch_endpoint).hostname or ""
    return next((one for suffix, one in _HOSTS.items() if host.endswith(suffix)), _PUBLIC)


class ResourceManager:
    """Looks one Batch account up. `credential` is opened when it is needed, and closed again."""

    def __init__(
        self,
        batch_endpoint: str,
        credential: Callable[[], AbstractAsyncContextManager[Credential]],
        *,
        subscription: str = "",
        verbose: Verbose | None = None,
        manager: str = "",
        within_s: float = _WITHIN_S,
    ) -> None:
        self._host = (urlsplit(batch_endpoint).hostname or "").lower()
        self._credential = credential
        self._subscription = subscription
        self._verbose = verbose
        self._manager = manager or manager_of(batch_endpoint)
        self._within_s = within_s

    async def read(self) -> Account | Unknown:
        """The account, its quotas and the sizes of its region."""
        try:
            async with asyncio.timeout(self._within_s):
                return await self._read()
        except _Told as told:
            return Unknown(str(told))
        except TimeoutError:
            return Unknown(f"Azure Resource Manager did not answer within {self._within_s:g} s")
        except FOREIGN:
            return Unknown("Azure Resource Manager could not be reached")
        except _ODD:
            return Unknown("Azure Resource Manager gave an answer of a form that is not known here")

    async def _read(self) -> Account | Unknown:
        wire = transport(self._manager, self._verbose, answer_within_s=self._within_s)
        client: AsyncPipelineClient[Any, Any] = AsyncPipelineClient(
            self._manager, policies=[UserAgentPolicy("batchspec")], transport=wire
        )
        async with self._credential() as credential, client:
            asking = _Asking(client, self._manager, await self._token(credential))
            subscription, found = await self._account(asking)
            properties, region = found["properties"], str(found["location"])
            try:
                sizes: dict[str, VmSize] | Unknown = await _sizes(asking, subscription, region)
            except _Told as told:
                sizes = Unknown(str(told))
            return Account(str(found["name"]), region, _quotas(properties), sizes)

    async def _token(self, credential: Credential) -> str:
        try:
            return str((await credential.get_token(f"{self._manager}/.default")).token)
        except (ClientAuthenticationError, AzureError, ValueError) as error:
            raise _Told(_NO_CREDENTIAL) from error

    async def _account(self, asking: "_Asking") -> tuple[str, dict[str, Any]]:
        ids = [self._subscription] if self._subscription else await _subscriptions(asking)
        listings = await asyncio.gather(*(self._account_in(asking, one) for one in ids), return_exceptions=True)
        for subscription, found in zip(ids, listings, strict=True):
            if isinstance(found, dict):
                return subscription, found
        for found in listings:
            if isinstance(found, BaseException):
                raise found
        number = f"{len(ids)} subscription{'' if len(ids) == 1 else 's'}"
        raise _Told(f"the account is in none of the {number} that this credential can read")

    async def _account_in(self, asking: "_Asking", subscription: str) -> dict[str, Any] | None:
        path = f"/subscriptions/{subscription}/providers/Microsoft.Batch/batchAccounts?api-version={_BATCH_VERSION}"
        async for one in asking.pages(path):
            if str(one["properties"].get("accountEndpoint", "")).lower() == self._host:
                return one
        return None


class _Asking:
    """Requests under one token."""

    def __init__(self, client: Any, manager: str, token: str) -> None:
        self._client = client
        self._manager = manager
        self._token = token

    async def pages(self, path: str) -> AsyncIterator[dict[str, Any]]:
        """The items of a list. Raises _Told."""
        for _ in range(_MOST_PAGES):
            answer = await self._get(path)
            for item in answer["value"]:
                yield item
            link = answer.get("nextLink")
            if not link:
                return
            if not link.startswith(f"{self._manager}/"):
                raise _Told("Azure Resource Manager points to another host")
            path = link.removeprefix(self._manager)

    async def _get(self, path: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        response = await self._client.send_request(HttpRequest("GET", f"{self._manager}{path}", headers=headers))
        status: int = response.status_code
        if status != 200:
            raise _Told(_REFUSALS.get(status, f"Azure Resource Manager answered with status {status}"))
        answer: dict[str, Any] = json.loads(response.content)
        return answer


async def _subscriptions(asking: _Asking) -> list[str]:
    path = f"/subscriptions?api-version={_SUBSCRIPTIONS_VERSION}"
    ids = [str(one["subscriptionId"]) async for one in asking.pages(path) if one.get("state", "Enabled") == "Enabled"]
    if len(ids) > _MOST_SUBSCRIPTIONS:
        raise _Told(f"this credential can read {len(ids)} subscriptions; AZURE_SUBSCRIPTION_ID says which one it is")
    if not ids:
        raise _Told("this credential can read no subscription")
    return ids


async def _sizes(asking: _Asking, subscription: str, region: str) -> dict[str, VmSize]:
    place = f"/subscriptions/{subscription}/providers/Microsoft.Batch/locations/{region}"
    path = f"{place}/virtualMachineSkus?api-version={_BATCH_VERSION}"
    return {str(one["name"]).lower(): _size(one) async for one in asking.pages(path)}


def _size(one: dict[str, Any]) -> VmSize:
    told = {str(each["name"]): str(each["value"]) for each in one.get("capabilities") or ()}
    cores, generations = told.get("vCPUs", ""), told.get("HyperVGenerations", "")
    ends = one.get("batchSupportEndOfLife")
    return VmSize(
        name=str(one["name"]),
        family=str(one.get("familyName") or ""),
        cores=int(cores) if cores.isdecimal() else None,
        generations=tuple(part.strip().upper() for part in generations.split(",") if part.strip()),
        ends=datetime.fromisoformat(ends) if ends else None,
    )


def _quotas(properties: dict[str, Any]) -> Quotas:
    enforced = bool(properties.get("dedicatedCoreQuotaPerVMFamilyEnforced"))
    families = properties.get("dedicatedCoreQuotaPerVMFamily") or () if enforced else ()
    return Quotas(
        pools=_number(properties.get("poolQuota")),
        active_jobs=_number(properties.get("activeJobAndJobScheduleQuota")),
        # Where families have their own, the total is only their sum.
        dedicated_cores=None if enforced else _number(properties.get("dedicatedCoreQuota")),
        low_priority_cores=_number(properties.get("lowPriorityCoreQuota")),
        family_cores={str(one["name"]).lower(): int(one["coreQuota"]) for one in families},
    )


def _number(value: Any) -> int | None:
    return None if value is None else int(value)
