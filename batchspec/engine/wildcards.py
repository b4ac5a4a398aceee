"""Output file patterns: which files of a task does `filePattern` name?

Place: below `transfer.py`. In: a pattern as written in the task, its working directory and environment. Out:
`Found` files, each with the part of its path that its blob's name is made of. It opens no file.

The language is that of the Batch documentation of `OutputFile.filePattern`: `*` and `?` stay in one folder, `**` is any
number of folders, `[abc]`, `[a-c]` and `[!abc]` are one character, brackets escape (`abc[*]`), a name that starts with
a dot needs a dot in the pattern, and `$VAR` or `${VAR}` is replaced first. A blob's name repeats the path below the
part of the pattern without wildcards. A variable without a value stays as it is written.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})", re.ASCII)
_ESCAPED = re.compile(r"\[([^!\]])\]")
_SPECIAL = re.compile(r"[*?[]")


@dataclass(frozen=True, slots=True)
class Found:
    """A regular file, and its path below the fixed part of the pattern ("/" between names)."""

    path: Path
    relative: str


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern ready to be looked for: the fixed folder, then components; one component is a literal's name."""

    base: Path
    components: tuple[str, ...]
    is_literal: bool

    def literal(self) -> Path:
        """The one file that a pattern without wildcards names."""
        return self.base / _plain(self.components[0])


def parsed(pattern: str, *, wd: Path, env: Mapping[str, str]) -> Pattern:
    """Replace variables and split off what has no wildcards. Raises ValueError for what can name nothing."""
    expanded = _VARIABLE.sub(lambda match: _value(match, env), pattern)
    if "\0" in expanded or not expanded.strip("/"):
        raise ValueError("the pattern names no file")
    names = [name for name in expanded.split("/") if name not in ("", ".")]
    if not names or expanded.endswith("/"):
        raise ValueError("the pattern names a folder")
    fixed = next((at for at, name in enumerate(names) if _is_wild(name)), len(names))
    is_literal = fixed == len(names)
    fixed = min(fixed, len(names) - 1)
    if ".." in names[fixed:]:
        raise ValueError("'..' cannot follow a wildcard or end a pattern")
    start = Path("/") if expanded.startswith("/") else wd
    base = Path(os.path.normpath(start.joinpath(*map(_plain, names[:fixed]))))
    return Pattern(base, tuple(names[fixed:]), is_literal)


def matches(pattern: Pattern) -> list[Found]:
    """The files a pattern with wildcards finds, sorted by path; none when its folder does not exist."""
    found: dict[str, Path] = {}
    steps = _collapsed(pattern.components)
    waiting: list[tuple[Path, str, int]] = [(pattern.base, "", 0)]
    entered: set[tuple[str, int]] = set()
    while waiting:
        folder, prefix, step = waiting.pop()
        if (prefix, step) in entered:  # several `**` lead to a folder in several ways
            continue
        entered.add((prefix, step))
        if steps[step] == "**":
            waiting.append((folder, prefix, step + 1))
            folders = (entry for entry in _entries(folder) if entry.is_dir(follow_symlinks=False))
            waiting += [(Path(entry.path), f"{prefix}{entry.name}/", step) for entry in folders if entry.name[0] != "."]
            continue
        is_last = step == len(steps) - 1
        for entry in _matching(folder, steps[step]):
            if is_last and entry.is_file():
                found[prefix + entry.name] = Path(entry.path)
            elif not is_last and entry.is_dir():
                waiting.append((Path(entry.path), f"{prefix}{entry.name}/", step + 1))
    return [Found(path, relative) for relative, path in sorted(found.items())]


def _value(match: re.Match[str], env: Mapping[str, str]) -> str:
    name = match[1] or match[2]
    value = env.get(name)
    if value is None:
        return match[0]
    # A folder of the node is meant literally, whatever the state folder is called.
    is_folder = name.startswith("AZ_BATCH_") and name.endswith("_DIR")
    return _SPECIAL.sub(r"[\g<0>]", value) if is_folder else value


def _collapsed(components: Sequence[str]) -> list[str]:
    """`**/**` is `**`, and a trailing `**` means the files in all those folders."""
    steps = [name for at, name in enumerate(components) if name != "**" or components[at + 1 : at + 2] != ("**",)]
    return [*steps, "*"] if steps[-1] == "**" else steps


def _is_wild(component: str) -> bool:
    return _SPECIAL.search(_ESCAPED.sub("", component)) is not None


def _plain(component: str) -> str:
    return _ESCAPED.sub(r"\1", component)


def _entries(folder: Path) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:  # not there, or not ours to read: no match
        return []


def _matching(folder: Path, component: str) -> Iterator["os.DirEntry[str]"]:
    expression = _expression(component)
    return (entry for entry in _entries(folder) if expression.fullmatch(entry.name))


def _expression(component: str) -> re.Pattern[str]:
    between = [""]  # the stars
    at = 0
    while at < len(component):
        end = component.find("]", at + 2 + component.startswith("[!", at))
        if component[at] == "[" and end > 0:
            between[-1] += _character_class(component[at + 1 : end])
            at = end
        elif component[at] == "*":
            between.append("")
        else:
            between[-1] += "." if component[at] == "?" else re.escape(component[at])
        at += 1
    hidden = "" if _plain(component).startswith(".") else r"(?!\.)"
    try:
        return re.compile(hidden + _with_stars(between), re.DOTALL)
    except re.error:  # a range that runs backwards
        return re.compile(r"(?!)")


def _with_stars(between: Sequence[str]) -> str:
    """What stands between two stars is looked for once, as far to the left as it can be: no pattern takes long."""
    if len(between) == 1:
        return between[0]
    first, *middle, last = between
    return first + "".join(f"(?>.*?{one})" for one in middle) + ".*" + last


def _character_class(body: str) -> str:
    negated = body.startswith("!")
    escaped = re.sub(r"([\\^\[&~|])", r"\\\1", body[negated:])
    return f"[{'^' * negated}{escaped}]"
