"""Preflight of programs: told is only what is certain enough."""

import shlex

import pytest

from batchspec.reconcile.preflight_facts import Facts
from batchspec.reconcile.preflight_tools import tools
from batchspec.render.model import JsonObject
from tests.reconcile.looking import POOL, UBUNTU, facts, told


def shell(script: str) -> JsonObject:
    return {"commandLine": f"/bin/bash -c {shlex.quote(script)}"}


def start(script: str, **more: object) -> JsonObject:
    return {**POOL, "startTask": {**shell(script), **more}}  # type: ignore[dict-item]


def machine(**more: object) -> JsonObject:
    return {**POOL, "virtualMachineConfiguration": {"imageReference": UBUNTU, **more}}  # type: ignore[dict-item]


def missing(seen: Facts) -> list[str]:
    return [name for name, *_ in told(tools, seen)]


def test_a_program_that_nothing_installs_is_a_warning_with_the_way() -> None:
    fact = "task t0 runs ffmpeg, which the image does not have, and no start task mentions it"
    fix = (
        "install it in the pool's start task (apt-get install -y ffmpeg, elevated), or use an image, a package or a "
        "container that has it"
    )
    seen = facts(POOL, shell("ffmpeg -i a.mp4 a.mp3"), shell("ffmpeg -i b.mp4 b.mp3"))
    assert told(tools, seen) == [("program ffmpeg", "warning", fact, fix)]
    assert missing(facts(start("echo hello"), shell("ffmpeg -i a.mp4 a.mp3"))) == ["program ffmpeg"]


@pytest.mark.parametrize(
    "script",
    [
        "set -e; set -o pipefail; cd x && Rscript a.R",
        "THREADS=4 nice Rscript a.R | tee log",
        "if true; then Rscript a.R; fi",
        "(Rscript a.R)",
        "sudo Rscript 'a;b.R'",
    ],
)
def test_a_program_is_found_at_the_start_of_every_command(script: str) -> None:
    assert missing(facts(POOL, shell(script))) == ["program Rscript"]


def test_a_command_line_without_a_shell_is_a_command_too() -> None:
    assert missing(facts(POOL, {"commandLine": "pandoc a.md -o a.pdf"})) == ["program pandoc"]


@pytest.mark.parametrize(
    "script",
    [
        "echo ffmpeg",
        "python3 ffmpeg.py",
        "./ffmpeg -i a.mp4",
        "/opt/ffmpeg/ffmpeg -i a.mp4",
        "command -v ffmpeg && ffmpeg -i a.mp4",
        "apt-get install -y ffmpeg; ffmpeg -i a.mp4",
        "curl -O x && ffmpeg -i a.mp4",
        "echo 'unfinished",
        "cat <<EOF\nffmpeg\nEOF",
        "",
    ],
)
def test_where_the_task_may_know_better_nothing_is_told(script: str) -> None:
    assert missing(facts(POOL, {"commandLine": f"/bin/bash -c {shlex.quote(script)}"})) == []


@pytest.mark.parametrize(
    "pool",
    [
        pytest.param(start("apt-get update && apt-get install -y ffmpeg"), id="the start task installs it"),
        pytest.param(start("./setup.sh"), id="the start task runs a script"),
        pytest.param(start("wget -q x"), id="the start task fetches something"),
        pytest.param(start("true", resourceFiles=[{"httpUrl": "x"}]), id="the start task has files"),
        pytest.param({**POOL, "applicationPackageReferences": [{"applicationId": "x"}]}, id="a package"),
        pytest.param({**POOL, "mountConfiguration": [{}]}, id="a mount"),
        pytest.param(machine(containerConfiguration={"type": "dockerCompatible"}), id="containers"),
        pytest.param(machine(extensions=[{}]), id="extensions"),
        pytest.param(machine(imageReference={"virtualMachineImageId": "/x"}), id="an own image"),
        pytest.param(machine(imageReference={**UBUNTU, "offer": "ubuntu-hpc"}), id="an image with programs"),
    ],
)
def test_a_pool_that_may_have_it_is_not_told_of(pool: JsonObject) -> None:
    assert missing(facts(pool, shell("ffmpeg -i a.mp4 a.mp3"))) == []


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(facts(POOL, shell("ffmpeg"), pending=0), id="nothing is to run"),
        pytest.param(facts(None, shell("ffmpeg")), id="no pool"),
        pytest.param(facts(POOL, shell("ffmpeg"), existing_job=True), id="a job of others"),
        pytest.param(facts(POOL, shell("ffmpeg"), job={"jobPreparationTask": {"commandLine": "x"}}), id="preparation"),
        pytest.param(facts(POOL, shell("ffmpeg"), job={"jobManagerTask": {"commandLine": "x"}}), id="a job manager"),
        pytest.param(facts(POOL, {**shell("ffmpeg"), "containerSettings": {"imageName": "x"}}), id="a container"),
        pytest.param(
            facts(POOL, {**shell("ffmpeg"), "applicationPackageReferences": [{"applicationId": "x"}]}), id="a package"
        ),
    ],
)
def test_where_something_else_may_bring_it_nothing_is_told(seen: Facts) -> None:
    assert missing(seen) == []


def test_windows_has_programs_of_its_own() -> None:
    assert missing(facts(POOL, {"commandLine": 'cmd /c "ffmpeg.exe -i a.mp4"'}, os="windows")) == ["program ffmpeg"]
    assert missing(facts(POOL, {"commandLine": 'cmd /c "convert c: /fs:ntfs"'}, os="windows")) == []
