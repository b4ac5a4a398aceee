"""Which texts are there twice, and which are there at all, of millions of them.

Place in the pipeline: `check` keeps the ids of all tasks in one, and the blobs that they write in another. In: texts,
numbered as they come. Out: numbers. Holds 8 bytes for each text and no text: a hash of 48 bits beside the number, so
that whoever finds something looks at the texts themselves before saying so.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator

_NUMBER_BITS = 24
MAX_NUMBER = 2**_NUMBER_BITS - 1
_BUCKETS = 256


class IdIndex:
    """Numbers of texts; first all are added, then it is asked."""

    def __init__(self) -> None:
        self._buckets = [array("Q") for _ in range(_BUCKETS)]
        self._sorted = False

    def add(self, text: str, number: int) -> None:
        """Note that this text has this number, which is at most MAX_NUMBER."""
        key = hash(text)
        self._buckets[key & 255].append(((key >> 8) & 0xFF_FFFF_FFFF) << _NUMBER_BITS | number)

    def find(self, text: str) -> int | None:
        """The first number of a text; None when it was not added."""
        self._sort()
        key = hash(text)
        bucket = self._buckets[key & 255]
        wanted = ((key >> 8) & 0xFF_FFFF_FFFF) << _NUMBER_BITS
        at = bisect_left(bucket, wanted)
        return (
            bucket[at] & MAX_NUMBER
            if at < len(bucket) and bucket[at] >> _NUMBER_BITS == wanted >> _NUMBER_BITS
            else None
        )

    def doubled(self) -> Iterator[int]:
        """The numbers of texts that are (almost surely) there more than once, all of each."""
        self._sort()
        for bucket in self._buckets:
            last = told = -1
            for index, value in enumerate(bucket):
                if last >= 0 and value >> _NUMBER_BITS == last >> _NUMBER_BITS:
                    if told != index - 1:
                        yield last & MAX_NUMBER
                    yield value & MAX_NUMBER
                    told = index
                last = value

    def _sort(self) -> None:
        if not self._sorted:
            self._buckets = [array("Q", sorted(bucket)) for bucket in self._buckets]
            self._sorted = True
