"""Files that a spec leads to, opened so that nobody else's are read and nothing blocks.

Place in the pipeline: `load` and, in `render`, all that lists or reads files ask here. In: paths. Out: a bound, what is
wrong with a path, or an open file. Never follows a path out of the bound, never waits for a pipe, and reads no content.

The bound is the git root, or the folder itself where there is none. A `.git` within it is out of bounds too: on a build
machine it holds the token of the checkout, and a link to it is an ordinary file of a pull request.
"""

import os
import stat
from io import BufferedReader
from pathlib import Path

_NO_FILE = "is no file but a pipe, a socket or a device"
_TYPED_STREAMS = ("/dev/fd/", "/proc/self/fd/")


class NotAFile(OSError):
    """Something else than a regular file; the message says so."""

    def __init__(self) -> None:
        super().__init__(_NO_FILE)


class Escaped(OSError):
    """The file that was opened is not the one that was allowed: a link was changed meanwhile."""

    def __init__(self) -> None:
        super().__init__("lies outside the repository by now; nothing was read of it")


def git_root(folder: Path) -> Path | None:
    """The nearest folder above, or this one, that holds `.git` in any form; `folder` must be resolved."""
    return next((one for one in (folder, *folder.parents) if os.path.lexists(one / ".git")), None)


def is_within(real: Path, bound: Path) -> bool:
    """Whether a resolved path lies below the bound, and in no `.git`."""
    if not real.is_relative_to(bound):
        return False
    return all(part.lower() != ".git" for part in real.relative_to(bound).parts)


def link_fault(path: Path) -> str | None:
    """What is wrong with a file that a person named, which may be a link out of its own repository."""
    root = git_root(Path(os.path.abspath(path)).parent.resolve())  # noqa: PTH100 - the folder of the link itself
    real = path.resolve()
    if root is None or is_within(real, root):
        return None
    return f"leads to {real}, outside the files of {root}; name that file itself, or say --allow-outside"


def opened(path: Path, within: Path | None = None) -> BufferedReader:
    """The file, opened for reading bytes; it is regular, and below `within` when that is given. Raises OSError.

    `/dev/stdin` and `/dev/fd/N` may be pipes: a shell writes them, no repository can hold them.
    """
    if str(path) == "/dev/stdin" or str(path).startswith(_TYPED_STREAMS):
        return path.open("rb")
    file = os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0)), "rb")
    try:
        _check(file, path, within)
    except BaseException:
        file.close()
        raise
    return file


def _check(file: BufferedReader, path: Path, within: Path | None) -> None:
    status = os.fstat(file.fileno())
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(21, "Is a directory")
    if not stat.S_ISREG(status.st_mode):
        raise NotAFile
    if within is not None:
        real = path.resolve()
        if not is_within(real, within) or not os.path.samestat(status, real.lstat()):
            raise Escaped
