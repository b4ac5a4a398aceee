"""How a run ended, as data."""

from dataclasses import replace

from batchspec.reconcile.outcome import Counts, Failure

FAILURE = Failure("task", "a", "n", 3, "usererror", "FailureExitCode", "m", (), (), "")


def test_the_total_is_everything_that_is_there() -> None:
    assert Counts(active=1, running=2, completed=3, succeeded=1, failed=2).total == 6


def test_failures_have_one_cause_when_code_and_exit_code_are_the_same() -> None:
    assert FAILURE.cause == "FailureExitCode (exit code 3)"
    assert replace(FAILURE, code="BlobNotFound", exit_code=None).cause == "BlobNotFound"
    assert replace(FAILURE, exit_code=0, code="FileUploadMiscError").cause == "FileUploadMiscError (exit code 0)"
