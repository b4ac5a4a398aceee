"""What is known of processes is what proc(5) says."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchspec.engine.process_table import ancestors, children, is_changing, mark_of, marked_in, may_be, pids, process

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="there is no /proc")


@pytest.fixture
def child(tmp_path: Path) -> Iterator[int]:
    env = {**os.environ, "BATCHSPEC_ENGINE_TASK": "a/mark"}
    with subprocess.Popen(["sleep", "600"], cwd=tmp_path, env=env, start_new_session=True) as started:
        deadline = time.monotonic() + 30
        while is_changing(started.pid):
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.001)
        yield started.pid
        started.kill()


def test_a_child_is_known_with_its_parent_group_and_session(child: int) -> None:
    found = process(child)
    assert found is not None
    assert (found.pid, found.parent, found.group, found.session, found.is_dead) == (
        child,
        os.getpid(),
        child,
        child,
        False,
    )
    assert (child in children(), child in pids(), os.getpid() in pids()) == (True, True, False)


def test_marks_and_folders_tell_whose_a_process_is(child: int, tmp_path: Path) -> None:
    assert (mark_of(child), marked_in(tmp_path), marked_in(tmp_path / "other")) == ("a/mark", [child], [])


def test_a_process_that_is_not_there_is_nothing(child: int) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert (process(gone.pid), mark_of(gone.pid), may_be(gone.pid, "true")) == (
        None,
        None,
        False,
    )


def test_a_process_may_be_what_its_command_line_says(child: int) -> None:
    assert (may_be(child, "sleep"), may_be(child, "azurite")) == (True, False)


def test_the_parent_is_an_ancestor() -> None:
    assert (os.getppid() in ancestors(), os.getpid() in ancestors()) == (True, False)
