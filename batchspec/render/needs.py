"""`needs` -> Batch's task dependencies, for any number of tasks.

Place in the pipeline: `tasks` puts what this says into bodies, and sends the merge tasks; `check` looks at their ids.
In: the ids of a needed template's tasks, as a stream. Out: ids, ranges, or how the tasks are merged. Holds at most
64,000 characters of ids, and 8 bytes for each id that is a number.

Decisions, by the limits of Azure Batch ("Task dependencies"; REST reference of BatchTaskDependencies, 2025-06-01):
- Where every id of a template is a number, ranges. A range spans consecutive numbers only, each of which is a task of
  that template, so that it waits for no task that will never be and for none of another template. To the service 4, 04
  and 004 are the same task; `check` refuses a spec that has two of them. More than MAX_RANGES ranges (numbers with many
  gaps) are worth less than a list of ids.
- Otherwise ids, as long as they have at most 64,000 characters together, which is what the service takes for one task.
- Otherwise merge tasks: tasks of ours that do nothing, each of which waits for as many of the ids as it may; who needs
  the template waits for those. An error would have been simpler, but a thousand files with long names are an everyday
  input of "concatenate them all", and the person would have to build the same by hand. Their ids hold a hash of the
  spec's and the template's name, so that they are the same every time and nobody else has them. One of them runs again
  when one of the tasks that it stands for does.
"""

import hashlib
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from batchspec.render.ids import task_id
from batchspec.render.symbolic import Json

# The ids in `depends_on` of one task have at most this many characters together.
MAX_CHARACTERS = 64_000
MAX_RANGES = 1_000
# BatchTaskIdRange has 32-bit numbers.
LARGEST_NUMBER = 2**31 - 1

_READABLE = 24


@dataclass(frozen=True, slots=True)
class Needed:
    """How to depend on all tasks of one template: on these ids and these ranges (both ends are in them).

    `merged` says that the ids are those of merge tasks; `count` is how many tasks the template makes.
    """

    ids: tuple[str, ...] = ()
    ranges: tuple[tuple[int, int], ...] = ()
    merged: bool = False
    count: int = 0

    @property
    def characters(self) -> int:
        """Of all ids together."""
        return sum(map(len, self.ids))


def needed_of(ids: Iterable[str], limit: int, merge_id: "MergeIds") -> Needed:
    """How to depend on tasks with these ids, when a list of ids may have `limit` characters."""
    numbers = array("q")
    kept: list[str] = []
    chunks = Chunks()
    count = characters = merges = 0
    for id_ in ids:
        count += 1
        characters += len(id_)
        merges += chunks.is_full(id_)
        if characters <= limit:
            kept.append(id_)
        if len(numbers) == count - 1 and is_number(id_):
            numbers.append(int(id_))
    ranges = _ranges(numbers) if count and len(numbers) == count else []
    if ranges and len(ranges) <= MAX_RANGES:
        return Needed(ranges=tuple(ranges), count=count)
    if characters <= limit:
        return Needed(ids=tuple(kept), count=count)
    return Needed(ids=tuple(map(merge_id, range(1, merges + 2))), merged=True, count=count)


def is_number(id_: str) -> bool:
    """Whether ranges of the service see this id."""
    return id_.isascii() and id_.isdigit() and len(id_) <= 64 and int(id_) <= LARGEST_NUMBER


def _ranges(numbers: "array[int]") -> list[tuple[int, int]]:
    """Consecutive numbers together, in order; none when one is there twice."""
    found: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if found and number == found[-1][1] + 1:
            found[-1] = found[-1][0], number
        elif found and number == found[-1][1]:
            return []
        else:
            found.append((number, number))
    return found


@dataclass(slots=True)
class Chunks:
    """Where a stream of ids is cut so that each piece can stand in one `depends_on`."""

    characters: int = 0

    def is_full(self, id_: str) -> bool:
        """Whether a new piece begins with this id."""
        self.characters += len(id_)
        if self.characters <= MAX_CHARACTERS:
            return False
        self.characters = len(id_)
        return True


@dataclass(frozen=True, slots=True)
class MergeIds:
    """The ids of one template's merge tasks, by their number, which counts from 1."""

    spec: str
    template: str

    def __call__(self, number: int) -> str:
        digest = hashlib.sha256(f"{self.spec}\n{self.template}".encode("utf-8", "surrogatepass")).hexdigest()[:6]
        return f"{task_id(self.template)[:_READABLE]}-merge-{digest}-{number}"


def depends_on(given: Json, needed: Iterable[Needed]) -> Json:
    """What a task depends on by itself (`dependsOn` or nothing), and what it needs besides."""
    both: dict[str, Json] = dict(given) if isinstance(given, dict) else {}
    for one in needed:
        if one.ids:
            both["taskIds"] = [*_listed(both, "taskIds"), *one.ids]
        if one.ranges:
            ranges: list[Json] = [{"start": start, "end": end} for start, end in one.ranges]
            both["taskIdRanges"] = [*_listed(both, "taskIdRanges"), *ranges]
    return both


def _listed(body: dict[str, Json], key: str) -> list[Json]:
    value = body.get(key)
    return value if isinstance(value, list) else []


def own_ids(body: Json) -> Iterator[str]:
    """The ids that a `dependsOn` lists."""
    yield from (one for one in _listed(body, "taskIds") if isinstance(one, str)) if isinstance(body, dict) else ()


def own_ranges(body: Json) -> Iterator[tuple[int, int]]:
    """The ranges that a `dependsOn` lists."""
    for one in _listed(body, "taskIdRanges") if isinstance(body, dict) else ():
        start, end = (one.get("start"), one.get("end")) if isinstance(one, dict) else (None, None)
        if isinstance(start, int) and isinstance(end, int):
            yield start, end
