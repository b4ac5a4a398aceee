"""The program as a process: what it prints where, its exit codes, and what it does not import."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.output_schema import check

DEADLINE_S = 120
SPEC = """\
version: 1
name: demo
vars: {n: 3}
containers: {input: {}, output: {}}
uploads: {texts: {container: input, files: "*.txt"}}
pool: {vm_size: standard_d2s_v3, target_dedicated_nodes: 1,
  image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}}
tasks:
  - for_each: {upload: texts}
    id: "{{ file.stem | task_id }}"
    command: head -n {{ vars.n }} {{ file.name | sh }}
    resource_files: [{upload: texts, file: "{{ file.name }}"}]
"""
WRONG = SPEC.replace("vm_size", "vm_sise")
HEAVY = {"azure", "msal", "aiohttp", "starlette", "uvicorn", "rich", "asyncio"}


@dataclass(frozen=True, slots=True)
class Ran:
    code: int
    out: str
    err: str


def run(*words: str, cwd: Path, **environ: str) -> Ran:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AZURE_", "BATCHSPEC_"))}
    done = subprocess.run(
        [sys.executable, "-m", "batchspec", *words],
        cwd=cwd,
        env={**kept, "XDG_STATE_HOME": str(cwd / "state"), **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=DEADLINE_S,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a spec that is right, one that is wrong, and two texts."""
    (tmp_path / "s.yaml").write_text(SPEC)
    (tmp_path / "wrong.yaml").write_text(WRONG)
    (tmp_path / "a.txt").write_text("one\ntwo\n")
    (tmp_path / "b c.txt").write_text("three\n")
    return tmp_path


def test_validate_says_valid(folder: Path) -> None:
    assert run("validate", "s.yaml", cwd=folder) == Ran(0, "s.yaml: valid\n", "")
    assert run("-q", "validate", "s.yaml", cwd=folder) == Ran(0, "", "")


def test_validate_reports_all_problems_of_all_specs_on_stdout(folder: Path) -> None:
    done = run("validate", "wrong.yaml", "s.yaml", "none.yaml", cwd=folder)

    assert done.code == 2
    first, second, third = done.out.splitlines()
    assert first == "wrong.yaml:6:8: pool.vm_sise: unknown property; did you mean 'vm_size'?"
    assert second == "s.yaml: valid"
    assert third.startswith("none.yaml:1:1: no such file")
    assert done.err == "2 problems in 2 of 3 specs\n"


def test_validate_as_json_is_one_object(folder: Path) -> None:
    done = run("validate", "wrong.yaml", "s.yaml", "--format", "json", cwd=folder)

    problem = {
        "file": "wrong.yaml",
        "line": 6,
        "column": 8,
        "path": "pool.vm_sise",
        "message": "unknown property; did you mean 'vm_size'?",
    }
    assert done.code == 2
    assert json.loads(done.out) == {
        "version": 1,
        "command": "validate",
        "valid": False,
        "specs": [
            {"file": "wrong.yaml", "valid": False, "problems": [problem], "warnings": []},
            {"file": "s.yaml", "valid": True, "problems": [], "warnings": []},
        ],
        "exit_code": 2,
        "error": None,
    }


def test_validate_for_github_annotates_the_lines(folder: Path) -> None:
    done = run("validate", "wrong.yaml", "--format", "github", cwd=folder)

    assert done.out == (
        "::error file=wrong.yaml,line=6,col=8::pool.vm_sise: unknown property; did you mean 'vm_size'?\n"
    )


def test_a_warning_is_told_and_changes_no_exit_code(folder: Path) -> None:
    (folder / "s.yaml").write_text(SPEC.replace("{{ file.stem | task_id }}", "t-{{ index }}"))
    message = (
        "an id with `index` depends on the position: one more file or row in front makes every task run again; "
        "use what the task is made from, such as its name"
    )
    line = f"s.yaml:10:9: tasks[0].id: warning: {message}\n"

    assert run("validate", "s.yaml", cwd=folder) == Ran(0, "s.yaml: valid\n", line)
    assert run("validate", "s.yaml", "--format", "github", cwd=folder) == Ran(
        0, f"::warning file=s.yaml,line=10,col=9::tasks[0].id: {message}\n", ""
    )
    done = run("render", "s.yaml", cwd=folder)
    assert (done.code, done.err) == (0, line)


@pytest.mark.parametrize("command", ["plan", "apply", "status", "delete", "download"])
def test_a_wrong_spec_ends_a_command_before_anything_is_started(command: str, folder: Path) -> None:
    done = run(command, "wrong.yaml", "--target", "local", cwd=folder)

    assert done == Ran(2, "", "wrong.yaml:6:8: pool.vm_sise: unknown property; did you mean 'vm_size'?\n")
    assert not (folder / "state").exists()


@pytest.mark.parametrize("asked", [["--format", "json"], ["--format=json"]])
def test_a_wrong_command_line_is_told_as_json_where_that_is_asked_for(folder: Path, asked: list[str]) -> None:
    done = run("plan", "s.yaml", "--detailed-exitcod", *asked, cwd=folder)
    plain = run("plan", "s.yaml", "--detailed-exitcod", cwd=folder)
    nothing = run("pln", "s.yaml", *asked, cwd=folder)

    assert (done.code, plain.code, nothing.code) == (2, 2, 2)
    assert (plain.out, nothing.out) == ("", "")
    check(json.loads(done.out))
    assert json.loads(done.out) == {
        "version": 1,
        "command": "plan",
        "exit_code": 2,
        "error": {
            "kind": "UsageError",
            "message": "batchspec plan: unknown option --detailed-exitcod; did you mean --detailed-exitcode?",
            "fix": "see: batchspec plan --help",
        },
    }


def test_a_wrong_spec_as_json_carries_its_problems(folder: Path) -> None:
    done = run("apply", "wrong.yaml", "--target", "local", "--format", "json", cwd=folder)

    answer = json.loads(done.out)
    assert (done.code, answer["command"], answer["exit_code"], answer["error"]["kind"]) == (
        2,
        "apply",
        2,
        "SpecInvalid",
    )
    assert [problem["path"] for problem in answer["error"]["problems"]] == ["pool.vm_sise"]


def test_in_ci_the_target_must_be_said(folder: Path) -> None:
    done = run("apply", "s.yaml", cwd=folder, CI="true")

    assert (done.code, done.out) == (2, "")
    assert "--target" in done.err


def test_render_is_the_same_each_time_as_yaml_and_json(folder: Path) -> None:
    import yaml

    as_yaml, again = (run("render", "s.yaml", cwd=folder) for _ in range(2))
    as_json = run("render", "s.yaml", "--format", "json", cwd=folder)

    assert as_yaml == again
    assert yaml.safe_load(as_yaml.out) == json.loads(as_json.out)
    assert (as_yaml.err, as_json.err) == ("", "")
    assert list(json.loads(as_json.out)) == ["containers", "uploads", "pool", "schedule", "job", "tasks"]
    first, second = json.loads(as_json.out)["tasks"]
    assert (first["id"], "'b c.txt'" in second["commandLine"] or "b c.txt" in second["commandLine"]) == ("a", True)


def test_render_selects_tasks(folder: Path) -> None:
    one = run("render", "s.yaml", "--task", "a", "--format", "json", "--var", "n=7", cwd=folder)
    none = run("render", "s.yaml", "--limit", "0", "--format", "json", cwd=folder)
    missing = run("render", "s.yaml", "--task", "x", cwd=folder)

    (task,) = json.loads(one.out)["tasks"]
    assert (task["id"], "head -n 7 a.txt" in task["commandLine"]) == ("a", True)
    assert json.loads(none.out)["tasks"] == []
    assert (missing.code, missing.out) == (2, "")


def test_the_schema_is_json(folder: Path) -> None:
    done = run("schema", cwd=folder)

    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_version_and_help_are_results(folder: Path) -> None:
    assert run("--version", cwd=folder).out.startswith("batchspec 0.")
    assert run("--help", cwd=folder).out.startswith("usage: batchspec")
    assert run(cwd=folder).code == 2


def test_closed_streams_are_no_bug(folder: Path) -> None:
    program = f"'{sys.executable}' -m batchspec validate s.yaml"
    for redirected in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
        done = subprocess.run(
            ["/bin/sh", "-c", f"{program} {redirected}"],
            cwd=folder,
            capture_output=True,
            timeout=DEADLINE_S,
            check=False,
        )

        assert (done.returncode, done.stderr) == (0, b""), redirected


@pytest.mark.parametrize("words", [["validate", "s.yaml"], ["render", "s.yaml"], ["schema"], ["apply", "--help"]])
def test_offline_commands_load_no_sdk_no_server_and_no_event_loop(words: list[str], folder: Path) -> None:
    code = (
        "import sys; from batchspec.cli.main import main; code = main(sys.argv[1:]);"
        "print(code, *{name.split('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=DEADLINE_S,
        check=True,
    )

    exit_code, *loaded = done.stderr.split()
    assert exit_code == "0"
    assert set(loaded) & HEAVY == set()


def test_github_gets_paths_in_the_repository_and_characters_that_mean_nothing_to_it(folder: Path) -> None:
    below = folder / "100%, a:b"
    below.mkdir()
    (below / "wrong.yaml").write_text(WRONG)

    done = run("validate", "../wrong.yaml", "wrong.yaml", "--format", "github", cwd=below, GITHUB_WORKSPACE=str(folder))
    outside = run("validate", "wrong.yaml", "--format", "github", cwd=folder, GITHUB_WORKSPACE=str(below))

    told = "line=6,col=8::pool.vm_sise: unknown property; did you mean 'vm_size'?"
    assert [line for line in done.out.splitlines() if "vm_sise" in line] == [
        f"::error file=wrong.yaml,{told}",
        f"::error file=100%25%2C a%3Ab/wrong.yaml,{told}",
    ]
    assert outside.out == f"::error file=wrong.yaml,{told}\n"
