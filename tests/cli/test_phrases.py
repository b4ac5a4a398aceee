"""Small pieces of text, and names from outside that could do harm."""

import pytest

from batchspec.cli import phrases


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (7130, "7.1 kB"), (999_960, "1.0 MB"), (3_200_000_000, "3.2 GB")],
)
def test_sizes_are_in_decimal_units(count: int, shown: str) -> None:
    assert phrases.size(count) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.04, "0.0 s"),
        (4.11, "4.1 s"),
        (42.4, "42 s"),
        (200, "3 min 20 s"),
        (3599.6, "1 h 00 min"),
        (7500, "2 h 05 min"),
    ],
)
def test_durations_are_as_exact_as_people_need(seconds: float, shown: str) -> None:
    assert phrases.duration(seconds) == shown


def test_terminal_escapes_line_ends_and_direction_marks_are_shown_and_not_obeyed() -> None:
    assert phrases.harmless("a\x1b[31mb\nc\u202ed") == "a\\x1b[31mb\\nc\\u202ed"


def test_names_in_any_script_stay_as_they_are() -> None:
    assert phrases.harmless("L'été d'Ana, №4 – 日本.mp4") == "L'été d'Ana, №4 – 日本.mp4"


def test_a_name_that_is_not_utf_8_is_shown_with_its_bytes_escaped() -> None:
    assert phrases.harmless("a\udcff") == "a\\udcff"


def test_a_line_of_output_keeps_its_indentation_and_the_last_state_of_a_progress_bar() -> None:
    assert phrases.harmless_line("\tx \x07\r\n") == "        x \\x07"
    assert phrases.harmless_line("\x1b[1;31mred\x1b[0m\x1b[2J") == "red\\x1b[2J"
    assert phrases.harmless_line("10 %\r100 %\n") == "100 %"


def test_rest_names_are_shown_as_the_spec_writes_them() -> None:
    assert (
        phrases.snake("virtualMachineConfiguration.nodeAgentSKUId") == "virtual_machine_configuration.node_agent_sku_id"
    )
    assert phrases.snake("startTask.resourceFiles[0].httpUrl") == "start_task.resource_files[0].http_url"
    assert phrases.snake("startTask.environmentSettings[MY_Key.aB]") == "start_task.environment_settings[MY_Key.aB]"
    assert phrases.snake("resourceFiles[a]B[0].txt].httpUrl") == "resource_files[a]B[0].txt].http_url"


def test_values_are_short_and_hold_no_signature() -> None:
    assert phrases.value(None) == "(not set)"
    assert phrases.value("") == "''"
    assert phrases.value("P10675199DT2H48M5.4775807S") == "unlimited"
    assert phrases.value("https://a/b?sv=1&sig=abc%3D") == "https://a/b?sv=1&sig=<masked>"
    assert phrases.value({"a": [1, "é"]}) == '{"a": [1, "é"]}'
    assert len(phrases.value("x" * 500)) == 120
    assert len(phrases.whole_value("x" * 500)) == 500


def test_long_lists_say_how_many_more_there_are() -> None:
    assert phrases.some(["a", "b"], 2) == "a, b"
    assert phrases.some(["a", "b", "c\n"], 2) == "a, b and 1 more"


def test_a_suggested_command_can_be_pasted_into_a_shell() -> None:
    assert phrases.command_line(["batchspec", "logs", "a b.yaml", "it's"]) == "batchspec logs 'a b.yaml' 'it'\"'\"'s'"


@pytest.mark.parametrize(
    ("secret", "masked"),
    [
        ("hunter2", "a <masked> b"),
        ("a hunter2 b", "<masked>"),
        ("unter", "a h<masked>2 b"),
        ("a", "a hunter2 b"),
        ("", "a hunter2 b"),
        ("first\nhunter2\n", "a <masked> b"),
    ],
)
def test_a_secret_is_masked_wherever_it_stands(secret: str, masked: str) -> None:
    assert phrases.without_secrets("a hunter2 b", [secret]) == masked


def test_what_hides_nothing_is_not_masked() -> None:
    text = '{"ok": true, "code": 1234, "key": "a\\"b\\"c", "long": "1234567"}'

    masked = phrases.without_secrets(text, ["true", "1234", 'a"b"c', "1234567"])

    assert masked == '{"ok": true, "code": 1234, "key": "<masked>", "long": "<masked>"}'


def test_as_many_names_are_shown_as_fit() -> None:
    names = ["anna", "bob", "carla"]

    assert phrases.fitting(names, 16) == "anna, bob, carla"
    assert phrases.fitting(names, 15) == "anna and 2 more"
    assert phrases.fitting(names, 1) == "anna and 2 more"
    assert phrases.fitting(names * 9, 80) == "anna, bob, carla, anna, bob and 22 more"
