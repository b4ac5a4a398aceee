"""Globs -> the files they name.

Place in the pipeline: `desired` lists every upload with this, `expand` finds its rows file. In: patterns relative to
the spec. Out: LocalFiles in name order, and what is wrong as sentences. Never follows a path out of the git root (or
the spec's folder where there is no git), unless outside is allowed, and reads no content but in `md5_of`.

Rules: `*`, `?` and `[abc]` stay in one folder, `**` is zero or more folders, a leading dot must be written, and a file
that has exactly the name of the pattern is that file. A blob's name is the path below the part of the pattern that
holds no wildcard. Order is by code point, whatever the system's. Links are followed; no folder is entered below itself.
"""

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path

from batchspec.errors import LocalIOFailed
from batchspec.render.guard import TooMuch
from batchspec.render.ids import blob_fault
from batchspec.render.metering import RUN
from batchspec.render.model import LocalFile
from batchspec.render.patterns import MAX_PATTERN, matches
from batchspec.spec.opening import git_root, is_within, opened

_MAGIC = re.compile(r"[*?\[]")
# Folders that one pattern may enter by links or below them, each as often as there are ways to it.
_MOST_BELOW_LINKS = 2_000
# What other tools take for a choice of words.
_CHOICE = re.compile(r"\{[^{}]*,[^{}]*\}")
_MAX_FAULTS = 20
# What it costs to follow a pattern and to look into a folder, in the units of `metering`.
_PATTERN, _STEP, _FOLDER, _ENTRY = 400, 20, 500, 10


@dataclass(frozen=True, slots=True)
class Folder:
    """Where patterns start (`path`), and below which real folder every file must lie; None when anywhere is allowed."""

    path: Path
    within: Path | None


@dataclass(slots=True)
class Listing:
    """The files of one upload, and what is wrong with them."""

    files: list[LocalFile] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def folder_of(spec: Path, *, allow_outside: bool = False) -> Folder:
    """The folder of a spec file, bounded by its git root, or by itself where there is none."""
    path = Path(os.path.abspath(spec)).parent  # noqa: PTH100 - resolve() would follow a link to the spec itself
    real = path.resolve()
    return Folder(path, None if allow_outside else git_root(real) or real)


def list_files(folder: Folder, pattern: str, prefix: str = "") -> Listing:
    """The files that `pattern` names, sorted by blob name; each fault is a sentence that names the file."""
    listing = Listing()
    fault = _pattern_fault(pattern)
    if fault:
        listing.faults.append(fault)
        return listing
    try:
        found = list(_Walk(folder, pattern, listing.faults).found())
    except TooMuch as error:
        listing.faults.append(f"looks for too many files: {error}")
        return listing
    for name, path in found:
        blob = prefix + name
        wrong = blob_fault(blob)
        if len(listing.faults) >= _MAX_FAULTS:
            listing.faults.append("there is more; these come first")
            break
        if wrong:
            listing.faults.append(f"{shown(folder, path)}: {wrong}")
        elif (size := _size(folder, path, listing.faults)) is not None:
            listing.files.append(LocalFile(blob, path, size, folder.within))
    listing.files.sort(key=lambda file: file.name)
    listing.faults = list(dict.fromkeys(listing.faults))
    return listing


def md5_of(path: Path, within: Path | None = None) -> bytes:
    """The 16 bytes of a file's MD5, read in pieces; of one that lies below `within`, if given. Raises LocalIOFailed."""
    try:
        with opened(path, within) as content:
            return hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False)).digest()
    except OSError as error:
        raise LocalIOFailed("read", path, error) from error


def shown(folder: Folder, path: Path) -> str:
    """A path for people and for rendering: from the spec's folder, with `/`, the same on every machine."""
    try:
        relative = os.path.relpath(path, folder.path)
    except ValueError:  # another drive
        relative = str(path)
    text = relative.replace(os.sep, "/")
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def same_file(one: Path, other: Path) -> bool:
    """Whether two paths lead to the same file, by whatever way."""
    try:
        return one == other or one.samefile(other)
    except OSError:
        return False


def outside_fault(folder: Folder, path: Path) -> str | None:
    """What is wrong with where a path really lies."""
    if folder.within is None:
        return None
    try:
        real = path.resolve()
    except (OSError, RuntimeError) as error:  # a loop of links
        return f"{shown(folder, path)}: cannot be followed: {error}"
    if is_within(real, folder.within):
        return None
    if real.is_relative_to(folder.within):
        return f"{shown(folder, path)}: lies in .git, which no spec may read"
    here = f"{folder.within}, from where alone a spec may read (--allow-outside lifts this)"
    return f"{shown(folder, path)}: lies outside {here}"


def _pattern_fault(pattern: str) -> str | None:
    if not pattern.strip():
        return "names no file: it is empty"
    if len(pattern) > MAX_PATTERN:
        return f"has {len(pattern):,} characters, more than any path; the most is {MAX_PATTERN:,}"
    return "holds a NUL character, which no file name can" if "\0" in pattern else None


def _size(folder: Folder, path: Path, faults: list[str]) -> int | None:
    try:
        status = path.stat()
        readable = os.access(path, os.R_OK)
    except OSError as error:
        faults.append(f"{shown(folder, path)}: {error.strerror or error}")
        return None
    if not readable:
        faults.append(f"{shown(folder, path)}: cannot be read: Permission denied")
        return None
    return status.st_size


@dataclass(frozen=True, slots=True)
class _Visit:
    """A folder to look into: where it is, its path below the start, the steps left, and the real folders above it."""

    folder: Path
    name: str
    steps: tuple[str, ...]
    above: tuple[Path, ...]
    linked: bool = False


class _Walk:
    """One pattern on its way through the folders; faults are added to the list it is given."""

    def __init__(self, folder: Folder, pattern: str, faults: list[str]) -> None:
        self._folder = folder
        self._pattern = pattern
        self._faults = faults
        self._below_links = 0

    def found(self) -> Iterator[tuple[str, Path]]:
        """Each file once: its path below the fixed part, and where it is."""
        RUN.spend(_PATTERN + _STEP * self._pattern.count("/"))
        literal = self._folder.path / self._pattern
        if os.path.lexists(literal) and not _is_folder(literal):
            if self._usable_file(literal):
                yield literal.name, literal
            return
        start, steps = self._fixed()
        if not steps:
            self._explain_literal(literal)
        elif ".." in steps or "" in steps or "." in steps:
            self._faults.append("has an empty part, . or .. behind a wildcard; write it before the first one")
        elif not _is_folder(start):
            folder = str(start) if self._pattern.startswith("/") else shown(self._folder, start)
            self._faults.append(f"there is no folder {folder}; {self._next_step()}")
        elif self._usable_folder(start):
            before = len(self._faults)
            names = sorted(self._below(start, tuple(steps)))
            if not names and len(self._faults) == before:
                self._faults.append(f"matches no file; {self._next_step()}")
            yield from ((name, start / name) for name in names)

    def _fixed(self) -> tuple[Path, list[str]]:
        """The part without wildcards (a folder that is really called so counts), and what is left."""
        start, steps = self._folder.path, self._pattern.split("/")
        if steps[0] == "":
            start, steps = Path("/"), steps[1:]
        while steps and (not _MAGIC.search(steps[0]) or _is_folder(start / steps[0])):
            plain = list(takewhile(lambda step: not _MAGIC.search(step), steps)) or steps[:1]
            start, steps = start.joinpath(*plain), steps[len(plain) :]
        doubled = [step == "**" and steps[at - 1 : at] == ["**"] for at, step in enumerate(steps)]
        return start, [step for step, again in zip(steps, doubled, strict=True) if not again]

    def _explain_literal(self, literal: Path) -> None:
        if _is_folder(literal):
            self._faults.append(f"is a folder; write {self._pattern.rstrip('/')}/** for all files in it")
        else:
            self._faults.append(f"no such file; {self._next_step()}")

    def _next_step(self) -> str:
        if self._pattern.startswith("~"):
            return "`~` is no home folder here; write the path from the folder of the spec"
        if _CHOICE.search(self._pattern):
            return "braces stand for themselves here; write each choice as a pattern of its own, in a list"
        return "check the path, which starts at the folder of the spec"

    def _below(self, start: Path, steps: tuple[str, ...]) -> set[str]:
        """The paths below `start` of the files that the steps name; each folder is entered once for each step."""
        found: set[str] = set()
        entered: set[tuple[str, int]] = set()
        waiting = [_Visit(start, "", steps, (start.resolve(),))]
        while waiting and self._below_links <= _MOST_BELOW_LINKS:
            visit = waiting.pop()
            key = (visit.name, len(visit.steps))
            if key in entered:
                continue
            entered.add(key)
            step, rest = visit.steps[0], visit.steps[1:]
            onward: list[_Visit] = []
            for entry in self._entries(visit.folder):
                if not matches(entry.name, "*" if step == "**" else step):
                    continue
                if _is_folder(Path(entry.path)):
                    onward += self._into(visit, entry, visit.steps if step == "**" else rest)
                elif not rest and self._usable(entry):
                    found.add(visit.name + entry.name)
            waiting += reversed(onward)
            if step == "**" and rest:
                waiting.append(replace(visit, steps=rest))
        return found

    def _into(self, visit: "_Visit", entry: os.DirEntry[str], steps: tuple[str, ...]) -> Iterator["_Visit"]:
        folder, linked = Path(entry.path), entry.is_symlink()
        if not steps or not self._may_follow(linked or visit.linked):
            return
        if linked and not self._usable_folder(folder):
            return
        if self._folder.within is not None and folder.name.lower() == ".git":
            return  # no wildcard means it
        real = folder.resolve() if linked else visit.above[-1] / folder.name
        if real not in visit.above:
            yield _Visit(folder, f"{visit.name}{entry.name}/", steps, (*visit.above, real), linked or visit.linked)

    def _may_follow(self, linked: bool) -> bool:
        """Links that lead to each other make more paths than anyone means; the first one too many is told."""
        self._below_links += linked
        if self._below_links == _MOST_BELOW_LINKS + 1:
            self._faults.append(f"enters more than {_MOST_BELOW_LINKS:,} folders by links; name fewer of them")
        return self._below_links <= _MOST_BELOW_LINKS

    def _entries(self, folder: Path) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            self._faults.append(f"{shown(self._folder, folder)}: cannot be listed: {error.strerror or error}")
            return []
        RUN.spend(_FOLDER + _ENTRY * len(found))
        return found

    def _usable(self, entry: os.DirEntry[str]) -> bool:
        """Whether to take it; other things than files are passed over, links to nowhere and to outside are faults."""
        if entry.is_symlink():
            return self._usable_file(Path(entry.path))
        return entry.is_file(follow_symlinks=False)

    def _usable_folder(self, folder: Path) -> bool:
        fault = outside_fault(self._folder, folder)
        if fault:
            self._faults.append(fault)
        return fault is None

    def _usable_file(self, path: Path) -> bool:
        try:
            kind = path.stat().st_mode
        except OSError as error:
            what = "is a link to nothing" if path.is_symlink() else f"cannot be read: {error.strerror or error}"
            self._faults.append(f"{shown(self._folder, path)}: {what}")
            return False
        if not stat.S_ISREG(kind) and path != self._folder.path / self._pattern:
            return False
        if not self._usable_folder(path):
            return False
        if not stat.S_ISREG(kind):
            self._faults.append(f"{shown(self._folder, path)}: is no file but a pipe, a socket or a device")
        return stat.S_ISREG(kind)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name that is too long
        return False
