"""What `apply` says of a plan that is stale."""

from typing import Any

from batchspec.cli.boundary import print_error
from batchspec.cli.given import Given
from batchspec.cli.reviewed import Reviewed, reviewed, stale
from batchspec.errors import Difference, PlanStale
from tests.cli.made import console, shown


def told(*found: Difference) -> tuple[PlanStale, list[str]]:
    """The error, and how it is printed."""
    error = stale("p.json", iter(found), fix="look")
    assert error is not None
    one = console()
    print_error(one, error)
    return error, shown(one)[1].splitlines()


def test_each_difference_is_a_line_with_what_was_and_what_is() -> None:
    found: list[tuple[Any, ...]] = [
        ("variable n", 3, "5"),
        ("spec, wait", "not there", {"timeout": "1 h"}),
        ("pool p", 2, None, "virtualMachineConfiguration.nodeAgentSKUId"),
        ("cleanup", "not there", "pool", "[0]"),
        ("file c/\x1b[2J\n.txt", "not there", "1 bytes"),
        ("spec, url", "https://a.example.com?sig=abc", ""),
    ]

    _, lines = told(*(Difference(*one) for one in found))

    assert lines == [
        "error: the plan in p.json is stale, and nothing was changed; since it was made, this has:",
        "  variable n: was 3, is 5",
        '  spec, wait: was not there, is {"timeout": "1 h"}',
        "  pool p, virtual_machine_configuration.node_agent_sku_id: was 2, is (not set)",
        "  cleanup[0]: was not there, is pool",
        "  file c/\\x1b[2J\\n.txt: was not there, is 1 bytes",
        "  spec, url: was https://a.example.com?sig=<masked> is ''",
        "  look",
    ]


def test_of_long_values_the_part_that_differs_is_shown() -> None:
    was, now = ("run " + "--quiet " * 40 + last for last in ("old", "new"))

    _, lines = told(Difference("spec, tasks[0].command", was, now))

    assert lines[1] == "  spec, tasks[0].command:"
    assert (lines[2][-4:], lines[3][-4:]) == (" old", " new")
    assert [line[:11] for line in lines[2:4]] == ["    was ...", "    is  ..."]
    assert max(map(len, lines)) <= 120


def test_of_many_differences_the_first_are_shown_and_more_are_kept() -> None:
    error, lines = told(*(Difference(f"task {n}", 1, 2) for n in range(1_234)))

    assert lines[1:3] == ["  task 0: was 1, is 2", "  task 1: was 1, is 2"]
    assert lines[20:22] == ["  task 19: was 1, is 2", "  and 1,214 more"]
    assert len(error.differences) == 1000


def test_without_a_plan_the_spec_is_the_one_that_was_given() -> None:
    given = Given(("n=5",))

    assert reviewed("s.yaml", given, digest="ab", plan_file=None) == (Reviewed("ab"), "s.yaml", given)
    assert not Reviewed()
    assert Reviewed("ab")


def test_without_a_difference_there_is_no_error() -> None:
    assert stale("p.json", iter(()), fix="") is None
