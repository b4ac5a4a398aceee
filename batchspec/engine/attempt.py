"""One execution of a program on a node: files in, the program, files out.

Place: between the node, which decides what runs, and `process.py` and `transfer.py`, which do the work. In: `Work`.
Out: an `Outcome`. It never touches the database and never decides whether there is another attempt.
"""

import asyncio
import errno
import logging
import shutil
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from batchspec.engine.containers import Container
from batchspec.engine.lifecycle import TASK_ENDED, Failure, Outcome, outcome_of_exit
from batchspec.engine.process import LaunchFailed, Running, launch
from batchspec.engine.transfer_failure import TransferFailed

_log = logging.getLogger("batchspec.engine")

# With less room than this, what a program writes is lost.
_FULL_BYTES = 64 * 1024

_LAUNCH_MESSAGES = {
    "CommandProgramNotFound": "The specified command program is not found",
    "CommandLaunchFailed": "The command could not be launched",
    "DiskFull": "The disk of the node is full",
}


class Carrier(Protocol):
    """What an attempt needs of `transfer.Transfer`."""

    async def fetch(self, resource_files: Sequence[dict[str, Any]], *, into: Path) -> None: ...

    async def send(
        self,
        output_files: Sequence[dict[str, Any]],
        *,
        wd: Path,
        env: Mapping[str, str],
        succeeded: bool,
        log_dir: Path,
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done: `folder` holds stdout.txt, stderr.txt and wd; `wall_clock_s` None is no limit.

    For multi-instance tasks: `common_files` go to `common_folder`; `appends` keeps the output that is there;
    `keeps_children` lets live what the program leaves running.
    """

    command_line: str
    folder: Path
    env: Mapping[str, str]
    mark: str
    resource_files: Sequence[dict[str, Any]] = ()
    output_files: Sequence[dict[str, Any]] = ()
    wall_clock_s: float | None = None
    refused: Failure | None = None
    container: Container | None = None
    common_files: Sequence[dict[str, Any]] = ()
    common_folder: Path | None = None
    appends: bool = False
    keeps_children: bool = False


def _make(folder: Path) -> None:
    # A new task's folder lies in one that is there most of the time: no need to look first.
    try:
        folder.parent.mkdir()
        folder.mkdir()
    except OSError:
        folder.mkdir(parents=True, exist_ok=True)


def _with_disk(outcome: Outcome, folder: Path) -> Outcome:
    """A program that failed on a full disk could not even write that down: then the failure says it."""
    # A program may have deleted its own folder.
    if outcome.failure is None or not folder.exists() or shutil.disk_usage(folder).free > _FULL_BYTES:
        return outcome
    full = ("Disk", "No space left on the node's disk when the task ended")
    return replace(outcome, failure=replace(outcome.failure, details=(*outcome.failure.details, full)))


class Attempt:
    """A piece of work being done; it can be stopped at any moment."""

    def __init__(self, work: Work, carrier: Carrier) -> None:
        self._work = work
        self._carrier = carrier
        self._stopped = False
        self._process: Running | None = None
        self._transfer: asyncio.Future[Any] | None = None
        self._container: Container | None = None

    def stop(self) -> None:
        """End whatever is going on; `run` then returns soon."""
        self._stopped = True
        if self._process is not None:
            self._process.kill()
        if self._transfer is not None:
            self._transfer.cancel()

    async def run(self) -> Outcome:
        """Do the work. Every fault of it is in the outcome; only bugs raise."""
        work = self._work
        failure = self._prepare() or work.refused
        if failure is None and work.container is not None:
            failure = await self._contained(work.container)
        if failure is None and work.common_files and work.common_folder is not None:
            failure = await self._transferred(self._carrier.fetch(work.common_files, into=work.common_folder))
        if failure is None and not self._stopped and work.resource_files:
            failure = await self._transferred(self._carrier.fetch(work.resource_files, into=work.folder / "wd"))
        if self._stopped:
            return Outcome(None, TASK_ENDED, "ended")
        if failure is not None:
            return Outcome(None, failure, "preparation")
        outcome = await self._executed()
        if self._stopped or outcome.phase == "preparation" or not work.output_files:
            return outcome
        return await self._uploaded(outcome)

    def _prepare(self) -> Failure | None:
        folder = self._work.folder
        try:
            _make(folder / "wd")
            # A launch creates them too, but there may be none.
            if self._work.resource_files or self._work.refused or self._work.container:
                for name in ("stdout.txt", "stderr.txt"):
                    (folder / name).touch()
        except OSError as error:
            code = "DiskFull" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "ResourceDirectoryCreateFailed"
            return Failure(code, "The task's folder could not be created", details=(("Message", str(error)),))
        return None

    async def _executed(self) -> Outcome:
        work = self._work
        try:
            self._process = await launch(
                work.command_line,
                cwd=work.folder / "wd",
                env=work.env,
                stdout=work.folder / "stdout.txt",
                stderr=work.folder / "stderr.txt",
                mark=work.mark,
                wall_clock_s=work.wall_clock_s,
                appends=work.appends,
                keeps_children=work.keeps_children,
            )
        except LaunchFailed as error:
            message = _LAUNCH_MESSAGES.get(error.code, "The command could not be launched")
            failure = Failure(error.code, message, details=(("Message", str(error)),))
            return Outcome(None, failure, "preparation")
        if self._stopped:
            self._process.kill()
        ended = await self._process.wait()
        if self._container is not None:
            if self._stopped or ended.timed_out:
                await self._container.end()
            elif refusal := self._container.refusal(ended.exit_code):
                return Outcome(None, refusal, "preparation")
        if self._stopped:
            return Outcome(ended.exit_code, TASK_ENDED, "ended")
        return _with_disk(outcome_of_exit(ended.exit_code, timed_out=ended.timed_out), work.folder)

    async def _contained(self, container: Container) -> Failure | None:
        """Make the work that of a container's."""
        self._container = container
        self._transfer = fetching = asyncio.ensure_future(container.work(self._work))
        try:
            found = await fetching
        except asyncio.CancelledError:
            if not self._stopped:
                fetching.cancel()
                raise
            return None
        finally:
            self._transfer = None
        if isinstance(found, Failure):
            return found
        self._work = found
        return None

    async def _uploaded(self, outcome: Outcome) -> Outcome:
        work = self._work
        failure = await self._transferred(
            self._carrier.send(
                work.output_files,
                wd=work.folder / "wd",
                env=work.env,
                succeeded=outcome.failure is None,
                log_dir=work.folder,
            )
        )
        if self._stopped:
            return Outcome(outcome.exit_code, TASK_ENDED, "ended")
        # A program that failed says more than the upload of what it did not write.
        return outcome if failure is None or outcome.failure else Outcome(outcome.exit_code, failure, "upload")

    async def _transferred(self, transfer: Coroutine[Any, Any, None]) -> Failure | None:
        self._transfer = asyncio.ensure_future(transfer)
        try:
            await self._transfer
        except asyncio.CancelledError:
            if not self._stopped:
                self._transfer.cancel()
                raise
        except TransferFailed as error:
            return Failure(error.code, error.message, error.category, error.details)
        finally:
            self._transfer = None
        return None


async def stoppable(attempt: Attempt) -> Outcome:
    """Run an attempt; when cancelled, end its processes first."""
    running = asyncio.ensure_future(attempt.run())
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        attempt.stop()
        await running
        raise


async def called_off(work: "asyncio.Task[None] | None") -> None:
    """Cancel background work, if it goes on, and wait until it has ended."""
    if work is not None and not work.done():
        work.cancel()
        await asyncio.wait({work})
