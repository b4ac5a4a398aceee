"""One file to one blob: read once, hashed while it is read, never more than a few pieces in memory.

Place in the pipeline: `blobs.upload` hands on to here. A small file is one Put Blob; a large one is staged in blocks
and committed, and nothing is visible before its MD5 is known to be the planned one. The service does not compute the
MD5 of block uploads, so Content-MD5 is set from ours. A refused condition is looked into: when the blob there has our
content and our metadata, an earlier attempt of ours took effect.
"""

import asyncio
import hashlib
import uuid
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from azure.core import MatchConditions
from azure.storage.blob import BlobBlock, ContentSettings
from azure.storage.blob.aio import BlobClient

from batchspec.cloud.retry import Tries
from batchspec.errors import LocalIOFailed, ServiceRefused, TransferFailed
from batchspec.reconcile.concurrency import task_group

PIECE_BYTES = 4 << 20
_MOST_BLOCKS = 50_000
_CONDITION_CODES = ("BlobAlreadyExists", "ConditionNotMet", "UnauthorizedBlobOverwrite")


@dataclass(frozen=True, slots=True)
class Upload:
    """What to send where: `replaces` is the ETag (quoted) that must be there, None when nothing may be there."""

    blob: BlobClient
    shown_as: str
    path: Path
    md5: bytes
    metadata: Mapping[str, str]
    replaces: str | None
    on_bytes: Callable[[int], None]
    tries: Callable[[str, str], Tries]
    pieces: asyncio.Semaphore


async def send(upload: Upload) -> None:
    """Upload. Raises TransferFailed when the bytes are not those of `md5`, LocalIOFailed when they cannot be read."""
    file = await _reading(upload.path, upload.path.open, "rb")
    try:
        size = (await _reading(upload.path, upload.path.stat)).st_size
        if size <= PIECE_BYTES:
            await _send_whole(upload, file)
        else:
            await _send_blocks(upload, file, max(PIECE_BYTES, -(-size // _MOST_BLOCKS)))
    finally:
        file.close()


async def _send_whole(upload: Upload, file: BinaryIO) -> None:
    async with upload.pieces:
        content = await _reading(upload.path, file.read, PIECE_BYTES + 1)
        _check(upload, hashlib.md5(content, usedforsecurity=False))
        await _conditionally(
            upload, len(content), lambda options: upload.blob.upload_blob(content, length=len(content), **options)
        )
    upload.on_bytes(len(content))


async def _send_blocks(upload: Upload, file: BinaryIO, block_bytes: int) -> None:
    digest, blocks, size, mark = hashlib.md5(usedforsecurity=False), list[BlobBlock](), 0, uuid.uuid4().hex
    async with task_group() as group:
        while True:
            await upload.pieces.acquire()
            try:
                content = await _reading(upload.path, _read_and_hash, file, block_bytes, digest)
            except BaseException:
                upload.pieces.release()
                raise
            if not content:
                upload.pieces.release()
                break
            block = b64encode(f"{mark}{len(blocks):06d}".encode()).decode()
            blocks.append(BlobBlock(block))
            size += len(content)
            group.create_task(_stage(upload, block, content))
    _check(upload, digest)
    await _conditionally(upload, size, lambda options: upload.blob.commit_block_list(blocks, **options))


async def _stage(upload: Upload, block: str, content: bytes) -> None:
    try:
        tries = upload.tries("upload block of blob", upload.shown_as)
        await tries.run(lambda: upload.blob.stage_block(block, content, length=len(content)))
    finally:
        upload.pieces.release()
    upload.on_bytes(len(content))


async def _conditionally(upload: Upload, size: int, write: Callable[[dict[str, Any]], Any]) -> None:
    options: dict[str, Any] = {
        "metadata": dict(upload.metadata),
        "content_settings": ContentSettings(content_md5=bytearray(upload.md5)),
        "match_condition": MatchConditions.IfMissing,
    }
    if upload.replaces is not None:
        options |= {"etag": upload.replaces, "match_condition": MatchConditions.IfNotModified}
    try:
        await upload.tries("upload blob", upload.shown_as).run(lambda: write(dict(options)))
    except ServiceRefused as refused:
        if refused.code not in _CONDITION_CODES or not await _is_ours(upload, size):
            raise


async def _is_ours(upload: Upload, size: int) -> bool:
    there = await upload.tries("look at blob", upload.shown_as).run(upload.blob.get_blob_properties)
    metadata = {key.lower(): value for key, value in (there.metadata or {}).items()}
    wanted = {key.lower(): value for key, value in upload.metadata.items()}
    content_md5 = bytes(there.content_settings.content_md5 or b"")
    return bool(there.size == size and content_md5 == upload.md5 and metadata == wanted)


def _check(upload: Upload, digest: "hashlib._Hash") -> None:
    if digest.digest() != upload.md5:
        raise TransferFailed(
            f"{upload.path} changed while it was uploaded to {upload.shown_as}",
            fix="run the command again when nothing writes to the file",
        )


def _read_and_hash(file: BinaryIO, count: int, digest: "hashlib._Hash") -> bytes:
    content = file.read(count)
    digest.update(content)
    return content


async def _reading(path: Path, read: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return await asyncio.to_thread(read, *arguments)
    except OSError as error:
        raise LocalIOFailed("read", path, error) from error
