"""In the foreground the engine serves until Ctrl-C, and cleans up."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

from batchspec.engine.state_dir import StateDir

DEADLINE_S = 60.0


async def test_ctrl_c_ends_it_with_nothing_left(tmp_path: Path) -> None:
    state = StateDir(tmp_path / "batchspec" / "engine")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "batchspec.engine", "serve"),
        env={**os.environ, "XDG_STATE_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert process.stderr is not None
        await asyncio.wait_for(process.stderr.readuntil(b" serves on "), DEADLINE_S)
        serving = state.serving()
        os.killpg(process.pid, signal.SIGINT)
        out, log = await asyncio.wait_for(process.communicate(), DEADLINE_S)
    finally:
        if process.returncode is None:
            process.kill()
    assert serving is not None
    assert (serving.pid, process.returncode, out) == (process.pid, 0, b"")
    assert log.endswith(b"stopped\n")
    assert (state.serving(), state.server_pid()) == (None, None)
