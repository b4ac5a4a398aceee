"""The services that every test of the ports runs on: the fakes, and the adapters on the local engine."""

from collections.abc import AsyncIterator

import pytest

from batchspec.reconcile.ports import Services
from tests.fakes import Body, FakeBatch, FakeBlobs, services
from tests.local_engine import Accounts, real_services


@pytest.fixture(params=["fake", "engine"])
def accounts(request: pytest.FixtureRequest) -> Accounts | None:
    """None for the fakes; the engine is started only for tests that ask for it, and outside their event loop."""
    return None if request.param == "fake" else request.getfixturevalue("local_engine")


@pytest.fixture
async def both(accounts: Accounts | None) -> AsyncIterator[Services]:
    """First the fakes, then the real thing."""
    if accounts is None:
        yield services(_acting_batch(), FakeBlobs())
        return
    async with real_services(accounts) as real:
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
