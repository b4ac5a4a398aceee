"""One client at a time, also when the lease is lost."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.storage.blob.aio import BlobLeaseClient, BlobServiceClient, ContainerClient

from batchspec.cloud.lease import HOLDER_KEY, LEASE_KEY, acquire
from batchspec.cloud.retry import Tries
from batchspec.errors import Locked
from tests.local_engine import Accounts


@pytest.fixture
async def container(local_engine: Accounts) -> AsyncIterator[ContainerClient]:
    storage = local_engine[1]
    service = BlobServiceClient(storage.endpoint, AzureNamedKeyCredential(storage.name, str(storage.key)))
    async with service:
        client = service.get_container_client(f"c-{uuid4().hex[:10]}")
        await client.create_container(metadata={"batchspec_name": "me"})
        yield client


def tries(operation: str, resource: str) -> Tries:
    return Tries(operation, resource, where="http://127.0.0.1")


async def metadata(container: ContainerClient) -> dict[str, str]:
    return dict((await container.get_container_properties()).metadata or {})


async def test_the_holder_is_written_while_it_holds_and_taken_off_after(container: ContainerClient) -> None:
    held = await acquire(container, "zoë\n@host", tries)
    assert await metadata(container) == {"batchspec_name": "me", HOLDER_KEY: "zo%C3%AB%0A@host", LEASE_KEY: held.id}
    await held.release()
    assert await metadata(container) == {"batchspec_name": "me"}
    again = await acquire(container, "other", tries)
    await again.release()


async def test_a_lease_is_renewed_until_it_is_lost_and_then_check_says_so(container: ContainerClient) -> None:
    held = await acquire(container, "me", tries, every_s=0.05)
    await asyncio.sleep(0.2)
    held.check()
    await BlobLeaseClient(container).break_lease(lease_break_period=0)
    async with asyncio.timeout(10):
        while True:
            if held.id is None:
                break
            await asyncio.sleep(0.02)
    with pytest.raises(Locked, match=r"the lock on container .* was lost"):
        held.check()
    await held.release()


async def test_a_holder_that_left_no_name_is_said_to_be_unknown(container: ContainerClient) -> None:
    foreign = BlobLeaseClient(container)
    await foreign.acquire(lease_duration=15)
    with pytest.raises(Locked, match="by a client that has not given its name") as raised:
        await acquire(container, "me", tries)
    assert "expires within 60 s" in raised.value.fix
    await foreign.release()


async def test_of_many_that_take_over_from_a_dead_holder_one_wins(container: ContainerClient) -> None:
    dead = await acquire(container, "dead", tries)
    rivals = [acquire(container, f"rival {n}", tries, is_gone=lambda name: name == "dead") for n in range(5)]
    ended = await asyncio.gather(*rivals, return_exceptions=True)
    (held,) = [one for one in ended if not isinstance(one, BaseException)]
    assert {type(one) for one in ended if one is not held} == {Locked}
    held.check()
    assert (await metadata(container))[LEASE_KEY] == held.id
    await dead.release()
    held.check()
    await held.release()
    assert await metadata(container) == {"batchspec_name": "me"}


async def test_a_client_that_died_while_it_took_the_lease_has_left_its_name(container: ContainerClient) -> None:
    taken: list[str] = []

    def dying(operation: str, resource: str) -> Tries:
        taken.append(operation)
        if len(taken) == 4:
            raise KeyboardInterrupt
        return tries(operation, resource)

    with pytest.raises(KeyboardInterrupt):
        await acquire(container, "dead", dying)
    assert taken[2] == "lock container"
    held = await acquire(container, "me", tries, is_gone=lambda name: name == "dead")
    await held.release()
