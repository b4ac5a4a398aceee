import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchspec.render.ids import id_fault
from batchspec.render.needs import MAX_CHARACTERS, MergeIds, Needed, depends_on, needed_of
from batchspec.render.symbolic import Json

MERGE = MergeIds("spec", "encode")


@pytest.mark.parametrize(
    ("ids", "ranges"),
    [
        (["1", "2", "3"], ((1, 3),)),
        (["7", "2", "001", "3"], ((1, 3), (7, 7))),
        (["0"], ((0, 0),)),
        ([str(2**31 - 1)], ((2**31 - 1, 2**31 - 1),)),
    ],
)
def test_numbers_are_ranges_without_gaps(ids: list[str], ranges: tuple[tuple[int, int], ...]) -> None:
    assert needed_of(ids, MAX_CHARACTERS, MERGE) == Needed(ranges=ranges, count=len(ids))


@pytest.mark.parametrize(
    "ids", [["1", "a"], ["1", "01"], [str(2**31)], ["²"], ["-1"], [str(2 * n) for n in range(1001)]]
)
def test_other_ids_are_listed(ids: list[str]) -> None:
    assert needed_of(ids, MAX_CHARACTERS, MERGE) == Needed(ids=tuple(ids), count=len(ids))


def test_nothing_needs_nothing() -> None:
    assert needed_of([], MAX_CHARACTERS, MERGE) == Needed()


def test_what_is_too_long_is_merged() -> None:
    ids = [f"task-{number:05}" for number in range(10_000)]
    found = needed_of(ids, MAX_CHARACTERS, MERGE)
    assert found == Needed(ids=(MERGE(1), MERGE(2)), merged=True, count=10_000)
    assert needed_of(ids[:6400], MAX_CHARACTERS, MERGE) == Needed(ids=tuple(ids[:6400]), count=6400)
    assert needed_of(ids[:6400], MAX_CHARACTERS // 2, MERGE).merged


@given(st.text(min_size=1), st.text(min_size=1), st.integers(1, 10_000_000))
def test_the_ids_of_merge_tasks_are_legal_and_tell_owners_apart(spec: str, template: str, number: int) -> None:
    assert id_fault(MergeIds(spec, template)(number)) is None
    assert MergeIds(spec, template)(number) != MergeIds(spec + "x", template)(number)


def test_own_dependencies_stay() -> None:
    given: Json = {"taskIds": ["a"], "taskIdRanges": [{"start": 1, "end": 2}]}
    assert depends_on(given, [Needed(ids=("b",)), Needed(ranges=((4, 5),))]) == {
        "taskIds": ["a", "b"],
        "taskIdRanges": [{"start": 1, "end": 2}, {"start": 4, "end": 5}],
    }
    assert given == {"taskIds": ["a"], "taskIdRanges": [{"start": 1, "end": 2}]}
