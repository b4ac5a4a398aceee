"""Did you mean."""

from batchspec.spec.suggest import did_you_mean
from tests.spec.written import ACCOUNT_KEY


def test_the_nearest_name_is_suggested_whatever_its_case() -> None:
    assert did_you_mean("INPTU", ["output", "input"]) == "; did you mean 'input'?"


def test_nothing_is_suggested_when_nothing_is_near() -> None:
    assert did_you_mean("xyz", ["output", "input"]) == ""
    assert did_you_mean("x" * 1_000_000, ["x" * 999_999]) == ""


def test_a_secret_is_never_suggested() -> None:
    assert did_you_mean(ACCOUNT_KEY[:-3], [ACCOUNT_KEY]) == ""
