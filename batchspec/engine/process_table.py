"""The system's process table, as far as a node needs it: who is whose child, in which session, with which mark.

Place: below `process.py`. In: process ids. Out: `Process` and environments, as proc(5) gives them. It never
signals or reaps anything. Without /proc (macOS) every list is empty, and finding strays is left undone.
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MARK_VARIABLE = "BATCHSPEC_ENGINE_TASK"


@dataclass(frozen=True, slots=True)
class Process:
    """A line of the process table; `started` is in seconds since boot."""

    pid: int
    parent: int
    group: int
    session: int
    is_dead: bool
    started: float


def process(pid: int) -> Process | None:
    """What is known of a process; None when it is gone. A dead one that nobody has reaped is still there."""
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    fields = text[text.rindex(b")") + 2 :].split()
    return Process(
        pid=pid,
        parent=int(fields[1]),
        group=int(fields[2]),
        session=int(fields[3]),
        is_dead=fields[0] in (b"Z", b"X"),
        started=int(fields[19]) / os.sysconf("SC_CLK_TCK"),
    )


def pids() -> Iterator[int]:
    """Every process but this one."""
    if not sys.platform.startswith("linux"):
        return
    own = os.getpid()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != own:
            yield int(entry.name)


def processes() -> list[Process]:
    """All processes but this one and the dead."""
    return [found for found in map(process, pids()) if found is not None and not found.is_dead]


def children() -> list[int]:
    """This process's children, the dead among them."""
    own = os.getpid()
    try:
        texts = [(thread / "children").read_bytes() for thread in Path(f"/proc/{own}/task").iterdir()]
    except OSError:  # a kernel without this list, or a thread that just ended
        found = map(process, pids())
        return [each.pid for each in found if each is not None and each.parent == own]
    return [int(pid) for text in texts for pid in text.split()]


def ancestors() -> set[int]:
    """The parents of this process, up to the first process of all."""
    found: set[int] = set()
    current = process(os.getpid())
    while current is not None and current.parent > 0 and current.parent not in found:
        found.add(current.parent)
        current = process(current.parent)
    return found


def mark_of(pid: int) -> str | None:
    """The mark in a process's environment: None when there is none, or it may not be looked at."""
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return None
    start = f"{MARK_VARIABLE}=".encode()
    for item in environment.split(b"\0"):
        if item.startswith(start):
            return os.fsdecode(item[len(start) :])
    return None


def is_changing(pid: int) -> bool:
    """Whether a live process is just becoming another program, or is about to end: it cannot be told whose it is."""
    try:
        return not Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def may_be(pid: int, program: str) -> bool:
    """Whether a process id that was written down is that program's, as far as its command line can be seen.

    For ids from a file that another container may share, in which they mean other processes.
    """
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
        return not line or program.encode() in line
    except FileNotFoundError:
        return not Path("/proc/self/cmdline").exists()


def marked_in(folder: Path) -> list[int]:
    """The processes with a mark whose working directory is in a folder."""
    root = folder.resolve()
    found = []
    for pid in pids():
        try:
            where = Path(f"/proc/{pid}/cwd").readlink()
        except OSError:
            continue
        if where.is_relative_to(root) and mark_of(pid) is not None:
            found.append(pid)
    return found
