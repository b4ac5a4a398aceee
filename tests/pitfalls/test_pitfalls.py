"""Every pitfall has its tests, and every test that is named is there."""

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pitfalls.pitfalls import PITFALLS, Pitfall

REPOSITORY = Path(__file__).resolve().parents[2]
PEERS = REPOSITORY.parent / "shared" / "design" / "peers.md"
SECTION = "## (d)"
REFERENCE = re.compile(r"[\w./-]*#\d+")
NAMED = re.compile(r"(?P<path>tests/[\w/]+\.py)::(?P<test>test_\w+)(?:\[(?P<case>[^\]]+)\])?")


def facts() -> list[str]:
    """Each bullet of the section, cut at the full stops and semicolons that stand outside of brackets and code."""
    if not PEERS.exists():
        pytest.skip("the design notes are not beside this repository")
    section = PEERS.read_text().partition(SECTION)[2].partition("\n## ")[0]
    return [fact for line in section.splitlines() if line.startswith("- ") for fact in cut(line[2:])]


def cut(text: str) -> Iterator[str]:
    """The parts of a bullet."""
    begin = depth = 0
    code = False
    for end, (here, after) in enumerate(zip(text, text[1:] + " ", strict=True), 1):
        code ^= here == "`"
        depth += 0 if code else (here == "(") - (here == ")")
        if here in ".;" and after == " " and not code and not depth:
            yield text[begin:end].strip()
            begin = end
    if text[begin:].strip():
        yield text[begin:].strip()


def is_about(mark: str, fact: str) -> bool:
    """Whether every word of the mark stands in the fact."""
    return all(re.search(rf"(?<![\w/-]){re.escape(word)}(?![\w-])", fact) for word in mark.split())


@functools.cache
def written_in(path: str) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    """The test functions of a file, by name."""
    tree = ast.parse((REPOSITORY / path).read_text())
    found = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return {node.name: node for node in found if node.name.startswith("test_")}


def test_every_fact_has_its_pitfall_and_so_has_every_issue_that_it_names() -> None:
    lacking = []
    for fact in facts():
        marks = {word for one in PITFALLS if is_about(one.mark, fact) for word in one.mark.split()}
        issues = [issue for issue in REFERENCE.findall(fact) if issue not in marks]
        if not marks or issues:
            lacking.append(f"{fact}: {', '.join(issues) or 'nothing'}")
    assert lacking == []


def test_every_pitfall_is_of_one_fact_in_their_order() -> None:
    there = facts()
    found = [[number for number, fact in enumerate(there) if is_about(one.mark, fact)] for one in PITFALLS]
    assert [one.mark for one, numbers in zip(PITFALLS, found, strict=True) if len(numbers) != 1] == []
    assert found == sorted(found)


def test_bullets_are_cut_outside_of_brackets_and_code() -> None:
    text = "One `a; b.` (x; y. z) ends. Two 15.1 goes; three"
    assert list(cut(text)) == ["One `a; b.` (x; y. z) ends.", "Two 15.1 goes;", "three"]


@pytest.mark.parametrize("one", PITFALLS, ids=lambda one: one.mark)
def test_the_tests_of_a_pitfall_are_there(one: Pitfall) -> None:
    assert one.tests, one.what
    for test in one.tests:
        named = NAMED.fullmatch(test)
        assert named is not None, test
        node = written_in(named["path"]).get(named["test"])
        assert node is not None, f"{test} is not there (any more): {one.what}"
        if named["case"]:
            assert any("parametrize" in ast.unparse(one) for one in node.decorator_list), test
