"""`render --out` and `render --check`: a checked-in rendering is written, found up to date, or shown to differ."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from batchspec.cli.commands.render import Options, render
from batchspec.cli.given import Given
from batchspec.errors import LocalIOFailed, UsageError
from tests.cli.made import console, shown

SPEC = """\
version: 1
name: demo
vars: {count: 3}
pool: {vm_size: standard_d2s_v3, target_dedicated_nodes: 1,
  image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}}
tasks:
  - for_each: {items: [é, b]}
    id: "{{ item | task_id }}"
    commands:
      - cd {{ item | sh }}
      - head -n {{ vars.count }} text
"""


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "s.yaml").write_text(SPEC, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return "s.yaml"


def run(spec: str, *variables: str, **options: Any) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    one = console()
    code = render(one, spec, Given(variables), Options(**options))
    return code, *shown(one)


@pytest.mark.parametrize("name", ["r.yaml", "new/folder/r.json", "rendering"])
def test_what_was_written_is_up_to_date(spec: str, name: str) -> None:
    printed = run(spec, format="json" if name.endswith(".json") else "yaml")[1]

    assert run(spec, out=name) == (0, "", f"{name}: written\n")
    assert Path(name).read_text(encoding="utf-8") == printed
    assert run(spec, check=name) == (0, "", f"{name}: up to date\n")


def test_a_format_that_is_said_counts_more_than_the_suffix(spec: str) -> None:
    assert run(spec, out="r.yaml", format="json")[0] == 0
    assert [task["id"] for task in json.loads(Path("r.yaml").read_text(encoding="utf-8"))["tasks"]] == [
        "e-4a99557e",
        "b",
    ]
    assert run(spec, check="r.yaml", format="json")[0] == 0
    assert run(spec, check="r.yaml")[0] == 5


def test_a_changed_command_is_shown_with_what_updates_the_file(spec: str) -> None:
    run(spec, out="r.yaml", task="b")

    code, out, err = run(spec, "count=4", check="r.yaml", task="b")

    assert code == 5
    assert re.sub("demo:[0-9a-f]{32}", "demo:HASH", out).splitlines() == [
        "--- r.yaml",
        "+++ rendered from s.yaml",
        "@@ -31,7 +31,7 @@ - id: b",
        "   commandLine: |-",
        "     /bin/bash -c 'set -e; set -o pipefail",
        "     cd b",
        "-    head -n 3 text'",
        "+    head -n 4 text'",
        "   environmentSettings:",
        "   - name: BATCHSPEC_TASK_HASH",
        "-    value: demo:HASH",
        "+    value: demo:HASH",
    ]
    assert err == (
        "r.yaml is not what s.yaml renders to: tasks: 1 changed\n"
        "  Update it with: batchspec render s.yaml --task b --out r.yaml --var count=4\n"
    )
    assert run(spec, "count=4", out="r.yaml", task="b")[0] == 0
    assert run(spec, "count=4", check="r.yaml", task="b")[0] == 0


def test_line_ends_of_another_system_are_no_difference(spec: str) -> None:
    run(spec, out="r.yaml")
    Path("r.yaml").write_bytes(Path("r.yaml").read_bytes().replace(b"\n", b"\r\n"))

    assert run(spec, check="r.yaml")[0] == 0


def test_a_file_that_is_not_there_is_told_with_what_writes_it(spec: str) -> None:
    with pytest.raises(LocalIOFailed, match=r"^cannot read r\.yaml: No such file or directory$") as raised:
        run(spec, check="r.yaml", limit=1)
    assert raised.value.fix == "write it with: batchspec render s.yaml --limit 1 --out r.yaml"


def test_a_file_that_cannot_be_read_or_is_no_text_is_told(spec: str, tmp_path: Path) -> None:
    Path("folder").mkdir()
    Path("image").write_bytes(b"\xff\xd8\xff")

    with pytest.raises(LocalIOFailed, match=r"^cannot read folder: Is a directory$"):
        run(spec, check="folder")
    with pytest.raises(UsageError, match=r"^image is no rendering: it is not UTF-8 text$"):
        run(spec, check="image")


def test_what_a_file_holds_cannot_steer_the_terminal(spec: str) -> None:
    Path("r.yaml").write_text("\x1b[2Jgone\n::error::no\n")

    out = run(spec, check="r.yaml")[1]

    assert out.splitlines()[2:5] == ["@@ -1,2 +1,45 @@ \\x1b[2Jgone", "-\\x1b[2Jgone", "-::error::no"]


def test_the_spec_is_not_overwritten(spec: str) -> None:
    with pytest.raises(UsageError, match=r"^--out \./s\.yaml is the spec itself$"):
        run(spec, out="./s.yaml")
    assert Path(spec).read_text(encoding="utf-8") == SPEC


def test_an_invalid_task_leaves_the_old_file(spec: str) -> None:
    run(spec, out="r.yaml")
    before = Path("r.yaml").read_bytes()

    with pytest.raises(UsageError, match="there is no task 'x'"):
        run(spec, out="r.yaml", task="x")
    assert Path("r.yaml").read_bytes() == before
    assert sorted(path.name for path in Path().iterdir()) == ["r.yaml", "s.yaml"]
