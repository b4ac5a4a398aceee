"""One process group: a command line becomes a running program, and nothing of it outlives the task.

Place: the lowest layer of a node; `node.py` calls it, it calls the operating system. In: a command line, a
folder, an environment, two files for the output. Out: how the program ended. It never reads the output
(the program writes straight into the files, so 10 MB cost the engine nothing), never interprets an exit
code, and never runs a shell: Batch does not either.

Decisions:
- A task is a session of its own, so that one signal reaches the whole group. What leaves the group
  (`setsid`, a daemon) is found again in two ways. In the daemon, which is the *child subreaper* of all it
  starts (`adopt_orphans`), an orphan becomes a child of the engine; elsewhere (tests, macOS) every process is
  looked at. Either way the task's mark in the environment says whose it is. An orphan that wiped its
  environment is ended as soon as no task is left that it could belong to.
- `subprocess.Popen` and a pidfd in the event loop, not asyncio's subprocesses: no watcher thread, no pipes,
  no transport objects; a trivial task costs the engine about one millisecond.
- Processes run in real time, so the wall clock here is the event loop's, not the engine's injected clock.
"""

import asyncio
import ctypes
import errno
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from batchspec.engine.process_table import (
    MARK_VARIABLE,
    Process,
    ancestors,
    children,
    is_changing,
    mark_of,
    pids,
    process,
    processes,
)

_PR_SET_CHILD_SUBREAPER = 36
# Without quotes a command line is split at blanks, which needs no lexer.
_QUOTING = re.compile(r"""['"\\]""")
_WORD = re.compile(r"[^ \t\r\n]+")
_SWEEP_PERIOD_S = 10.0
_GIVE_UP_S = 10.0
_CLOCK_TICK_S = 0.01

# Children belong to the whole operating-system process, so what is known of them does too: the running tasks'
# main processes, with the time since boot at which each was about to be launched.
_launched: dict[int, float] = {}
_adopting = False


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended: its exit status, 128 + n when signal n ended it."""

    exit_code: int | None
    signal: int | None
    timed_out: bool


class LaunchFailed(Exception):
    """The program never ran; `code` is the Batch failure code, the text says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Running:
    """A launched program with everything it started."""

    def __init__(
        self,
        popen: "subprocess.Popen[bytes]",
        mark: str,
        *,
        launched: float,
        wall_clock_s: float | None,
        keeps_children: bool = False,
    ) -> None:
        self.pid = popen.pid
        self._popen = popen
        self._mark = mark
        self._timed_out = False
        self._keeps_children = keeps_children
        self._doomed: set[int] = set()
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[Ended] = self._loop.create_future()
        self._clean_up: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        if wall_clock_s is not None:
            self._timer = self._loop.call_later(max(wall_clock_s, 0.0), self._time_out)
        _launched[self.pid] = launched
        self._watch()

    async def wait(self) -> Ended:
        """Return how the program ended, once the whole group and all stragglers are gone."""
        return await asyncio.shield(self._ended)

    def kill(self) -> None:
        """End the program and all it started, at once; harmless when it has ended already."""
        self._keeps_children = False
        if self.pid in _launched:
            _signal_group(self.pid)

    def _time_out(self) -> None:
        self._timed_out = True
        self.kill()

    def _watch(self) -> None:
        try:
            pidfd = os.pidfd_open(self.pid)
        except (AttributeError, OSError):  # macOS, or a sandbox without the call
            threading.Thread(target=self._watch_in_thread, daemon=True).start()
            return
        self._loop.add_reader(pidfd, self._exited, pidfd)

    def _watch_in_thread(self) -> None:
        self._popen.wait()
        try:
            self._loop.call_soon_threadsafe(self._exited, None)
        except RuntimeError:  # the loop was closed first: nobody waits any more
            pass

    def _exited(self, pidfd: int | None) -> None:
        if pidfd is not None:
            self._loop.remove_reader(pidfd)
            os.close(pidfd)
        if self._timer is not None:
            self._timer.cancel()
        # Before the main process is reaped its group's number cannot be given to anyone else.
        if not self._keeps_children:
            _signal_group(self.pid)
        self._popen.wait()
        del _launched[self.pid]
        if self._keeps_children or self._is_gone():
            self._finish()
        else:
            self._clean_up = self._loop.create_task(self._outlast())

    def _is_gone(self) -> bool:
        """Kill what is left of the task; say whether there was nothing."""
        # One that is dying has lost its environment already, so what was killed once stays ours until it is gone.
        strays, is_clear = _strays(self._mark, self._doomed)
        for pid in strays:
            _signal(pid)
        self._doomed = set(strays)
        return is_clear and not strays and not _group_is_alive(self.pid)

    async def _outlast(self) -> None:
        deadline = time.monotonic() + _GIVE_UP_S
        pause_s = 0.001
        # A process in an uninterruptible system call dies later; the task does not wait for it for ever.
        while not self._is_gone() and time.monotonic() < deadline:
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, 0.05)
        self._finish()

    def _finish(self) -> None:
        if self._ended.done():
            return
        status = self._popen.returncode
        number = -status if status < 0 else None
        code = 128 + number if number is not None else status
        self._ended.set_result(Ended(exit_code=code, signal=number, timed_out=self._timed_out))


async def launch(
    command_line: str,
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdout: Path,
    stderr: Path,
    mark: str,
    wall_clock_s: float | None = None,
    appends: bool = False,
    keeps_children: bool = False,
) -> Running:
    """Start a command line as a session of its own in `cwd`, with exactly `env` and the task's mark.

    The output files are emptied first (unless it `appends`), so that they exist even if the program cannot be started.
    Standard input is empty. `wall_clock_s` is in seconds; None is no limit. What a program that `keeps_children` leaves
    running is not ended with it, but by whoever has the mark. Raises LaunchFailed.
    """
    launched = _since_boot()
    out = _opened(stdout, appends=appends)
    try:
        err = _opened(stderr, appends=appends)
        try:
            popen = _started(_arguments(command_line), cwd, {**env, MARK_VARIABLE: mark}, out, err)
        finally:
            os.close(err)
    finally:
        os.close(out)
    return Running(popen, mark, launched=launched, wall_clock_s=wall_clock_s, keeps_children=keeps_children)


def adopt_orphans() -> None:
    """Make this process the parent of every orphan among its descendants (Linux; nothing elsewhere).

    For a process that runs tasks and nothing else in sessions of their own: from now on any child in
    another session counts as a task's. Needs a running event loop.
    """
    global _adopting
    if not sys.platform.startswith("linux") or _adopting:
        return
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        return
    _adopting = True
    _reap_for_ever(asyncio.get_running_loop())


def end_leftovers(mark_prefix: str) -> int:
    """End the processes whose mark starts with `mark_prefix`, and their sessions; return how many there were.

    For the start of an engine: what an earlier one, killed, has left running.
    """
    ended: set[int] = set()
    deadline = time.monotonic() + _GIVE_UP_S
    while (found := _leftovers(mark_prefix)) or any(map(_is_alive, ended)):
        # Whole groups first: a shell that loses its child would go on with its next command.
        for group in {each.group for each in found}:
            _signal_group(group)
        for each in found:
            _signal(each.pid)
        ended |= {each.pid for each in found}
        if time.monotonic() > deadline:
            break
        time.sleep(0.005)
    return len(ended)


@cache
def _no_input() -> int:
    """A file descriptor without anything to read, for all programs."""
    return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)


def _arguments(command_line: str) -> list[str]:
    try:
        arguments = shlex.split(command_line) if _QUOTING.search(command_line) else _WORD.findall(command_line)
    except ValueError as error:
        raise LaunchFailed("CommandLaunchFailed", f"the command line cannot be split: {error}") from error
    if not arguments or not arguments[0]:
        raise LaunchFailed("CommandLaunchFailed", "the command line names no program")
    return arguments


def _opened(path: Path, *, appends: bool) -> int:
    start = 0 if appends else os.O_TRUNC
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | start | os.O_APPEND | os.O_CLOEXEC, 0o644)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        code = "DiskFull" if full else "CommandLaunchFailed"
        raise LaunchFailed(code, f"cannot write {path.name}: {error.strerror}") from error


def _started(arguments: list[str], cwd: Path, env: Mapping[str, str], out: int, err: int) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(
            arguments,
            cwd=cwd,
            env=env,
            stdin=_no_input(),
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        if not cwd.is_dir():
            raise LaunchFailed("CommandLaunchFailed", f"the working directory {cwd} does not exist") from error
        reason = f"the program {arguments[0]!r} cannot be run: {error.strerror}"
        raise LaunchFailed("CommandProgramNotFound", reason) from error
    except (OSError, ValueError) as error:  # too long, wrong format, no memory; a NUL inside
        reason = f"the program {arguments[0]!r} cannot be run: {getattr(error, 'strerror', None) or error}"
        raise LaunchFailed("CommandLaunchFailed", reason) from error


def _since_boot() -> float:
    """Seconds on the clock that the process table uses, where there is one."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if sys.platform.startswith("linux") else time.monotonic()


def _signal(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # gone, or run as somebody else by the task
        pass


def _signal_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def _group_is_alive(group: int) -> bool:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    # When orphans are ours, the dead of the group are reaped among the strays. Otherwise whoever inherits them
    # may be slow to reap them, or never do it (a container's first process): the dead do not count.
    return _adopting or any(each.group == group for each in processes())


def _strays(mark: str, doomed: set[int]) -> tuple[list[int], bool]:
    """The live processes outside the group that a task with this mark, now ended, has left; and whether that is all."""
    if not _adopting:
        return [pid for pid in pids() if mark_of(pid) == mark or (pid in doomed and _is_alive(pid))], True
    orphans = _orphans()
    strays = [orphan.pid for orphan in orphans if orphan.pid in doomed or _is_stray(orphan, mark)]
    return strays, not any(is_changing(orphan.pid) for orphan in orphans)


def _is_alive(pid: int) -> bool:
    found = process(pid)
    return found is not None and not found.is_dead


def _is_stray(orphan: Process, mark: str) -> bool:
    owner = mark_of(orphan.pid)
    if owner is not None:
        return owner == mark
    return not any(launched <= orphan.started + _CLOCK_TICK_S for launched in _launched.values())


def _orphans() -> list[Process]:
    """The adopted processes that live; the dead ones are reaped on the way."""
    own_session = os.getsid(0)
    while True:
        known = (process(pid) for pid in children() if pid not in _launched)
        orphans = [each for each in known if each is not None and each.session != own_session]
        # One that has died since the list was made has left us its own children: look again.
        if not [each for each in orphans if each.is_dead and _reaped(each.pid)]:
            return orphans


def _reaped(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid  # 0: only its first thread is dead
    except ChildProcessError:
        return False


def _reap_for_ever(loop: asyncio.AbstractEventLoop) -> None:
    # A long task may orphan many short processes; nobody else would ever collect them.
    if _launched:
        _orphans()
    loop.call_later(_SWEEP_PERIOD_S, _reap_for_ever, loop)


def _leftovers(mark_prefix: str) -> list[Process]:
    """The live processes in sessions with such a mark: sessions are tasks' own. Never ours, nor that we come from."""
    everyone = processes()
    marked = [each for each in everyone if (mark_of(each.pid) or "\0").startswith(mark_prefix)]
    above = ancestors()
    spared = {os.getsid(0)} | {each.session for each in everyone if each.pid in above}
    sessions = {each.session for each in marked} - spared
    return [each for each in everyone if each.session in sessions]
