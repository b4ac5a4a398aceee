"""Ctrl-C and SIGTERM: the coroutine cleans up, the person is told how to come back; twice ends at once."""

import asyncio
import signal
import subprocess
import sys

import pytest

from batchspec.cli.interrupt import run_to_end
from batchspec.errors import UsageError
from tests.cli.made import console

DEADLINE_S = 60
CODE = """
import asyncio, os, sys, time
from batchspec.cli.boundary import run_guarded
from batchspec.cli.console import Console
from batchspec.cli.interrupt import run_to_end

one = Console(sys.stdout, sys.stderr, environ=os.environ)

async def work():
    try:
        print("ready", flush=True)
        await asyncio.sleep(600)
    finally:
        print("closing", flush=True)
        await asyncio.sleep({cleanup})
        print("closed", flush=True)
    return 0

sys.exit(run_guarded(one, lambda: run_to_end(one, work, told=lambda: "come back with: x")))
"""


def started(cleanup: float) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", CODE.replace("{cleanup}", str(cleanup))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_closes_what_is_open_and_tells_how_to_come_back(number: signal.Signals) -> None:
    process = started(0)
    process.send_signal(number)
    out, err = process.communicate(timeout=DEADLINE_S)

    assert (process.returncode, out, err) == (130, "closing\nclosed\n", "error: interrupted\n  come back with: x\n")


def test_a_second_signal_ends_at_once() -> None:
    process = started(600)
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None
    assert process.stdout.readline() == "closing\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=DEADLINE_S)

    assert (process.returncode, out, err) == (130, "", "")


def test_without_a_signal_the_result_and_errors_pass_through() -> None:
    async def works() -> int:
        return 5

    async def fails() -> int:
        raise UsageError("x")

    before = signal.getsignal(signal.SIGINT)

    assert run_to_end(console(), works) == 5
    with pytest.raises(UsageError):
        run_to_end(console(), fails)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_cancellation_out_of_nowhere_is_a_bug_and_not_an_interruption() -> None:
    async def cancelled() -> int:
        raise asyncio.CancelledError

    with pytest.raises(RuntimeError, match="nobody asked"):
        run_to_end(console(), cancelled)
