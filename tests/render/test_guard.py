import pytest

from batchspec.render import guard
from batchspec.render.guard import TooMuch


def test_weight_counts_nested_values_as_often_as_they_stand_there() -> None:
    inner = ["ab", 1]
    assert guard.weight("ab") == 3
    assert guard.weight([inner, inner]) == 1 + 2 * (1 + 3 + 1)
    assert guard.weight({"a": inner}) == 1 + 2 + 5


def test_a_value_that_doubles_itself_is_too_much() -> None:
    value: list[object] = [1]
    for _ in range(60):
        value = [value, value]
    with pytest.raises(TooMuch):
        guard.weight(value)


def test_a_value_that_holds_itself_is_too_much() -> None:
    value: list[object] = []
    value.append(value)
    value.append(value)
    with pytest.raises(TooMuch):
        guard.weight(value)


def test_small_results_pass() -> None:
    guard.check_product("ab", 3)
    guard.check_product(3, [1])
    guard.check_product("ab", -1)
    guard.check_power(2, 64)
    guard.check_sum("a", "b")
    guard.check_format("%05d {}", [1])
    guard.check_replace("aaa", "a", "bb")
    guard.check_padding(80)
