"""Fixtures of the engine's tests: an engine of one's own, in one's own folder, on one's own port."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.served import Served, serving


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A running engine with room for four tasks at once."""
    with serving(tmp_path / "state") as engine:
        yield engine
