"""What `batchspec init` writes runs on the engine as it is, and a second time has nothing to do."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.docker import calls, stand_in
from tests.end_to_end.workspace import batchspec, environment

RESULTS = {
    "per-file": {"first.txt.counts": " 2  9 45 first.txt\n", "second.txt.counts": " 3 18 84 second.txt\n"},
    "sweep": {
        "angle-30-speed-10.csv": "30,10,8.83\n",
        "angle-30-speed-20.csv": "30,20,35.31\n",
        "angle-45-speed-10.csv": "45,10,10.19\n",
        "angle-45-speed-20.csv": "45,20,40.77\n",
        "angle-60-speed-10.csv": "60,10,8.83\n",
        "angle-60-speed-20.csv": "60,20,35.31\n",
    },
}


@pytest.mark.parametrize("kind", RESULTS)
def test_a_starter_runs_as_it_is(kind: str, env: Mapping[str, str], tmp_path: Path) -> None:
    file = f"starter-{kind}.yaml"
    made = batchspec("init", file, "--kind", kind, cwd=tmp_path, env=env)
    assert made.code == 0, made

    first = batchspec("apply", file, cwd=tmp_path, env=env)

    assert first.code == 0, first
    results = {path.name: path.read_text() for path in (tmp_path / f"results/starter-{kind}").iterdir()}
    assert {name: text.split() for name, text in results.items()} == {
        name: text.split() for name, text in RESULTS[kind].items()
    }
    again = batchspec("apply", file, cwd=tmp_path, env=env)
    assert (again.code, "Nothing to do" in again.stdout) == (0, True), again
    deleted = batchspec("delete", file, "--yes", cwd=tmp_path, env=env)
    assert deleted.code == 0, deleted


def answers(program: str) -> bool:
    """Whether a container runtime is at work on this machine."""
    path = shutil.which(program)
    return (
        path is not None and not subprocess.run([path, "info"], capture_output=True, timeout=60, check=False).returncode
    )


def test_the_starter_with_containers_says_what_this_machine_lacks(env: Mapping[str, str], tmp_path: Path) -> None:
    if answers("docker") or answers("podman"):
        pytest.skip("this machine runs containers")
    made = batchspec("init", "starter-boxes.yaml", "--kind", "container", cwd=tmp_path, env=env)
    assert made.code == 0, made

    ran = batchspec("apply", "starter-boxes.yaml", cwd=tmp_path, env=env)

    assert ran.code == 3, ran
    assert "The local engine finds neither docker nor podman to run containers" in ran.stderr
    deleted = batchspec("delete", "starter-boxes.yaml", "--yes", cwd=tmp_path, env=env)
    assert deleted.code == 0, deleted


def test_the_starter_with_containers_runs_where_a_runtime_is(tmp_path: Path) -> None:
    runtime = stand_in(tmp_path / "bin")
    env = environment(tmp_path / "state", PATH=f"{runtime}:{os.environ['PATH']}")
    assert batchspec("init", "starter-boxes.yaml", "--kind", "container", cwd=tmp_path, env=env).code == 0

    first = batchspec("apply", "starter-boxes.yaml", cwd=tmp_path, env=env)
    again = batchspec("apply", "starter-boxes.yaml", cwd=tmp_path, env=env)

    stopped = batchspec("engine", "stop", cwd=tmp_path, env=env)
    assert (first.code, again.code, stopped.code) == (0, 0, 0), f"{first}\n{again}\n{stopped}"
    assert "Nothing to do" in again.stdout
    results = {path.name: path.read_text().strip() for path in (tmp_path / "results/starter-boxes").iterdir()}
    assert results == {"first.txt.count": "9", "second.txt.count": "18"}
    images = [words[-1] for words in calls(runtime) if words[0] == "pull"]
    assert images == ["python:3.13-slim"]
