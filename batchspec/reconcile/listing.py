"""What generators want of containers: queries -> the blobs that are there now.

Place in the pipeline: online commands ask, between the first rendering of a spec (which tells what it wants listed) and
the second. In: the queries and a blob store. Out: a Listing for each, None where nobody here may look (`plan` without a
SAS for a container of another account goes on without). One page stream per query, all at once, and one
request more for a container in which nothing was found. Reads only, and happens once: that list is what runs.

Folder markers are no files: empty blobs whose name ends in `/` or in `_$folder$`, and those that carry `hdi_isfolder`
(what storage explorers, Hadoop and hierarchical namespaces leave).
"""

from collections.abc import Iterable

from batchspec.reconcile.concurrency import task_group
from batchspec.reconcile.ports import BlobState, BlobStore
from batchspec.render.model import Blob, BlobQuery, Listing
from batchspec.render.patterns import matches


async def list_blobs(queries: Iterable[BlobQuery], blobs: BlobStore) -> dict[BlobQuery, Listing | None]:
    """Ask for all of them. Raises ServiceRefused and ServiceUnreachable."""
    wanted = tuple(queries)
    open_to_us = [query for query in wanted if blobs.unreadable(query.name) is None]
    async with task_group() as group:
        asked = {query: group.create_task(_listing(query, blobs)) for query in open_to_us}
    return {query: asked[query].result() if query in asked else None for query in wanted}


async def _listing(query: BlobQuery, blobs: BlobStore) -> Listing:
    found = []
    async for state in blobs.list_blobs(query.name, query.prefix):
        rest = state.name.removeprefix(query.prefix)
        if not is_folder(state) and (not query.pattern or matches(rest, query.pattern)):
            found.append(Blob(state.name, state.size, state.content_md5, state.etag))
    there = bool(found) or await blobs.get_container(query.name) is not None
    # By code point, as the files of an upload are, so that the service's order does not matter.
    return Listing(tuple(sorted(found, key=lambda blob: blob.name)), there)


def is_folder(blob: BlobState) -> bool:
    """Whether a blob only stands for a folder."""
    marked = any(key.lower() == "hdi_isfolder" and value.lower() == "true" for key, value in blob.metadata.items())
    return marked or (blob.size == 0 and blob.name.endswith(("/", "_$folder$")))
