"""What tests of `reconcile` need: specs rendered by hand, a world of fake services in virtual time, and crashes.

`Workload` is a small spec in the manner of the word-count tutorial; `dataclasses.replace` makes an edited one. `World`
holds the fakes; its tasks end as soon as they are added and leave a result, unless told otherwise.
"""

import asyncio
import shutil
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from batchspec.reconcile.apply import Applied, Approval, apply
from batchspec.reconcile.asked import Asked, Retried, retry_all
from batchspec.reconcile.change import Plan
from batchspec.reconcile.marks import RUN_KEY, START_KEY
from batchspec.reconcile.observe import Observed, observe
from batchspec.reconcile.plan import plan
from batchspec.reconcile.ports import Services
from batchspec.reconcile.report import Event, Noted
from batchspec.render.hashes import fingerprint, task_fingerprint
from batchspec.render.model import (
    HASH_KEY,
    OWNER_KEY,
    TASK_HASH_SETTING,
    Desired,
    DesiredContainer,
    DesiredDownload,
    DesiredJob,
    DesiredPool,
    DesiredTask,
    DesiredUpload,
    JsonObject,
    LocalFile,
    Secret,
)
from batchspec.render.symbolic import Json, symbol
from tests.fakes import FakeBatch, FakeBlobs

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
Texts = dict[str, str]


def marked(body: JsonObject, owner: str, **more: str) -> tuple[JsonObject, str]:
    """A pool's or job's body with marks, and its fingerprint."""
    mark = fingerprint(body)
    items: list[Json] = [{"name": OWNER_KEY, "value": owner}, {"name": HASH_KEY, "value": mark}]
    items += [{"name": f"batchspec:{key}", "value": value} for key, value in more.items() if value]
    return {**body, "metadata": items}, mark


@dataclass(frozen=True)
class Workload:
    """A spec of one task for each text, whose pool's start task needs an uploaded script."""

    folder: Path
    texts: Texts = field(default_factory=lambda: {"a.txt": "a a b", "b.txt": "b", "c.txt": "c c"})
    script: str = "count words"
    name: str = "words"
    nodes: int = 2
    vm_size: str = "standard_d2s_v3"
    pool: JsonObject = field(default_factory=dict)
    job: JsonObject = field(default_factory=dict)
    task: JsonObject = field(default_factory=dict)
    cleanup: tuple[str, ...] = ()
    keep: frozenset[str] = frozenset()
    existing: frozenset[str] = frozenset()
    prune: bool = False
    timeout: timedelta = timedelta(minutes=20)
    secrets: dict[str, Secret] = field(default_factory=dict)
    downloads: bool = True

    def desired(self) -> Desired:
        """The spec, rendered."""
        return Desired(
            name=self.name,
            shown_as=f"{self.name}.yaml",
            containers=self._containers(),
            uploads=self._uploads(),
            pool=self._pool(),
            job=self._job(),
            tasks=self._tasks,
            wait_timeout=self.timeout,
            downloads=(DesiredDownload("output", self.results, "results", "", "**", ()),) if self.downloads else (),
            cleanup_after_success=self.cleanup,
            secrets=self.secrets,
        )

    @property
    def results(self) -> Path:
        """Where downloads go."""
        return self.folder / "results"

    def _containers(self) -> dict[str, DesiredContainer]:
        return {
            key: DesiredContainer(key, f"{self.name}-{key}", key in self.existing, key in self.keep, ())
            for key in ("application", "input", "output")
        }

    def _file(self, name: str, content: str) -> LocalFile:
        # One file for each content, so that workloads of several contents can live side by side.
        path = self.folder / "files" / fingerprint(content) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return LocalFile(name, path, len(content.encode()))

    def _uploads(self) -> dict[str, DesiredUpload]:
        texts = [self._file(name, content) for name, content in sorted(self.texts.items())]
        script = [self._file("script.py", self.script)]
        uploads = {"script": DesiredUpload("script", "application", script, "", self.prune, ())}
        if texts:
            uploads["texts"] = DesiredUpload("texts", "input", texts, "", self.prune, ())
        return uploads

    def _start_hash(self) -> str:
        return fingerprint([self._start_task(), self.script])

    @staticmethod
    def _start_task() -> JsonObject:
        url = symbol("blob_sas_url", "application", "script.py")
        return {"commandLine": "cp script.py shared", "resourceFiles": [{"httpUrl": url, "filePath": "script.py"}]}

    def _pool(self) -> DesiredPool:
        pool_id = f"{self.name}-pool"
        if "pool" in self.existing:
            return DesiredPool(pool_id, True, None, "", "", frozenset(), ())
        size = {} if self.pool.get("enableAutoScale") else {"targetDedicatedNodes": self.nodes}
        body: JsonObject = {"id": pool_id, "vmSize": self.vm_size, "startTask": self._start_task(), **size, **self.pool}
        whole, mark = marked(body, self.name, start=self._start_hash())
        return DesiredPool(pool_id, False, whole, mark, self._start_hash(), frozenset({"application"}), ())

    def _job(self) -> DesiredJob:
        job_id = f"{self.name}-job"
        if "job" in self.existing:
            return DesiredJob(job_id, True, None, "", frozenset(), ())
        body, mark = marked({"id": job_id, "poolInfo": {"poolId": f"{self.name}-pool"}, **self.job}, self.name)
        return DesiredJob(job_id, False, body, mark, frozenset(), ())

    def _tasks(self) -> Iterator[DesiredTask]:
        for name, content in sorted(self.texts.items()):
            yield self._task(name, content)

    def _task(self, name: str, content: str) -> DesiredTask:
        task_id = name.partition(".")[0]
        settings: list[Json] = [{"name": "OUTPUT", "value": symbol("sas_url", "output", "cw")}]
        body: JsonObject = {
            "id": task_id,
            "commandLine": f"count {name}",
            "resourceFiles": [{"httpUrl": symbol("blob_sas_url", "input", name), "filePath": name}],
            "environmentSettings": settings,
            **self.task,
        }
        mark = f"{self.name}:{task_fingerprint(body, [content, self.script])}"
        body["environmentSettings"] = [*settings, {"name": TASK_HASH_SETTING, "value": mark}]
        return DesiredTask(task_id, body, mark, frozenset({"input", "output"}), 0, ())


@dataclass
class VirtualClock:
    """Time that passes when somebody sleeps; `on_sleep` is called after each."""

    seconds: float = 0.0
    on_sleep: Callable[[], Awaitable[None] | None] | None = None

    def now(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        await asyncio.sleep(0)
        result = self.on_sleep() if self.on_sleep is not None else None
        if result is not None:
            await result


class Killed(BaseException):
    """The client was killed: what it would have done does not happen."""


@dataclass
class Reaper:
    """Ends the client at one write: `at` counts writes to both services from 1; 0 never.

    A killed client does nothing any more, not even give back its lock; an `interrupted` one (Ctrl-C) is cancelled.
    """

    at: int = 0
    after: bool = False
    interrupted: asyncio.Task[Any] | None = None
    seen: int = 0
    dead: bool = False

    def write(self, *, after: bool) -> None:
        """A write is about to happen or has just happened."""
        self.seen += not after
        if self.seen == self.at and after == self.after:
            if self.interrupted is not None:
                self.interrupted.cancel()
            else:
                self.dead = True
                raise Killed

    def live(self) -> None:
        """Nothing happens after death."""
        if self.dead:
            raise Killed


WRITES_TO_BLOBS = {"create_container", "delete_container", "upload", "delete_blob", "acquire", "grant", "revoke"}


class MortalBatch(FakeBatch):
    """The fake Batch, with a reaper at every write."""

    reaper: Reaper = Reaper()

    async def _enter(self, operation: str, resource: str, *, write: bool) -> None:
        self.reaper.live()
        await super()._enter(operation, resource, write=write)
        if write:
            self.reaper.write(after=False)

    def _leave(self, operation: str) -> None:
        super()._leave(operation)
        self.reaper.write(after=True)


class MortalBlobs(FakeBlobs):
    """The fake storage, with a reaper at every write."""

    reaper: Reaper = Reaper()

    async def _enter(self, operation: str, resource: str, *, write: bool) -> None:
        self.reaper.live()
        await super()._enter(operation, resource, write=write)
        if write:
            self.reaper.write(after=False)

    def _leave(self, operation: str) -> None:
        super()._leave(operation)
        if operation in WRITES_TO_BLOBS:
            self.reaper.write(after=True)


def agree(shown: Plan) -> None:
    """Yes to every question."""


def allow(shown: Plan, seen: Observed) -> None:
    """Everything is allowed, as with `--force`."""


@dataclass
class World:
    """Both services, time, and what was told. `exit_code` decides how a task ends: None leaves it waiting."""

    batch: MortalBatch = field(default_factory=MortalBatch)
    blobs: MortalBlobs = field(default_factory=MortalBlobs)
    clock: VirtualClock = field(default_factory=VirtualClock)
    events: list[Event] = field(default_factory=list)
    ran: Counter[str] = field(default_factory=Counter)
    exit_code: Callable[[str], int | None] = field(default=lambda task_id: 0)

    def __post_init__(self) -> None:
        self.batch.run = self._run
        self.batch.now = self.blobs.now = self._now
        self.reaper = Reaper()

    @property
    def services(self) -> Services:
        """As one target."""
        return Services(self.batch, self.blobs, "the fake services")

    @property
    def reaper(self) -> Reaper:
        """Who ends the client."""
        return self.batch.reaper

    @reaper.setter
    def reaper(self, reaper: Reaper) -> None:
        self.batch.reaper = self.blobs.reaper = reaper

    def _now(self) -> datetime:
        return BEGIN + timedelta(seconds=self.clock.seconds)

    def _run(self, job_id: str, task: dict[str, Any]) -> int | None:
        self.ran[task["id"]] += 1
        code = self.exit_code(task["id"])
        if code == 0:
            mark = next(one["value"] for one in task["environmentSettings"] if one["name"] == TASK_HASH_SETTING)
            owner = job_id.removesuffix("-job")
            if f"{owner}-output" in self.blobs.containers:
                self.blobs.put(f"{owner}-output", f"{task['id']}_OUTPUT.txt", f"result {mark}".encode())
        return code

    async def apply(
        self,
        desired: Desired,
        *,
        confirm: Callable[[Plan], None] = agree,
        refuse: Callable[[Plan, Observed], None] = allow,
        wait: bool = True,
        retry_failed: bool = False,
        refresh_secrets: bool = False,
        retried: Retried = retry_all,
    ) -> Applied:
        """`apply` on these services, with a fresh log of calls."""
        self.batch.forget()
        self.blobs.forget()
        return await apply(
            desired,
            self.services,
            report=self.events.append,
            approval=Approval(agree, refuse, confirm),
            wait=wait,
            asked=Asked(retry_failed, refresh_secrets, retried),
            clock=self.clock,
        )

    async def plan(self, desired: Desired, *, retry_failed: bool = False, refresh_secrets: bool = False) -> Plan:
        """The plan now."""
        observed = await observe(desired, self.services)
        return plan(desired, observed, Asked(retry_failed, refresh_secrets))

    @property
    def writes(self) -> list[tuple[str, str]]:
        """Every write since the last `apply` began, locks and grants included."""
        return [*self.blobs.writes, *self.batch.writes]

    @property
    def changes(self) -> list[tuple[str, str]]:
        """The writes that change what a person sees: no locks, no grants."""
        return [one for one in self.writes if one[0] not in ("acquire", "release", "grant")]

    @property
    def notes(self) -> list[str]:
        """What was noted."""
        return [event.text for event in self.events if isinstance(event, Noted)]

    def let_leases_end(self) -> None:
        """A minute passes: the lease of a killed client ends."""
        for container in self.blobs.containers.values():
            container.lease = None

    async def let_deletions_end(self) -> None:
        """Time passes: what is being deleted goes."""
        for _ in range(self.batch.slow_deletes + 2):
            for pool_id in list(self.batch.pools):
                await self.batch.get_pool(pool_id)
            for job_id in list(self.batch.jobs):
                await self.batch.get_job(job_id)

    def finish_all(self, exit_code: int = 0) -> None:
        """End every unfinished task."""
        for job_id, tasks in self.batch.tasks.items():
            for task_id, task in list(tasks.items()):
                if task["state"] != "completed":
                    self.batch.finish(job_id, task_id, exit_code=exit_code)

    def state(self) -> dict[str, Any]:
        """What is there, without what differs from run to run (times, ETags, run ids)."""
        return {
            "pools": {name: _lasting(pool) for name, pool in self.batch.pools.items()},
            "nodes": {name: sorted(node["state"] for node in nodes) for name, nodes in self.batch.nodes.items()},
            "jobs": {name: _lasting(job) for name, job in self.batch.jobs.items()},
            "tasks": {job: {name: _lasting(task) for name, task in all_.items()} for job, all_ in self._tasks()},
            "containers": {
                name: (
                    _lasting(holder.metadata),
                    {blob: (one.content, one.metadata) for blob, one in holder.blobs.items()},
                )
                for name, holder in self.blobs.containers.items()
            },
        }

    def _tasks(self) -> Iterator[tuple[str, dict[str, Any]]]:
        yield from ((job, tasks) for job, tasks in self.batch.tasks.items() if job in self.batch.jobs)


_VOLATILE = {
    "eTag",
    "lastModified",
    "creationTime",
    "stateTransitionTime",
    "startTime",
    "endTime",
    "lastBootTime",
}


def _lasting(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: _lasting(one) for key, one in value.items() if key not in _VOLATILE}
        if isinstance(kept.get("metadata"), list):
            kept["metadata"] = sorted((one["name"], one["value"]) for one in kept["metadata"] if one["name"] != RUN_KEY)
        return kept
    return [_lasting(one) for one in value] if isinstance(value, list) else value


def files_below(folder: Path) -> dict[str, str]:
    """Every file below a folder, by relative path."""
    return {
        str(path.relative_to(folder)): path.read_text(errors="replace")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def without_results(workload: Workload) -> None:
    """As on another machine: nothing was downloaded yet."""
    shutil.rmtree(workload.results, ignore_errors=True)


__all__ = ["START_KEY", "Killed", "Reaper", "VirtualClock", "Workload", "World", "agree", "files_below", "marked"]
