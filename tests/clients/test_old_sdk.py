"""Programs written for azure-batch 11 and 14 run against the engine unchanged.

Each version of the SDK has a virtual environment of its own, made at first use in the user's cache from a lock file
with hashes, and kept there.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.local_engine import Accounts

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).with_name("old_sdk.py")
INSTALL_S = 170
RUN_S = 120


def cache_folder() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "batchspec-tests"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One test worker installs, the others wait for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def python_with(lock_file: Path) -> Path:
    """The Python of an environment that has exactly what a lock file names."""
    digest = hashlib.sha256(lock_file.read_bytes() + sys.version.encode()).hexdigest()[:16]
    folder = cache_folder() / f"{lock_file.stem}-{digest}"
    python = folder / "bin" / "python"
    with locked(folder.with_suffix(".lock")):
        done = folder / "installed"
        if not done.exists():
            venv.create(folder, clear=True, with_pip=True)
            command = [
                str(python),
                "-m",
                "pip",
                "--disable-pip-version-check",
                "-q",
                "install",
                "--no-deps",
                "--require-hashes",
            ]
            subprocess.run([*command, "-r", str(lock_file)], check=True, timeout=INSTALL_S, stdin=subprocess.DEVNULL)
            done.touch()
    return python


@pytest.mark.timeout(INSTALL_S + RUN_S)
@pytest.mark.parametrize("version", ["14", "11"])
def test_a_program_for_an_older_sdk_runs_unchanged(version: str, local_engine: Accounts) -> None:
    python = python_with(REPOSITORY / ".requirements" / f"batch-{version}.txt")
    batch, _ = local_engine
    environment = {
        "PATH": os.environ["PATH"],
        "AZURE_BATCH_ENDPOINT": batch.endpoint,
        "AZURE_BATCH_ACCOUNT": batch.name,
        "AZURE_BATCH_ACCESS_KEY": str(batch.key),
    }

    ran = subprocess.run(
        [python, PROGRAM], env=environment, capture_output=True, encoding="utf-8", timeout=RUN_S, check=False
    )

    assert (ran.returncode, ran.stdout.split("\n")) == (
        0,
        ["pools", "autoscale", "nodes", "schedules", "jobs", "tasks", "the end", ""],
    ), ran.stderr
