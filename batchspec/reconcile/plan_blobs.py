"""Which containers are missing, which uploads are new or changed, which downloads are missing.

Place in the pipeline: a part of `plan`. In: `Desired`, `Observed`, what must run. Out: Changes, and the ids of things
in the way that are not ours. It reads local files (for their MD5, once) and writes nothing.

A container that the spec's `cleanup` removed after a success is not missing: as long as some unchanged task has
succeeded, only what the tasks that must run refer to comes back.
"""

import hashlib
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from batchspec.reconcile.change import Change, Reason
from batchspec.reconcile.local_names import Places
from batchspec.reconcile.marks import owns, sent_with
from batchspec.reconcile.observe import Observed
from batchspec.reconcile.ports import BlobState
from batchspec.render.model import Desired, DesiredDownload, DesiredUpload, LocalFile
from batchspec.render.patterns import matches
from batchspec.render.symbolic import Json, symbols


@dataclass(slots=True)
class Needs:
    """What bodies that will be sent refer to: container keys, and for each the blob names or None for all of it."""

    by_container: dict[str, set[str] | None] = field(default_factory=dict)

    def add(self, body: Json) -> None:
        """Add what one body refers to."""
        for one in symbols(body):
            if one.kind in ("blob_url", "blob_sas_url"):
                key, name = one.arguments[0], one.arguments[1]
                names = self.by_container.setdefault(key, set())
                if names is not None:
                    names.add(name)
            elif one.kind in ("sas_url", "container_url"):
                self.by_container[one.arguments[0]] = None

    def blob(self, key: str, name: str) -> bool:
        """Whether some body refers to this blob or to its whole container."""
        names = self.by_container.get(key, set())
        return names is None or name in names


def container_changes(desired: Desired, observed: Observed, needs: Needs | None) -> Iterator[Change]:
    """A create for each missing container of ours. `needs` is None when nothing was cleaned up, so all are needed."""
    for key, container in sorted(desired.containers.items(), key=lambda item: item[1].name):
        missing = container.name not in observed.containers and not container.existing
        cleaned = needs is not None and _is_cleaned(desired, key) and key not in needs.by_container
        if missing and not cleaned:
            yield Change("create", "container", container.name, key=key)


def _is_cleaned(desired: Desired, key: str) -> bool:
    return f"container.{key}" in desired.cleanup_after_success


def foreign_containers(desired: Desired, observed: Observed) -> Iterator[str]:
    """Names of containers that are there, are not ours, and are not said to exist already."""
    for container in desired.containers.values():
        there = observed.containers.get(container.name)
        if there is not None and not container.existing and not owns(desired.name, there):
            yield container.name


def upload_changes(desired: Desired, observed: Observed, needs: Needs | None) -> Iterator[Change]:
    """Creates, updates and, with `prune`, deletes of blobs; by container and blob name."""
    for upload in desired.uploads.values():
        container = desired.containers[upload.container].name
        if container in observed.unread:
            continue
        there = observed.blobs.get(container, {})
        cleaned = needs if _is_cleaned(desired, upload.container) else None
        for file in upload.files:
            blob = there.get(file.name)
            if blob is None:
                if cleaned is None or cleaned.blob(upload.container, file.name):
                    yield Change("create", "upload", f"{container}/{file.name}", key=upload.key, size=file.size)
            elif not holds(blob, file):
                reason = Reason("content differs", cause="drift" if sent_with(blob, file.md5) else "spec")
                yield Change("update", "upload", f"{container}/{file.name}", (reason,), upload.key, file.size)
        yield from _pruned(desired, upload, container, there)


def unseen(desired: Desired, observed: Observed) -> Iterator[str]:
    """For each container that nobody here may look into: what of the spec a plan cannot tell for that, and why."""
    for key, container in desired.containers.items():
        if container.name in observed.unread:
            told = [
                (any(query.name == container.name for query in desired.unlisted), "the tasks made of its blobs"),
                (any(upload.container == key for upload in desired.uploads.values()), "uploads to it"),
                (any(download.container == key for download in desired.downloads), "downloads from it"),
            ]
            if lacking := [what for lacks, what in told if lacks]:
                yield f"{' and '.join(lacking)} ({container.name}): {observed.unread[container.name]}"


def holds(blob: BlobState, file: LocalFile) -> bool:
    """Whether a blob has the content of a file: by size and MD5."""
    return blob.size == file.size and blob.content_md5 == file.md5


def _pruned(
    desired: Desired, upload: DesiredUpload, container: str, there: Mapping[str, BlobState]
) -> Iterator[Change]:
    if not upload.prune:
        return
    siblings = [one for one in desired.uploads.values() if one.container == upload.container]
    named = {file.name for one in siblings for file in one.files}
    for name, blob in there.items():
        pruner = next((one for one in siblings if one.prune and name.startswith(one.prefix)), None)
        if pruner is upload and name not in named and owns(desired.name, blob):
            reason = Reason("its file is gone (prune)")
            yield Change("delete", "upload", f"{container}/{name}", (reason,), upload.key, blob.size)


def foreign_blobs(desired: Desired, observed: Observed) -> Iterator[str]:
    """`container/blob` of blobs that an upload would overwrite and that are not ours."""
    for upload in desired.uploads.values():
        container = desired.containers[upload.container].name
        there = observed.blobs.get(container, {})
        for file in upload.files:
            blob = there.get(file.name)
            if blob is not None and not owns(desired.name, blob) and not holds(blob, file):
                yield f"{container}/{file.name}"


def download_changes(desired: Desired, observed: Observed) -> Iterator[Change]:
    """What `fetch` would write of the blobs that are there now; names that can be no file here are left to `fetch`."""
    places = Places()
    for download in desired.downloads:
        container = desired.containers[download.container].name
        for blob in observed.blobs.get(container, {}).values():
            if not selects(download, blob):
                continue
            try:
                path = places.place(download, container, blob.name)
            except ValueError:
                continue
            if not is_downloaded(path, blob):
                yield Change("create", "download", f"{container}/{blob.name}", size=blob.size)


def selects(download: DesiredDownload, blob: BlobState) -> bool:
    """Whether a download names this blob: by prefix, and by its pattern on the rest of the name.

    Empty blobs that end in a slash are how storage browsers show empty folders; they are no outputs.
    """
    name = blob.name
    if not name.startswith(download.prefix) or (blob.size == 0 and name.endswith("/") and name.strip("/")):
        return False
    return download.pattern in ("", "**") or matches(name[len(download.prefix) :], download.pattern)


def is_downloaded(path: Path, blob: BlobState) -> bool:
    """Whether a local file is this version of the blob: by size, then by MD5 or, without one, by time."""
    try:
        status = path.stat()
        if status.st_size != blob.size or not stat.S_ISREG(status.st_mode):
            return False
        if blob.content_md5 is None:
            return abs(status.st_mtime - blob.last_modified.timestamp()) < 1
        with path.open("rb") as file:
            return hashlib.file_digest(file, "md5").digest() == blob.content_md5
    except (OSError, ValueError):
        return False
