"""The text of an imported spec: whatever a text holds, the file reads as the same."""

from pathlib import Path

import pytest

from batchspec.importing.notes import Notes
from batchspec.importing.pieces import Value, text
from batchspec.importing.written import document
from batchspec.spec.load import load

TEXTS = (
    *("", " ", "no", "1e3", "~", "null", "0755", "1:30", "2026-01-02", "yes", "=", "<<"),
    *("a: b", "a #b", "- a", "? a", "&a", "*a", "!a", "%a", "@a", "`a", "|", ">", "{a", "[a", "it's", 'a "b"', "\\"),
    *(
        "\ta",
        " a ",
        "a\nb",
        "a\n",
        "\na",
        "a\n\n",
        "a\r\nb",
        "  a\nb",
        "---",
        "...",
        "é 日本 \U0001f600",
        "\u00a0\u2028\x85",
    ),
)


@pytest.mark.parametrize("value", TEXTS)
def test_a_text_is_read_as_it_was_wherever_it_stands(value: str, tmp_path: Path) -> None:
    spec: dict[str, Value] = {"name": text("x"), "a": {"k": text(value)}, "b": [text(value), {"k": text(value)}]}
    if value:
        spec[value] = text("key")
    path = tmp_path / "spec.yaml"
    path.write_bytes(document(spec, Notes(), []).encode())

    assert load(path).data == {"name": "x", "a": {"k": value}, "b": [value, {"k": value}]} | (
        {value: "key"} if value else {}
    )


def test_what_turns_the_direction_of_a_line_is_written_by_number(tmp_path: Path) -> None:
    value = "run \u202egnp.exe\u2066"
    spec: dict[str, Value] = {"name": text("x"), "a": text(value), "b": [text(value)], "c": text(f"{value}\nmore\n")}
    notes = Notes()
    notes.add(("a",), f"a note about {value}")

    written = document(spec, notes, [f"a head with {value}"])

    (tmp_path / "spec.yaml").write_text(written)
    assert load(tmp_path / "spec.yaml").data == {"name": "x", "a": value, "b": [value], "c": f"{value}\nmore\n"}
    assert not {"\u202e", "\u2066"} & set(written)
    assert "# a note about run ?gnp.exe?" in written
