"""The example specs render to what is checked in, wherever they are rendered.

`make rendered` writes specs/rendered anew; a reviewer then sees in its diff which commands a change makes different.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SPECS = sorted(path.stem for path in (REPOSITORY / "specs").glob("*.yaml"))
RENDERED = REPOSITORY / "specs" / "rendered"


def render(spec: str, *words: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "batchspec", "render", spec, *words],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_every_example_has_its_rendering_and_no_other_is_kept() -> None:
    assert sorted(path.name for path in RENDERED.iterdir()) == [f"{name}.yaml" for name in SPECS], "run: make rendered"


@pytest.mark.parametrize("name", SPECS)
def test_an_example_renders_to_what_is_checked_in(name: str) -> None:
    done = render(f"specs/{name}.yaml", "--check", f"specs/rendered/{name}.yaml", cwd=REPOSITORY)

    assert (done.returncode, done.stdout) == (0, ""), f"{done.stdout}{done.stderr}or run: make rendered"


@pytest.mark.parametrize("name", SPECS)
def test_a_rendering_is_the_same_in_another_place_for_another_user(name: str, tmp_path: Path) -> None:
    elsewhere = tmp_path / "a folder" / "specs"
    shutil.copytree(REPOSITORY / "specs", elsewhere, ignore=shutil.ignore_patterns("__pycache__", "rendered"))
    for path in elsewhere.rglob("*"):
        os.utime(path, (0, 0))

    done = render(
        f"specs/{name}.yaml",
        "--out",
        "../rendered.yaml",
        cwd=elsewhere.parent,
        HOME=str(tmp_path),
        USER="someone",
        LC_ALL="C",
        TZ="Asia/Tokyo",
        CI="true",
    )

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "rendered.yaml").read_bytes() == (RENDERED / f"{name}.yaml").read_bytes()
