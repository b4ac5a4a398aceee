"""Containers of other accounts: what their SAS says, and how they are used on the real services."""

import hashlib
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.storage.blob import BlobServiceClient, generate_container_sas

from batchspec.cloud.clients import opened
from batchspec.cloud.others import OtherContainer, other_container
from batchspec.errors import PlanRefused, UsageError
from tests.local_engine import Accounts

URL = "https://theirs.blob.core.windows.net/data"
NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "sas"),
    [
        ("", ""),
        ("sp=rl&sig=x", "sp=rl&sig=x"),
        ("?sp=rl&sig=x\n", "sp=rl&sig=x"),
        (f"{URL}?sp=rl&se=2026-06-02&sig=x", "sp=rl&se=2026-06-02&sig=x"),
    ],
)
def test_a_sas_is_taken_as_people_have_it(value: str, sas: str) -> None:
    assert other_container(URL, "THEIR_SAS", value, NOW) == OtherContainer(URL, "THEIR_SAS", sas)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("secret", "THEIR_SAS is not a SAS: it has no signature"),
        (f"{URL}x?sp=rl&sig=x", f"the SAS in THEIR_SAS is for another address than {URL}"),
        ("se=2026-05-31T10:00:00Z&sig=x", f"the SAS in THEIR_SAS for {URL} expired on 2026-05-31 10:00 UTC"),
    ],
)
def test_what_cannot_work_is_refused_without_being_shown(value: str, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        other_container(URL, "THEIR_SAS", value, NOW)

    assert str(refused.value) == message


def test_an_untrusted_spec_cannot_send_a_sas_anywhere() -> None:
    alone = other_container(URL, "THEIR_SAS", "sp=rl&sig=x", NOW, trusted=False)
    with_address = other_container(URL, "THEIR_SAS", f"{URL}?sp=rl&sig=x", NOW, trusted=False)

    assert alone == OtherContainer(URL, "THEIR_SAS", withheld=True)
    assert with_address == OtherContainer(URL, "THEIR_SAS", "sp=rl&sig=x")
    assert (alone.may_list, with_address.unreadable) == (False, None)
    with pytest.raises(UsageError, match="THEIR_SAS holds a SAS without its address, which `plan` does not send to"):
        alone.refuse_unreadable()


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        (URL, True),
        ("https://a.z1.blob.storage.azure.net/data", True),
        ("https://intranet.example.com/data", False),
        ("https://blob.core.windows.net.example.com/data", False),
        ("http://127.0.0.1:10000/a/data", False),
    ],
)
def test_an_untrusted_spec_cannot_have_any_host_asked(url: str, asked: bool) -> None:
    public, trusted = (other_container(url, "", "", NOW, trusted=trusted) for trusted in (False, True))

    assert (public.may_list, public.unreadable is None) == (asked, asked)
    assert (trusted.may_list, trusted.unreadable) == (True, None)


def test_what_a_sas_does_not_allow_is_told() -> None:
    container = OtherContainer(URL, "THEIR_SAS", "sp=rl&sig=x")

    container.check("rl")
    with pytest.raises(PlanRefused, match=r"the SAS in THEIR_SAS for \S+ allows 'rl', and 'cw' is needed"):
        container.check("cw")
    assert "sig" not in repr(container)


@pytest.fixture
def theirs(local_engine: Accounts) -> tuple[str, str, Any]:
    """A container that no spec made: its name, its address, and the client of its owner."""
    _, storage = local_engine
    client = BlobServiceClient(storage.endpoint, AzureNamedKeyCredential(storage.name, storage.key or ""))
    name = f"theirs-{uuid.uuid4().hex[:8]}"
    return name, f"{storage.endpoint}/{name}", client.create_container(name)


def sas_of(accounts: Accounts, name: str, permissions: str) -> str:
    """What the owner of a container would give away."""
    _, storage = accounts
    expiry = datetime.now(UTC) + timedelta(hours=1)
    return generate_container_sas(storage.name, name, account_key=storage.key, permission=permissions, expiry=expiry)


async def test_blobs_of_another_account_are_listed_read_and_written_with_its_sas(
    local_engine: Accounts, theirs: tuple[str, str, Any], tmp_path: Path
) -> None:
    name, url, owner = theirs
    owner.upload_blob("a b.txt", b"hello")
    other = OtherContainer(url, "THEIR_SAS", sas_of(local_engine, name, "rlcwd"))
    file = tmp_path / "new.txt"
    file.write_bytes(b"new")
    digest = hashlib.md5(b"new", usedforsecurity=False).digest()
    async with opened(*local_engine, shown_as="", verbose=None, others={"x@y": other}) as services:
        blobs = services.blobs
        there = await blobs.get_container("x@y")
        (found,) = [blob async for blob in blobs.list_blobs("x@y")]
        read = b"".join([piece async for piece in blobs.read_blob("x@y", found.name, etag=found.etag)])
        await blobs.upload("x@y", "new.txt", file, md5=digest, metadata={}, replaces=None, on_bytes=lambda _: None)
        await blobs.grant("x@y", "cw", lasting=timedelta(days=1), ours=False)
        addresses = blobs.container_url("x@y"), blobs.blob_url("x@y", "a b"), blobs.sas("x@y", "rl")

    assert there is not None
    assert (there.name, found.name, read) == ("x@y", "a b.txt", b"hello")
    assert addresses == (url, f"{url}/a%20b", other.sas)
    assert owner.download_blob("new.txt").readall() == b"new"


async def test_a_container_that_cannot_be_listed_is_taken_to_be_there(
    local_engine: Accounts, theirs: tuple[str, str, Any]
) -> None:
    name, url, _ = theirs
    others = {
        "written@x": OtherContainer(url, "A", sas_of(local_engine, name, "cw")),
        "unset@x": OtherContainer(url, "B"),
        "missing@x": OtherContainer(f"{url}x", "C", sas_of(local_engine, f"{name}x", "rl")),
    }
    async with opened(*local_engine, shown_as="", verbose=None, others=others) as services:
        there = {key: await services.blobs.get_container(key) is not None for key in others}
        closed = {key for key in (*others, "own") if services.blobs.unreadable(key) is not None}
        with pytest.raises(UsageError, match="the environment variable B is not set; it holds the SAS for"):
            [blob async for blob in services.blobs.list_blobs("unset@x")]

    assert there == {"written@x": True, "unset@x": True, "missing@x": False}
    assert closed == {"unset@x"}
