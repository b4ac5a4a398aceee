"""What is made of the answers of the engine's process, and how it is found."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from batchspec.cloud import local
from batchspec.cloud.local import engine_command, run_engine
from batchspec.errors import EngineFailed


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package `batchspec.engine` of the test's own, found before ours; its `__main__` is at the path given."""
    program = tmp_path / "batchspec" / "engine" / "__main__.py"
    program.parent.mkdir(parents=True)
    for package in (program.parent, program.parent.parent):
        (package / "__init__.py").write_text("")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path.anchor)
    return program


async def test_the_answer_is_the_json_on_stdout_and_progress_is_passed_on_as_it_comes(engine: Path) -> None:
    engine.write_text(
        "import sys; print('installing', file=sys.stderr); print('sig=hidden', file=sys.stderr); print('{\"a\": 1}')"
    )
    said: list[str] = []
    assert await run_engine(["status"], say=said.append) == {"a": 1}
    assert said == ["installing", "sig=***"]


async def test_an_error_is_told_with_its_fix(engine: Path) -> None:
    engine.write_text('print(\'{"error": {"message": "no npm here", "fix": "install Node 20"}}\'); raise SystemExit(1)')
    with pytest.raises(EngineFailed, match=r"^no npm here$") as raised:
        await run_engine(["start"])
    assert raised.value.fix == "install Node 20"


async def test_a_process_that_dies_is_told_with_its_last_lines(engine: Path) -> None:
    engine.write_text("raise RuntimeError('what went wrong')")
    with pytest.raises(EngineFailed, match=r"-m batchspec.engine start` ended with 1: .*what went wrong"):
        await run_engine(["start"])


async def test_more_output_than_a_pipe_holds_does_not_hang(engine: Path) -> None:
    engine.write_text(
        "import sys; sys.stderr.write('x' * 300_000 + '\\n'); print('{\"a\": \"' + 'y' * 300_000 + '\"}')"
    )
    assert len((await run_engine(["status"]))["a"]) == 300_000


def test_the_same_without_a_running_loop(engine: Path) -> None:
    engine.write_text("print('{}')")
    assert engine_command(["stop"]) == {}


async def test_a_command_that_is_given_up_leaves_no_process(engine: Path, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    engine.write_text(f"import os, time; open({str(pid_file)!r}, 'w').write(str(os.getpid())); time.sleep(60)")
    running = asyncio.create_task(run_engine(["start"]))
    async with asyncio.timeout(20):
        while True:
            if pid_file.exists() and pid_file.read_text():
                break
            await asyncio.sleep(0.02)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)


def test_the_folder_where_a_person_stands_is_not_searched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert local._python() == [sys.executable, "-P"]
