"""A log for what should not happen: the traceback of a bug, with secrets masked, in a file.

Place in the pipeline: the boundary's last resort. In: an exception. Out: the path of the log, in
`$XDG_STATE_HOME/batchspec/log` or, where that cannot be written, in the folder for temporary files. Never raises.
"""

import os
import platform
import re
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

from batchspec import __version__
from batchspec.cli.phrases import without_secrets, without_signatures

_SECRET_SETTINGS = (
    "AZURE_BATCH_ACCESS_KEY",
    "AZURE_STORAGE_KEY",
    "AZURE_STORAGE_CONNECTION_STRING",
    "AZURE_CLIENT_SECRET",
)
_ACCOUNT_KEY = re.compile(r"[A-Za-z0-9+/]{86}==")
_AUTHORIZATION = re.compile(r"(?i)((?:SharedKey(?:Lite)? [^:\s]+:|Bearer )\s*)[A-Za-z0-9+/=._~-]+")
_ASSIGNED = re.compile(r"(?i)((?:AccountKey|SharedAccessSignature|password)=)[^;\s'\"]+")


def write_log(error: BaseException, environ: Mapping[str, str], secrets: Sequence[str] = ()) -> Path | None:
    """Write the traceback and return where; None when no place takes it."""
    text = masked(_report(error), environ, secrets)
    name = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}.log"
    for folder in (_state_folder(environ), Path(tempfile.gettempdir())):
        path = folder / (name if folder.name == "log" else f"batchspec-{name}")
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
        except (OSError, ValueError):
            continue
        return path
    return None


def masked(text: str, environ: Mapping[str, str], secrets: Sequence[str] = ()) -> str:
    """The text without keys, signatures, authorization headers and the values given as secrets."""
    text = without_secrets(text, [*secrets, *(environ.get(name, "") for name in _SECRET_SETTINGS)])
    text = _ASSIGNED.sub(r"\1<masked>", _ACCOUNT_KEY.sub("<masked>", text))
    return without_signatures(_AUTHORIZATION.sub(r"\1<masked>", text))


def _report(error: BaseException) -> str:
    lines = traceback.format_exception(error)
    head = f"batchspec {__version__}, Python {platform.python_version()} on {sys.platform}\n\n"
    return (head + "".join(lines)).encode("utf-8", "backslashreplace").decode("utf-8")


def _state_folder(environ: Mapping[str, str]) -> Path:
    root = environ.get("XDG_STATE_HOME", "")
    base = (
        Path(root) if root.startswith("/") else Path(environ.get("HOME", "") or ".").expanduser() / ".local" / "state"
    )
    return base / "batchspec" / "log"
