"""The services that every test of the ports runs on: the fakes, and the adapters on the local engine."""

from collections.abc import AsyncIterator, Iterator

import pytest

from batchspec.reconcile.ports import Services
from tests.fakes import Body, FakeBatch, FakeBlobs, services
from tests.local_engine import Accounts, real_services, running_engine


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Accounts]:
    """A local engine of this worker."""
    with running_engine(tmp_path_factory.mktemp("state")) as accounts:
        yield accounts


@pytest.fixture(params=["fake", "engine"])
async def both(request: pytest.FixtureRequest) -> AsyncIterator[Services]:
    """First the fakes, then the real thing."""
    if request.param == "fake":
        yield services(_acting_batch(), FakeBlobs())
        return
    async with real_services(request.getfixturevalue("engine")) as real:
        yield real


def _acting_batch() -> FakeBatch:
    """A fake that does what the command lines of these tests do: `echo WORD` or `false`; `sleep` never ends."""
    batch = FakeBatch()

    def run(job_id: str, task: Body) -> int | None:
        program, _, argument = task["commandLine"].partition(" ")
        batch.files[job_id, task["id"], "stdout.txt"] = f"{argument}\n".encode() if program == "echo" else b""
        return {"echo": 0, "false": 1}.get(program)

    batch.run = run
    return batch
