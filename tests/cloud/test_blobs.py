"""The blob adapter against a server that loses answers and takes its time to delete."""

import hashlib
from base64 import b64encode
from pathlib import Path

import pytest

from batchspec.errors import ServiceRefused, TransferFailed
from batchspec.reconcile.ports import BlobStore
from tests.cloud.scripted import Answer, Seen, in_turn, scripted

CONTENT = b"content"
MD5 = hashlib.md5(CONTENT, usedforsecurity=False).digest()
WHEN = {"Last-Modified": "Fri, 20 Nov 2026 20:00:00 GMT", "ETag": '"0x1"', "x-ms-blob-type": "BlockBlob"}
OURS = WHEN | {"Content-MD5": b64encode(MD5).decode(), "x-ms-meta-batchspec_name": "me"}


def refusal(status: int, code: str) -> Answer:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{code} it is.</Message></Error>".encode()
    return Answer(status, body, {"Content-Type": "application/xml", "x-ms-error-code": code})


def calls(seen: list[Seen]) -> list[tuple[str, str]]:
    return [(one.method, one.path) for one in seen]


async def upload(blobs: BlobStore, folder: Path, *, mark: str, replaces: str | None = None) -> None:
    file, metadata = folder / "file", {"batchspec_name": mark}
    file.write_bytes(CONTENT)
    await blobs.upload("c", "b", file, md5=MD5, metadata=metadata, replaces=replaces, on_bytes=lambda _: None)


async def test_a_lost_upload_that_took_effect_is_recognised_by_its_content_and_mark(tmp_path: Path) -> None:
    script = in_turn(refusal(500, "InternalError"), refusal(409, "BlobAlreadyExists"), Answer(200, CONTENT, OURS))
    async with scripted(script) as (services, seen):
        await upload(services.blobs, tmp_path, mark="me")
    assert calls(seen) == [("PUT", "/stor/c/b"), ("PUT", "/stor/c/b"), ("HEAD", "/stor/c/b")]
    assert {one.headers.get("If-None-Match") for one in seen[:2]} == {"*"}
    assert seen[0].headers["x-ms-blob-content-md5"] == b64encode(MD5).decode()


async def test_the_same_content_without_our_mark_is_somebody_elses(tmp_path: Path) -> None:
    theirs = WHEN | {"Content-MD5": b64encode(MD5).decode()}
    async with scripted(in_turn(refusal(409, "BlobAlreadyExists"), Answer(200, CONTENT, theirs))) as (services, _):
        with pytest.raises(ServiceRefused, match="upload blob c/b: BlobAlreadyExists"):
            await upload(services.blobs, tmp_path, mark="me")


async def test_an_unquoted_etag_is_sent_quoted(tmp_path: Path) -> None:
    async with scripted(in_turn(Answer(201, b"", WHEN))) as (services, seen):
        await upload(services.blobs, tmp_path, mark="me", replaces="0x1")
    assert seen[0].headers["If-Match"] == '"0x1"'


async def test_a_container_that_is_being_deleted_is_waited_for() -> None:
    dying = refusal(409, "ContainerBeingDeleted")
    async with scripted(in_turn(dying, dying, Answer(201, b"", WHEN))) as (services, seen):
        assert await services.blobs.create_container("c", {}) is True
    assert len(seen) == 3


async def test_a_container_that_is_being_deleted_for_ever_is_an_error() -> None:
    async with scripted(in_turn(refusal(409, "ContainerBeingDeleted"))) as (services, _):
        with pytest.raises(ServiceRefused, match="ContainerBeingDeleted"):
            await services.blobs.create_container("c", {})
        assert await services.blobs.get_container("c") is None
        assert await services.blobs.delete_container("c") is True
        assert [blob async for blob in services.blobs.list_blobs("c")] == []


async def test_a_container_that_our_lost_request_made_counts_as_made() -> None:
    there = Answer(200, b"", WHEN | {"x-ms-meta-batchspec_name": "me"})
    script = in_turn(refusal(500, "InternalError"), refusal(409, "ContainerAlreadyExists"), there)
    async with scripted(script) as (services, _):
        assert await services.blobs.create_container("c", {"batchspec_name": "me"}) is True
    script = in_turn(refusal(500, "InternalError"), refusal(409, "ContainerAlreadyExists"), Answer(200, b"", WHEN))
    async with scripted(script) as (services, _):
        assert await services.blobs.create_container("c", {"batchspec_name": "me"}) is False


@pytest.mark.parametrize("name", ["../x", "a/./b", "..", "\\..\\x"])
async def test_a_name_that_would_ask_for_another_blob_is_refused_before_it_is_sent(name: str) -> None:
    async with scripted(in_turn(Answer(202))) as (services, seen):
        with pytest.raises(TransferFailed, match="cannot be requested"):
            await services.blobs.delete_blob("c", name)
    assert seen == []


async def test_a_signature_is_never_in_the_verbose_lines_or_in_an_error() -> None:
    lines: list[str] = []
    async with scripted(in_turn(refusal(403, "AuthenticationFailed")), verbose=lines.append) as (services, _):
        with pytest.raises(ServiceRefused) as raised:
            await services.blobs.get_container("c")
    assert "SharedKey" not in str(raised.value) + "".join(lines)
    assert "clock" in raised.value.fix
