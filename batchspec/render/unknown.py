"""What stands for a value that nobody can know because something else in the spec is broken.

Place in the pipeline: `desired` and `tasks` put it under the names that a broken upload or generator would have given,
so that the rest of a template is looked at all the same. In: nothing. Out: a value that takes part in everything and
complains about nothing but a part that it cannot have. Nothing that was rendered with it is ever sent.
"""

from collections.abc import Iterator
from typing import Any

TEXT = "unknown"


class Unknown:
    """A value of which at most the names of its parts are known; empty `PARTS` stand for any."""

    def __init__(self, parts: tuple[str, ...] = ()) -> None:
        self.PARTS = parts

    def has(self, part: object) -> bool:
        """Whether it may have a part of this name."""
        return not self.PARTS or part in self.PARTS

    def __iter__(self) -> Iterator["Unknown"]:
        yield self

    def __len__(self) -> int:
        return 1

    def __contains__(self, one: object) -> bool:
        return True

    def __int__(self) -> int:
        return 1

    def __float__(self) -> float:
        return 1.0

    def __index__(self) -> int:
        return 1

    def _same(self, *others: Any) -> "Unknown":
        return ANY

    def _true(self, other: Any) -> bool:
        return True

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _same
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = _same
    __neg__ = __pos__ = __abs__ = __round__ = _same
    __lt__ = __le__ = __gt__ = __ge__ = _true


ANY = Unknown()
