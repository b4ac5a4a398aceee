"""The whole room on whole files; `tests/examples` holds a test in each file."""

import re
from pathlib import Path

import pytest

from batchspec.errors import SpecInvalid
from batchspec.spec.read import read
from tests.spec.written import problems

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "tests" / "examples"
VALID = [*sorted((EXAMPLES / "valid").glob("*.yaml")), *sorted((ROOT / "specs").glob("*.yaml"))]


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_a_valid_example_has_no_problem(path: Path) -> None:
    spec, found = read(path, path.name)
    assert found == []
    assert spec is not None


@pytest.mark.parametrize("path", sorted((EXAMPLES / "invalid").glob("*.yaml")), ids=lambda path: path.stem)
def test_an_invalid_example_has_exactly_the_problems_in_its_first_comment(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    expected = []
    for line in lines:
        if not line.startswith("# "):
            break
        expected.append(line.removeprefix("# "))
    try:
        _, found = read(path, "s")
    except SpecInvalid as error:
        found = list(error.problems)
    assert [str(problem).removeprefix("s:") for problem in found] == expected
    assert all(re.match(r"\d+:\d+: ", line) for line in expected)


def test_faults_of_yaml_schema_and_rules_are_told_together(tmp_path: Path) -> None:
    content = """
        version: 1
        version: 1
        name: x
        pool: {id: a.b, existing: true}
        tsks: []
        """
    assert problems(tmp_path, content) == [
        "3:1: version: key given twice, first on line 2; remove one of them",
        "5:12: pool.id: 'a.b' holds '.'; an id has only letters, digits, `-` and `_` (see the filter task_id)",
        "6:1: tsks: unknown property; did you mean 'tasks'?",
    ]


def test_a_node_is_told_once_and_a_misspelt_property_is_not_missing_too(tmp_path: Path) -> None:
    content = (
        "version: 1\nname: x\npool: {vm_sise: a, image: {publisher: b, offer: c, sku: d}, start_task: {comands: [x]}}\n"
    )
    assert problems(tmp_path, content) == [
        "3:8: pool.vm_sise: unknown property; did you mean 'vm_size'?",
        "3:74: pool.start_task.comands: unknown property; did you mean 'commands'?",
    ]


def test_a_spec_with_problems_keeps_its_sound_parts(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("version: 1\nname: x\npool: {existing: true, id: p}\ntasks: [5, {id: a, command: b}]\n")
    spec, found = read(path, "s")
    assert [problem.path for problem in found] == ["tasks[0]"]
    assert spec is not None
    assert [(task.id, task.at) for task in spec.tasks] == [("a", ("tasks", 1))]
