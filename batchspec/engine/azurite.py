"""Azurite as a child of the engine: started, watched, stopped.

Place: beside the Batch service in the daemon. In: an `Installation`, a folder, an account. Out: Blob Storage on a
loopback port. It never talks to Blob Storage beyond asking whether it answers.

Decisions:
- Azurite saves its index every five seconds and when it gets SIGTERM. So it gets that when the engine dies, however
  the engine dies (`end_with_engine.cjs`); a start after `kill -9` finds everything.
- It inherits the lock on a file with its process id. While the lock is held that process is alive and is Azurite,
  whatever numbers have been reused; the next start ends it and waits for the lock.
- It writes to a file and not to a pipe: a pipe breaks with the engine, and it could not save.
- If it dies it is started again on the same port, unless it keeps dying at once.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from batchspec.engine.azurite_install import AzuriteUnavailable, Installation
from batchspec.engine.ports import HOST, usable_port
from batchspec.engine.process_table import may_be

_log = logging.getLogger("batchspec.engine")

_START_S = 30.0
_STOP_S = 6.0
_ORPHAN_S = 3.0
_POLL_S = 0.02
_HEALTHY_S = 10.0
_MAX_DEATHS = 5
_LOG_BYTES = 10 << 20

# Tells Azurite to save and end when the engine's end of its standard input is gone.
_END_WITH_ENGINE = Path(__file__).with_name("end_with_engine.cjs")


class Azurite:
    """One Azurite process and its successors; make, start and stop it in one event loop, on the main thread."""

    def __init__(self, installation: Installation, folder: Path, *, account: str, key: str) -> None:
        self._installation = installation
        self._folder = folder
        self._accounts = f"{account}:{key}"
        self._process: asyncio.subprocess.Process | None = None
        self._watcher: asyncio.Task[None] | None = None
        self.port = 0

    async def start(self, wanted_port: int | None) -> int:
        """Start it, on another port if the wanted one is taken; return the port once it answers.

        Ends what an earlier, killed engine may have left of it. Raises AzuriteUnavailable.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self.port = usable_port(wanted_port)
        try:
            await self._launch()
        except AzuriteUnavailable:  # the port may have been taken meanwhile
            self.port = usable_port(None)
            await self._launch()
        self._watcher = asyncio.create_task(self._watch())
        return self.port

    async def stop(self) -> None:
        """Stop it, giving it the time to save its index."""
        if self._watcher is not None:
            self._watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watcher
        await self._end()

    async def _launch(self) -> None:
        lock = await self._locked()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command(),
                env=self._environment(),
                stdin=subprocess.PIPE,
                stdout=lock.log,
                stderr=lock.log,
                pass_fds=[lock.file],
                # Not the terminal's Ctrl-C: the engine decides. The session stays the engine's: it is no task.
                process_group=0,
            )
            os.pwrite(lock.file, f"{self._process.pid:<20}\n".encode(), 0)
        except OSError as error:
            raise AzuriteUnavailable(f"Azurite cannot be started: {error.strerror}", "try again") from error
        finally:
            lock.close()
        try:
            await self._answers(self._process)
        except BaseException:
            await self._end()
            raise

    def _command(self) -> list[str]:
        return [
            *(str(self._installation.node), "--require", str(_END_WITH_ENGINE), str(self._installation.main)),
            *("--blobHost", HOST, "--blobPort", str(self.port), "--location", str(self._folder)),
            *("--skipApiVersionCheck", "--disableTelemetry", "--silent"),
        ]

    def _environment(self) -> Mapping[str, str]:
        # Nothing of the user's that changes Azurite's or Node's behaviour.
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AZURITE_", "NODE_"))}
        return {**kept, "AZURITE_ACCOUNTS": self._accounts}

    async def _locked(self) -> "_Lock":
        """The lock of this folder, once whatever Azurite held it is gone."""
        lock = _Lock(self._folder)
        deadline = time.monotonic() + 4 * _STOP_S
        number = signal.SIGTERM
        # Usually it is saving just now, because its engine has died, and ends by itself.
        next_signal = time.monotonic() + _ORPHAN_S
        while not lock.try_take():
            now = time.monotonic()
            if now >= next_signal:
                lock.signal_holder(number)
                number, next_signal = (signal.SIGKILL, now + _STOP_S)
            if now > deadline:
                lock.close()
                raise AzuriteUnavailable(
                    f"another Azurite uses {self._folder} and does not end", "end it by its process id"
                )
            await asyncio.sleep(_POLL_S)
        return lock

    async def _answers(self, process: asyncio.subprocess.Process) -> None:
        deadline = time.monotonic() + _START_S
        while not await _is_azurite(self.port):
            if process.returncode is not None:
                said = _tail(self._folder / "azurite.log")
                raise AzuriteUnavailable(
                    f"Azurite ended at once (exit code {process.returncode}):\n{said}", "try again"
                )
            if time.monotonic() > deadline:
                raise AzuriteUnavailable(f"Azurite does not answer after {_START_S:.0f} s", "try again")
            await asyncio.sleep(_POLL_S)

    async def _watch(self) -> None:
        """Start it again whenever it ends."""
        deaths = 0
        while deaths <= _MAX_DEATHS:
            started = time.monotonic()
            if self._process is not None:
                code = await self._process.wait()
                _log.warning("Azurite ended (exit code %s); starting it again", code)
            deaths = 1 if time.monotonic() - started > _HEALTHY_S else deaths + 1
            await asyncio.sleep(0.5 * (deaths - 1))
            try:
                await self._launch()
            except AzuriteUnavailable as error:
                _log.error("Azurite does not start: %s", error)
        _log.error("Azurite keeps ending: giving up; stop and start the engine to try again")

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _STOP_S)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


class _Lock:
    """The lock file of a folder, and the log of the Azurite that will hold it."""

    def __init__(self, folder: Path) -> None:
        self.file = os.open(folder / "azurite.pid", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        log = folder / "azurite.log"
        is_long = log.exists() and log.stat().st_size > _LOG_BYTES
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | (os.O_TRUNC if is_long else 0)
        self.log = os.open(log, flags, 0o600)

    def try_take(self) -> bool:
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def signal_holder(self, number: int) -> None:
        text = os.pread(self.file, 20, 0).strip()
        if text.isdigit() and may_be(int(text), "azurite"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(int(text), number)

    def close(self) -> None:
        os.close(self.file)
        os.close(self.log)


async def _is_azurite(port: int) -> bool:
    """Whether Azurite answers on a port: something else may have been faster to take it."""
    try:
        reader, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    try:
        writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        return b"azurite" in (await asyncio.wait_for(reader.read(4096), 5)).lower()
    except OSError:
        return False
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _tail(path: Path) -> str:
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join(f"    {line}" for line in lines[-5:])
