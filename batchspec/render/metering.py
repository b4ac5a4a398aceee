"""What rendering may cost: one template, and a whole spec.

Place in the pipeline: `template` and `check` pay here for what they do, and `cli` says for which spec they do it. In:
values and counts. Out: nothing, or TooMuch. Never looks at a clock: the same spec passes or fails on every machine.

Decisions: a unit is about 0.2 microseconds on a machine of 2026, so that no template takes more than 2 s. Whatever is
read is paid for like what is made: to look for a character in a long text costs time, too, and leaves nothing behind. A
spec may spend a second, and for each of its tasks (see `elements` for how many there may be) what a rich one
costs: so many tasks are no reason to refuse, costly ones are, since a pull request of three lines can ask for years.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from batchspec.render.guard import TooMuch, weight

MAX_WORK = 2_000_000
MAX_RUN = 5_000_000
EARNED_BY_A_TASK = 1_500
MAX_TAG_CHARACTERS = 10_000
FLAG = "--allow-large"

_CALL = 5
_ITEM = 3
# Copying and comparing is done by the machine's fastest instructions, many characters at a time.
_COPIED_AT_ONCE = 16
_COMPILED = 2_000
_COMPILED_PER_CHARACTER = 100
_RENDERED = 40
_TASK = 150
_TASK_CHARACTERS_AT_ONCE = 8


_BEGIN = re.compile(r"\{[{%]")
_END = {"{{": "}}", "{%": "%}"}


class Run:
    """What one spec may still spend on all its templates and tasks."""

    __slots__ = ("_left", "_limited")

    def __init__(self) -> None:
        self._left, self._limited = 0, False

    @contextmanager
    def limited(self, amount: int) -> Iterator[None]:
        """Give a spec so much while this lasts; without it nothing is counted."""
        before = self._left, self._limited
        self._left, self._limited = amount, True
        try:
            yield
        finally:
            self._left, self._limited = before

    @property
    def is_spent(self) -> bool:
        """Whether nothing is left."""
        return self._limited and self._left < 0

    def spend(self, amount: int) -> None:
        """Take this much. Raises TooMuch when it is more than is left."""
        self._left -= amount
        if self.is_spent:
            raise TooMuch(SPENT)

    def affords(self, amount: int) -> bool:
        """Take this much for what may be left undone; whether it is to be done."""
        self._left -= amount
        return not self.is_spent

    def task(self, characters: int) -> None:
        """Pay for a task of this size, out of what it may cost; see `is_spent`, which no task undoes."""
        if not self.is_spent:
            self._left += EARNED_BY_A_TASK - _TASK - characters // _TASK_CHARACTERS_AT_ONCE


SPENT = (
    "the spec takes too long to render, much longer than usual tasks do; make simpler or smaller tasks, or say "
    f"{FLAG} if that is meant"
)
RUN = Run()


class Work:
    """What one rendering may still spend."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = MAX_WORK

    def start(self) -> None:
        """Give a new rendering its full budget, out of what its spec has left."""
        self._left = MAX_WORK
        RUN.spend(_RENDERED)

    def compile(self, source: str) -> None:
        """Pay for reading a template. Raises TooMuch when there is too much between its braces."""
        characters = _tag_characters(source)
        if characters > MAX_TAG_CHARACTERS:
            raise TooMuch(f"has more than {MAX_TAG_CHARACTERS:,} characters between braces")
        self._left = MAX_WORK
        RUN.spend(_COMPILED + _COMPILED_PER_CHARACTER * characters)

    def spend(self, amount: int) -> None:
        """Take this much. Raises TooMuch when it is more than is left."""
        self._left -= amount
        if self._left < 0:
            raise TooMuch(f"takes too long: it loops over, reads or makes more than {MAX_WORK:,} things")
        RUN.spend(amount)

    def each(self, items: Iterable[object], body: int = 0) -> Iterator[object]:
        """The items, each of which is paid for when it is taken; `body` is how much is done with each."""
        for item in items:
            self.spend(_ITEM + body)
            yield item

    def made(self, value: object) -> object:
        """The value, which was copied or compared."""
        size = weight(value)
        self.spend(_CALL + (size // _COPIED_AT_ONCE if isinstance(value, str) else size))
        return value

    def read(self, *values: object) -> None:
        """Pay for looking at every character and item of these values."""
        self.spend(_CALL + sum(len(one) if isinstance(one, range) else weight(one) for one in values))


def _tag_characters(source: str) -> int:
    """How many characters stand between `{{` or `{%` and what closes it, or the end."""
    total = at = 0
    while begun := _BEGIN.search(source, at):
        start = begun.start()
        closed = source.find(_END[begun.group()], start)
        at = len(source) if closed < 0 else closed + 2
        total += at - start
        if total > MAX_TAG_CHARACTERS:
            break
    return total
