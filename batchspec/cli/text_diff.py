"""How two renderings differ, as a unified diff, whatever their length.

Place in the pipeline: `render --check` prints it. In: the lines of a checked-in rendering and of a new one, as YAML or
JSON of `text_rendering`. Out: the diff's lines, none when the texts are the same, and a tally. Never reads or prints.

Decision: neither text is kept. Both are cut into blocks (a section, a container, a file, a task), which are paired by
the line that names them within a window; only blocks of one name are compared line by line. So a task that is new, gone
or moved shifts nothing, and the cost is that of reading both. Text of any other kind gives a true diff, if not a short
one.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher

CONTEXT_LINES = 3
WINDOW_BLOCKS = 1000
LONGEST_BLOCK_LINES = 1000
LONGEST_HUNK_LINES = 10_000

_SECTION = re.compile(r'(?:  ")?([A-Za-z_]+)"?:')
_END = re.compile(r"  \]|\}")
_ITEM = re.compile(r"- |    \{")
_FILE = re.compile(r"  - |        \{")


@dataclass(slots=True)
class Tally:
    """What a diff was about: sections by name in their order, and how many tasks."""

    sections: dict[str, None] = field(default_factory=dict)
    tasks_changed: int = 0
    tasks_new: int = 0
    tasks_gone: int = 0

    def summary(self) -> str:
        """It in one line: `pool, job, tasks: 2 changed, 1 new`."""
        counts = ((self.tasks_changed, "changed"), (self.tasks_new, "new"), (self.tasks_gone, "gone"))
        tasks = ", ".join(f"{count:,} {word}" for count, word in counts if count)
        return ", ".join([*self.sections, *([f"tasks: {tasks}"] if tasks else [])]) or "line ends or commas only"


@dataclass(frozen=True, slots=True)
class _Block:
    """`part` counts the pieces of a block that was too long; `title` is the line that names it."""

    section: str
    title: str
    part: int
    lines: tuple[str, ...]

    @property
    def key(self) -> tuple[str, str, int]:
        return self.section, self.title, self.part


_Lines = tuple[str, ...]
_Pair = tuple[_Block, _Lines, _Lines]  # the block that names it, its old lines, its new lines; one may be ()
_Edit = tuple[str, str, str]  # sign (" ", "-", "+"), the line, the title of its block


def unified(old: Iterable[str], new: Iterable[str], tally: Tally) -> Iterator[str]:
    """The hunks of a unified diff, line by line with line ends; fills `tally` while it is read.

    Lines come with their line ends; one that has none (the last of a file) gets the usual remark.
    """
    return _hunks(_edits(_paired(_blocks(old), _blocks(new)), tally))


def lines_of(pieces: Iterable[str]) -> Iterator[str]:
    """The lines of a text that comes in pieces of any size, each with its line end."""
    rest = ""
    for piece in pieces:
        *whole, rest = (rest + piece).split("\n")
        for line in whole:
            yield line + "\n"
    if rest:
        yield rest


def _blocks(lines: Iterable[str]) -> Iterator[_Block]:
    section, part, block = "", 0, list[str]()
    for line in lines:
        named = _SECTION.match(line)
        starts = named or _ITEM.match(line) or _END.match(line) or (section == "uploads" and _FILE.match(line))
        if block and (starts or len(block) == LONGEST_BLOCK_LINES):
            yield _Block(section, _title(block), part, tuple(block))
            part, block = (0 if starts else part + 1), []
        if named:
            section = named[1]
        block.append(line)
    if block:
        yield _Block(section, _title(block), part, tuple(block))


def _title(block: list[str]) -> str:
    """The line with the name: the first, or the second when the first is only a brace."""
    return (block[1] if len(block) > 1 and block[0].strip() == "{" else block[0]).strip()


class _Side:
    """One text's blocks, as far as they were looked at."""

    def __init__(self, blocks: Iterator[_Block]) -> None:
        self._blocks = blocks
        self.waiting: deque[_Block] = deque()
        self.keys: dict[tuple[str, str, int], int] = {}

    def at(self, depth: int) -> _Block | None:
        """The block `depth` places behind the next one; None behind the end."""
        while len(self.waiting) <= depth:
            block = next(self._blocks, None)
            if block is None:
                return None
            self.waiting.append(block)
            self.keys[block.key] = self.keys.get(block.key, 0) + 1
        return self.waiting[depth]

    def take(self) -> _Block:
        """The next block, which has been looked at."""
        block = self.waiting.popleft()
        self.keys[block.key] -= 1
        if not self.keys[block.key]:
            del self.keys[block.key]
        return block

    def depth_of(self, key: tuple[str, str, int]) -> int:
        """Where the first waiting block of this key is."""
        return next(depth for depth, block in enumerate(self.waiting) if block.key == key)


def _paired(old: Iterator[_Block], new: Iterator[_Block]) -> Iterator[_Pair]:
    """Blocks of one name together, and those that only one side has, in the order of a diff."""
    left, right = _Side(old), _Side(new)
    while True:
        first, other = left.at(0), right.at(0)
        if first is None and other is None:
            return
        if first is not None and other is not None and first.key == other.key:
            yield right.take(), left.take().lines, other.lines
            continue
        gone, made = _alone(left, right)
        for _ in range(gone):
            block = left.take()
            yield block, block.lines, ()
        for _ in range(made):
            block = right.take()
            yield block, (), block.lines


def _alone(left: _Side, right: _Side) -> tuple[int, int]:
    """How many blocks of each side come before the next pair; all that were looked at when there is none in sight."""
    for depth in range(WINDOW_BLOCKS):
        one, other = left.at(depth), right.at(depth)
        if one is not None and one.key in right.keys:
            return depth, right.depth_of(one.key)
        if other is not None and other.key in left.keys:
            return left.depth_of(other.key), depth
        if one is None and other is None:
            break
    return len(left.waiting), len(right.waiting)


def _edits(pairs: Iterable[_Pair], tally: Tally) -> Iterator[_Edit]:
    for block, before, after in pairs:
        if before == after:
            yield from ((" ", line, block.title) for line in after)
            continue
        _count(tally, block, before, after)
        for tag, a, a_end, b, b_end in SequenceMatcher(None, before, after).get_opcodes():
            if tag == "equal":
                yield from ((" ", line, block.title) for line in after[b:b_end])
                continue
            yield from (("-", line, block.title) for line in before[a:a_end])
            yield from (("+", line, block.title) for line in after[b:b_end])


def _count(tally: Tally, block: _Block, before: _Lines, after: _Lines) -> None:
    if [line.rstrip(",\n") for line in before] == [line.rstrip(",\n") for line in after]:
        return  # a comma of JSON: another one follows now, or none
    if block.section != "tasks":
        tally.sections[block.section or "the text"] = None
    elif not block.part and _ITEM.match(block.lines[0]):
        tally.tasks_changed += bool(before and after)
        tally.tasks_gone += not after
        tally.tasks_new += not before


@dataclass(slots=True)
class _Hunk:
    """A hunk as it grows; `same` counts the unchanged lines at its end."""

    old: int
    new: int
    title: str
    lines: list[str]
    same: int = 0

    def text(self) -> Iterator[str]:
        """Its lines, with the unchanged ones at its end cut to the context."""
        if self.same > CONTEXT_LINES:
            del self.lines[CONTEXT_LINES - self.same :]
        old = sum(1 for line in self.lines if line[0] != "+")
        new = sum(1 for line in self.lines if line[0] != "-")
        yield f"@@ -{_range(self.old, old)} +{_range(self.new, new)} @@ {self.title}\n"
        for line in self.lines:
            yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _range(start: int, count: int) -> str:
    """The lines of a hunk on one side; of none, the line before."""
    return f"{start}" if count == 1 else f"{start if count else start - 1},{count}"


def _hunks(edits: Iterable[_Edit]) -> Iterator[str]:
    before: deque[str] = deque(maxlen=CONTEXT_LINES)
    hunk: _Hunk | None = None
    old = new = 1
    for sign, line, title in edits:
        if hunk is None and sign == " ":
            before.append(line)
        elif hunk is None:
            lines = [" " + one for one in before]
            hunk = _Hunk(old - len(lines), new - len(lines), title, lines)
            before.clear()
        if hunk is not None:
            hunk.lines.append(sign + line)
            hunk.same = hunk.same + 1 if sign == " " else 0
            if hunk.same > 2 * CONTEXT_LINES or len(hunk.lines) >= LONGEST_HUNK_LINES:
                before.extend(one[1:] for one in hunk.lines[len(hunk.lines) - max(0, hunk.same - CONTEXT_LINES) :])
                yield from hunk.text()
                hunk = None
        old += sign != "+"
        new += sign != "-"
    if hunk is not None:
        yield from hunk.text()
