"""What was given beside the command, and how it comes back in suggestions."""

import pytest

from batchspec.cli.given import Given
from batchspec.errors import UsageError


def test_the_last_value_of_a_name_wins_and_a_value_may_hold_anything() -> None:
    assert Given(("a=1", "b=x=y", "a=")).values() == {"a": "", "b": "x=y"}


@pytest.mark.parametrize("text", ["a", "=1", " =1"])
def test_a_variable_needs_a_name_and_an_equals_sign(text: str) -> None:
    with pytest.raises(UsageError, match="expected NAME=VALUE"):
        Given((text,)).values()


def test_a_suggestion_repeats_what_was_given() -> None:
    given = Given(("n=5",), ("more vars.yaml",), "azure")

    assert given.suggest("logs", "s.yaml", "t1") == (
        "batchspec logs s.yaml t1 --var n=5 --var-file 'more vars.yaml' --target azure"
    )


def test_a_suggestion_says_the_variables_of_a_plan_unless_others_were_typed() -> None:
    given = Given(("n=5",), frozen={"n": 4, "names": ["a", "é"], "word": "two words"})

    assert given.suggest("plan", "s.yaml") == (
        """batchspec plan s.yaml --var 'names=["a", "é"]' --var 'word=two words' --var n=5"""
    )


def test_offline_commands_render_for_the_local_engine_unless_told_otherwise() -> None:
    assert (Given().offline_target, Given(target="azure").offline_target) == ("local", "azure")
