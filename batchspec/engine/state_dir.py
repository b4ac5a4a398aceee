"""The engine's state folder: accounts and ports, who serves, locks.

Place: below `daemon.py` and `serve.py`, which meet only here. In: the environment's XDG folders. Out: small JSON files,
mode 0600, in a folder of mode 0700. It starts and ends no process.

Decisions:
- Keys and ports are chosen at random once (`account.json`), so that an address survives a restart.
- The serving process holds a lock on `serve.lock` with its process id inside. Held means alive, and that the id is its
  own: a reused process id is never mistaken for the engine. `engine.json` appears when it is ready.
- `start.lock` makes starts, stops and resets wait for each other.
"""

import base64
import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

BATCH_ACCOUNT = "batchspec"
STORAGE_ACCOUNT = "batchspecstorage"
_LOG_BYTES = 10 << 20


@dataclass(frozen=True, slots=True)
class Accounts:
    """The Batch and the Storage account: keys in base64, ports None before the first start."""

    batch_key: str = field(repr=False)
    storage_key: str = field(repr=False)
    batch_port: int | None = None
    storage_port: int | None = None

    def on(self, *, batch_port: int, storage_port: int) -> Self:
        """The same accounts on these ports."""
        return replace(self, batch_port=batch_port, storage_port=storage_port)


@dataclass(frozen=True, slots=True)
class Serving:
    """What the serving process says of itself once it is ready; `started` is an ISO time in UTC."""

    pid: int
    version: str
    started: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StateDir:
    """A state folder; `prepare` makes it."""

    path: Path

    @classmethod
    def of_user(cls) -> Self:
        """That of this user: below XDG_STATE_HOME, or its default."""
        return cls(_xdg("XDG_STATE_HOME", ".local/state") / "batchspec" / "engine")

    @property
    def log(self) -> Path:
        """What the serving process writes; kept below some 20 MB with the one before."""
        return self.path / "engine.log"

    @property
    def azurite(self) -> Path:
        """The folder of the Blob Storage emulator."""
        return self.path / "azurite"

    def prepare(self) -> None:
        """Make the folder, for this user only."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path.chmod(0o700)

    @contextlib.contextmanager
    def starting(self) -> Iterator[None]:
        """Hold the lock that only one start, stop or reset can hold; waits for it."""
        with (self.path / "start.lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def identity(self) -> tuple[int, int] | None:
        """Which folder this is now; None when there is none. Another folder of the same path has another identity."""
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def try_serve(self) -> int | None:
        """Take the lock of the serving process; its descriptor, to be kept open, or None if another has it."""
        opened = os.open(self.path / "serve.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(opened)
            return None
        os.pwrite(opened, f"{os.getpid():<20}\n".encode(), 0)
        return opened

    def server_pid(self) -> int | None:
        """The process that serves, starts or stops just now; None when there is none."""
        try:
            opened = os.open(self.path / "serve.lock", os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            text = os.pread(opened, 20, 0).strip()
            return int(text) if text.isdigit() else 0
        finally:
            os.close(opened)
        return None

    def serving(self) -> Serving | None:
        """What the serving process says of itself; None when it is not ready, or is stopping."""
        found = _read(self.path / "engine.json")
        try:
            return Serving(
                int(found["pid"]), str(found["version"]), str(found["started"]), tuple(map(str, found["notes"]))
            )
        except (KeyError, ValueError, TypeError):
            return None

    def announce(self, serving: Serving | None) -> None:
        """Say that this process serves, or with None that it no longer does."""
        path = self.path / "engine.json"
        if serving is None:
            # Not another's: the folder may have been removed, and made anew by a later engine.
            if _read(path).get("pid") == os.getpid():
                path.unlink(missing_ok=True)
            return
        says = {"pid": serving.pid, "version": serving.version, "started": serving.started, "notes": serving.notes}
        _write(path, says)

    def accounts(self) -> Accounts:
        """The accounts, made now if there are none yet."""
        found = _read(self.path / "account.json")
        try:
            return Accounts(
                batch_key=str(found["batch_key"]),
                storage_key=str(found["storage_key"]),
                batch_port=_port(found.get("batch_port")),
                storage_port=_port(found.get("storage_port")),
            )
        except KeyError:
            made = Accounts(batch_key=_key(), storage_key=_key())
            self.keep(made)
            return made

    def keep(self, accounts: Accounts) -> None:
        """Remember the accounts and their ports."""
        keys = {"batch_key": accounts.batch_key, "storage_key": accounts.storage_key}
        _write(
            self.path / "account.json",
            {**keys, "batch_port": accounts.batch_port, "storage_port": accounts.storage_port},
        )

    def open_log(self) -> int:
        """A descriptor that appends to the log; a long one is put aside first."""
        with contextlib.suppress(FileNotFoundError):
            if self.log.stat().st_size > _LOG_BYTES:
                self.log.replace(self.log.with_suffix(".log.1"))
        return os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def cache_dir() -> Path:
    """Where Azurite's program is: below XDG_CACHE_HOME, or its default."""
    return _xdg("XDG_CACHE_HOME", ".cache") / "batchspec"


def _xdg(variable: str, default: str) -> Path:
    # The specification: a relative path is to be ignored.
    given = Path(os.environ.get(variable, ""))
    return given if given.is_absolute() else Path.home() / default


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(64)).decode()


def _port(value: object) -> int | None:
    return value if isinstance(value, int) and 0 < value < 65536 else None


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(path: Path, content: dict[str, Any]) -> None:
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    opened = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(opened, "w", encoding="utf-8") as file:
        json.dump(content, file)
    staged.replace(path)
