"""Tasks in containers: with a runtime that answers (a program that stands in for docker), and without."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.docker import calls, stand_in
from tests.engine.served import UBUNTU, Served, serving, wait_for

SETTINGS = {"imageName": "image/of:1", "containerRunOptions": "--memory 1g"}


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = stand_in(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


@pytest.fixture
def held(docker: Path, tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path / "state") as served:
        served.add_pool()
        served.add_job()
        yield served


def failure(task: Any) -> str:
    return str(task["executionInfo"]["failureInfo"]["code"])


def test_a_task_runs_in_a_container_with_its_environment_and_folders(docker: Path, held: Served) -> None:
    settings = [{"name": "MINE", "value": "a b"}]
    line = "/bin/sh -c 'echo $MINE $AZ_BATCH_TASK_ID ${LOGNAME-none}; pwd; exit 3'"
    held.add_task("t", line, containerSettings=SETTINGS, environmentSettings=settings)
    info = held.completed("t")["executionInfo"]
    assert (info["exitCode"], held.output("t").splitlines()[0]) == (3, "a b t none")
    assert held.output("t").splitlines()[1].endswith("workitems/job/job-1/t/wd")
    (words,) = [call for call in calls(docker) if call[0] == "run"]
    assert (words[words.index("--memory") + 1], words[words.index("-v") + 1].count(":")) == ("1g", 1)
    assert [call[0] for call in calls(docker)] == ["info", "image", "pull", "run"]


def test_an_image_that_cannot_be_pulled_and_settings_that_cannot_be_fail_the_task(held: Served) -> None:
    held.add_task("pull", "true", containerSettings={"imageName": "no/image"})
    held.add_task("options", "true", containerSettings={**SETTINGS, "containerRunOptions": "--nonsense"})
    held.add_task("quotes", "true", containerSettings={**SETTINGS, "containerRunOptions": "'"})
    registry = {"username": "u", "password": "wrong", "registryServer": "r.example"}
    held.add_task("login", "true", containerSettings={"imageName": "r.example/x", "registry": registry})
    codes = [failure(held.completed(name)) for name in ("pull", "options", "quotes", "login")]
    assert codes == [
        "ContainerInvalidImage",
        "ContainerInvalidSettings",
        "ContainerInvalidSettings",
        "ContainerInvalidRegistry",
    ]


def test_a_terminated_tasks_container_is_removed(docker: Path, held: Served) -> None:
    held.add_task("t", "sleep 1000", containerSettings=SETTINGS)
    wait_for(lambda: (docker / "calls").exists() and calls(docker)[-1][0] == "run", bool)
    assert held.request("POST", "/jobs/job/tasks/t/terminate").status == 204
    assert failure(held.completed("t")) == "TaskEnded"
    run, last = [call for call in calls(docker) if call[0] in ("run", "rm")]
    assert last == ["rm", "--force", run[run.index("--name") + 1]]


def test_a_pool_fetches_its_images_and_a_node_that_cannot_is_unusable(docker: Path, held: Served) -> None:
    for pool, image, state in (("good", "image/of:1", "idle"), ("bad", "no/image", "unusable")):
        containers = {"type": "dockerCompatible", "containerImageNames": [image]}
        machine = {**UBUNTU, "containerConfiguration": containers}
        held.add_pool(pool, 1, virtualMachineConfiguration=machine)
        (node,) = held.nodes_in(state, pool=pool)
    assert node["errors"][0]["code"] == "ContainerPoolImagePullFailed"
    assert ["pull", "image/of:1"] in calls(docker)


def test_without_a_runtime_the_task_says_that_it_is_the_engines_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with serving(tmp_path / "state") as served:
        served.add_pool()
        served.add_job()
        served.add_task("t", "true", containerSettings=SETTINGS)
        info = served.completed("t")["executionInfo"]["failureInfo"]
        assert (info["code"], "local engine" in info["message"]) == ("ContainerMiscError", True)
        assert served.output("t") == ""
