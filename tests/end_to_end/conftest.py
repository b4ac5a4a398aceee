"""One engine for each test worker, with a state folder of its own; Azurite's program is shared in the cache."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.end_to_end.workspace import Services, Workspace, batchspec, environment, services, workspace, written

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def env(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """The environment of every command; the engine that they start is stopped at the end."""
    folder = tmp_path_factory.mktemp("engine")
    env = environment(folder / "state")
    yield env
    stopped = batchspec("engine", "stop", cwd=folder, env=env)
    assert stopped.code == 0, stopped


@pytest.fixture(scope="session")
def raw(env: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Microsoft's own clients on the engine of this worker."""
    clients = services(env, tmp_path_factory.getbasetemp())
    with clients.batch, clients.blobs:
        yield clients


@pytest.fixture
def make(env: Mapping[str, str], tmp_path: Path) -> Callable[[str], Workspace]:
    """A function that copies a workload into this test's folder, under a name that no other test uses."""
    return lambda workload: workspace(tmp_path / "work", workload, env, f"t{next(_numbers)}-{workload}")


@pytest.fixture
def topwords(make: Callable[[str], Workspace]) -> Workspace:
    """The topwords workload, ready to apply."""
    return make("topwords")


@pytest.fixture
def ffmpeg(make: Callable[[str], Workspace]) -> Workspace:
    """The ffmpeg workload, ready to apply."""
    return make("ffmpeg")


@pytest.fixture
def write(env: Mapping[str, str], tmp_path: Path) -> Callable[[str], Workspace]:
    """A function that writes a spec of its own for this test; `{gate}` in it is a path that does not exist yet."""

    def writing(spec: str) -> Workspace:
        gate = str(tmp_path / "gate")
        name = f"t{next(_numbers)}-spec"
        return written(tmp_path / name, name, spec.replace("{gate}", gate), env)

    return writing
