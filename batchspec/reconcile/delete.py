"""What a spec owns becomes nothing: the `delete` command.

Place in the pipeline: beside `apply`, from the same marks. In: `Desired` and the services. Out: first a `Deletion` that
lists exactly what would go, then, once a person agreed, the effects. It never deletes what does not carry the spec's
mark, what the spec says exists, and what `keep` (in the spec or on the command line) names. What carries the mark and
is no longer named in the spec goes too.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from batchspec.reconcile.change import Change, Reason
from batchspec.reconcile.clock import Clock, SystemClock
from batchspec.reconcile.concurrency import for_each, task_group
from batchspec.reconcile.gone import Sort, delete_and_wait
from batchspec.reconcile.lock import lock_container, locked
from batchspec.reconcile.marks import owner_of, owns, task_hash_of
from batchspec.reconcile.observe import find_strays
from batchspec.reconcile.ports import Services
from batchspec.reconcile.report import Advanced, Finished, Reporter, Started
from batchspec.render.model import Desired, DesiredJob, DesiredPool, DesiredSchedule

_STRAY = Reason("no longer in the spec")
_OF_A_JOB = Reason("came with a job of this spec")
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Deletion:
    """What would be deleted (schedules, jobs, pools, containers, our blobs and tasks in others' ones) and what is left.

    `revoked` are names of our containers that stay and whose SAS tokens die, unless the job or pool that may hold them
    stays too. `desired` is what it was made from.
    """

    desired: Desired
    items: tuple[Change, ...]
    notes: tuple[str, ...]
    revoked: tuple[str, ...]


async def deletion(desired: Desired, services: Services, *, keep: Collection[str] = frozenset()) -> Deletion:
    """What `delete` would delete. `keep` holds `pool`, `job`, `schedule` and `container.KEY`; reads only."""
    strays = await find_strays(desired, services)
    items: list[Change] = []
    notes: list[str] = []
    items += await _named("schedule", desired.schedule, desired, services, keep, notes)
    items += [Change("delete", "schedule", name, (_STRAY,)) for name in strays.schedules]
    items += await _named("job", desired.job, desired, services, keep, notes)
    items += [Change("delete", "job", name, (_STRAY,)) for name in strays.jobs]
    items += await _named("pool", desired.pool, desired, services, keep, notes)
    items += [Change("delete", "pool", name, (_STRAY,)) for name in strays.pools]
    # With a job or schedule that stays its pool stays.
    stays = bool({"job", "schedule"} & set(keep))
    items += [Change("delete", "pool", name, (_OF_A_JOB,)) for name in strays.auto_pools if not stays]
    kept = await _containers(desired, services, keep, items, notes)
    items += [Change("delete", "container", name, (_STRAY,)) for name in strays.containers]
    items += await _blobs_elsewhere(desired, services)
    items += [] if "job" in keep else await _tasks_elsewhere(desired, services)
    return Deletion(desired, tuple(items), tuple(notes), () if stays or "pool" in keep else tuple(kept))


async def _named(
    kind: Sort,
    wanted: DesiredPool | DesiredJob | DesiredSchedule | None,
    desired: Desired,
    services: Services,
    keep: Collection[str],
    notes: list[str],
) -> list[Change]:
    if wanted is None or wanted.existing:
        return []
    batch = services.batch
    get = {"job": batch.get_job, "pool": batch.get_pool, "schedule": batch.get_schedule}[kind]
    there = await get(wanted.id)
    if there is None:
        return []
    if owner_of(there) != desired.name:
        notes.append(f"{kind} {wanted.id} is not this spec's and stays")
    elif kind in keep:
        notes.append(f"{kind} {wanted.id} stays (--keep)")
    else:
        return [Change("delete", kind, wanted.id)]
    return []


async def _containers(
    desired: Desired, services: Services, keep: Collection[str], items: list[Change], notes: list[str]
) -> list[str]:
    kept: list[str] = []
    for key, container in desired.containers.items():
        there = None if container.existing else await services.blobs.get_container(container.name)
        if there is None:
            continue
        if not owns(desired.name, there):
            notes.append(f"container {container.name} is not this spec's and stays")
        elif container.keep or f"container.{key}" in keep:
            notes.append(f"container {container.name} stays ({'keep: true' if container.keep else '--keep'})")
            kept.append(container.name)
        else:
            items.append(Change("delete", "container", container.name, key=key))
    return kept


async def _blobs_elsewhere(desired: Desired, services: Services) -> list[Change]:
    """Our uploads in containers that are not ours."""
    found: dict[str, Change] = {}
    for upload in desired.uploads.values():
        container = desired.containers[upload.container]
        if container.existing:
            async for blob in services.blobs.list_blobs(container.name, upload.prefix):
                if owns(desired.name, blob):
                    blob_id = f"{container.name}/{blob.name}"
                    found[blob_id] = Change("delete", "upload", blob_id, key=upload.key, size=blob.size)
    return list(found.values())


async def _tasks_elsewhere(desired: Desired, services: Services) -> list[Change]:
    """Our tasks in a job that is not ours."""
    job = desired.job
    if job is None or not job.existing or await services.batch.get_job(job.id) is None:
        return []
    listed = services.batch.list_tasks(job.id, select="id,environmentSettings")
    return [Change("delete", "task", str(one["id"])) async for one in listed if task_hash_of(one, desired.name)]


async def delete(agreed: Deletion, services: Services, *, report: Reporter, clock: Clock | None = None) -> None:
    """Delete what was agreed to and is still ours, and wait until it is gone. Safe to repeat after an interruption.

    Raises Locked while another client applies the spec, TimedOut after 15 minutes for one resource.
    """
    clock = clock or SystemClock()
    began = clock.now()
    report(Started("delete", len(agreed.items)))
    done = 0

    def tell(change: Change) -> None:
        nonlocal done
        done += 1
        report(Advanced("delete", done, len(agreed.items), item=f"{change.kind} {change.id}"))

    async with locked(agreed.desired, services):
        now = {(one.kind, one.id) for one in (await deletion(agreed.desired, services)).items}
        items = [one for one in agreed.items if (one.kind, one.id) in now]
        # First of all, so that a second run need not know whether the first came so far.
        for name in agreed.revoked:
            await services.blobs.revoke(name)
        async with task_group() as group:
            for change in items:
                if change.kind in ("schedule", "job", "pool"):
                    group.create_task(_delete_in_batch(change, change.kind, services, clock, tell))
        tasks = [change for change in items if change.kind == "task"]
        await for_each(tasks, lambda change: _delete_task(change, agreed.desired, services, tell), at_once=_AT_ONCE)
        # With its container goes the lock, so that one is the last.
        last = lock_container(agreed.desired)
        blobs = [change for change in items if change.kind in ("container", "upload") and change.id != last]
        await for_each(blobs, lambda change: _delete_blobs(change, services, tell), at_once=_AT_ONCE)
        for change in items:
            if change.kind == "container" and change.id == last:
                await _delete_blobs(change, services, tell)
    report(Finished("delete", f"{done} deleted", clock.now() - began))


async def _delete_in_batch(
    change: Change, sort: Sort, services: Services, clock: Clock, tell: Callable[[Change], None]
) -> None:
    await delete_and_wait(services.batch, sort, change.id, clock)
    tell(change)


async def _delete_task(change: Change, desired: Desired, services: Services, tell: Callable[[Change], None]) -> None:
    assert desired.job is not None
    await services.batch.delete_task(desired.job.id, change.id)
    tell(change)


async def _delete_blobs(change: Change, services: Services, tell: Callable[[Change], None]) -> None:
    if change.kind == "container":
        await services.blobs.delete_container(change.id)
    else:
        container, _, name = change.id.partition("/")
        await services.blobs.delete_blob(container, name)
    tell(change)
