"""What every part of a running engine shares.

Place: made by `Engine`, handed to the fleet, the scheduler, the jobs and the handlers. In: settings. Out: the store,
the clock, the folders, the runs in progress, and background work that is never lost sight of. It decides nothing.
"""

import asyncio
import logging
import os
import shutil
import sqlite3
import stat
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from batchspec.engine.attempt import Carrier
from batchspec.engine.clock import Clock
from batchspec.engine.containers import Containers
from batchspec.engine.faults import Faults
from batchspec.engine.lifecycle import ExitReaction
from batchspec.engine.quotas import Quotas
from batchspec.engine.store import Store

if TYPE_CHECKING:
    from batchspec.engine.preparation import Preparations
    from batchspec.engine.task_run import TaskRun

_log = logging.getLogger("batchspec.engine")

_FULL_DISK_PAUSE_S = 0.5
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Settings:
    """How an engine is set up; `key` and `storage_key` are base64, `task_limit` counts ordinary tasks at once."""

    state_dir: Path
    host: str
    port: int
    account: str
    key: str
    task_limit: int
    version: str
    storage_account: str | None = None
    storage_key: str | None = None
    storage_endpoint: str | None = None
    quotas: Quotas = field(default_factory=Quotas)

    def __repr__(self) -> str:
        return f"Settings(state_dir={str(self.state_dir)!r}, host={self.host!r}, port={self.port}, keys masked)"


class Core:
    """The shared parts of one engine; `wake` and `task_ended` are set by the scheduler and the jobs."""

    def __init__(self, settings: Settings, clock: Clock, store: Store, carrier: Carrier) -> None:
        self.settings = settings
        self.clock = clock
        self.store = store
        self.carrier = carrier
        self.faults = Faults()
        self.containers = Containers(settings.state_dir)
        self.quotas = settings.quotas
        self.base_url = f"http://{settings.host}:{settings.port}"
        self.runs: dict[int, set[TaskRun]] = {}
        self.running = 0
        self.start_turn = asyncio.Lock()
        self.preparations: Preparations
        self.wake: Callable[[], None] = lambda: None
        self.task_ended: Callable[[int, ExitReaction | None], None] = lambda job, effect: None
        self.job_ended: Callable[[str], None] = lambda job_id: None
        self._background: set[asyncio.Task[Any]] = set()
        self._elevation_was_said = False

    @property
    def nodes_dir(self) -> Path:
        return self.settings.state_dir / "nodes"

    @property
    def trash_dir(self) -> Path:
        return self.settings.state_dir / "trash"

    async def written(self, write: Callable[[], T]) -> T:
        """Do `write` in a transaction; when the disk is full, again and again until there is room."""
        while True:
            try:
                with self.store.transaction():
                    return write()
            except sqlite3.OperationalError as error:
                _log.error("the engine's state cannot be written: %s", error)
                self.store.free_reserve()
                await self.pause(_FULL_DISK_PAUSE_S)

    async def pause(self, seconds: float) -> None:
        """Wait, by the engine's clock."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        timer = self.clock.call_later(seconds, lambda: None if waiter.done() else waiter.set_result(None))
        try:
            await waiter
        finally:
            timer.cancel()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do something in the background; a fault of it is logged, never lost."""
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._background.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("background work failed", exc_info=error)

    async def finish_background(self) -> None:
        """Wait for all background work, and for what it starts."""
        while self._background:
            await asyncio.wait(set(self._background))

    def cancel_background(self) -> None:
        """Call off all background work; what it was doing is found again at the next start."""
        for task in self._background:
            task.cancel()

    async def brief(self, work: "asyncio.Task[None]", limit_s: float = 2.0) -> None:
        """Wait for background work, but not long: a poller that finds it done need not wait 5 s to ask again."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def over(*_: object) -> None:
            if not waiter.done():
                waiter.set_result(None)

        timer = self.clock.call_later(limit_s, over)
        work.add_done_callback(over)
        await waiter
        timer.cancel()

    def mind_elevation(self, user_identity: dict[str, Any]) -> None:
        """Say once that elevated tasks run as the engine's own user, when that is not root."""
        elevated = user_identity.get("autoUser", {}).get("elevationLevel") == "admin"
        if elevated and not self._elevation_was_said and os.geteuid() != 0:
            self._elevation_was_said = True
            _log.warning("tasks that ask for admin rights run as user %d: the engine is not root", os.geteuid())

    def discard(self, folder: Path) -> None:
        """Remove a folder: out of sight at once, from the disk in the background."""
        target = self.trash_dir / uuid.uuid4().hex
        try:
            folder.rename(target)
        except FileNotFoundError:
            return
        self.spawn(empty(target))


async def empty(folder: Path) -> None:
    """Delete a folder with whatever permissions tasks gave its parts."""
    await asyncio.to_thread(shutil.rmtree, folder, onerror=_force)


def _force(function: Callable[[str], object], path: str, error: object) -> None:
    for target in (str(Path(path).parent), path):
        try:
            if not Path(target).is_symlink():
                Path(target).chmod(stat.S_IRWXU)
        except OSError:
            pass
    try:
        function(path)
    except OSError:
        # Another user's file, or a mount: it stays in the trash and is tried again at the next start.
        _log.warning("could not remove %s", path)
