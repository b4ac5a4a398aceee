"""What the services hold of a spec: services -> `Observed`.

Place in the pipeline: between `render` and `plan`. In: `Desired` and the two ports. Out: one snapshot, taken with reads
only, concurrently. It never writes and never decides.

Requests: one each for pool and job (of a schedule also its last job and how many tasks of it run), one per container,
one page stream per container that uploads or downloads name, the tasks of the job with just the properties that
fingerprints need, and the account's pools, jobs, schedules and containers by name and metadata, to find what carries
our mark and is no longer named. All nodes are listed, and those that run tasks counted, only when the start task or the
pool changed or a reboot is pending, otherwise those that failed; images only when a pool that needs its node agent SKU
is missing or changed or comes with its job, or when preflight is thorough. A formula that a pool is to scale by is
evaluated by the service when it is new to a pool that scales already, or thoroughly looked at.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from batchspec.errors import BatchspecError
from batchspec.reconcile.account import POOL_PROPERTIES, WORK_PROPERTIES, Unknown, Use, in_use
from batchspec.reconcile.addresses import Address, addresses, unknown
from batchspec.reconcile.concurrency import task_group
from batchspec.reconcile.images import looks_up_sku
from batchspec.reconcile.marks import (
    AUTO_KEY,
    REBOOT_KEY,
    START_KEY,
    hash_of,
    metadata_of,
    owner_of,
    owns,
    task_hash_of,
)
from batchspec.reconcile.outcome import PREPARATION, RELEASE
from batchspec.reconcile.pool_reasons import pool_reasons
from batchspec.reconcile.ports import BatchService, BlobState, BlobStore, ContainerState, Services
from batchspec.reconcile.preparation import failed
from batchspec.reconcile.scaling import Evaluation, foreseen
from batchspec.render.model import Desired, DesiredPool, JsonObject
from batchspec.render.symbolic import Json

# How Batch deals with a task: no part of its fingerprint, since its result does not depend on it.
HANDLING = ("exitConditions", "requiredSlots")
_TASK_PROPERTIES = ",".join(("id", "state", "executionInfo", "environmentSettings", "constraints", *HANDLING))
_NODE_PROPERTIES = "id,state,lastBootTime,startTaskInfo"
# Nodes that can run nothing until they boot again.
HOPELESS = "state eq 'starttaskfailed' or state eq 'unusable'"


@dataclass(frozen=True, slots=True)
class ObservedTask:
    """A task as it is: `hash` is None when it is not this spec's; `failure_code` is "" unless it failed.

    `ended` is when it ended, as the service says it, "" while it has not. `handling` has the properties of `HANDLING`.
    """

    id: str
    state: str
    failed: bool
    failure_code: str
    hash: str | None
    constraints: JsonObject
    ended: str = ""
    handling: JsonObject = field(default_factory=dict)

    @property
    def completed(self) -> bool:
        """Whether it has ended, well or not."""
        return self.state == "completed"


@dataclass(frozen=True, slots=True)
class ObservedNode:
    """A node as it is; `booted` is None when the service does not say."""

    id: str
    state: str
    booted: datetime | None


@dataclass(frozen=True, slots=True)
class Strays:
    """Ids of pools, jobs, schedules and containers that carry the spec's mark and that it no longer names; sorted.

    `auto_pools` carry it too: pools that the service made with a job of the spec, which nobody names.
    """

    pools: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()
    schedules: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    auto_pools: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Observed:
    """A snapshot. `containers` by name, `blobs` by container name and blob name, `tasks` by lower-cased id.

    `failed_nodes` are the ids of the own pool's nodes that can run nothing, `running_nodes` how many run tasks, told of
    a pool that differs or when asked for. `use` is what the whole account has. `address` says what the symbols of
    bodies stand for. `scaling` is what the service makes of the pool's formula, None when it was not asked.
    `failed_preparations` and `failed_releases` are ids of nodes where these tasks of the job failed.
    `unread` says of containers, by name, why nobody here may look into them: they are taken to be there, and no more.
    `newest_job` is the last job that the `schedule` made, None before the first, `running_tasks` how many of its tasks
    run.
    """

    containers: Mapping[str, ContainerState]
    blobs: Mapping[str, Mapping[str, BlobState]]
    pool: JsonObject | None
    nodes: tuple[ObservedNode, ...]
    images: tuple[JsonObject, ...]
    job: JsonObject | None
    tasks: Mapping[str, ObservedTask]
    strays: Strays
    failed_nodes: tuple[str, ...] = ()
    use: Use = field(default_factory=Use)
    address: Address = unknown
    running_nodes: int = 0
    scaling: Evaluation | Unknown | None = None
    unread: Mapping[str, BatchspecError] = field(default_factory=dict)
    failed_preparations: tuple[str, ...] = ()
    failed_releases: tuple[str, ...] = ()
    schedule: JsonObject | None = None
    newest_job: JsonObject | None = None
    running_tasks: int = 0


async def observe(desired: Desired, services: Services, *, thorough: bool = False, running: bool = False) -> Observed:
    """Read everything a plan needs; `thorough` also what only checks need: the images, what a formula gives.

    `running` counts the nodes that run tasks also of a pool that is as the spec says.

    Raises ServiceRefused and ServiceUnreachable.
    """
    batch, blobs = services.batch, services.blobs
    address = addresses(desired, blobs)
    unread = _unread(desired, blobs)
    async with task_group() as group:
        containers = group.create_task(_containers(desired, blobs))
        listed = {name: prefix for name, prefix in _listed(desired).items() if name not in unread}
        listings = {name: group.create_task(_blobs(blobs, name, prefix)) for name, prefix in listed.items()}
        pool = group.create_task(_pool(desired, batch, address, thorough=thorough, running=running))
        job = group.create_task(_job(desired, batch))
        scheduled = group.create_task(_schedule(desired, batch))
        account = group.create_task(_account(desired, services))
    of_pool = pool.result()
    observed_job, tasks, unprepared, unreleased = job.result()
    strays, use = account.result()
    schedule, newest_job, running_tasks = scheduled.result()
    return Observed(
        containers=containers.result(),
        blobs={name: listing.result() for name, listing in listings.items()},
        pool=of_pool.pool,
        nodes=of_pool.nodes,
        images=of_pool.images,
        job=observed_job,
        tasks=tasks,
        strays=strays,
        failed_nodes=of_pool.failed_nodes,
        running_nodes=of_pool.running_nodes,
        scaling=of_pool.scaling,
        use=use,
        address=address,
        unread=unread,
        failed_preparations=unprepared,
        failed_releases=unreleased,
        schedule=schedule,
        newest_job=newest_job,
        running_tasks=running_tasks,
    )


def _unread(desired: Desired, store: BlobStore) -> dict[str, BatchspecError]:
    reasons = {one.name: store.unreadable(one.name) for one in desired.containers.values()}
    return {name: reason for name, reason in reasons.items() if reason is not None}


async def _containers(desired: Desired, store: BlobStore) -> dict[str, ContainerState]:
    names = [container.name for container in desired.containers.values()]
    states = await asyncio.gather(*map(store.get_container, names))
    return {name: state for name, state in zip(names, states, strict=True) if state is not None}


def _listed(desired: Desired) -> dict[str, str]:
    """Containers to list, each with the longest prefix that covers all its uploads and downloads."""
    prefixes: dict[str, str] = {}
    uploads = [(upload.container, upload.prefix) for upload in desired.uploads.values()]
    downloads = [(download.container, download.prefix) for download in desired.downloads]
    for key, prefix in uploads + downloads:
        name = desired.containers[key].name
        prefixes[name] = _shared(prefixes.get(name, prefix), prefix)
    return prefixes


def _shared(one: str, other: str) -> str:
    length = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        length += 1
    return one[:length]


async def _blobs(store: BlobStore, container: str, prefix: str) -> dict[str, BlobState]:
    return {blob.name: blob async for blob in store.list_blobs(container, prefix)}


@dataclass(frozen=True, slots=True)
class _Pool:
    """The spec's pool as it is, and what else must be known of it."""

    pool: JsonObject | None = None
    nodes: tuple[ObservedNode, ...] = ()
    images: tuple[JsonObject, ...] = ()
    failed_nodes: tuple[str, ...] = ()
    running_nodes: int = 0
    scaling: Evaluation | Unknown | None = None


async def _pool(desired: Desired, batch: BatchService, address: Address, *, thorough: bool, running: bool) -> _Pool:
    wanted = desired.pool
    if wanted is None:
        # The pool is made whenever the job is, and what else may make a new job necessary is not known yet.
        return _Pool(images=await _images(batch) if thorough or looks_up_sku(desired.auto_pool) else ())
    pool = await batch.get_pool(wanted.id)
    there = pool if not is_missing(pool) and wanted.body is not None else None
    differs = there is not None and _differs(wanted, there, address)
    nodes: tuple[ObservedNode, ...] = ()
    if differs or REBOOT_KEY in metadata_of(there):
        nodes = tuple([_node(node) async for node in batch.list_nodes(wanted.id, select=_NODE_PROPERTIES)])
    images: tuple[JsonObject, ...] = ()
    if thorough or ((there is None or differs) and looks_up_sku(wanted.body)):
        images = await _images(batch)
    failed: tuple[str, ...] = ()
    if there is not None:
        failed = tuple([str(node["id"]) async for node in batch.list_nodes(wanted.id, filter=HOPELESS, select="id")])
    at_work = _running(await batch.node_counts(wanted.id)) if differs or (running and there is not None) else 0
    scaling = None if is_missing(pool) else await foreseen(wanted, pool, batch, thorough=thorough)
    return _Pool(pool, nodes, images, failed, at_work, scaling)


def _differs(wanted: DesiredPool, there: JsonObject, address: Address) -> bool:
    """Whether the pool is not as the spec says, in whatever way."""
    start_task = metadata_of(there).get(START_KEY, "")
    return (
        start_task != wanted.start_task_hash
        or hash_of(there) != wanted.hash
        or bool(pool_reasons(wanted, there, address))
    )


async def _images(batch: BatchService) -> tuple[JsonObject, ...]:
    return tuple([image async for image in batch.list_images()])


def _running(counts: JsonObject | None) -> int:
    """How many nodes run tasks, by an entry of GET /nodecounts."""
    groups = [(counts or {}).get(sort) for sort in ("dedicated", "lowPriority")]
    found = [group.get("running") for group in groups if isinstance(group, dict)]
    return sum(number for number in found if isinstance(number, int))


def is_missing(resource: JsonObject | None) -> bool:
    """Whether a pool or job is not there, or will not be: one that is being deleted is waited for, never an error."""
    return resource is None or resource.get("state") == "deleting"


def _node(node: JsonObject) -> ObservedNode:
    return ObservedNode(str(node.get("id")), str(node.get("state")), time_of(node.get("lastBootTime")))


def time_of(value: Json) -> datetime | None:
    """A time of the service (UTC, up to 7 decimals, of which 6 are kept)."""
    return datetime.fromisoformat(value) if isinstance(value, str) else None


async def _job(
    desired: Desired, batch: BatchService
) -> tuple[JsonObject | None, dict[str, ObservedTask], tuple[str, ...], tuple[str, ...]]:
    """The job, its tasks, and the nodes where its preparation and its release failed."""
    if desired.job is None:
        return None, {}, (), ()
    job = await batch.get_job(desired.job.id)
    if is_missing(job):
        return job, {}, (), ()
    listed = batch.list_tasks(desired.job.id, select=_TASK_PROPERTIES)
    tasks = await _tasks(listed, desired.name)
    unprepared, unreleased = [
        tuple(str(status.get("nodeId")) for status in await failed(batch, job, kind)) for kind in (PREPARATION, RELEASE)
    ]
    return job, tasks, unprepared, unreleased


async def _schedule(desired: Desired, batch: BatchService) -> tuple[JsonObject | None, JsonObject | None, int]:
    """The schedule, the last job that it made, and how many tasks of that run."""
    schedule = await batch.get_schedule(desired.schedule.id) if desired.schedule else None
    job_id = None if is_missing(schedule) else newest_job_of(schedule)
    job = await batch.get_job(job_id) if job_id is not None else None
    if job_id is None or job is None or job.get("state") == "completed":
        return schedule, job, 0
    counts = (await batch.task_counts(job_id) or {}).get("taskCounts")
    running = counts.get("running") if isinstance(counts, dict) else None
    return schedule, job, running if isinstance(running, int) else 0


def newest_job_of(schedule: JsonObject | None) -> str | None:
    """The id of the last job that a schedule made, None before the first."""
    info = (schedule or {}).get("executionInfo")
    recent = info.get("recentJob") if isinstance(info, dict) else None
    found = recent.get("id") if isinstance(recent, dict) else None
    return found if isinstance(found, str) and found else None


def state_of(task: JsonObject) -> str:
    """Where a task is: active, running (preparing too), succeeded or failed."""
    state = str(task.get("state", "")).lower()
    if state != "completed":
        return "active" if state == "active" else "running"
    info = task.get("executionInfo")
    return "failed" if isinstance(info, dict) and str(info.get("result", "")).lower() == "failure" else "succeeded"


async def _tasks(listed: AsyncIterator[JsonObject], owner: str) -> dict[str, ObservedTask]:
    """The tasks by lower-cased id; there may be a million, so what many of them have in common is held once."""
    found: dict[str, ObservedTask] = {}
    same: dict[str, JsonObject] = {}
    async for one in listed:
        task = _task(one, owner)
        found[task.id.casefold()] = replace(
            task,
            state=sys.intern(task.state),
            failure_code=sys.intern(task.failure_code),
            constraints=same.setdefault(repr(task.constraints), task.constraints),
            handling=same.setdefault(repr(task.handling), task.handling),
        )
    return found


def _task(task: JsonObject, owner: str) -> ObservedTask:
    info = task.get("executionInfo")
    info = info if isinstance(info, dict) else {}
    failure = info.get("failureInfo")
    constraints = task.get("constraints")
    return ObservedTask(
        id=str(task["id"]),
        state=str(task.get("state", "")).lower(),
        failed=state_of(task) == "failed",
        failure_code=str(failure.get("code", "")) if isinstance(failure, dict) else "",
        hash=task_hash_of(task, owner),
        constraints=constraints if isinstance(constraints, dict) else {},
        ended=str(info.get("endTime", "")),
        handling={key: task[key] for key in HANDLING if key in task},
    )


async def find_strays(desired: Desired, services: Services) -> Strays:
    """What carries the spec's mark and is no longer named by it."""
    strays, _ = await _account(desired, services)
    return strays


async def _account(desired: Desired, services: Services) -> tuple[Strays, Use]:
    """What of the whole account the spec no longer names, and how much it has."""
    named_pool = desired.pool.id.casefold() if desired.pool else ""
    named_job = desired.job.id.casefold() if desired.job else ""
    named_schedule = desired.schedule.id.casefold() if desired.schedule else ""
    named = {container.name for container in desired.containers.values()}
    pools = [pool async for pool in services.batch.list_pools(select=POOL_PROPERTIES)]
    jobs = [job async for job in services.batch.list_jobs(select=WORK_PROPERTIES)]
    schedules = [schedule async for schedule in services.batch.list_schedules(select=WORK_PROPERTIES)]
    containers = [
        container.name
        async for container in services.blobs.list_containers()
        if container.name not in named and owns(desired.name, container)
    ]
    own = [pool for pool in pools if AUTO_KEY not in metadata_of(pool)]
    strays = Strays(
        pools=_marked(own, desired.name, named_pool),
        jobs=_marked(jobs, desired.name, named_job),
        schedules=_marked(schedules, desired.name, named_schedule),
        containers=tuple(sorted(containers)),
        auto_pools=_marked([pool for pool in pools if AUTO_KEY in metadata_of(pool)], desired.name, ""),
    )
    return strays, in_use(pools, (*jobs, *schedules))


def _marked(resources: Sequence[JsonObject], owner: str, named: str) -> tuple[str, ...]:
    found = [
        str(one["id"])
        for one in resources
        if owner_of(one) == owner and str(one["id"]).casefold() != named and one.get("state") != "deleting"
    ]
    return tuple(sorted(found))
