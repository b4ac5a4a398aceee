"""Processes of this machine."""

import asyncio
import os
import sys

from batchspec.reconcile.processes import is_alive


async def test_a_process_is_alive_until_it_has_ended() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await asyncio.wait_for(process.wait(), timeout=60)
    assert (is_alive(os.getpid()), is_alive(process.pid), is_alive(10**30)) == (True, False, True)
