"""`validate`: the place of a fault is right however the YAML is written, and the three formats agree on it."""

import io
import json
import os
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchspec.cli.boundary import run_guarded
from batchspec.cli.commands.validate import validate
from batchspec.cli.console import Console
from batchspec.cli.given import Given
from tests.cli.made import console, shown

HEAD = """\
version: 1
name: demo
pool: {vm_size: standard_d2s_v3, image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}}
tasks:
"""
PIECES = (
    *("echo", "{{ name }}", "é", "漢字", "😀", "e\u0301", "'", '"', "''", "\\", "\\n", "#x", "a: b", "- a", "${#x}"),
    *("%7B", "\xa0", "\u3000", "&a", "*a", "!x", "|", ">", "[", "]", ",", "---", "0", "null", "zz"),
)
SPACES = (" ", "  ", "\t", " \t", "\n", "\n\n", "\n\n\n", "\n ", " \n", "\n\t", "\n    ", "\x85", "\u2028")
PATTERNS = {
    "text": r"s\.yaml:(\d+):(\d+): (.*)",
    "github": r"::error file=s\.yaml,line=(\d+),col=(\d+)::(.*)",
}
STYLES: list[Any] = [None, "'", '"', "|", ">"]


def places(path: str) -> dict[str, list[tuple[int, int, str]]]:
    """Line, column and message of every problem, as each format says it."""
    found: dict[str, list[tuple[int, int, str]]] = {}
    for format in ("text", "json", "github"):
        one = console()
        assert validate(one, [path], Given(), format=format) == 2
        if format == "json":
            told = json.loads(json.dumps(one.answer))["specs"][0]["problems"]
            found[format] = [(each["line"], each["column"], f"{each['path']}: {each['message']}") for each in told]
        else:
            matches = [re.fullmatch(PATTERNS[format], line) for line in shown(one)[0].splitlines()]
            found[format] = [(int(match[1]), int(match[2]), match[3]) for match in matches if match]
    return found


def written(text: str, style: Any, *, width: int, escapes: bool, properties: str, indent: int) -> str:
    """A task whose command is this text, in this style."""
    scalar = yaml.safe_dump(
        {"command": text}, default_style=style, width=width, allow_unicode=not escapes, indent=indent
    )
    scalar = scalar.replace('"command"', "command").replace("'command'", "command")
    scalar = re.sub(r"^command: (?:!!str )?", f"command: {properties}", re.sub(r"^\? .*\n: ", "command: ", scalar))
    return HEAD + "  - id: one\n" + textwrap.indent(scalar, "    ", lambda line: line.strip("\n") != "")


@given(
    st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(SPACES)), max_size=8),
    st.lists(st.tuples(st.sampled_from(SPACES), st.sampled_from(PIECES)), max_size=8),
    st.sampled_from(STYLES),
    st.integers(10, 80),
    st.booleans(),
    st.sampled_from(["", "&a ", "!!str ", "&a !!str ", "!<tag:yaml.org,2002:str> &a "]),
    st.sampled_from([2, 3, 7]),
    st.sampled_from(["alone", "alias", "merge"]),
    st.sampled_from(["\n", "\r\n"]),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_fault_inside_of_a_text_is_told_where_it_stands(
    tmp_path: Path,
    before: list[tuple[str, str]],
    after: list[tuple[str, str]],
    style: Any,
    width: int,
    escapes: bool,
    properties: str,
    indent: int,
    use: str,
    line_end: str,
) -> None:
    text = "".join(map("".join, before)) + "{{ zq.x }}" + "".join(map("".join, after))
    source = written(text, style, width=width, escapes=escapes, properties=properties, indent=indent)
    if use == "alias" and "&a" in properties:
        source += "  - {id: two, command: *a}\n"
    elif use == "merge":
        source = source.replace("  - id: one", "  - &t\n    id: one") + "  - <<: *t\n    id: two\n"
    assert "zq.x }}" in yaml.safe_load(source)["tasks"][0]["command"]
    source = source.replace("\n", line_end)
    (tmp_path / "s.yaml").write_bytes(source.encode())
    os.chdir(tmp_path)

    index = source.index("zq")
    lines = re.split(r"\r\n|[\r\n\x85\u2028\u2029]", source[:index])
    place = len(lines), len(lines[-1]) + 1
    message = "unknown name 'zq'; there are: containers, index, job, name, pool, target, uploads, vars"
    told = [(*place, f"tasks[0].command: {message}")]
    assert places("s.yaml") == {"text": told, "json": told, "github": told}


NAMES = [
    ("a b.yaml", "a b.yaml", "a b.yaml"),
    ("50%.yaml", "50%.yaml", "50%25.yaml"),
    ("%0A.yaml", "%0A.yaml", "%250A.yaml"),
    ("a:b.yaml", "a:b.yaml", "a%3Ab.yaml"),
    ("::error ::x.yaml", "::error ::x.yaml", "%3A%3Aerror %3A%3Ax.yaml"),
    ("a,line=9.yaml", "a,line=9.yaml", "a%2Cline=9.yaml"),
    ("a\nb\r.yaml", "a\\nb\\r.yaml", "a%0Ab%0D.yaml"),
    ("\x1b[31m.yaml", "\\x1b[31m.yaml", "\\x1b[31m.yaml"),
    ("\u202e.yaml", "\\u202e.yaml", "\\u202e.yaml"),
    ("é漢😀.yaml", "é漢😀.yaml", "é漢😀.yaml"),
    (os.fsdecode(b"\xff.yaml"), "\\udcff.yaml", "\\udcff.yaml"),
    ("-.yaml", "-.yaml", "-.yaml"),
    ("'\".yaml", "'\".yaml", "'\".yaml"),
]


@pytest.mark.parametrize(("name", "as_text", "for_github"), NAMES)
@pytest.mark.parametrize("folder", ["", "x%,:/"])
def test_odd_names_of_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, as_text: str, for_github: str, folder: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / folder / name).write_bytes(b"version: 1\nname: demo\npol: {}\n")
    path = folder + name
    message = "pol: unknown property; did you mean 'pool'?"

    shown = re.sub(r"^::", r"\\x3a:", f"{folder}{as_text}")  # a line that begins so is an order to a build machine
    assert printed(path, "text")[0] == f"{shown}:3:1: {message}"
    encoded = folder.replace("%", "%25").replace(",", "%2C").replace(":", "%3A")
    assert printed(path, "github")[0] == f"::error file={encoded}{for_github},line=3,col=1::{message}"
    assert printed(path, "github", GITHUB_WORKSPACE=str(tmp_path))[0] == printed(path, "github")[0]
    (told,) = json.loads("\n".join(printed(path, "json")))["specs"]
    assert told["file"] == path
    assert told["problems"][0]["file"] == path


def test_the_data_of_an_annotation_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("s.yaml").write_text('version: 1\nname: demo\n"a%\\n::warning ::b": {}\n')
    path = "['a%25\\n::warning ::b']"
    assert printed("s.yaml", "github")[0].startswith(f"::error file=s.yaml,line=3,col=1::{path}: unknown property")


def printed(path: str, format: str, **environ: str) -> list[str]:
    """The lines of stdout, as the bytes that the program writes."""
    out = io.TextIOWrapper(io.BytesIO(), "utf-8")
    one = Console(out, io.StringIO(), environ=environ)
    one.as_json = format == "json"
    assert run_guarded(one, lambda: validate(one, [path], Given(), format=format)) == 2
    out.flush()
    assert isinstance(out.buffer, io.BytesIO)
    return out.buffer.getvalue().decode().splitlines()
