"""What tests of several rooms share: one local engine for each test worker."""

import os
from collections.abc import Iterator

import pytest

from batchspec.engine.serve import IDLE_VARIABLE
from tests.local_engine import Accounts, running_engine


def pytest_configure() -> None:
    """Let every engine outlast the run: one that nobody uses stops after 15 minutes, and is needed again at the end."""
    os.environ[IDLE_VARIABLE] = "7200"


@pytest.fixture(scope="session")
def local_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Accounts]:
    """The accounts of an engine that runs until this worker ends; started for the first test that asks for it."""
    with running_engine(tmp_path_factory.mktemp("state")) as accounts:
        yield accounts
