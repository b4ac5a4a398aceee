"""Tasks are a stream: `validate` and `render` hold none of them, but for some bytes that tell their ids apart."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HEAD = """\
version: 1
name: large
pool:
  vm_size: standard_d2s_v3
  target_dedicated_nodes: 1
  image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}
tasks:
"""
EACH = """\
  - for_each: {generator}
    id: "{{{{ {named} | string | task_id }}}}"
    command: echo {{{{ {named} | string | sh }}}}
    output_files: [{{file_pattern: out, container: o, path: "{{{{ {named} }}}}", upload_condition: tasksuccess}}]
containers: {{o: {{}}}}
"""
FEW, MANY = 1_000, 25_000
# Rows, bodies or ids of so many tasks would take some times as much.
MORE_MB = 6


def lines(suffix: str, count: int) -> Iterator[str]:
    """The lines of a table with so many rows, whose names have 60 characters."""
    if suffix == "csv":
        yield "name,rate\n"
    pattern = '{{"name": "{:060}", "rate": {}}}\n' if suffix == "jsonl" else "{:060},{}\n"
    yield from (pattern.format(number, number % 7) for number in range(count))


def spec(folder: Path, kind: str, count: int) -> Path:
    """A spec with so many tasks."""
    generator, named = {
        "matrix": (f"{{matrix: {{a: {{range: {count // 100}}}, b: {{range: 100}}}}}}", "(100 * matrix.a + matrix.b)"),
    }.get(kind, (f"{{rows: rows.{kind}}}", "row.name"))
    with (folder / f"rows.{kind}").open("w") as file:
        file.writelines(lines(kind, count))
    path = folder / "spec.yaml"
    path.write_text(HEAD + EACH.format(generator=generator, named=named))
    return path


def peak_mb(*words: str) -> float:
    """The most memory that a command held; it must succeed."""
    command = [sys.executable, "-m", "batchspec", *words]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    unit = 1 if sys.platform == "darwin" else 1024  # getrusage(2): bytes there, kilobytes here
    return used.ru_maxrss * unit / 1024**2


@pytest.mark.parametrize("kind", ["csv", "jsonl", "matrix"])
def test_checking_tasks_takes_some_bytes_for_each(tmp_path: Path, kind: str) -> None:
    few = peak_mb("validate", str(spec(tmp_path, kind, FEW)))
    many = peak_mb("validate", str(spec(tmp_path, kind, MANY)))

    assert many - few < MORE_MB


def test_rendering_tasks_takes_some_bytes_for_each(tmp_path: Path) -> None:
    few = peak_mb("render", "--format", "json", str(spec(tmp_path, "csv", FEW)))
    many = peak_mb("render", "--format", "json", str(spec(tmp_path, "csv", MANY)))

    assert many - few < MORE_MB
