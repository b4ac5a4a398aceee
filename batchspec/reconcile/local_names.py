"""From a blob's name to a path below a folder, or a refusal: the guard that keeps downloads in their directory.

Place in the pipeline: `fetch` and `plan_blobs` ask it for every blob. A blob name is up to 1,024 characters of nearly
anything (Naming and Referencing Containers, Blobs, and Metadata); a file name is not. Pure but for `inside`, which
looks at symbolic links. `Places` sees to it that no two blobs become one file.
"""

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from batchspec.render.model import DesiredDownload

_MAX_COMPONENT_BYTES = 255
# What is being fetched is so named, in the download's folder, until it is whole.
PART_PREFIX, PART_SUFFIX = ".batchspec-", ".part"
_RESERVED_ON_WINDOWS = frozenset(
    {"con", "prn", "aux", "nul", *(f"com{n}" for n in range(1, 10)), *(f"lpt{n}" for n in range(1, 10))}
)


def path_below(folder: Path, name: str) -> Path:
    """The path of the blob `name` below `folder`.

    Raises ValueError, with the reason as its message, for a name that would leave the folder or can be no file on some
    platform people use: empty parts (a leading, doubled or trailing slash), `.` and `..`, backslashes, NUL, parts
    longer than 255 bytes, what is not valid Unicode, what the next run would take for a half-written file and remove,
    and on Windows its reserved names and characters.
    """
    if "/" not in name and name.startswith(PART_PREFIX) and name.endswith(PART_SUFFIX):
        raise ValueError("it has a name that unfinished downloads have")
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


@dataclass(slots=True)
class Places:
    """Which blob becomes which file, over all downloads of a spec: a file is given to one blob only."""

    _files: dict[str, str] = field(default_factory=dict)
    _folders: dict[str, str] = field(default_factory=dict)

    def place(self, download: DesiredDownload, container: str, name: str) -> Path:
        """The path of a blob, as `path_below`; the folders of the download's prefix are no part of it.

        Raises ValueError also when another blob has this file (where names ignore case, one that differs in case only),
        or when one of the two would be a file and the other a folder.
        """
        folder = download.to
        path = path_below(folder, name[download.prefix.rfind("/") + 1 :])
        blob, key = f"{container}/{name}", _key(path)
        parents = [_key(parent) for parent in path.parents if parent != folder and folder in parent.parents]
        other = self._files.get(key, blob)
        if other != blob:
            raise ValueError(f"{other!r} is the same file here")
        if key in self._folders:
            raise ValueError(f"{self._folders[key]!r} needs a folder of that name")
        for parent in parents:
            if parent in self._files:
                raise ValueError(f"{self._files[parent]!r} is a file here, so nothing can be below it")
        self._files[key] = blob
        for parent in parents:
            self._folders.setdefault(parent, blob)
        return path


def _key(path: Path) -> str:
    text = os.path.normpath(path)
    return text.casefold() if sys.platform in ("win32", "darwin") else text
