"""Ranges of numbers in a few steps each: a thousand tasks that each wait for a hundred thousand are no hundred million.

Place in the pipeline: `check` looks for circles and gaps through the ranges of ids that tasks depend on. In: the
numbers that there are. Out: where a range has a gap; the nodes of a tree that cover it, and what is below each. Pure.

The tree has 2 * N places for N numbers: those from N on are the numbers in their order, each other place stands for the
two at twice its own and one more. A range is at most two of them for each level.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator


class Runs:
    """Whole numbers, each once."""

    def __init__(self, numbers: Iterable[int]) -> None:
        self._numbers = array("q", sorted(set(numbers)))

    def missing(self, start: int, end: int) -> int | None:
        """The first number of a range that is not there, None when all are; both ends belong to it."""
        numbers = self._numbers
        low, high = bisect_left(numbers, start), bisect_right(numbers, end)
        if high - low == end - start + 1:
            return None
        return start + bisect_right(range(low, high), start - low, key=lambda at: numbers[at] - at)

    def covering(self, start: int, end: int) -> Iterator[int]:
        """The places that stand for the numbers of a range, as far as they are there."""
        size = len(self._numbers)
        low, high = bisect_left(self._numbers, start) + size, bisect_right(self._numbers, end) + size
        while low < high:
            if low % 2:
                yield low
                low += 1
            if high % 2:
                high -= 1
                yield high
            low, high = low // 2, high // 2

    def number(self, place: int) -> int | None:
        """The number at a place, None when it stands for two other places."""
        return self._numbers[place - len(self._numbers)] if place >= len(self._numbers) else None
