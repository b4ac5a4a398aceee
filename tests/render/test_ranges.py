import pytest

from batchspec.render.ranges import length_of, range_of
from batchspec.render.scope import OMIT, Made, Scope


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (3, range(3)),
        ([2, 4], range(2, 4)),
        ([4, 0, -2], range(4, 0, -2)),
        ({"start": 1, "end": 3}, range(1, 4)),
        ({"start": 3, "end": 1, "step": -1}, range(3, 0, -1)),
        (-5, range(-5)),
        (3.0, range(3)),
        ([0.0, 4.0, 2.0], range(0, 4, 2)),
        ({"end": 3.0, "step": 2}, range(0, 4, 2)),
        ({"start": 1, "stop": 3, "step": -1}, range(1, 3, -1)),
        (OMIT, range(0)),
    ],
)
def test_a_range_has_these_numbers(made: Made, expected: range) -> None:
    scope = Scope({})
    assert (range_of(made, (), scope), scope.faults) == (expected, [])


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (True, "expected a whole number, or start, stop and step as whole numbers, got true"),
        ([1, "2"], "expected a whole number, or start, stop and step as whole numbers, got '2'"),
        (2.5, "expected a whole number, or start, stop and step as whole numbers, got 2.5"),
        (float("inf"), "expected a whole number, or start, stop and step as whole numbers, got inf"),
        ([0, 1, 0.1], "expected a whole number, or start, stop and step as whole numbers, got 0.1"),
        ([], "expected a whole number, or start, stop and step as whole numbers, got a list"),
        ([1, 2, 3, 4], "expected a whole number, or start, stop and step as whole numbers, got a list"),
        (None, "expected a whole number, or start, stop and step as whole numbers, got nothing"),
        ({"start": 1}, "expected a whole number, or start, stop and step as whole numbers, got nothing"),
        ({"stop": 5, "step": 0}, "a step of 0 never ends"),
        ([0, 1, 0], "a step of 0 never ends"),
        (10**30, "a number is larger than 9,223,372,036,854,775,807"),
    ],
)
def test_what_is_no_range_is_explained(made: Made, message: str) -> None:
    scope = Scope({})
    assert range_of(made, ("x",), scope) == range(0)
    assert [fault.message for fault in scope.faults] == [message]


def test_the_length_of_any_range_can_be_said() -> None:
    assert [length_of(one) for one in (range(5), range(5, 0), range(9, 0, -4), range(0, 2**63, 1))] == [5, 0, 3, 2**63]
