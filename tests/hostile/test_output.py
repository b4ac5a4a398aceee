"""What a spec, a file or a table holds cannot write to a terminal, deceive who reads, or command a build machine."""

import json
from pathlib import Path

import pytest
import yaml

from tests.hostile.forked import Ended, Forked
from tests.hostile.ran import HEAD, POOL

HIDDEN = {
    "escape": "\x1b[2J\x1b]0;owned\x07",
    "escape of eight bits": "\x9b31m",
    "other direction": "\u202ered\u2066",
    "no width": "\u200b\u2060\ufeff",
    "tags": "\U000e0061\U000e007f",
    "line separator": "\u2028\u2029\x85",
    "soft hyphen": "\xad",
}
ORDERS = ("::error file=a.py::owned", "  ::stop-commands::x", "::add-mask::echo", "##[error]owned", "##vso[task.x]y")


def spec(**task: object) -> str:
    """A spec with one task."""
    return HEAD + POOL + yaml.safe_dump({"tasks": [{"id": "a", "command": "echo", **task}]})


def render(forked: Forked, source: str, *words: str) -> Ended:
    """Render a spec that is right."""
    ended = forked.command("render", "s.yaml", *words, files={"s.yaml": source})
    assert ended.code == 0, ended
    return ended


@pytest.mark.parametrize("name", HIDDEN)
@pytest.mark.parametrize("format", ["yaml", "json"])
def test_a_rendering_shows_what_would_be_hidden(forked: Forked, name: str, format: str) -> None:
    for text in (f"a{HIDDEN[name]}b", f"two\nlines {HIDDEN[name]}"):
        out = render(forked, spec(display_name=text), "--format", format).out
        assert not any(character in out for character in HIDDEN[name] if not character.isprintable())
        read = json.loads(out) if format == "json" else yaml.safe_load(out)
        assert read["tasks"][0]["displayName"] == text


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("format", ["yaml", "json"])
def test_no_line_of_a_rendering_is_an_order_to_a_build_machine(forked: Forked, order: str, format: str) -> None:
    text = f"echo\n{order}\n\t{order}\necho"
    for source in (
        spec(command=text),
        spec(environment_settings={"A": text}),
        spec(environment_settings={"A": "x " * 9_000 + order}),
    ):
        out = render(forked, source, "--format", format).out
        assert order.strip() in out
        assert not [line for line in out.splitlines() if line.strip().startswith(("::", "##[", "##vso"))]


@pytest.mark.parametrize("name", HIDDEN)
@pytest.mark.parametrize("format", ["text", "json", "github"])
def test_a_message_shows_what_would_be_hidden(forked: Forked, name: str, format: str) -> None:
    text = f"a{HIDDEN[name]}b"
    wrong = (
        spec(id=text),
        spec(**{text: 1}),
        spec(command="{{ '" + text + "' | x }}"),
        spec(command="{{ vars['" + text + "'] }}"),
    )
    for source in wrong:
        ended = forked.command("validate", "s.yaml", "--format", format, files={"s.yaml": source})
        assert ended.code == 2
        told = ended.out + ended.err
        assert not [one for one in told if not one.isprintable() and one != "\n"], told


@pytest.mark.parametrize("order", ORDERS)
def test_no_line_of_a_message_is_an_order_to_a_build_machine(forked: Forked, order: str) -> None:
    text = f"x\n{order}\n"
    for source in (spec(id=text), spec(**{text: 1}), spec(command="{{ vars['" + text.replace("\n", "\\n") + "'] }}")):
        for format in ("text", "github"):
            ended = forked.command("validate", "s.yaml", "--format", format, files={"s.yaml": source})
            assert ended.code == 2
            lines = [line.strip() for line in (ended.out + ended.err).splitlines()]
            orders = [line for line in lines if line.startswith(("::", "##[", "##vso"))]
            ours = ("::error file=s.yaml,line=", "::warning file=s.yaml,line=")
            assert all(format == "github" and line.startswith(ours) for line in orders)


def test_cells_of_a_table_are_shown_as_they_are(forked: Forked, tmp_path: Path) -> None:
    source = HEAD + POOL + 'tasks: [{id: "{{ row.a }}", command: x, for_each: {rows: t.csv}}]\n'
    ended = forked.command("validate", "s.yaml", files={"s.yaml": source, "t.csv": "a\n\x1b[31m\u202e\n"})
    assert ended.code == 2
    assert "'\\x1b[31m\\u202e' has" in ended.out
    assert "\x1b" not in ended.out + ended.err


@pytest.mark.parametrize(
    "name", ["::add-mask::echo.yaml", "::error ::owned.yaml", "##[error]owned.yaml", "##vso[x]y.yaml"]
)
def test_no_name_of_a_file_that_a_line_begins_with_is_an_order(forked: Forked, name: str) -> None:
    golden = f"{name.removesuffix('.yaml')}.txt"
    for source in ("", HEAD, HEAD + POOL, spec(id="a b"), spec()):
        files = {name: source, golden: "::error::owned\n"}
        for words in (
            ("validate", name),
            ("validate", name, "--var-file", name),
            ("validate", f"{name}.not-there"),
            ("validate", name, "--format", "github"),
            ("render", name),
            ("render", name, "--check", golden),
            ("render", name, "--out", golden),
        ):
            ended = forked.command(*words, files=files)
            assert ended.code in (0, 2, 5), ended
            lines = [line.strip() for line in (ended.out + ended.err).splitlines()]
            ours = ("::error file=", "::warning file=") if "github" in words else ("no order is ours",)
            assert [one for one in lines if one.startswith(("::", "##[", "##vso")) and not one.startswith(ours)] == []
