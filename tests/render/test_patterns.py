"""Globs on names: what they match, and that none takes long."""

import pytest

from batchspec.render.patterns import matches


@pytest.mark.parametrize(
    ("pattern", "named", "others"),
    [
        ("*.txt", ["a.txt", "*.txt"], [".txt", "a/b.txt", ".a.txt"]),
        ("a*b*c", ["abc", "a-b-c", "abcbc"], ["abcb", "ab"]),
        ("*", ["a", "a.b"], ["", ".a", "a/b"]),
        ("**/*.txt", ["a.txt", "b/c/a.txt"], [".b/a.txt", "b/.c/a.txt", "b//a.txt"]),
        ("**/a/**/b", ["a/b", "x/a/y/a/b"], ["a", "x/b", "a/.y/b"]),
        ("**/.h/*", [".h/a", "x/.h/a"], [".h/.h/a"]),
        ("a/**", ["a/", "a/b", "a/b/c"], ["a", "a/.b", "b/a"]),
        ("**", ["a", "a/b"], [".a", "a/.b"]),
        ("[a-c]?[!x]", ["abc", "b/x"[:1] + "yz"], ["abx", "dbc", "a/c"]),
        ("[", ["["], ["a"]),
        ("a{1,2}#(b)", ["a{1,2}#(b)"], ["a1#(b)"]),
    ],
)
def test_a_pattern_matches_whole_names(pattern: str, named: list[str], others: list[str]) -> None:
    assert [name for name in [*named, *others] if matches(name, pattern)] == named


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("a" * 1000 + ".txt", "*a" * 100 + "b"),
        ("a" * 1000, "?*" * 100 + "b"),
        ("/".join("d" * 500), "**/d/" * 100 + "z"),
        ("/".join("d" * 500), "**/*/" * 100 + "z"),
    ],
)
@pytest.mark.timeout(20)
def test_no_pattern_takes_long(name: str, pattern: str) -> None:
    assert not matches(name, pattern)
