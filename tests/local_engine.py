"""A local engine of this test process, for tests that need the real services: started once, stopped at the end."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from unittest import mock

from batchspec.cloud.clients import opened
from batchspec.cloud.local import engine_command, start_engine
from batchspec.cloud.target import BatchAccount, StorageAccount
from batchspec.reconcile.ports import Services

Accounts = tuple[BatchAccount, StorageAccount]


@contextmanager
def running_engine(state_home: Path) -> Iterator[Accounts]:
    """The accounts of an engine with a state folder of its own; the program Azurite comes from the user's cache."""
    with mock.patch.dict(os.environ, {"XDG_STATE_HOME": str(state_home)}):
        try:
            yield asyncio.run(start_engine())
        finally:
            engine_command(["stop"])


@asynccontextmanager
async def real_services(accounts: Accounts) -> AsyncIterator[Services]:
    """The adapters on these accounts, in the running loop."""
    async with opened(*accounts, shown_as="the local engine", verbose=None) as services:
        yield services
