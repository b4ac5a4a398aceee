"""What of Microsoft's SDK batchspec relies on, and what it does without."""

import ast
import tomllib
from importlib.metadata import version
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
ADDERS = {"create_tasks", "create_task_collection", "add_collection"}


def test_tasks_are_added_by_no_call_of_the_sdk() -> None:
    """One of them does not halve what is too large, another tries a failing service again without end."""
    used = {
        node.attr
        for path in (REPOSITORY / "batchspec").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
    }
    assert "add_tasks" in used
    assert used & ADDERS == set()


def test_the_sdk_is_held_to_the_major_version_that_it_is_tested_with() -> None:
    needed = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["dependencies"]
    major = int(version("azure-batch").partition(".")[0])
    assert [one for one in needed if one.startswith("azure-batch")] == [f"azure-batch>={major}.1,<{major + 1}"]
