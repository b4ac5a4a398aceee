"""A text that is written to a file whole or not at all.

Place in the pipeline: commands with `--out FILE`. In: a path and the text, in pieces. Out: the file, UTF-8 whatever the
locale; whoever reads it meanwhile sees the old one. Its folder is made when it is missing.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from batchspec.errors import LocalIOFailed


def write_file(path: Path, pieces: Iterable[str]) -> None:
    """Write the text and put it in the place of what was there. Raises LocalIOFailed, and whatever `pieces` raises.

    A link stays, and its file is replaced; a pipe or a device is written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = path.resolve()
        if whole.exists() and not whole.is_file():
            _write(whole, pieces)
            return
        staged = whole.with_name(f".{whole.name}.{os.getpid()}")
        try:
            _write(staged, pieces)
            staged.replace(whole)
        finally:
            staged.unlink(missing_ok=True)
    except OSError as error:
        raise LocalIOFailed("write", path, error) from error


def _write(path: Path, pieces: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(pieces)
