"""What to write instead of a value."""

import pytest

from batchspec.spec.instead import instead
from batchspec.spec.schema import definition

DURATION = [definition("duration")["anyOf"][0]]
MOMENT = [definition("datetime")["anyOf"][0]]
FLAG = [{"type": "boolean"}]
WHOLE = [{"type": "integer"}]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("10m", "PT10M"),
        ("10 minutes", "PT10M"),
        ("1h30m", "PT1H30M"),
        ("1 hour and 30 min.", "PT1H30M"),
        ("2 days, 4 hrs", "P2DT4H"),
        ("1w", "P1W"),
        ("90s", "PT90S"),
        ("1:30:00", "PT1H30M"),
        ("pt30m", "PT30M"),
        ("90", "PT90S, PT90M or PT90H"),
        ("1.5h", "PT90M"),
        ("p1.5d", "PT36H"),
        ("p1m", "PT1M if minutes are meant, else days, such as P30D: months and years have no fixed length"),
        ("P2Y", "days, such as P30D: months and years have no fixed length"),
    ],
)
def test_a_duration_as_people_write_it_is_told_as_iso_8601(written: str, expected: str) -> None:
    assert instead(DURATION, written, written, "timeout") == f"; write {expected}"


@pytest.mark.parametrize("written", ["soon", "1:30", "10x", "3 m 2 h", "0.0001s", "P", "", "m", "10m!x", "9" * 30])
def test_what_may_mean_anything_is_not_guessed(written: str) -> None:
    assert instead(DURATION, written, written, "timeout") == ""


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2027-01-31", "; write 2027-01-31T00:00:00Z, if UTC is meant"),
        ("2027-01-31 06:30", "; write 2027-01-31T06:30:00Z, if UTC is meant"),
        ("2027-01-31 06:30+02:00", "; write 2027-01-31T06:30:00+02:00"),
        ("tomorrow", ""),
    ],
)
def test_a_moment_without_time_or_zone_is_told_whole(written: str, expected: str) -> None:
    assert instead(MOMENT, written, written, "do_not_run_until") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("Yes", "; write true"), ("off", "; write false"), (0, "; write false"), ("maybe", ""), (2, "")],
)
def test_a_flag_is_told_as_yaml_has_it(value: object, expected: str) -> None:
    assert instead(FLAG, value, str(value), "keep") == expected


@pytest.mark.parametrize(
    ("written", "word", "expected"),
    [
        ("7", "max_nodes", "; write 7, without quotes"),
        ("10,000", "max_nodes", "; write 10000"),
        ("10_000", "max_nodes", "; write 10000"),
        ("128 GB", "disk_size_gb", "; write 128"),
        ("128GiB", "disk_size_gb", "; write 128"),
        ("20%", "max_batch_instance_percent", "; write 20"),
        ("128 GB", "max_nodes", ""),
        ("many", "max_nodes", ""),
    ],
)
def test_a_number_is_told_without_quotes_separators_and_unit(written: str, word: str, expected: str) -> None:
    assert instead(WHOLE, written, written, word) == expected


def test_a_collection_is_told_by_what_it_lacks() -> None:
    mapping = [{"type": "object", "properties": {"timeout": {}}}]
    assert instead(mapping, "PT30M", "PT30M", "wait") == "; write {timeout: PT30M}"
    assert instead(mapping, ["PT30M"], None, "wait") == "; write {timeout: ...}"
    assert instead([{"type": "object", "properties": {"a": {}, "b": {}}}], 5, "5", "x") == "; known here: a, b"
    assert instead([{"type": "array"}], {"a": 1}, None, "tasks") == "; begin each item with `- `"
    assert instead([{"type": "array"}], "two words", "two words", "x") == "; write a list: `- ...`"
    assert instead([{"type": "string"}], ["a"], None, "command") == "; a list belongs under `commands`"
    assert instead([{"type": "string"}], ["a"], None, "id") == ""
