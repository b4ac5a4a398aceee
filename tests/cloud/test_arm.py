"""Quotas and sizes from Azure Resource Manager, and every way in which they stay unknown."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from batchspec.cloud.arm import ResourceManager, manager_of
from batchspec.reconcile.account import Account, Quotas, Unknown, VmSize
from tests.cloud.scripted import Answer, Script, Seen, served

ENDPOINT = "https://acct.westeurope.batch.azure.com"
PROPERTIES = {
    "accountEndpoint": "acct.westeurope.batch.azure.com",
    "poolQuota": 100,
    "activeJobAndJobScheduleQuota": 300,
    "dedicatedCoreQuota": 500,
    "lowPriorityCoreQuota": 50,
    "dedicatedCoreQuotaPerVMFamilyEnforced": True,
    "dedicatedCoreQuotaPerVMFamily": [{"name": "standardDSv3Family", "coreQuota": 8}],
}
OTHER = {"name": "other", "location": "x", "properties": {"accountEndpoint": "other.x.batch.azure.com"}}
D2 = {
    "name": "Standard_D2s_v3",
    "familyName": "standardDSv3Family",
    "capabilities": [{"name": "vCPUs", "value": "2"}, {"name": "HyperVGenerations", "value": "V1,V2"}],
    "batchSupportEndOfLife": "2028-11-15T00:00:00Z",
}
BARE = {"name": "Standard_X", "familyName": "f"}


class Token:
    """A credential that has one token, and what it was asked for."""

    def __init__(self, error: Exception | None = None, wait_s: float = 0.0) -> None:
        self.scopes: list[str] = []
        self._error = error
        self._wait_s = wait_s

    async def get_token(self, *scopes: str) -> AccessToken:
        self.scopes += scopes
        await asyncio.sleep(self._wait_s)
        if self._error is not None:
            raise self._error
        return AccessToken("the-token", 0)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator["Token"]:
        yield self


def paths(**answers: Any) -> Script:
    """Answers by the end of the path; a whole `Answer` or a body."""
    usual: dict[str, Any] = {
        "subscriptions": {"value": [{"subscriptionId": "s1"}, {"subscriptionId": "s2"}, {"subscriptionId": "s3"}]},
        "batchAccounts": {"value": [OTHER]},
        "virtualMachineSkus": {"value": [D2, BARE]},
    }

    def script(seen: Seen) -> Answer:
        name = seen.path.rpartition("/")[2]
        answer = {**usual, **answers}[name]
        answer = answer(seen) if callable(answer) else answer
        return answer if isinstance(answer, Answer) else Answer(200, answer)

    return script


def in_second(seen: Seen) -> Any:
    """The account is in the subscription `s2`."""
    mine = {"name": "acct", "location": "westeurope", "properties": PROPERTIES}
    return {"value": [OTHER, mine] if "/s2/" in seen.path else [OTHER]}


async def read(
    script: Script, *, subscription: str = "", token: Token | None = None, within_s: float = 5
) -> tuple[Account | Unknown, list[Seen]]:
    async with served(script) as (address, seen):
        reader = ResourceManager(
            ENDPOINT,
            (token or Token()).opened,
            subscription=subscription,
            manager=address,
            within_s=within_s,
        )
        return await reader.read(), seen


async def test_an_account_is_found_by_its_endpoint_with_its_quotas_and_the_sizes_of_its_region() -> None:
    account, seen = await read(paths(batchAccounts=in_second))
    ends = datetime(2028, 11, 15, tzinfo=UTC)
    assert account == Account(
        "acct",
        "westeurope",
        Quotas(100, 300, None, 50, {"standarddsv3family": 8}),
        {
            "standard_d2s_v3": VmSize("Standard_D2s_v3", "standardDSv3Family", 2, ("V1", "V2"), ends),
            "standard_x": VmSize("Standard_X", "f"),
        },
    )
    assert (seen[0].path, seen[-1].path) == (
        "/subscriptions",
        "/subscriptions/s2/providers/Microsoft.Batch/locations/westeurope/virtualMachineSkus",
    )
    assert {one.headers["Authorization"] for one in seen} == {"Bearer the-token"}
    assert {one.query["api-version"] for one in seen[1:]} == {"2024-07-01"}


async def test_a_subscription_that_is_given_is_the_only_one_asked() -> None:
    account, seen = await read(paths(batchAccounts=in_second), subscription="s2")
    assert isinstance(account, Account)
    assert [one.path.rpartition("/")[2] for one in seen] == ["batchAccounts", "virtualMachineSkus"]


async def test_where_families_have_no_quota_of_their_own_the_total_counts() -> None:
    properties = {**PROPERTIES, "dedicatedCoreQuotaPerVMFamilyEnforced": False}
    mine = {"name": "acct", "location": "westeurope", "properties": properties}
    account, _ = await read(paths(batchAccounts={"value": [mine]}))
    assert isinstance(account, Account)
    assert account.quotas == Quotas(100, 300, 500, 50)


async def test_an_account_that_allocates_in_its_own_subscription_has_no_quota_of_cores() -> None:
    properties = {"accountEndpoint": "ACCT.westeurope.batch.azure.com", "poolQuota": 100, "dedicatedCoreQuota": None}
    mine = {"name": "acct", "location": "westeurope", "properties": properties}
    account, _ = await read(paths(batchAccounts={"value": [mine]}))
    assert isinstance(account, Account)
    assert account.quotas == Quotas(100)


async def test_a_list_is_read_page_by_page() -> None:
    def sizes(seen: Seen) -> Any:
        if "skip" in seen.query:
            return {"value": [BARE]}
        return {"value": [D2], "nextLink": f"http://{seen.headers['Host']}{seen.path}?api-version=2024-07-01&skip=1"}

    account, _ = await read(paths(batchAccounts=in_second, virtualMachineSkus=sizes))
    assert isinstance(account, Account)
    assert isinstance(account.sizes, dict)
    assert list(account.sizes) == ["standard_d2s_v3", "standard_x"]


async def test_the_token_never_goes_to_another_host() -> None:
    for link in ("https://elsewhere.example/x", "http://127.0.0.1:1@elsewhere.example/", "/relative"):
        account, _ = await read(paths(subscriptions={"value": [], "nextLink": link}))
        assert account == Unknown("Azure Resource Manager points to another host")


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, "Azure Resource Manager does not accept this credential"),
        (403, "this credential may not read it (the role Reader on the Batch account is enough)"),
        (404, "Azure Resource Manager answered with status 404"),
        (429, "Azure Resource Manager is busy"),
        (503, "Azure Resource Manager answered with status 503"),
    ],
)
async def test_a_refusal_is_the_reason(status: int, reason: str) -> None:
    for name in ("subscriptions", "batchAccounts"):
        account, _ = await read(paths(**{name: Answer(status, {"error": {"code": "X", "message": "sig=secret"}})}))
        assert account == Unknown(reason)


async def test_sizes_that_cannot_be_read_leave_the_quotas() -> None:
    account, _ = await read(paths(batchAccounts=in_second, virtualMachineSkus=Answer(403)))
    assert isinstance(account, Account)
    assert account.quotas.pools == 100
    assert account.sizes == Unknown("this credential may not read it (the role Reader on the Batch account is enough)")


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"3", {"value": 3}, {"value": [{}]}, {"value": ["x"]}, {}, b"\xff"])
async def test_an_odd_answer_is_no_error(body: Any) -> None:
    account, _ = await read(paths(subscriptions=Answer(200, body)))
    assert account == Unknown("Azure Resource Manager gave an answer of a form that is not known here")


async def test_an_answer_that_never_comes_is_given_up_in_time() -> None:
    account, _ = await read(paths(), token=Token(wait_s=30), within_s=0.05)
    assert account == Unknown("Azure Resource Manager did not answer within 0.05 s")


async def test_a_broken_connection_is_no_error() -> None:
    account, _ = await read(lambda _: Answer(drop=True))
    assert account == Unknown("Azure Resource Manager could not be reached")


async def test_without_a_credential_nothing_is_asked() -> None:
    account, seen = await read(paths(), token=Token(ClientAuthenticationError("secret details")))
    assert account == Unknown("no Microsoft Entra credential is here (az login makes one)")
    assert seen == []


@pytest.mark.parametrize(
    ("subscriptions", "reason"),
    [
        ([], "this credential can read no subscription"),
        ([{"subscriptionId": "s", "state": "Disabled"}], "this credential can read no subscription"),
        ([{"subscriptionId": "s1"}], "the account is in none of the 1 subscription that this credential can read"),
        (
            [{"subscriptionId": f"s{number}"} for number in range(21)],
            "this credential can read 21 subscriptions; AZURE_SUBSCRIPTION_ID says which one it is",
        ),
    ],
)
async def test_an_account_may_not_be_found(subscriptions: list[dict[str, str]], reason: str) -> None:
    account, _ = await read(paths(subscriptions={"value": subscriptions}))
    assert account == Unknown(reason)


async def test_a_token_is_asked_for_the_manager_of_the_account_s_cloud() -> None:
    token = Token()
    async with served(paths()) as (address, _):
        await ResourceManager(ENDPOINT, token.opened, manager=address).read()
    assert token.scopes == [f"{address}/.default"]
    tell: Callable[[str], str] = manager_of
    assert [tell(f"https://a.b.batch.{cloud}") for cloud in ("azure.com", "chinacloudapi.cn", "usgovcloudapi.net")] == [
        "https://management.azure.com",
        "https://management.chinacloudapi.cn",
        "https://management.usgovcloudapi.net",
    ]
