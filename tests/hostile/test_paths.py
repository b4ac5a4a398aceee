"""Paths in a spec from a pull request that nobody has read yet: nothing but the repository's own files is read.

Every test runs the real program. What is there to be stolen is a file with the word `STOLEN`, which may appear nowhere.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile.forked import Forked
from tests.hostile.ran import HEAD, POOL, Ran, batchspec


def upload(files: str) -> str:
    """An upload of these files."""
    return f"containers: {{c: {{}}}}\nuploads: {{u: {{container: c, files: {files}}}}}\n"


def rows(file: str) -> str:
    """A task for each row of this file."""
    task = 'tasks: [{id: "r{{ index }}", command: "echo {{ row.a }}", for_each: {rows: FILE}}]\n'
    return POOL + task.replace("FILE", file)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository as a build machine has it: a token in `.git/config`, and secrets beside it."""
    root = tmp_path / "work" / "repo"
    (root / ".git").mkdir(parents=True)
    (root / ".git" / "config").write_text("a\nSTOLEN\n")
    (root / ".git" / "t.csv").write_text("a\nSTOLEN\n")
    (root / "specs").mkdir()
    (tmp_path / "work" / "secret.csv").write_text("a\nSTOLEN\n")
    (tmp_path / "work" / "secret.yaml").write_text("STOLEN: STOLEN\n")
    return root


def run(repo: Path, command: str, text: str, *more: str) -> Ran:
    """Run a command on a spec with this text below its head."""
    (repo / "specs" / "s.yaml").write_text(HEAD + text)
    done = batchspec(command, "specs/s.yaml", *more, cwd=repo)
    assert "STOLEN" not in done.out + done.err or "--allow-outside" in more
    return done


OUTSIDE = ("../../secret.csv", "{work}/secret.csv", "/etc/passwd", "../../*.csv", "/proc/self/environ", "/dev/zero")


@pytest.mark.parametrize("pattern", OUTSIDE)
def test_files_outside_the_repository_are_not_read(repo: Path, pattern: str) -> None:
    path = pattern.format(work=repo.parent)
    done = run(repo, "render", upload(f"'{path}'"))
    assert done.code == 2
    (line,) = [line for line in done.told if line.startswith("specs/s.yaml:")]
    assert f"lies outside {repo}, from where alone a spec may read (--allow-outside lifts this)" in line


@pytest.mark.parametrize("to", ["../../secret.csv", "../.git/config", "../.git/t.csv", "/etc", ".."])
@pytest.mark.parametrize("way", ["files", "rows", "folder", "glob"])
def test_links_out_of_the_repository_are_not_followed(repo: Path, to: str, way: str) -> None:
    (repo / "specs" / "data.csv").symlink_to(to)
    (repo / "specs" / "folder").symlink_to(os.path.dirname(to) or "/")  # noqa: PTH120 - of the text, not of a path
    text = {
        "files": upload("data.csv"),
        "rows": rows("data.csv"),
        "folder": upload("'folder/*/*.csv'"),
        "glob": upload("'*.csv'"),
    }[way]
    done = run(repo, "render", text)
    assert done.code == 2, done
    assert done.out == ""


def test_git_is_out_of_bounds_however_it_is_written(repo: Path) -> None:
    for path in ("../.git/config", "../.git/*", "../*/config", "../.git/../.git/config", "../.*/config"):
        done = run(repo, "render", upload(f"'{path}'"))
        assert done.code == 2, path
    told = "'../.git/t.csv': ../.git/t.csv: lies in .git, which no spec may read"
    assert run(repo, "validate", rows("../.git/t.csv")).out == f"specs/s.yaml:4:76: tasks[0].for_each.rows: {told}\n"


def test_a_file_that_pretends_to_be_a_repository_only_narrows_the_bound(repo: Path) -> None:
    (repo / "a.txt").write_text("x")
    assert run(repo, "validate", upload("../a.txt")).code == 0
    for target in (None, "/nowhere", "../.."):
        planted = repo / "specs" / ".git"
        if target is None:
            planted.write_text(f"gitdir: {repo.parent}")
        else:
            planted.symlink_to(target)
        done = run(repo, "validate", upload("../a.txt"))
        assert f"lies outside {repo / 'specs'}" in done.out
        planted.unlink()


def test_a_flag_allows_what_lies_outside(repo: Path) -> None:
    done = run(repo, "render", rows("../../secret.csv"), "--allow-outside")
    assert done.code == 0
    assert "echo STOLEN" in done.out
    assert run(repo, "validate", upload("../../secret.csv"), "--allow-outside").code == 0


def test_a_spec_that_is_a_link_out_of_its_repository_is_not_read(repo: Path) -> None:
    for name, target in (("out.yaml", "../../secret.yaml"), ("git.yaml", "../.git/config")):
        (repo / "specs" / name).symlink_to(target)
        for command in ("validate", "render", "plan"):
            done = batchspec(command, f"specs/{name}", "--target", "local", cwd=repo)
            assert done.code == 2
            assert "STOLEN" not in done.out + done.err
            assert "name that file itself, or say --allow-outside" in done.out + done.err
    assert "STOLEN" in batchspec("validate", "specs/out.yaml", "--allow-outside", cwd=repo).out


def test_a_file_of_variables_that_is_a_link_out_of_its_repository_is_not_read(repo: Path) -> None:
    (repo / "vars.yaml").symlink_to("../secret.yaml")
    done = run(repo, "validate", POOL, "--var-file", "vars.yaml")
    assert done.code == 2
    assert done.out.startswith(f"vars.yaml:1:1: leads to {repo.parent / 'secret.yaml'}, outside the files of {repo}")


@pytest.mark.parametrize("what", ["spec", "vars", "files", "rows"])
def test_a_pipe_that_nobody_writes_blocks_nobody(repo: Path, what: str) -> None:
    os.mkfifo(repo / "specs" / "pipe.csv")
    told = "is no file but a pipe, a socket or a device"
    if what == "spec":
        done = batchspec("validate", "specs/pipe.csv", cwd=repo)
    elif what == "vars":
        done = run(repo, "validate", POOL, "--var-file", "specs/pipe.csv")
    else:
        done = run(repo, "render", {"files": upload, "rows": rows}[what]("pipe.csv"))
    assert done.code == 2
    assert told in done.out + done.err


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/random", "/dev/full"])
def test_a_device_is_no_spec_and_no_file_of_variables(repo: Path, path: str) -> None:
    for done in (batchspec("validate", path, cwd=repo), run(repo, "validate", POOL, "--var-file", path)):
        assert done.code == 2
        assert done.out == f"{path}:1:1: cannot read this file: is no file but a pipe, a socket or a device\n"


def test_a_folder_is_no_spec(repo: Path) -> None:
    done = batchspec("validate", "specs", cwd=repo)
    assert (done.code, done.out) == (2, "specs:1:1: is a directory, not a file; name the YAML file in it\n")


def test_a_spec_may_come_from_a_pipe_that_a_shell_writes(repo: Path) -> None:
    command = [sys.executable, "-m", "batchspec", "validate", "/dev/stdin"]
    done = subprocess.run(command, input=HEAD + POOL, capture_output=True, text=True, timeout=60, check=False, cwd=repo)
    assert done.stdout == "/dev/stdin: valid\n"


def test_a_huge_sparse_file_costs_nothing_until_its_content_counts(repo: Path) -> None:
    for name in ("big.bin", "big.csv", "big.jsonl", "big.yaml"):
        with (repo / "specs" / name).open("wb") as file:
            file.truncate(1 << 40)
    done = run(repo, "validate", upload("big.bin"))
    assert done.code == 0
    for name in ("big.csv", "big.jsonl"):
        done = run(repo, "render", rows(name))
        assert done.code == 2
        assert f"'{name}': line 1 has more than 10,000,000 characters" in done.err
    done = batchspec("validate", "specs/big.yaml", cwd=repo)
    assert (
        done.out == "specs/big.yaml:1:1: is larger than 5,000,000 bytes; put long lists in a file that `rows:` reads\n"
    )


def test_names_of_files_cannot_write_to_the_terminal(repo: Path) -> None:
    name = "x\x1b]0;owned\x07\x1b[31m.txt"
    (repo / "specs" / name).write_text("")
    done = run(repo, "validate", upload("'*.txt'"))
    assert done.code == 2
    assert "\x1b" not in done.out + done.err
    assert "holds a control character; rename the file" in done.out


AWAY = (
    *("/proc/self/environ", "/proc/self/mem", "/proc/self/fd/0", "/dev/stdin", "/dev/zero", "/dev/tty", "/proc"),
    "loop.csv",
)


@pytest.mark.parametrize("to", AWAY)
def test_links_to_processes_devices_and_themselves_are_neither_read_nor_waited_for(
    repo: Path, to: str, request: pytest.FixtureRequest
) -> None:
    specs = repo / "specs"
    (specs / "loop.csv").symlink_to("loop.csv")
    (specs / "link.csv").symlink_to(to)
    (specs / "folder").symlink_to(os.path.dirname(to) or ".")  # noqa: PTH120 - of the text, not of a path
    process = Forked(specs)
    request.addfinalizer(process.close)
    for flags in ((), ("--allow-outside",)):
        for path in ("link.csv", f"folder/{os.path.basename(to)}"):  # noqa: PTH119
            for words, text in (
                (("render", "s.yaml"), upload(path)),
                (("render", "s.yaml"), rows(path)),
                (("validate", "s.yaml", "--var-file", path), POOL),
                (("validate", path), ""),
            ):
                ended = process.command(*words, *flags, files={"s.yaml": HEAD + text})
                allowed = flags and to.endswith(("environ", "mem"))  # regular files, for whoever gives the flag
                assert ended.code == 2 or allowed, (words, flags, ended)
                assert "this is a bug" not in ended.err
