"""The engine from outside: start, stop, status, reset.

Place: behind `python -m batchspec.engine`. In: a state folder. Out: what is to be printed, as plain data, or
`EngineFailed` with the fix. It serves nothing itself: `serve.py` does, in a process of its own, which this one starts,
finds again by its lock and asks over HTTP. It imports neither asyncio nor Starlette: a start that finds a running
engine costs a tenth of a second.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import batchspec
from batchspec.engine import asking
from batchspec.engine.azurite_install import AzuriteUnavailable, installed
from batchspec.engine.ports import HOST
from batchspec.engine.process_table import marked_in, may_be
from batchspec.engine.state_dir import BATCH_ACCOUNT, STORAGE_ACCOUNT, Accounts, Serving, StateDir, cache_dir

Report = Callable[[str], None]
VERSION = batchspec.__version__

_READY_S = 60.0
_STOP_S = 30.0
_POLL_S = 0.02
_MISSING = "the local engine's packages are not installed: "
_SERVE = "import sys; sys.path.append(sys.argv.pop(1)); from batchspec.engine.__main__ import main; sys.exit(main())"


class EngineFailed(Exception):
    """The engine cannot do what was asked; `fix` says what to do about it."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.fix = fix


def start(state: StateDir, report: Report) -> dict[str, Any]:
    """Make sure that an engine of this version runs; how to reach it, with its keys. Raises EngineFailed."""
    state.prepare()
    if state.server_pid() is None:
        _install(report)
    with state.starting():
        running = _running(state)
        if running is not None and running.version != VERSION:
            _make_way(state, running, report)
            running = None
        if running is not None:
            return _connection(state, running, started=False)
        report("starting the local engine")
        return _connection(state, _launched(state), started=True)


def stop(state: StateDir) -> dict[str, Any]:
    """End the engine, if one runs: its tasks return to the queue. Raises EngineFailed."""
    if not state.path.is_dir():
        return {"state": "stopped", "was_running": False}
    with state.starting():
        return {"state": "stopped", "was_running": _stop(state)}


def status(state: StateDir) -> dict[str, Any]:
    """Whether the engine runs, and what it holds; without its keys."""
    serving = state.serving() if state.server_pid() is not None else None
    if serving is None:
        return {"state": "stopped", "state_dir": str(state.path), "log": str(state.log)}
    accounts = state.accounts()
    port, key = accounts.batch_port or 0, accounts.batch_key
    answer = _connection(state, serving, started=False) | _without_keys(accounts)
    del answer["started"]
    if not asking.answers(port, key):
        return {**answer, "notes": [*answer["notes"], "it does not answer; `batchspec engine stop` ends it"]}
    age = datetime.now(UTC) - datetime.fromisoformat(serving.started)
    faults = asking.get(port, key, "/.batchspec/faults") or {}
    faults.pop("odata.metadata", None)
    counts = asking.counts(port, key)
    return {**answer, "uptime_s": round(age.total_seconds()), "counts": counts, "faults": faults}


def fault(state: StateDir, request: dict[str, Any]) -> dict[str, Any]:
    """Ask the running engine something about its faults (`admin_api.py`). Raises EngineFailed."""
    if state.server_pid() is None:
        raise EngineFailed("no local engine runs, and faults live in a running one", "batchspec engine start")
    accounts = state.accounts()
    path = f"/.batchspec{request['path']}"
    status, answer = asking.ask(
        accounts.batch_port or 0, accounts.batch_key, request["method"], path, request.get("body")
    )
    if status == 0:
        raise EngineFailed("the local engine does not answer", "batchspec engine status")
    if status >= 400:
        message = str(answer.get("message", {}).get("value", "")).partition("\n")[0]
        values = "".join(f"; {item['value']}" for item in answer.get("values", ()))
        raise EngineFailed(f"{answer.get('code')}: {message}{values}", "see: batchspec engine --help")
    answer.pop("odata.metadata", None)
    return answer


def reset(state: StateDir) -> dict[str, Any]:
    """End the engine and delete all it has: pools, jobs, tasks, blobs, keys. Raises EngineFailed."""
    if not state.path.is_dir():
        return {"state": "reset", "was_running": False, "state_dir": str(state.path)}
    with state.starting():
        was_running = _stop(state)
        for pid in marked_in(state.path):  # tasks of an engine that was killed
            _signal(pid, signal.SIGKILL)
        for entry in state.path.iterdir():
            if entry.name != "start.lock":
                _delete(entry)
    return {"state": "reset", "was_running": was_running, "state_dir": str(state.path)}


def log_tail(state: StateDir, lines: int = 8) -> list[str]:
    """The last lines of the engine's log."""
    try:
        with state.log.open("rb") as file:
            file.seek(max(state.log.stat().st_size - 16384, 0))
            return file.read().decode(errors="replace").splitlines()[-lines:]
    except FileNotFoundError:
        return []


def _install(report: Report) -> None:
    missing = [name for name in ("starlette", "uvicorn") if not _is_installed(name)]
    if missing:
        raise EngineFailed(_MISSING + ", ".join(missing), "pip install 'batchspec[local]'")
    try:
        installed(cache_dir(), report)
    except AzuriteUnavailable as error:
        raise EngineFailed(str(error), error.fix) from error


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ValueError:  # something in this process stands in for it
        return False


def _running(state: StateDir) -> Serving | None:
    """The engine that runs and answers, waiting for one that starts or stops just now; None when there is none."""
    deadline = time.monotonic() + _READY_S
    while (pid := state.server_pid()) is not None:
        ready = _ready(state, pid)
        if ready is not None:
            return ready
        if time.monotonic() > deadline:
            raise _failure(state, f"the local engine (process {pid}) does not answer", "batchspec engine stop")
        time.sleep(_POLL_S)
    return None


def _ready(state: StateDir, pid: int) -> Serving | None:
    serving = state.serving()
    if serving is None or serving.pid != pid:
        return None
    accounts = state.accounts()
    return serving if asking.answers(accounts.batch_port or 0, accounts.batch_key) else None


def _make_way(state: StateDir, running: Serving, report: Report) -> None:
    accounts = state.accounts()
    if asking.is_busy(accounts.batch_port or 0, accounts.batch_key):
        raise EngineFailed(
            f"a local engine of batchspec {running.version} is running tasks, and this is batchspec {VERSION}",
            "wait until it is done, or `batchspec engine stop` (its tasks start again in the new engine)",
        )
    report(f"replacing the idle local engine of batchspec {running.version}")
    _stop(state)


def _launched(state: StateDir) -> Serving:
    log = state.open_log()
    try:
        size = os.fstat(log).st_size
        child = subprocess.Popen(
            [*_python(), "-c", _SERVE, str(Path(batchspec.__file__).parents[1]), "serve"],
            cwd=state.path,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    finally:
        os.close(log)
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise _ended(state, size, child.returncode)
        ready = _ready(state, child.pid)
        if ready is not None:
            child.returncode = 0  # it is to outlive us: nobody need warn of that
            return ready
        time.sleep(_POLL_S)
    _signal(child.pid, signal.SIGTERM)
    raise _failure(state, f"the local engine is not ready after {_READY_S:.0f} s", "batchspec engine start")


def _python() -> Sequence[str]:
    # -P: what lies in the current folder is not imported.
    return [sys.executable, "-P"]


def _ended(state: StateDir, log_start: int, code: int) -> EngineFailed:
    """What the serving process said last, if it said it in our way."""
    last = log_tail(state, 1)
    with contextlib.suppress(ValueError, KeyError, TypeError, IndexError):
        error = json.loads(last[0])["error"]
        if state.log.stat().st_size > log_start:
            return EngineFailed(str(error["message"]), str(error["fix"]))
    return _failure(state, f"the local engine ended at once (exit code {code})", "batchspec engine start")


def _failure(state: StateDir, message: str, command: str) -> EngineFailed:
    said = "".join(f"\n    {line}" for line in log_tail(state))
    return EngineFailed(message + said, f"see {state.log}, then `{command}`")


def _stop(state: StateDir) -> bool:
    """End the serving process; whether there was one."""
    pid = state.server_pid()
    if pid is None:
        return False
    for number, patience_s in ((signal.SIGTERM, _STOP_S), (signal.SIGKILL, 10.0)):
        deadline = time.monotonic() + patience_s
        sent_to = 0
        while (pid := state.server_pid()) is not None:
            if pid not in (0, sent_to) and may_be(pid, "batchspec.engine"):
                _signal(pid, number)
                sent_to = pid
            if time.monotonic() > deadline:
                break
            time.sleep(_POLL_S)
        else:
            state.announce(None)  # killed, it could not do so itself
            return True
    raise EngineFailed(f"the local engine (process {pid}) does not end", f"kill -9 {pid}")


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _delete(entry: Path) -> None:
    if entry.is_symlink() or not entry.is_dir():
        entry.unlink(missing_ok=True)
        return
    try:
        shutil.rmtree(entry)
    except PermissionError:  # a task has taken away its own right to a folder
        for folder, _, _ in os.walk(entry):
            Path(folder).chmod(0o700)
        shutil.rmtree(entry)
    except FileNotFoundError:
        pass


def _connection(state: StateDir, serving: Serving, *, started: bool) -> dict[str, Any]:
    accounts = state.accounts()
    storage = f"http://{HOST}:{accounts.storage_port}/{STORAGE_ACCOUNT}"
    return {
        "state": "running",
        "started": started,
        "pid": serving.pid,
        "version": serving.version,
        "batch": {
            "endpoint": f"http://{HOST}:{accounts.batch_port}",
            "account": BATCH_ACCOUNT,
            "key": accounts.batch_key,
        },
        "storage": {
            "endpoint": storage,
            "account": STORAGE_ACCOUNT,
            "key": accounts.storage_key,
            "connection_string": (
                f"DefaultEndpointsProtocol=http;AccountName={STORAGE_ACCOUNT};AccountKey={accounts.storage_key};"
                f"BlobEndpoint={storage};"
            ),
        },
        "state_dir": str(state.path),
        "log": str(state.log),
        "notes": list(serving.notes),
    }


def _without_keys(accounts: Accounts) -> dict[str, Any]:
    return {
        "batch": {"endpoint": f"http://{HOST}:{accounts.batch_port}", "account": BATCH_ACCOUNT, "key": "***"},
        "storage": {
            "endpoint": f"http://{HOST}:{accounts.storage_port}/{STORAGE_ACCOUNT}",
            "account": STORAGE_ACCOUNT,
            "key": "***",
        },
    }
