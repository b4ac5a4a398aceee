"""Both streams of a run, and what can go wrong with them."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.made import console, shown

DEADLINE_S = 60
CODE = """
import os, sys
from batchspec.cli.boundary import run_guarded
from batchspec.cli.console import Console

one = Console(sys.stdout, sys.stderr, environ=os.environ)

def command():
    for _ in range(100_000):
        one.result("x" * 80)
    return 0

sys.exit(run_guarded(one, command))
"""


def test_quiet_leaves_results_and_errors() -> None:
    one = console()
    one.quiet = True
    one.result("result")
    one.message("message")
    one.error("error")

    assert shown(one) == ("result\n", "error\n")


def test_secrets_are_masked_in_all_that_is_written() -> None:
    one = console()
    one.secrets = ["hunter2"]
    one.result("result hunter2")
    one.raw("hunter2\n")
    one.message("message hunter2")
    one.error("error hunter2")

    assert shown(one) == ("result <masked>\n<masked>\n", "message <masked>\nerror <masked>\n")


def test_nothing_is_coloured_where_there_is_no_terminal() -> None:
    one = console(TERM="xterm")

    assert (one.mark("+"), one.live, one.can_ask) == ("+", False, False)


def test_a_reader_that_leaves_ends_the_run_quietly() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CODE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(DEADLINE_S) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full here")
def test_a_full_disk_is_said_in_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", CODE],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )

    assert (done.returncode, done.stderr) == (1, "error: cannot write to standard output: No space left on device\n")


def test_what_an_encoding_cannot_hold_is_escaped() -> None:
    code = CODE.replace("range(100_000)", "range(1)").replace('"x" * 80', '"é\\udcff№"')
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "\\xe9\\udcff\\u2116\n", "")
