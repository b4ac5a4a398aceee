"""What a person meant, as data: `Desired` and its parts.

Place in the pipeline: `desired` makes these from a `Spec`; `reconcile` compares them with what the services hold.
Bodies are the exact REST JSON that would be sent (api-version 2025-06-01), symbolic (see `symbolic`), our marks
included: metadata `batchspec:name` and `batchspec:hash` on pool, job and schedule, environment setting
`BATCHSPEC_TASK_HASH` on tasks. Nothing here holds a secret, an address or an account.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path

from batchspec.render.shell import Os
from batchspec.render.symbolic import Json
from batchspec.spec import reserved
from batchspec.spec.load import At

JsonObject = dict[str, Json]

OWNER_KEY = f"{reserved.METADATA_PREFIX}name"
HASH_KEY = f"{reserved.METADATA_PREFIX}hash"
TASK_HASH_SETTING = reserved.TASK_HASH_SETTING
CONTAINER_OWNER_KEY = "batchspec_name"


@dataclass(frozen=True)
class LocalFile:
    """A file to upload: `name` is its blob name, `path` where it is, `size` in bytes when it was listed.

    `within` is the folder that it must still lie below when it is read; None when it may be anywhere.
    """

    name: str
    path: Path
    size: int
    within: Path | None = field(default=None, compare=False, repr=False)

    @cached_property
    def md5(self) -> bytes:
        """The 16 bytes of the content's MD5; read once, streamed. Raises LocalIOFailed."""
        from batchspec.render.files import md5_of

        return md5_of(self.path, self.within)

    @property
    def digest(self) -> str:
        """What tells one content from another, as text."""
        return self.md5.hex()


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob that a generator found: `size` in bytes, `md5` the service's (16 bytes), None when it has none."""

    name: str
    size: int
    md5: bytes | None
    etag: str

    @property
    def digest(self) -> str:
        """What tells one content from another: the MD5, else the ETag (which every write changes) and the size."""
        return self.md5.hex() if self.md5 is not None else f"{self.etag} {self.size}"


@dataclass(frozen=True, slots=True, order=True)
class BlobQuery:
    """Blobs that a generator wants: of the container with this `key` and `name`, those whose names begin with `prefix`.

    Of these the ones of which the rest of the name matches the glob `pattern`; "" matches every name.
    """

    key: str
    name: str
    prefix: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What a BlobQuery found, by name, without folder markers; `there` says whether there is a container at all."""

    blobs: Sequence[Blob]
    there: bool = True


@dataclass(frozen=True, slots=True)
class DesiredContainer:
    """A blob container; `existing` ones are used, never changed; `keep` survives `delete`.

    One of another account has a `url` (no query, no slash at the end), its `name` is `container@host`, and `sas_from`
    names the environment variable with its SAS ("" for none).
    """

    key: str
    name: str
    existing: bool
    keep: bool
    at: At
    url: str = ""
    sas_from: str = ""


@dataclass(frozen=True, slots=True)
class DesiredUpload:
    """Files for one container (by key), by blob name, in name order; never empty."""

    key: str
    container: str
    files: Sequence[LocalFile]
    prefix: str
    prune: bool
    at: At


@dataclass(frozen=True, slots=True)
class DesiredPool:
    """The pool. `body` is None for an `existing` one.

    `hash` is over the body without marks. `start_task_hash` is over the start task and the content of the uploads it
    uses ("" without start task): nodes that booted with another one must be rebooted. It stands in the body's metadata
    under `batchspec:start`. `slots` is `taskSlotsPerNode` (1 by default), for preflight.
    """

    id: str
    existing: bool
    body: JsonObject | None
    hash: str
    start_task_hash: str
    uses: frozenset[str]
    at: At


def auto_pool_of(job: Json) -> JsonObject | None:
    """The pool that the service makes with a job, as the job's body describes it; None when there is none."""
    found = job
    for name in ("poolInfo", "autoPoolSpecification", "pool"):
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else None


@dataclass(frozen=True, slots=True)
class DesiredJob:
    """The job; `body` is None for an `existing` one. `uses` are the keys of the containers its body refers to.

    `prepared_hash` is over the content of the files that its nodes are prepared with, by its auto pool's start task and
    its job preparation task ("" without such files); it stands in the body's metadata under `batchspec:start`.
    """

    id: str
    existing: bool
    body: JsonObject | None
    hash: str
    uses: frozenset[str]
    at: At
    prepared_hash: str = ""

    @property
    def has_manager(self) -> bool:
        """Whether a task of the job itself adds others to it."""
        return "jobManagerTask" in (self.body or {})


@dataclass(frozen=True, slots=True)
class DesiredSchedule:
    """The job schedule; `body` is None for an `existing` one. `uses` are as those of a job.

    `prepared_hash` is over the content of the files that the nodes of a pool that lives with the schedule are prepared
    with ("" without such files); it stands in the body's metadata under `batchspec:start`.
    """

    id: str
    existing: bool
    body: JsonObject | None
    hash: str
    uses: frozenset[str]
    at: At
    prepared_hash: str = ""

    @property
    def jobs(self) -> JsonObject | None:
        """What its jobs are like: `jobSpecification`; None for an `existing` one."""
        found = (self.body or {}).get("jobSpecification")
        return found if isinstance(found, dict) else None

    @property
    def keeps_pool(self) -> bool:
        """Whether all of its jobs run on one pool, which lives as long as the schedule."""
        info = (self.jobs or {}).get("poolInfo")
        auto = info.get("autoPoolSpecification") if isinstance(info, dict) else None
        return isinstance(auto, dict) and auto.get("poolLifetimeOption") == "jobschedule"


@dataclass(frozen=True, slots=True)
class DesiredTask:
    """One task: `hash` is what `BATCHSPEC_TASK_HASH` in `body` says; `uses` are keys of containers in the body.

    `template` is the index in `tasks:`; `at` where that template stands.
    """

    id: str
    body: JsonObject
    hash: str
    uses: frozenset[str]
    template: int
    at: At


@dataclass(frozen=True, slots=True)
class DesiredDownload:
    """Blobs of `container` (key) below `prefix` that match `pattern` (glob on the rest of the name) into `to`."""

    container: str
    to: Path
    shown_as: str
    prefix: str
    pattern: str
    at: At


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret's value, which neither `repr` nor `str` shows."""

    value: str = field(repr=False)

    def __str__(self) -> str:
        return "<secret>"


@dataclass(frozen=True, slots=True)
class Desired:
    """Everything a spec asks for, rendered.

    `tasks()` gives a fresh stream of DesiredTask each time, in the order of the templates and their generators; it
    raises SpecInvalid for a task that cannot be rendered (after `desired.check_tasks` has passed it does not).
    `secrets` are the values for the symbols of kind `secret`; `shown_as` is the spec's path as the person gave it.
    `os` is that of the nodes. `notes()` are what a person should know of the tasks. `listings` are what generators want
    of containers, None for what has not been listed: the tasks made of it are not in the stream then. `source` is the
    spec as it is written, `variables` are the values of its variables, but for secrets, and `rows` the files of rows
    that the stream was made of so far, by what the spec calls them. With a `schedule` there is no job and no task.
    """

    name: str
    shown_as: str
    containers: Mapping[str, DesiredContainer]
    uploads: Mapping[str, DesiredUpload]
    pool: DesiredPool | None
    job: DesiredJob | None
    tasks: Callable[[], Iterator[DesiredTask]]
    wait_timeout: timedelta
    downloads: tuple[DesiredDownload, ...]
    cleanup_after_success: tuple[str, ...]
    secrets: Mapping[str, Secret]
    os: Os = "linux"
    listings: Mapping[BlobQuery, Listing | None] = field(default_factory=dict)
    notes: Callable[[], Sequence[str]] = tuple
    source: object = None
    variables: Mapping[str, object] = field(default_factory=dict)
    rows: Mapping[str, LocalFile] = field(default_factory=dict)
    schedule: DesiredSchedule | None = None

    @property
    def described_job(self) -> JsonObject | None:
        """The body of the job, or what a schedule's jobs are like; None for existing ones and without either."""
        if self.schedule is not None:
            return self.schedule.jobs
        return self.job.body if self.job else None

    @property
    def auto_pool(self) -> JsonObject | None:
        """The pool that lives with the job or the schedule, as it is described there; None when there is none."""
        return auto_pool_of(self.described_job)

    @property
    def described_pool(self) -> JsonObject | None:
        """The body of the pool that the tasks run on, own or auto; None for an existing one and without pool."""
        return self.pool.body if self.pool else self.auto_pool

    @property
    def unlisted(self) -> tuple[BlobQuery, ...]:
        """The queries that somebody must ask the service before the stream of tasks is complete."""
        return tuple(query for query, listing in self.listings.items() if listing is None)
