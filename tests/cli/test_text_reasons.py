"""Why something changes, as people read it."""

from batchspec.cli.text_reasons import around_the_difference, why
from batchspec.reconcile.change import Reason


def test_a_property_is_told_with_both_values_and_what_else_is_to_say() -> None:
    assert why(Reason("changed", "taskSlotsPerNode", 1, 2), 80) == ["task_slots_per_node: 1 -> 2"]
    assert why(Reason("not in the spec", "startTask", "x", None, "drift", replaces=True), 120) == [
        "start_task: x -> (not set) (not in the spec; changed in the service, not in the spec; forces replacement)"
    ]


def test_words_alone_stand_for_themselves_without_a_signature() -> None:
    assert why(Reason("the job\nended ?sig=abc", replaces=True), 80) == ["the job\\nended ?sig=<masked>"]


def test_long_values_stand_one_beneath_the_other_where_they_differ() -> None:
    old = "/bin/bash -c 'python3 $AZ_BATCH_NODE_SHARED_DIR/topwords_task.py --filepath harbour.txt --numwords 3'"

    assert why(Reason("changed", "commandLine", old, old.replace("3'", "4'"), replaces=True), 60) == [
        "command_line: (forces replacement)",
        "  - ...topwords_task.py --filepath harbour.txt --numwords 3'",
        "  + ...topwords_task.py --filepath harbour.txt --numwords 4'",
    ]


def test_values_are_cut_to_what_there_is_room_for() -> None:
    assert around_the_difference("a" * 30, "a" * 28, 30) == ("a" * 30, "a" * 28)
    assert around_the_difference("x" + "a" * 30, "y" + "b" * 50, 10) == ("xaaaaaa...", "ybbbbbb...")
    assert around_the_difference("a" * 30 + "x" * 50, "a" * 30 + "y", 40) == (
        "..." + "a" * 20 + "x" * 14 + "...",
        "..." + "a" * 20 + "y",
    )
