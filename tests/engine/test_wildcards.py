"""A pattern finds the files that the documentation of output files says it does."""

import time
from pathlib import Path

import pytest

from batchspec.engine.wildcards import matches, parsed

FILES = (
    "a.txt",
    "b.txt",
    "b.log",
    ".hidden.txt",
    "abc*",
    "abcd",
    "[x]",
    "with space 'ü'.txt",
    "sub/c.txt",
    "sub/deep/d.txt",
    "sub/.secret/e.txt",
    "sub/deep/.f.txt",
)


@pytest.fixture
def wd(tmp_path: Path) -> Path:
    folder = tmp_path / "task" / "wd"
    for name in FILES:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    (folder.parent / "stdout.txt").touch()
    (folder.parent / "stderr.txt").touch()
    return folder


def found(pattern: str, wd: Path, **env: str) -> list[str]:
    return [each.relative for each in matches(parsed(pattern, wd=wd, env=env))]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.txt", ["a.txt", "b.txt", "with space 'ü'.txt"]),
        ("./*.log", ["b.log"]),
        (".*.txt", [".hidden.txt"]),
        ("?.txt", ["a.txt", "b.txt"]),
        ("[ab].*", ["a.txt", "b.log", "b.txt"]),
        ("[a-b].txt", ["a.txt", "b.txt"]),
        ("[!a].txt", ["b.txt"]),
        ("[b-a].txt", []),
        ("[[]*]", ["[x]"]),
        ("abc[*]*", ["abc*"]),
        ("abc*", ["abc*", "abcd"]),
        ("sub/*", ["c.txt"]),
        ("sub/**/*.txt", ["c.txt", "deep/d.txt"]),
        ("**/*.txt", ["a.txt", "b.txt", "sub/c.txt", "sub/deep/d.txt", "with space 'ü'.txt"]),
        ("**/**/d.txt", ["sub/deep/d.txt"]),
        ("**/.*.txt", [".hidden.txt", "sub/deep/.f.txt"]),
        ("sub/**", ["c.txt", "deep/d.txt"]),
        ("s*/deep/*", ["sub/deep/d.txt"]),
        ("../std*.txt", ["stderr.txt", "stdout.txt"]),
        ("nowhere/*", []),
    ],
)
def test_wildcards_find(pattern: str, expected: list[str], wd: Path) -> None:
    assert found(pattern, wd) == expected


@pytest.mark.parametrize("pattern", ["*a" * 40 + "b", "**/" + "*a" * 40 + "b", "[a]*" * 40 + "?b"])
def test_no_pattern_takes_long(pattern: str, wd: Path) -> None:
    (wd / ("a" * 200)).touch()
    (wd / ("a" * 199 + "b")).touch()
    before = time.process_time()
    assert found(pattern, wd) == ["a" * 199 + "b"]
    assert time.process_time() - before < 5


def test_a_folder_that_many_ways_lead_to_is_looked_into_once_for_each_step(wd: Path) -> None:
    deep = wd.joinpath(*["d"] * 40)
    deep.mkdir(parents=True)
    (deep / "x").touch()
    before = time.process_time()
    assert found("**/d/" * 12 + "x", wd) == ["d/" * 40 + "x"]
    assert time.process_time() - before < 5


def test_an_absolute_pattern_is_not_below_the_working_directory(wd: Path) -> None:
    assert found(f"{wd}/sub/*", wd / "elsewhere") == ["c.txt"]


@pytest.mark.parametrize("pattern", ["$WHERE/*.txt", "${WHERE}/*.txt", "$AZ_BATCH_TASK_WORKING_DIR/sub/$KIND"])
def test_variables_are_replaced_first(pattern: str, wd: Path) -> None:
    assert found(pattern, wd, WHERE="sub", KIND="*.txt", AZ_BATCH_TASK_WORKING_DIR=str(wd)) == ["c.txt"]


def test_a_folder_in_a_variable_of_the_node_is_meant_literally(tmp_path: Path) -> None:
    folder = tmp_path / "[ab]*"
    folder.mkdir()
    (folder / "x.txt").touch()
    pattern = parsed("$AZ_BATCH_TASK_DIR/x.txt", wd=tmp_path, env={"AZ_BATCH_TASK_DIR": str(folder)})
    assert (pattern.is_literal, pattern.literal()) == (True, folder / "x.txt")


@pytest.mark.parametrize(
    ("pattern", "name"), [("a.txt", "a.txt"), ("abc[*]", "abc*"), ("$UNKNOWN.txt", "$UNKNOWN.txt"), ("x/../a", "a")]
)
def test_a_pattern_without_wildcards_names_one_file(pattern: str, name: str, wd: Path) -> None:
    made = parsed(pattern, wd=wd, env={})
    assert (made.is_literal, made.literal()) == (True, wd / name)


@pytest.mark.parametrize("pattern", ["", "/", "sub/", ".", "a\0b", "*/../x", ".."])
def test_a_pattern_that_can_name_no_file_is_refused(pattern: str, wd: Path) -> None:
    with pytest.raises(ValueError, match=r"the pattern names (no file|a folder)|'\.\.' cannot follow"):
        parsed(pattern, wd=wd, env={})


def test_links_to_folders_are_not_followed_by_two_stars(wd: Path) -> None:
    (wd / "sub" / "loop").symlink_to(wd)
    assert found("sub/**/*.txt", wd) == ["c.txt", "deep/d.txt"]
