"""The pre-commit hook, run as pre-commit runs it: the entry with the names of the files that it is for."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Somebody's repository: specs, their inputs, and YAML that is none of ours."""
    here = tmp_path / "theirs"
    shutil.copytree(REPOSITORY / "specs", here / "specs", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(here / "specs/topwords", here / "team b/specs/topwords")
    shutil.copy(here / "specs/topwords.yaml", here / "team b/specs/top words.yml")
    (here / "ci.yaml").write_text("no: spec\n")
    subprocess.run(["git", "init", "-q"], cwd=here, check=True, timeout=60)
    subprocess.run(["git", "add", "-A"], cwd=here, check=True, timeout=60)
    return here


def hook(repository: Path, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """The hook on all files, as `pre-commit run --all-files` does."""
    (given,) = yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text())
    assert (given["id"], given["language"], given["types"]) == ("batchspec-validate", "python", ["yaml"])
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=repository, capture_output=True, check=True, timeout=60)
    names = [name for name in listed.stdout.decode().split("\0") if re.search(given["files"], name)]
    program = tmp_path / "bin" / "batchspec"  # what installing the package makes
    program.parent.mkdir(exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m batchspec "$@"\n')
    program.chmod(0o755)
    first, *rest = shlex.split(given["entry"])
    return subprocess.run(
        [program.parent / first, *rest, *names],
        cwd=repository,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(REPOSITORY), "CI": "true"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def test_specs_that_are_right_pass_and_nothing_else_is_looked_at(repository: Path, tmp_path: Path) -> None:
    done = hook(repository, tmp_path)

    shipped = sorted(f"specs/{path.name}" for path in (REPOSITORY / "specs").glob("*.yaml"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines() == [f"{name}: valid" for name in [*shipped, "team b/specs/top words.yml"]]


def test_one_that_is_wrong_stops_the_commit_and_is_shown(repository: Path, tmp_path: Path) -> None:
    broken = repository / "specs/ffmpeg.yaml"
    broken.write_text(broken.read_text().replace("vm_size", "vm_sise"))

    done = hook(repository, tmp_path)

    problems = [line for line in done.stdout.splitlines() if not line.endswith(": valid")]
    assert done.returncode == 2
    assert problems == ["specs/ffmpeg.yaml:25:3: pool.vm_sise: unknown property; did you mean 'vm_size'?"]
