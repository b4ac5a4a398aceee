from hypothesis import given
from hypothesis import strategies as st

from batchspec.render.runs import Runs

NUMBERS = st.lists(st.integers(0, 40), max_size=30)
ENDS = st.tuples(st.integers(0, 40), st.integers(0, 40))


def below(runs: Runs, place: int) -> list[int]:
    """The numbers that a place stands for."""
    number = runs.number(place)
    return [number] if number is not None else [*below(runs, 2 * place), *below(runs, 2 * place + 1)]


@given(NUMBERS, ENDS)
def test_the_places_of_a_range_stand_for_its_numbers_each_once(numbers: list[int], ends: tuple[int, int]) -> None:
    runs, (start, end) = Runs(numbers), ends
    found = [number for place in runs.covering(start, end) for number in below(runs, place)]
    assert sorted(found) == [number for number in sorted(set(numbers)) if start <= number <= end]


@given(NUMBERS, ENDS)
def test_the_first_number_that_a_range_lacks(numbers: list[int], ends: tuple[int, int]) -> None:
    start, end = min(ends), max(ends)
    lacking = [number for number in range(start, end + 1) if number not in numbers]
    assert Runs(numbers).missing(start, end) == (lacking[0] if lacking else None)


def test_a_long_range_has_few_places() -> None:
    assert len(list(Runs(range(1_000_000)).covering(3, 999_990))) < 40
