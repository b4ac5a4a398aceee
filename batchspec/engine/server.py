"""The engine as a whole: an ASGI app that is an Azure Batch account, and what runs behind it.

Place: made by the daemon in the serving process (and by tests). In: `Settings`. Out: `Engine.app`, to be served on
exactly the host and port of the settings. It never listens itself and never touches Azurite.

Start is recovery: there is one way to begin, whether the engine was stopped, killed or never ran. Leftover processes
end, running tasks go back to the queue, interrupted boots, deletions and terminations go on.
"""

import logging
import re
import uuid
from collections.abc import Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from batchspec.engine.account_api import AccountApi
from batchspec.engine.admin_api import AdminApi
from batchspec.engine.autopool import AutoPools
from batchspec.engine.call import Desk
from batchspec.engine.certificate_api import CertificateApi
from batchspec.engine.clock import Clock, SystemClock
from batchspec.engine.core import Core, Settings, empty
from batchspec.engine.errors import BatchError
from batchspec.engine.fault_injection import Droppable, FaultyTransfer, Saboteur
from batchspec.engine.file_api import FileApi
from batchspec.engine.fleet import Fleet
from batchspec.engine.job_api import JobApi
from batchspec.engine.jobs import Jobs
from batchspec.engine.lifecycle import ExitReaction
from batchspec.engine.node_access_api import NodeAccessApi
from batchspec.engine.node_api import NodeApi
from batchspec.engine.pool_api import PoolApi
from batchspec.engine.pool_scaling import Scaling
from batchspec.engine.preparation import Preparations
from batchspec.engine.process import end_leftovers
from batchspec.engine.retention import Retention
from batchspec.engine.routes import Apis, Line, admin_lines, lines
from batchspec.engine.scaling_api import ScalingApi
from batchspec.engine.schedule_api import ScheduleApi
from batchspec.engine.scheduler import Scheduler
from batchspec.engine.schedules import Schedules
from batchspec.engine.storage import StorageAccount
from batchspec.engine.store import Store
from batchspec.engine.task_api import TaskApi

__all__ = ["UVICORN_OPTIONS", "Engine", "Settings"]

_log = logging.getLogger("batchspec.engine")

UVICORN_OPTIONS: dict[str, Any] = {
    "server_header": False,
    "access_log": False,
    "log_config": None,
    "lifespan": "off",
    "timeout_keep_alive": 75,
}
"""What uvicorn must be told: the app sends the service's own `Server` header."""

_SCHEDULABLE = """
SELECT 1 FROM jobs j JOIN tasks t INDEXED BY tasks_ready ON t.job = j.pk AND t.state = 'active' AND t.unmet = 0
WHERE j.pool = ? AND j.state = 'active' AND t.slots <= ? LIMIT 1
"""


class Engine:
    """An Azure Batch account on this machine."""

    def __init__(self, settings: Settings, *, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        for name in ("nodes", "trash"):
            (settings.state_dir / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        self._store = Store(settings.state_dir / "engine.sqlite3", self._clock)
        self._state_id = self._known_state_id()
        self._transfer = _transfer(settings)
        self._core = Core(settings, self._clock, self._store, self._transfer)
        self._transfer.faults = self._core.faults
        self._fleet = Fleet(self._core, self._state_id)
        self._scaling = Scaling(self._core, self._fleet)
        self._scheduler = Scheduler(self._core, self._fleet)
        pools = AutoPools(self._core, self._fleet)
        self._jobs = Jobs(self._core, pools)
        self._schedules = Schedules(self._core, self._jobs, pools)
        self._core.preparations = Preparations(self._core, self._state_id)
        self._retention = Retention(self._core)
        self._core.task_ended = self._task_ended
        self._last_request = self._clock.now()
        self.app = self._application()

    def _known_state_id(self) -> str:
        self._store.run("INSERT OR IGNORE INTO facts VALUES('state_id', ?)", uuid.uuid4().hex)
        state_id: str = self._store.one("SELECT value FROM facts WHERE name = 'state_id'")[0]
        return state_id

    def _application(self) -> Droppable:
        core, settings = self._core, self._core.settings
        apis = Apis(
            account=AccountApi(core),
            pools=PoolApi(core, self._fleet),
            scaling=ScalingApi(core, self._scaling),
            nodes=NodeApi(core, self._fleet),
            access=NodeAccessApi(core, self._fleet),
            certificates=CertificateApi(core),
            jobs=JobApi(core, self._jobs),
            schedules=ScheduleApi(core, self._schedules),
            tasks=TaskApi(core, self._jobs),
            task_files=FileApi(core, "task"),
            node_files=FileApi(core, "node"),
        )
        desk = Desk(settings, self._clock)
        saboteur = Saboteur(core, desk)
        table = lines(apis)
        admin = AdminApi(core, self._fleet, [line.name for line in table])
        routes = [self._route(desk, line, saboteur) for line in table]
        own = [self._route(desk, line, None) for line in admin_lines(admin)]
        return Droppable(Starlette(routes=[*own, *routes, self._unknown(desk, [*own, *routes])]))

    def _route(self, desk: Desk, line: Line, saboteur: Saboteur | None) -> Route:
        async def serve(request: Request) -> Response:
            self._last_request = self._clock.now()
            return await desk.serve(request, line, line.handler)

        async def faulty(request: Request) -> Response:
            assert saboteur is not None
            return await saboteur.serve(request, line.name, lambda: serve(request))

        endpoint = faulty if saboteur is not None else serve

        route = Route(line.path, endpoint, methods=[line.method], name=line.name)
        # Starlette answers HEAD wherever it answers GET; the service has HEAD only where it says so.
        route.methods = {line.method}
        return _with_any_name(route)

    def _unknown(self, desk: Desk, routes: Sequence[Route]) -> Route:
        async def endpoint(request: Request) -> Response:
            known = any(route.matches(request.scope)[0] is not Match.NONE for route in routes)
            return await desk.refuse(request, BatchError("UnsupportedHttpVerb" if known else "ResourceNotFound"))

        route = Route("/{path:path}", endpoint)
        route.methods = None
        return _with_any_name(route)

    def _task_ended(self, job: int, effect: ExitReaction | None) -> None:
        self._jobs.task_ended(job, effect)
        self._retention.look()

    # -- life

    async def start(self) -> None:
        """Recover what an earlier run left, and go to work. Idempotent after a kill at any moment."""
        ended = end_leftovers(f"{self._state_id}/")
        if ended:
            _log.info("ended %d processes of an earlier run", ended)
        self._requeue_interrupted()
        for leftover in self._core.trash_dir.iterdir():
            self._core.spawn(empty(leftover))
        self._core.spawn(self._core.containers.sweep())
        self._fleet.recover()
        self._scaling.recover()
        self._jobs.recover()
        self._schedules.recover()
        self._retention.look()
        self._scheduler.wake()

    def _requeue_interrupted(self) -> None:
        interrupted = "SELECT pk FROM tasks WHERE state IN ('running', 'preparing')"
        self._store.run(f"DELETE FROM subtasks WHERE task IN ({interrupted})")
        # As after the loss of a node: not the user's doing, so requeueCount stays.
        self._store.run(
            "UPDATE tasks SET previous = state, previous_time = state_time, state = 'active', state_time = ?, "
            "started = NULL, node = NULL, exit_code = NULL WHERE state IN ('running', 'preparing')",
            self._store.stamp(),
        )

    async def stop(self) -> None:
        """End every process, put its task back into the queue and close the files."""
        self._scheduler.stop()
        self._scaling.close()
        self._schedules.close()
        await self._fleet.stop()
        await self._core.preparations.stop()
        self._jobs.close()
        self._retention.close()
        self._core.cancel_background()
        await self._core.finish_background()
        await self._transfer.close()
        self._store.close()

    def idle_seconds(self) -> float:
        """Seconds since the last request while there is nothing to do; 0 when there is."""
        if self._is_busy():
            return 0.0
        return max((self._clock.now() - self._last_request).total_seconds(), 0.0)

    def _is_busy(self) -> bool:
        if self._core.runs or self._schedules.are_waiting or self._scaling.is_active:
            return True
        for pool in self._fleet.active_pools:
            if any(node.is_coming_up for node in pool.members):
                return True
            has_nodes = any(node.free_slots > 0 for node in pool.members)
            if has_nodes and self._store.find(_SCHEDULABLE, pool.id, pool.slots):
                return True
        return False


def _with_any_name(route: Route) -> Route:
    # A file's name may hold a line break, which Starlette's `path` stops at.
    route.path_regex = re.compile(route.path_regex.pattern, re.DOTALL)
    return route


def _transfer(settings: Settings) -> FaultyTransfer:
    account, key, endpoint = settings.storage_account, settings.storage_key, settings.storage_endpoint
    return FaultyTransfer(StorageAccount(account, key, endpoint) if account and key and endpoint else None)
