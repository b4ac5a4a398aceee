"""The serving process: Azurite, the engine and its HTTP server, from the first to the last moment.

Place: `python -m batchspec.engine serve`, started by `daemon.py` or by hand. In: a state folder. Out: `engine.json`
while it serves, log lines on stderr. It ends on SIGTERM and SIGINT, and by itself after a while with nothing to do.

Azurite starts while Starlette is being imported: both take about half a second.
"""

import asyncio
import contextlib
import logging
import os
import re
import signal
import socket
import sqlite3
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from batchspec.engine.azurite import Azurite
from batchspec.engine.azurite_install import AzuriteUnavailable, installed
from batchspec.engine.daemon import VERSION, EngineFailed
from batchspec.engine.ports import HOST
from batchspec.engine.process import adopt_orphans
from batchspec.engine.state_dir import BATCH_ACCOUNT, STORAGE_ACCOUNT, Accounts, Serving, StateDir, cache_dir

if TYPE_CHECKING:
    from batchspec.engine.quotas import Quotas
    from batchspec.engine.server import Engine

_log = logging.getLogger("batchspec.engine")

IDLE_VARIABLE = "BATCHSPEC_ENGINE_IDLE_S"
TASKS_VARIABLE = "BATCHSPEC_ENGINE_TASKS"
_LOOK_S = 5.0
_IDLE_S = 900.0
_LOCK_S = 3.0
_CLIENTS_S = 2
_BACKLOG = 2048


def serve(state: StateDir) -> None:
    """Serve until told to stop, or idle for long enough. Raises EngineFailed."""
    state.prepare()
    lock = _taken(state)
    accounts = state.accounts()
    _log_to_stderr(accounts)
    task_limit = int(_setting(TASKS_VARIABLE, os.cpu_count() or 1, at_least=1))
    _quotas()
    idle_s = _setting(IDLE_VARIABLE, _IDLE_S, at_least=0)
    try:
        asyncio.run(_serve(state, accounts, task_limit=task_limit, idle_s=idle_s))
    except AzuriteUnavailable as error:
        raise EngineFailed(str(error), error.fix) from error
    except sqlite3.DatabaseError as error:
        message = f"the local engine cannot use its database in {state.path}: {error}"
        raise EngineFailed(message, "make room on its disk, or `batchspec engine reset` to begin anew") from error
    finally:
        state.announce(None)
        os.close(lock)


async def _serve(state: StateDir, accounts: Accounts, *, task_limit: int, idle_s: float) -> None:
    adopt_orphans()
    stopping = _signals()
    listening = _listening(accounts.batch_port)
    installation = installed(cache_dir(), _log.info)
    azurite = Azurite(installation, state.azurite, account=STORAGE_ACCOUNT, key=accounts.storage_key)
    # The modules are needed a little later; meanwhile Azurite starts.
    importing = asyncio.create_task(asyncio.to_thread(_import_server))
    try:
        storage_port = await azurite.start(accounts.storage_port)
        await importing
        batch_port = int(listening.getsockname()[1])
        chosen = accounts.on(batch_port=batch_port, storage_port=storage_port)
        state.keep(chosen)
        engine = _engine(state, chosen, task_limit)
        try:
            await engine.start()
            notes = _notes(accounts, chosen)
            await _answer(state, engine, listening, stopping, notes=notes, idle_s=idle_s, storage_port=storage_port)
        finally:
            await engine.stop()
    finally:
        await azurite.stop()
        listening.close()
    _log.info("stopped")


async def _answer(
    state: StateDir,
    engine: "Engine",
    listening: socket.socket,
    stopping: asyncio.Event,
    *,
    notes: tuple[str, ...],
    idle_s: float,
    storage_port: int,
) -> None:
    """Answer requests until it is time to stop."""
    import uvicorn

    from batchspec.engine.server import UVICORN_OPTIONS

    ready = asyncio.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            ready.set()

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield  # they are ours: uvicorn's way would end the process before the engine has stopped

    config = uvicorn.Config(
        engine.app, loop="asyncio", ws="none", timeout_graceful_shutdown=_CLIENTS_S, backlog=_BACKLOG, **UVICORN_OPTIONS
    )
    server = Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    watching = asyncio.create_task(_until_idle(state, engine, idle_s, storage_port))
    told = asyncio.create_task(stopping.wait())
    try:
        await ready.wait()
        state.announce(Serving(os.getpid(), VERSION, datetime.now(UTC).isoformat(), notes))
        _log.info("batchspec %s serves on %s:%s", VERSION, *listening.getsockname())
        await asyncio.wait({serving, watching, told}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        state.announce(None)
        watching.cancel()
        told.cancel()
        server.should_exit = True
        await serving


async def _until_idle(state: StateDir, engine: "Engine", idle_s: float, storage_port: int) -> None:
    """Return once there has been nothing to do for long enough, or the state folder was removed: nobody can find an
    engine without one, so nobody could stop it."""
    used, folder = time.monotonic(), state.identity()
    while state.identity() == folder:
        idle = min(engine.idle_seconds(), time.monotonic() - used)
        if idle > idle_s:
            if not _has_clients(storage_port):
                _log.info("stopping after %.0f s with nothing to do", idle)
                return
            # Somebody copies blobs, which the Batch service does not see.
            used = time.monotonic()
            idle = 0.0
        await asyncio.sleep(min(max(idle_s - idle, 0.1), _LOOK_S))
    _log.warning("stopping: the state folder %s was removed", state.path)


def _has_clients(port: int) -> bool:
    """Whether a connection to a loopback port is open; False where the system does not say."""
    try:
        lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    except OSError:
        return False
    ends = (line.split()[1:4] for line in lines)
    return any(local.endswith(f":{port:04X}") and state == "01" for local, _, state in ends)


def _import_server() -> None:
    import uvicorn  # noqa: F401

    import batchspec.engine.server  # noqa: F401


def _engine(state: StateDir, accounts: Accounts, task_limit: int) -> "Engine":
    from batchspec.engine.server import Engine, Settings

    settings = Settings(
        state_dir=state.path,
        host=HOST,
        port=accounts.batch_port or 0,
        account=BATCH_ACCOUNT,
        key=accounts.batch_key,
        task_limit=task_limit,
        version=VERSION,
        storage_account=STORAGE_ACCOUNT,
        storage_key=accounts.storage_key,
        storage_endpoint=f"http://{HOST}:{accounts.storage_port}/{STORAGE_ACCOUNT}",
        quotas=_quotas(),
    )
    # What it makes now is for nobody else; a task's files have the mode that tasks are used to.
    former = os.umask(0o077)
    try:
        return Engine(settings)
    finally:
        os.umask(former)


def _taken(state: StateDir) -> int:
    """The lock of the serving process. Others look at it for a moment, so it is tried more than once."""
    deadline = time.monotonic() + _LOCK_S
    while (lock := state.try_serve()) is None:
        if time.monotonic() > deadline:
            raise EngineFailed(
                f"the local engine runs already (process {state.server_pid()})", "use it, or `batchspec engine stop`"
            )
        time.sleep(0.01)
    return lock


def _listening(wanted: int | None) -> socket.socket:
    """A socket on the wanted port, or on a free one if that is taken."""
    for port in (wanted, 0):
        if port is None:
            continue
        # asyncio switches Nagle's algorithm off only for sockets that say TCP; else small answers wait 40 ms.
        listening = socket.socket(proto=socket.IPPROTO_TCP)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, port))
            listening.listen(_BACKLOG)
        except OSError:
            listening.close()
            continue
        return listening
    raise EngineFailed(f"no port is free on {HOST}", "close some programs and try again")


def _notes(before: Accounts, now: Accounts) -> tuple[str, ...]:
    pairs = (("Batch", before.batch_port, now.batch_port), ("Storage", before.storage_port, now.storage_port))
    moved = (
        f"port {old} of the local {name} service is taken by another program; it is now {new}"
        for name, old, new in pairs
        if old not in (None, new)
    )
    # Tasks that want an administrator get the current user.
    elevated = () if os.geteuid() == 0 else ("tasks with elevated rights run as you, without root's rights",)
    return (*moved, *elevated)


def _signals() -> asyncio.Event:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    return stopping


def _setting(variable: str, default: float, *, at_least: float) -> float:
    text = os.environ.get(variable)
    if not text:
        return default
    with contextlib.suppress(ValueError):
        value = float(text)
        if value >= at_least:
            return value
    raise EngineFailed(f"{variable} is {text!r}", f"set it to a number, {at_least:g} or more, or unset it")


def _quotas() -> "Quotas":
    from batchspec.engine.quotas import quotas_from_environment

    try:
        return quotas_from_environment()
    except ValueError as error:
        variable = str(error)
        fix = "set it to a whole number, 0 or more, or unset it"
        raise EngineFailed(f"{variable} is {os.environ[variable]!r}", fix) from error


class _Masked(logging.Formatter):
    """Lines without keys and signatures, wherever they come from."""

    def __init__(self, accounts: Accounts) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        secrets = "|".join(map(re.escape, (accounts.batch_key, accounts.storage_key)))
        self._secret = re.compile(rf"{secrets}|(?<=sig=)[^&\s\"']+")

    def format(self, record: logging.LogRecord) -> str:
        return self._secret.sub("***", super().format(record))


def _log_to_stderr(accounts: Accounts) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Masked(accounts))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
