"""From a target to open services, and the local engine as a process beside us."""

import pytest

from batchspec.cloud.connect import connect
from batchspec.cloud.local import run_engine
from batchspec.cloud.target import Target, target
from batchspec.errors import EngineFailed
from tests.local_engine import Accounts


async def test_the_local_target_is_the_running_engine_and_says_where(local_engine: Accounts) -> None:
    said: list[str] = []
    async with connect(Target("local", "the local engine"), say=said.append) as services:
        assert services.shown_as == f"the local engine ({local_engine[0].endpoint})"
        assert await services.batch.get_pool("no-such-pool") is None
        assert await services.blobs.get_container("no-such-container") is None


async def test_the_engine_is_used_as_azure_when_the_environment_says_so(local_engine: Accounts) -> None:
    batch, storage = local_engine
    text = f"AccountName={storage.name};AccountKey={storage.key};BlobEndpoint={storage.endpoint};"
    environ = {
        "AZURE_BATCH_ENDPOINT": batch.endpoint,
        "AZURE_BATCH_ACCOUNT": batch.name,
        "AZURE_BATCH_ACCESS_KEY": str(batch.key),
        "AZURE_STORAGE_CONNECTION_STRING": text,
    }
    async with connect(target(None, environ)) as services:
        assert services.shown_as == f"Azure Batch ({batch.endpoint})"
        assert await services.batch.get_pool("no-such-pool") is None
        assert await services.blobs.get_container("no-such-container") is None


async def test_a_command_the_engine_does_not_know_is_an_error_of_ours() -> None:
    with pytest.raises(EngineFailed):
        await run_engine(["no-such-command"])
