"""Circles in what waits for what.

Place in the pipeline: `desired` asks for those of templates, `check` for one of tasks. In: numbers to begin with, and
what each waits for. Out: the numbers of circles. Pure; goes as deep as it must without recursion, and looks at every
number once.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence


def circle(starts: Sequence[int], follows: Callable[[int], Iterable[int]]) -> list[int]:
    """The numbers of a circle that can be reached from `starts`, in order; empty when there is none."""
    return next(circles(starts, follows), [])


def circles(starts: Sequence[int], follows: Callable[[int], Iterable[int]]) -> Iterator[list[int]]:
    """A circle for each wait that closes one: where the last of each does not wait for its first, there are none."""
    done: set[int] = set()
    for start in starts:
        if start in done:
            continue
        path, on_path = [start], {start}
        pending: list[Iterator[int]] = [iter(follows(start))]
        while pending:
            number = next(pending[-1], None)
            if number is None:
                pending.pop()
                last = path.pop()
                on_path.discard(last)
                done.add(last)
            elif number in on_path:
                yield path[path.index(number) :]
            elif number not in done:
                path.append(number)
                on_path.add(number)
                pending.append(iter(follows(number)))
