"""From a blob's name to a path below a folder, or a refusal: the guard that keeps downloads in their directory.

Place in the pipeline: `fetch` and `plan_blobs` ask it for every blob. A blob name is up to 1,024 characters of nearly
anything (Naming and Referencing Containers, Blobs, and Metadata); a file name is not. Pure but for `inside`, which
looks at symbolic links.
"""

import os
import sys
from pathlib import Path, PurePosixPath

_MAX_COMPONENT_BYTES = 255
_RESERVED_ON_WINDOWS = frozenset(
    {"con", "prn", "aux", "nul", *(f"com{n}" for n in range(1, 10)), *(f"lpt{n}" for n in range(1, 10))}
)


def path_below(folder: Path, name: str) -> Path:
    """The path of the blob `name` below `folder`.

    Raises ValueError, with the reason as its message, for a name that would leave the folder or can be no file on some
    platform people use: empty parts (a leading, doubled or trailing slash), `.` and `..`, backslashes, NUL, parts
    longer than 255 bytes, what is not valid Unicode, and on Windows its reserved names and characters.
    """
    parts = name.split("/")
    for part in parts:
        _check(part)
    return folder.joinpath(*PurePosixPath(*parts).parts)


def _check(part: str) -> None:
    if not part:
        raise ValueError("it has an empty part (a leading, doubled or trailing slash)")
    if part in (".", ".."):
        raise ValueError(f"it has a part {part!r}")
    if "\\" in part:
        raise ValueError("it holds a backslash")
    if "\0" in part:
        raise ValueError("it holds a NUL character")
    try:
        length = len(part.encode())
    except UnicodeEncodeError:
        raise ValueError("it is not valid Unicode") from None
    if length > _MAX_COMPONENT_BYTES:
        raise ValueError(f"it has a part of {length} bytes; a file's name can have {_MAX_COMPONENT_BYTES}")
    if sys.platform == "win32":
        _check_on_windows(part)


def _check_on_windows(part: str) -> None:
    if part.split(".")[0].lower() in _RESERVED_ON_WINDOWS or part[-1] in ". " or set(part) & set('<>:"|?*'):
        raise ValueError(f"the part {part!r} can be no file on Windows")


def inside(folder: Path, path: Path) -> bool:
    """Whether `path`, its symbolic links followed, is below `folder`."""
    return os.path.commonpath([folder.resolve(), path.parent.resolve()]) == str(folder.resolve())
