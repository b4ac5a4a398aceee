"""The local engine from outside: a separate process with JSON on stdout and progress on stderr.

Place in the pipeline: `connect` starts it for the target `local`; the `engine` commands call it too. The engine is
never imported here: it is a service, and it is used exactly as Azure is.
"""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import batchspec
from batchspec.cloud.mask import masked
from batchspec.cloud.target import BatchAccount, StorageAccount
from batchspec.errors import EngineFailed

Say = Callable[[str], None]

_START_WITHIN_S = 900.0


def engine_command(arguments: Sequence[str], *, say: Say | None = None) -> dict[str, Any]:
    """What `python -m batchspec.engine ARGUMENTS` answers; `say` gets its progress lines. Raises EngineFailed."""
    return asyncio.run(run_engine(arguments, say=say))


async def run_engine(arguments: Sequence[str], *, say: Say | None = None) -> dict[str, Any]:
    """The same, for callers in a running loop. Cancelling it ends the command, not an engine that runs already."""
    process = await asyncio.create_subprocess_exec(
        *_python(),
        "-m",
        "batchspec.engine",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_START_WITHIN_S):
            out, last = await asyncio.gather(_all(process.stdout), _relay(process.stderr, say))
            await process.wait()
    except TimeoutError as error:
        raise EngineFailed(
            f"`batchspec engine {arguments[0]}` gave no answer within {_START_WITHIN_S:.0f} s",
            fix="`batchspec engine stop`, then try again",
        ) from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return _answer(out, last, process.returncode, arguments)


async def start_engine(*, say: Say | None = None) -> tuple[BatchAccount, StorageAccount]:
    """The accounts of the local engine, which is started if need be. Raises EngineFailed."""
    told = await run_engine(("start",), say=say)
    if say is not None:
        for note in told.get("notes", ()):
            say(str(note))
    try:
        batch, storage = told["batch"], told["storage"]
        return (
            BatchAccount(batch["endpoint"].rstrip("/"), batch["account"], batch["key"]),
            StorageAccount(storage["endpoint"].rstrip("/"), storage["account"], storage["key"]),
        )
    except (KeyError, TypeError) as error:
        raise EngineFailed("the local engine did not say where it listens", fix=_fix()) from error


def _python() -> list[str]:
    # -P: a folder `batchspec` or a file `json.py` where the person stands must not shadow ours. In a checkout without
    # an installation the current folder is where batchspec itself is found, and then it must stay on the path.
    root = Path(batchspec.__file__).resolve().parent.parent
    return [sys.executable] if root == Path.cwd().resolve() else [sys.executable, "-P"]


async def _all(stream: asyncio.StreamReader | None) -> bytes:
    return b"" if stream is None else await stream.read()


async def _relay(stream: asyncio.StreamReader | None, say: Say | None) -> list[str]:
    last: list[str] = []
    while stream is not None:
        try:
            line = await stream.readline()
        except ValueError:
            continue
        if not line:
            break
        text = masked(line.decode("utf-8", "replace").rstrip())
        last = [*last[-9:], text]
        if say is not None and text:
            say(text)
    return last


def _answer(out: bytes, last: Sequence[str], code: int | None, arguments: Sequence[str]) -> dict[str, Any]:
    try:
        told = json.loads(out)
    except ValueError:
        told = None
    if isinstance(told, dict) and isinstance(told.get("error"), dict):
        error = told["error"]
        raise EngineFailed(masked(str(error.get("message", ""))), fix=masked(str(error.get("fix") or "")))
    if not isinstance(told, dict) or code != 0:
        ended = f"ended with {code}" + (f": {' / '.join(last[-3:])}" if last else "")
        raise EngineFailed(
            f"`{Path(os.fsdecode(sys.executable)).name} -m batchspec.engine {arguments[0]}` {ended}", fix=_fix()
        )
    return told


def _fix() -> str:
    return "`batchspec engine stop`, then try again; the engine's log is named by `batchspec engine status`"
