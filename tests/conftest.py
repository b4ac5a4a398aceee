"""What tests of several rooms share: one local engine for each test worker."""

from collections.abc import Iterator

import pytest

from tests.local_engine import Accounts, running_engine


@pytest.fixture(scope="session")
def local_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Accounts]:
    """The accounts of an engine that runs until this worker ends; started for the first test that asks for it."""
    with running_engine(tmp_path_factory.mktemp("state")) as accounts:
        yield accounts
