"""Places of nodes, and how paths and values are shown."""

from pathlib import Path

import pytest

from batchspec.errors import Problem
from batchspec.spec.document import At, Finding, dotted, shown
from batchspec.spec.position import Position
from tests.spec.written import ACCOUNT_KEY, SAS, document

CONTENT = "version: 1\ntasks:\n  - id: one\n    needs: [a, b]\n"


@pytest.mark.parametrize(
    ("at", "value", "key"),
    [
        ((), (1, 1), (1, 1)),
        (("version",), (1, 10), (1, 1)),
        (("tasks",), (3, 3), (2, 1)),
        (("tasks", 0), (3, 5), (3, 5)),
        (("tasks", 0, "id"), (3, 9), (3, 5)),
        (("tasks", 0, "needs", 1), (4, 16), (4, 16)),
        (("tasks", 0, "command"), (3, 5), (3, 5)),
        (("tasks", 7, "command"), (3, 3), (3, 3)),
        (("nothing", "at", "all"), (1, 1), (1, 1)),
    ],
)
def test_every_node_has_a_place_and_what_is_missing_that_of_its_parent(
    tmp_path: Path, at: At, value: tuple[int, int], key: tuple[int, int]
) -> None:
    found = document(tmp_path, CONTENT)
    assert (found.position(at), found.key_position(at)) == (Position(*value), Position(*key))


def test_a_problem_stands_on_the_value_or_on_the_key(tmp_path: Path) -> None:
    found = document(tmp_path, CONTENT)
    assert found.problem(("tasks", 0, "id"), "m") == Problem("s", 3, 9, "tasks[0].id", "m")
    assert Finding(("tasks", 0, "id"), "m", on_key=True).problem(found) == Problem("s", 3, 5, "tasks[0].id", "m")
    assert str(found.problem((), "m")) == "s:1:1: m"


def test_a_scalar_is_known_as_written(tmp_path: Path) -> None:
    found = document(tmp_path, "a: 24.10\nb: [x]\n")
    assert (found.written(("a",)), found.written(("b",)), found.written(("c",))) == ("24.10", None, None)


def test_paths_are_dotted_and_odd_keys_stand_in_brackets() -> None:
    assert dotted(()) == ""
    assert dotted(("a", 0, "b-c", "d e", 'f"')) == "a[0].b-c['d e']['f\"']"
    assert dotted((ACCOUNT_KEY, "a")) == "['<secret>'].a"


def test_values_are_shown_short_on_one_line_and_without_secrets() -> None:
    assert [shown(one) for one in (None, True, 5, 2.5, [1], {"a": 1}, "x")] == [
        *("nothing", "true", "5", "2.5", "a list", "a mapping", "'x'")
    ]
    assert shown("a\nb\x1b[1m\u202e") == "'a\\nb\\x1b[1m\\u202e'"
    assert shown("x" * 100) == f"'{'x' * 57}...'"
    assert shown(SAS) == "'<secret>'"
