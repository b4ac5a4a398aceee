"""Data without what is broken."""

from batchspec.spec.pruned import pruned

DATA = {"a": {"b": 1, "c": [1, {"d": 2, "e": 3}]}, "tasks": [{"x": 1}, {"y": 2}]}


def test_nothing_broken_changes_nothing() -> None:
    found = pruned(DATA, frozenset())
    assert found == DATA


def test_a_broken_value_goes_and_what_is_sound_is_shared() -> None:
    found = pruned(DATA, {("a", "b")})
    assert found == {"a": {"c": [1, {"d": 2, "e": 3}]}, "tasks": DATA["tasks"]}
    assert found["tasks"] is DATA["tasks"]


def test_a_list_with_a_broken_item_goes_whole_but_not_for_a_property_of_an_item() -> None:
    assert pruned(DATA, {("a", "c", 0)})["a"] == {"b": 1}
    assert pruned(DATA, {("a", "c", 1, "d")})["a"] == {"b": 1, "c": [1, {"e": 3}]}


def test_items_of_the_spec_s_own_lists_keep_their_places() -> None:
    assert pruned(DATA, {("tasks", 0)})["tasks"] == [None, {"y": 2}]


def test_a_path_that_does_not_exist_changes_nothing() -> None:
    assert pruned(DATA, {("a", "zzz"), ("b", 5), ("tasks", 9, "x")}) == DATA
