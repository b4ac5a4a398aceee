"""Which SAS a container gets: policies of its own, others' left alone, plain ones for what is not ours."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

import aiohttp
import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.storage.blob import AccessPolicy, UserDelegationKey
from azure.storage.blob.aio import BlobServiceClient, ContainerClient

from batchspec.cloud.sas import Sas
from batchspec.cloud.target import StorageAccount
from batchspec.errors import PlanRefused, ServiceRefused
from batchspec.reconcile.ports import BlobStore
from tests.cloud.scripted import KEY
from tests.local_engine import Accounts, real_services

WEEK = timedelta(days=7)


@pytest.fixture
async def blobs(local_engine: Accounts) -> AsyncIterator[BlobStore]:
    async with real_services(local_engine) as services:
        yield services.blobs


@pytest.fixture
async def raw(local_engine: Accounts, blobs: BlobStore) -> AsyncIterator[ContainerClient]:
    """A new container, seen by Microsoft's own client."""
    name = f"c-{uuid4().hex[:10]}"
    await blobs.create_container(name, {})
    storage = local_engine[1]
    service = BlobServiceClient(storage.endpoint, AzureNamedKeyCredential(storage.name, str(storage.key)))
    async with service, service.get_container_client(name) as client:
        yield client
    await blobs.delete_container(name)


async def policies(raw: ContainerClient) -> dict[str, tuple[str, datetime]]:
    read = await raw.get_container_access_policy()
    return {
        one.id: (one.access_policy.permission, datetime.fromisoformat(one.access_policy.expiry))
        for one in read["signed_identifiers"]
    }


async def put_policies(raw: ContainerClient, *names: str) -> None:
    policy = AccessPolicy(permission="r", expiry=datetime.now(UTC) + WEEK)
    everyone: dict[str, Any] = dict.fromkeys(names, policy)
    await raw.set_container_access_policy(everyone)


async def status(method: str, url: str) -> int:
    headers = {"x-ms-blob-type": "BlockBlob"} if method == "PUT" else {}
    async with aiohttp.ClientSession() as session, session.request(method, url, headers=headers) as response:
        return response.status


async def test_a_grant_is_a_policy_that_lasts_and_others_are_kept(blobs: BlobStore, raw: ContainerClient) -> None:
    name = str(raw.container_name)
    await put_policies(raw, "theirs")
    await blobs.grant(name, "cw", lasting=WEEK, ours=True)
    found = await policies(raw)
    assert {key: permissions for key, (permissions, _) in found.items()} == {"theirs": "r", "batchspec-cw": "cw"}
    assert abs(found["batchspec-cw"][1] - (datetime.now(UTC) + WEEK)) < timedelta(minutes=5)
    url = f"{blobs.blob_url(name, 'new')}?{blobs.sas(name, 'cw')}"
    assert (await status("PUT", url), await status("GET", url)) == (201, 403)


async def test_a_policy_is_extended_only_when_it_ends_more_than_a_day_too_early(
    blobs: BlobStore, raw: ContainerClient
) -> None:
    name = str(raw.container_name)
    await blobs.grant(name, "r", lasting=WEEK, ours=True)
    before = (await policies(raw))["batchspec-r"]
    await blobs.grant(name, "r", lasting=WEEK + timedelta(hours=12), ours=True)
    assert (await policies(raw))["batchspec-r"] == before
    await blobs.grant(name, "r", lasting=2 * WEEK, ours=True)
    assert (await policies(raw))["batchspec-r"][1] - before[1] > timedelta(days=6)


async def test_revoking_kills_our_sas_and_keeps_theirs(blobs: BlobStore, raw: ContainerClient) -> None:
    name = str(raw.container_name)
    await put_policies(raw, "theirs")
    await blobs.grant(name, "rl", lasting=WEEK, ours=True)
    url = f"{blobs.blob_url(name, 'b')}?{blobs.sas(name, 'rl')}"
    assert await status("GET", url) == 404
    await blobs.revoke(name)
    assert await status("GET", url) == 403
    assert list(await policies(raw)) == ["theirs"]


async def test_a_container_full_of_others_policies_is_refused_with_their_names(
    blobs: BlobStore, raw: ContainerClient
) -> None:
    await put_policies(raw, "a", "b", "c", "d", "e")
    with pytest.raises(PlanRefused, match=r"has 5 stored access policies.*: a, b, c, d, e$") as raised:
        await blobs.grant(str(raw.container_name), "r", lasting=WEEK, ours=True)
    assert "az storage container policy delete" in raised.value.fix
    assert list(await policies(raw)) == ["a", "b", "c", "d", "e"]


async def test_a_container_that_is_not_ours_gets_a_plain_sas_and_no_policy(
    blobs: BlobStore, raw: ContainerClient
) -> None:
    name = str(raw.container_name)
    await blobs.grant(name, "rl", lasting=WEEK, ours=False)
    query = parse_qs(blobs.sas(name, "rl"))
    assert (query["sp"], query["sr"], "si" in query) == (["rl"], ["c"], False)
    assert blobs.sas(name, "rl") == blobs.sas(name, "rl")
    assert await status("GET", f"{blobs.blob_url(name, 'b')}?{blobs.sas(name, 'rl')}") == 404
    assert await policies(raw) == {}


async def test_a_missing_container_is_refused(blobs: BlobStore) -> None:
    with pytest.raises(ServiceRefused, match="grant access to container c-gone: ContainerNotFound"):
        await blobs.grant("c-gone", "r", lasting=WEEK, ours=True)


class Delegating:
    """A storage service that only makes user-delegation keys: Azurite has none, so the SDK's method stands here."""

    def __init__(self) -> None:
        self.asked: list[tuple[datetime, datetime]] = []

    async def get_user_delegation_key(self, start: datetime, expiry: datetime) -> Any:
        self.asked.append((start, expiry))
        key: Any = UserDelegationKey()  # type: ignore[no-untyped-call]
        key.signed_oid, key.signed_tid, key.signed_service = "oid", "tid", "b"
        key.signed_start, key.signed_expiry = (
            start.strftime("%Y-%m-%dT%H:%M:%SZ"),
            expiry.strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
        key.signed_version, key.value = "2025-01-05", KEY
        return key


async def no_probe(container: str, permissions: str, sas: str) -> None:
    raise AssertionError("a delegation SAS is not probed")


async def test_with_entra_one_delegation_key_of_seven_days_at_most_signs_everything() -> None:
    service = Delegating()
    now = datetime(2026, 1, 1, tzinfo=UTC)
    account = StorageAccount("https://stor.blob.core.windows.net", "stor", None)
    sas = Sas(service, account, no_probe, now=lambda: now)  # type: ignore[arg-type]
    assert sas.longest == WEEK
    await sas.grant("c", "rl", lasting=WEEK, ours=True)
    await sas.grant("c", "cw", lasting=WEEK, ours=True)
    start = now - timedelta(minutes=5)
    assert service.asked == [(start, start + WEEK)]
    query = parse_qs(sas.sas("c", "rl", blob="b"))
    assert (query["sp"], query["sr"], query["spr"], query["skoid"]) == (["r"], ["b"], ["https"], ["oid"])
    assert query["se"] == ["2026-01-07T23:55:00Z"]
    assert KEY not in repr(sas)


async def test_a_new_policy_is_waited_for_and_one_that_never_works_is_an_error(
    raw: ContainerClient, local_engine: Accounts
) -> None:
    storage, slept = local_engine[1], list[float]()
    refused = iter([True, True, False])

    async def probe(container: str, permissions: str, sas: str) -> None:
        if next(refused, True):
            await forbidden(storage, container)

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    service = BlobServiceClient(storage.endpoint, AzureNamedKeyCredential(storage.name, str(storage.key)))
    async with service:
        sas = Sas(service, storage, probe, sleep=sleep)
        await sas.grant(str(raw.container_name), "r", lasting=WEEK, ours=True)
        assert len(slept) == 2
        with pytest.raises(ServiceRefused, match="try out the SAS of container"):
            await sas.grant(str(raw.container_name), "cw", lasting=WEEK, ours=True)
        assert 40 < sum(slept) < 60


async def forbidden(storage: StorageAccount, container: str) -> None:
    """A request that the service refuses with 403."""
    async with ContainerClient(storage.endpoint, container, credential="sv=2020-10-02&si=none&sr=c&sig=AA==") as client:
        await client.get_blob_client("b").get_blob_properties()
