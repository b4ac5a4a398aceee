from collections.abc import Iterator

import pytest

from tests.hostile.forked import Forked


@pytest.fixture(scope="session")
def forked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forked]:
    """The process that forks for every input, in a folder of its own."""
    process = Forked(tmp_path_factory.mktemp("forked"))
    yield process
    process.close()
