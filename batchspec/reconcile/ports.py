"""What the stages need of the services, and no more: `BatchService` and `BlobStore`.

Place in the pipeline: `reconcile` is written against these Protocols; `cloud` implements them with the official SDKs,
`tests/fakes.py` in memory; both pass `tests/reconcile/test_ports.py`. Bodies are plain REST JSON (camelCase, as in
api-version 2025-06-01); no SDK type crosses.

Errors, the same for every method: ServiceRefused with the service's code and status, ServiceUnreachable when there was
no answer after bounded retries. Where a method says "None when it is not there", 404 is not an error. Every write is
safe to repeat. Times are timezone-aware UTC datetimes.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from batchspec.errors import BatchspecError
from batchspec.reconcile.account import AccountReader
from batchspec.render.model import JsonObject


@dataclass(frozen=True, slots=True)
class Added:
    """What became of one task of a collection: `code` is "" when it was added, else the service's error code."""

    task_id: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class TextPart:
    """A piece of a text file on a node: `text` from byte `start` to `end` of a file of `size` bytes at that time."""

    text: str
    start: int
    end: int
    size: int


@dataclass(frozen=True, slots=True)
class ContainerState:
    """A blob container as it is now; `metadata` keys are lower-case."""

    name: str
    metadata: Mapping[str, str]
    etag: str


@dataclass(frozen=True, slots=True)
class BlobState:
    """A blob as it is now; `content_md5` is None when the service has none; `size` in bytes."""

    name: str
    size: int
    content_md5: bytes | None
    last_modified: datetime
    etag: str
    metadata: Mapping[str, str]


class BatchService(Protocol):
    """One Azure Batch account."""

    async def get_pool(self, pool_id: str) -> JsonObject | None:
        """The pool, None when it is not there."""
        ...

    def list_pools(self, *, select: str = "") -> AsyncIterator[JsonObject]:
        """All pools of the account."""
        ...

    async def create_pool(self, body: JsonObject) -> None:
        """POST /pools."""
        ...

    async def update_pool(self, pool_id: str, patch: JsonObject, *, if_match: str | None = None) -> None:
        """PATCH /pools/{id}."""
        ...

    async def resize_pool(self, pool_id: str, body: JsonObject) -> None:
        """POST /pools/{id}/resize: targetDedicatedNodes, targetLowPriorityNodes, resizeTimeout ..."""
        ...

    async def set_autoscale(self, pool_id: str, body: JsonObject | None) -> None:
        """POST enableautoscale with `body`, or disableautoscale when None."""
        ...

    async def evaluate_autoscale(self, pool_id: str, formula: str) -> JsonObject:
        """POST evaluateautoscale: the AutoScaleRun of a pool that scales; nothing is changed."""
        ...

    async def remove_nodes(self, pool_id: str, node_ids: Sequence[str]) -> None:
        """POST /pools/{id}/removenodes; at most 100 ids."""
        ...

    async def delete_pool(self, pool_id: str) -> bool:
        """Start the deletion; False when it is not there."""
        ...

    def list_nodes(self, pool_id: str, *, filter: str = "", select: str = "") -> AsyncIterator[JsonObject]:
        """Nodes of a pool; ends at once when the pool is not there."""
        ...

    async def node_counts(self, pool_id: str) -> JsonObject | None:
        """One entry of GET /nodecounts, None when the service knows no such pool."""
        ...

    async def reboot_node(self, pool_id: str, node_id: str, option: str) -> None:
        """POST reboot with nodeRebootOption `option` (requeue, terminate, taskcompletion)."""
        ...

    def list_images(self) -> AsyncIterator[JsonObject]:
        """GET /supportedimages."""
        ...

    async def get_job(self, job_id: str) -> JsonObject | None:
        """The job, None when it is not there."""
        ...

    def list_jobs(self, *, select: str = "") -> AsyncIterator[JsonObject]:
        """All jobs of the account."""
        ...

    async def create_job(self, body: JsonObject) -> None:
        """POST /jobs."""
        ...

    async def update_job(self, job_id: str, patch: JsonObject, *, if_match: str | None = None) -> None:
        """PATCH /jobs/{id}."""
        ...

    async def delete_job(self, job_id: str) -> bool:
        """Start the deletion; False when it is not there."""
        ...

    def list_preparations(self, job_id: str, *, filter: str = "") -> AsyncIterator[JsonObject]:
        """GET jobpreparationandreleasetaskstatus: one object per node that ran either task of the job.

        Ends at once when the job is not there or has no preparation task.
        """
        ...

    async def get_schedule(self, schedule_id: str) -> JsonObject | None:
        """The job schedule, None when it is not there."""
        ...

    def list_schedules(self, *, select: str = "") -> AsyncIterator[JsonObject]:
        """All job schedules of the account."""
        ...

    async def create_schedule(self, body: JsonObject) -> None:
        """POST /jobschedules."""
        ...

    async def update_schedule(self, schedule_id: str, patch: JsonObject, *, if_match: str | None = None) -> None:
        """PATCH /jobschedules/{id}."""
        ...

    async def delete_schedule(self, schedule_id: str) -> bool:
        """Start the deletion of a schedule and its jobs; False when it is not there."""
        ...

    def list_jobs_of_schedule(self, schedule_id: str, *, select: str = "") -> AsyncIterator[JsonObject]:
        """Jobs that a schedule has made; ends at once when it is not there."""
        ...

    async def task_counts(self, job_id: str) -> JsonObject | None:
        """GET taskcounts as it is ({taskCounts, taskSlotCounts}), None when the job is not there."""
        ...

    def list_tasks(self, job_id: str, *, filter: str = "", select: str = "") -> AsyncIterator[JsonObject]:
        """Tasks of a job in the service's order, page by page; ends at once when the job is not there."""
        ...

    async def get_task(self, job_id: str, task_id: str) -> JsonObject | None:
        """The task, None when it is not there."""
        ...

    async def add_tasks(self, job_id: str, bodies: Sequence[JsonObject]) -> list[Added]:
        """One addtaskcollection request (at most 100 bodies), in the order of `bodies`.

        Halves the request when the service says RequestBodyTooLarge and retries what it answers with servererror.
        """
        ...

    async def update_task(self, job_id: str, task_id: str, body: JsonObject) -> None:
        """PUT /jobs/{id}/tasks/{id} (constraints)."""
        ...

    async def delete_task(self, job_id: str, task_id: str) -> bool:
        """Delete; False when it is not there."""
        ...

    async def reactivate_task(self, job_id: str, task_id: str) -> None:
        """POST reactivate."""
        ...

    async def read_task_file(
        self,
        job_id: str,
        task_id: str,
        name: str,
        *,
        start: int = 0,
        tail: int | None = None,
        limit: int = 1 << 20,
    ) -> TextPart | None:
        """A piece of a task's file: from byte `start`, or the last `tail` bytes.

        None when the file, the task or its node is gone, or the task has not started.
        """
        ...

    async def read_node_file(
        self,
        pool_id: str,
        node_id: str,
        name: str,
        *,
        start: int = 0,
        tail: int | None = None,
        limit: int = 1 << 20,
    ) -> TextPart | None:
        """The same for a file of a node ("startup/stderr.txt")."""
        ...

    @property
    def clock_ahead(self) -> timedelta | None:
        """How far this machine's clock is ahead of the service's (negative: behind), by the last answer's date.

        To a second; None before the first answer, or when it has no date.
        """
        ...


class BlobStore(Protocol):
    """One storage account's blobs."""

    async def get_container(self, name: str) -> ContainerState | None:
        """The container, None when it is not there (also while it is being deleted)."""
        ...

    def unreadable(self, container: str) -> BatchspecError | None:
        """Why nobody here may look into a container, with the next step; None where one may."""
        ...

    def list_containers(self) -> AsyncIterator[ContainerState]:
        """All containers of the account, with metadata; not those being deleted."""
        ...

    async def create_container(self, name: str, metadata: Mapping[str, str]) -> bool:
        """Create; waits out ContainerBeingDeleted (bounded); False when it was there already."""
        ...

    async def delete_container(self, name: str) -> bool:
        """Delete; False when it is not there. Breaks no one's lease but the one given by `acquire`."""
        ...

    def list_blobs(self, container: str, prefix: str = "") -> AsyncIterator[BlobState]:
        """Blobs by name, page by page, metadata and Content-MD5 included; ends at once without container."""
        ...

    async def upload(
        self,
        container: str,
        name: str,
        path: Path,
        *,
        md5: bytes,
        metadata: Mapping[str, str],
        replaces: str | None,
        on_bytes: Callable[[int], None],
    ) -> None:
        """Upload a file with Content-MD5 `md5`, streamed; never overwrites what was not seen.

        `replaces` is the ETag of the blob it takes the place of (If-Match), None when there was none (If-None-Match *).
        `on_bytes` is told how many more bytes were sent. Raises TransferFailed when the file's bytes are no longer
        those of `md5`, LocalIOFailed when it cannot be read.
        """
        ...

    async def delete_blob(self, container: str, name: str, *, etag: str | None = None) -> bool:
        """Delete, with `etag` only that version; False when it is not there."""
        ...

    def read_blob(self, container: str, name: str, *, etag: str) -> AsyncIterator[bytes]:
        """The content in pieces, of exactly the version `etag`."""
        ...

    async def acquire(self, container: str, holder: str, is_gone: Callable[[str], bool]) -> "Lease":
        """A 60 s lease on the container, renewed in the background until released.

        The lease of a holder of whom `is_gone` is true is taken over at once. Raises Locked, naming the holder, when
        another has it. Who holds it is kept beside the container's metadata and is no part of ContainerState.
        """
        ...

    def container_url(self, container: str) -> str:
        """The URL without SAS, no slash at the end."""
        ...

    def blob_url(self, container: str, name: str) -> str:
        """The URL without SAS; every character that needs it percent-encoded, `'` too."""
        ...

    async def grant(self, container: str, permissions: str, *, lasting: timedelta, ours: bool) -> None:
        """See to it that `sas` works for this container and these permissions for `lasting` from now.

        With an account key: a stored access policy `batchspec-<permissions>` on our own container (others' policies
        are kept; extended when it ends earlier; probed until it works), nothing for a container that is not ours.
        With Entra: fetch a user-delegation key.
        """
        ...

    async def revoke(self, container: str) -> None:
        """Remove the stored access policies that `grant` made: every SAS bound to them dies. No error without."""
        ...

    def sas(self, container: str, permissions: str, *, blob: str | None = None) -> str:
        """The SAS query (no "?") for the container or one blob, after `grant`; permissions such as "r", "rl", "cw"."""
        ...

    @property
    def longest_sas(self) -> timedelta | None:
        """The longest life a SAS can have (7 days with Entra), None when there is no limit."""
        ...


class Lease(Protocol):
    """A lease that is being renewed."""

    async def release(self) -> None:
        """Give it back; safe to repeat."""
        ...

    def check(self) -> None:
        """Raise Locked when it was lost."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """Both services of one target; `shown_as` says which ("the local engine (http://127.0.0.1:47123)").

    `place` tells accounts apart, and is the same for one account everywhere: its addresses, or "local" for the engine.
    `account` looks the Batch account up in Azure Resource Manager; None where there is none (the local engine).
    """

    batch: BatchService
    blobs: BlobStore
    shown_as: str
    account: AccountReader | None = None
    place: str = "local"
