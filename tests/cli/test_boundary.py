"""Errors become messages and exit codes in one place, and never a traceback."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from batchspec.cli.boundary import run_guarded
from batchspec.errors import (
    BatchspecError,
    Declined,
    EngineFailed,
    Interrupted,
    LocalIOFailed,
    Problem,
    ServiceRefused,
    SpecInvalid,
    StartTaskFailed,
    TimedOut,
    UsageError,
)
from tests.cli.made import console, shown


def raising(error: BaseException) -> Callable[[], int]:
    def command() -> int:
        raise error

    return command


REFUSED = ServiceRefused(
    "no\x1b[2J", operation="create pool", resource="p", status=409, code="PoolExists", request_id="r-1", fix="rename it"
)


@pytest.mark.parametrize(
    ("error", "code", "stderr"),
    [
        (UsageError("wrong", fix="right"), 2, "error: wrong\n  right\n"),
        (REFUSED, 1, "error: create pool p: PoolExists: no\\x1b[2J (request r-1)\n  rename it\n"),
        (EngineFailed("no\nreally\n"), 1, "error: no\n  really\n"),
        (LocalIOFailed("write", Path("x"), OSError(28, "full")), 1, "error: cannot write x: full\n"),
        (StartTaskFailed("all"), 3, "error: all\n"),
        (TimedOut("late"), 4, "error: late\n"),
        (Declined("no"), 6, "error: no\n"),
        (Interrupted("interrupted", fix="a\nb"), 130, "error: interrupted\n  a\n  b\n"),
        (KeyboardInterrupt(), 130, "error: interrupted\n"),
        (ExceptionGroup("g", [ExceptionGroup("h", [UsageError("inner")])]), 2, "error: inner\n"),
    ],
)
def test_an_error_is_a_message_a_next_step_and_an_exit_code(error: BaseException, code: int, stderr: str) -> None:
    one = console()

    assert run_guarded(one, raising(error)) == code
    assert shown(one) == ("", stderr)


def test_the_problems_of_a_spec_are_one_line_each_by_position() -> None:
    one = console()
    problems = [Problem("s.yaml", 9, 1, "", "b"), Problem("s.yaml", 2, 3, "pool.id", "a\nc")]

    assert run_guarded(one, raising(SpecInvalid(problems))) == 2
    assert shown(one) == ("", "s.yaml:2:3: pool.id: a\\nc\ns.yaml:9:1: b\n")


def test_a_bug_leaves_a_log_and_shows_no_traceback(tmp_path: Path) -> None:
    one = console(XDG_STATE_HOME=str(tmp_path))

    assert run_guarded(one, raising(ZeroDivisionError("at ?sig=SECRET"))) == 70
    out, err = shown(one)
    (log,) = (tmp_path / "batchspec" / "log").iterdir()
    assert out == ""
    assert err.splitlines() == [
        "error: this is a bug in batchspec: ZeroDivisionError: at ?sig=<masked>",
        f"  The log with the traceback: {log}",
    ]
    assert "Traceback" in log.read_text()
    assert "SECRET" not in log.read_text()


def test_a_group_with_an_error_that_is_not_ours_is_a_bug(tmp_path: Path) -> None:
    one = console(XDG_STATE_HOME=str(tmp_path))

    assert run_guarded(one, raising(ExceptionGroup("g", [UsageError("inner"), KeyError("x")]))) == 70


def test_json_is_one_object_when_all_went_well() -> None:
    one = console()
    one.as_json = True

    def command() -> int:
        one.answer |= {"version": 1, "command": "plan"}
        return 5

    assert run_guarded(one, command) == 5
    assert json.loads(shown(one)[0]) == {"version": 1, "command": "plan", "exit_code": 5, "error": None}


def test_json_is_one_object_when_an_error_ended_the_run_and_keeps_what_was_known() -> None:
    one = console()
    one.as_json = True
    one.answer = {"version": 1, "plan": {}}

    assert run_guarded(one, raising(REFUSED)) == 1
    out, err = shown(one)
    assert json.loads(out) == {
        "version": 1,
        "plan": {},
        "exit_code": 1,
        "error": {
            "kind": "ServiceRefused",
            "message": "create pool p: PoolExists: no\x1b[2J (request r-1)",
            "fix": "rename it",
            "operation": "create pool",
            "resource": "p",
            "status": 409,
            "code": "PoolExists",
            "request_id": "r-1",
        },
    }
    assert err.startswith("error: create pool p")


def test_json_of_a_bug_names_the_log(tmp_path: Path) -> None:
    one = console(XDG_STATE_HOME=str(tmp_path))
    one.as_json = True

    assert run_guarded(one, raising(KeyError("x"))) == 70
    answer = json.loads(shown(one)[0])
    assert (answer["exit_code"], answer["error"]["kind"]) == (70, "Bug")
    assert Path(answer["error"]["log"]).exists()


def test_an_error_of_every_class_has_an_exit_code_of_the_documented_ones() -> None:
    def classes(root: type[BatchspecError]) -> list[type[BatchspecError]]:
        return [root, *(one for child in root.__subclasses__() for one in classes(child))]

    assert {one.exit_code for one in classes(BatchspecError)} == {1, 2, 3, 4, 6, 130}
