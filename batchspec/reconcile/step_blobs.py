"""Containers and uploads come to be: the first two steps of `apply`.

Place in the pipeline: called by `apply`. Every write is conditional on what the plan saw: a container is created only
where there is none, a blob only where there was none or where it is still the version that was seen, and only that
version is pruned.
"""

from dataclasses import dataclass

from batchspec.errors import ForeignOwner
from batchspec.reconcile.change import Change
from batchspec.reconcile.concurrency import for_each
from batchspec.reconcile.marks import blob_marks, owns
from batchspec.reconcile.report import Advanced, Finished, Started
from batchspec.reconcile.run import Run
from batchspec.render.model import LocalFile

_AT_ONCE = 8


async def create_containers(run: Run) -> None:
    """Create the missing containers. Raises ForeignOwner when somebody else made one of them meanwhile."""
    changes = run.changes("container")
    if not changes:
        return
    began = run.clock.now()
    run.report(Started("containers", len(changes)))
    missing = [change for change in changes if change not in run.made]
    await for_each(missing, lambda change: create_container(run, change.id), at_once=_AT_ONCE)
    run.report(Finished("containers", f"{len(changes)} created", run.clock.now() - began))


async def create_container(run: Run, name: str) -> bool:
    """Create one container with our mark; False when it was there and is ours."""
    if await run.services.blobs.create_container(name, run.owner_metadata):
        return True
    there = await run.services.blobs.get_container(name)
    if there is None or not owns(run.desired.name, there):
        raise ForeignOwner(f"container {name} was just made by somebody else", fix="choose another name")
    return False


@dataclass(slots=True)
class _Progress:
    """Counts shared by the uploads in flight."""

    run: Run
    total: int
    total_bytes: int
    done: int = 0
    done_bytes: int = 0

    def sent(self, more: int) -> None:
        """`more` bytes were sent."""
        self.done_bytes += more
        self._tell("")

    def finished(self, item: str) -> None:
        """One upload ended."""
        self.done += 1
        self._tell(item)

    def _tell(self, item: str) -> None:
        self.run.report(Advanced("uploads", self.done, self.total, self.done_bytes, self.total_bytes, item))


async def upload(run: Run) -> None:
    """Upload what is new or changed, then remove what `prune` names."""
    changes = run.changes("upload")
    if not changes:
        return
    began = run.clock.now()
    sent = [change for change in changes if change.action != "delete"]
    progress = _Progress(run, len(sent), sum(change.size for change in sent))
    run.report(Started("uploads", progress.total, progress.total_bytes))
    files = _files(run)
    await for_each(sent, lambda change: _upload(run, change, files[change.id], progress), at_once=_AT_ONCE)
    pruned = [change for change in changes if change.action == "delete"]
    await for_each(pruned, lambda change: _prune(run, change), at_once=_AT_ONCE)
    summary = f"{len(sent)} of {len(sent)}" + (f", {len(pruned)} removed" if pruned else "")
    run.report(Finished("uploads", summary, run.clock.now() - began, progress.done_bytes))


def _files(run: Run) -> dict[str, LocalFile]:
    return {
        f"{run.desired.containers[upload.container].name}/{file.name}": file
        for upload in run.desired.uploads.values()
        for file in upload.files
    }


async def _upload(run: Run, change: Change, file: LocalFile, progress: _Progress) -> None:
    container, _, name = change.id.partition("/")
    there = run.observed.blobs.get(container, {}).get(name)
    await run.services.blobs.upload(
        container,
        name,
        file.path,
        md5=file.md5,
        metadata=blob_marks(run.desired.name, file.md5),
        replaces=there.etag if there else None,
        on_bytes=progress.sent,
    )
    progress.finished(name)


async def _prune(run: Run, change: Change) -> None:
    container, _, name = change.id.partition("/")
    there = run.observed.blobs[container][name]
    await run.services.blobs.delete_blob(container, name, etag=there.etag)
