"""What a generator gives, one after another: `Element`, and `Elements`, a stream that can be walked again.

Place in the pipeline: `sources` and `products` make Elements, `expand` turns them into Bindings. Pure data.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from batchspec.render.files import Folder
from batchspec.render.inputs import Input
from batchspec.render.model import BlobQuery, DesiredContainer, Listing, LocalFile
from batchspec.render.names import File
from batchspec.render.scope import Scope

# A plan of so many stays below 500 MB, and below some minutes; a pull request may ask for them in one line.
MAX_TASKS = 1_000_000


@dataclass(frozen=True, slots=True)
class Element:
    """One of them: what templates see, the `word` that tells it apart for people, and the files that it stands for."""

    value: object
    word: str
    inputs: tuple[Input, ...] = ()


@dataclass(frozen=True, slots=True)
class Elements:
    """A stream of Elements: `walk` begins it anew, `count` says how many there are.

    What is wrong is noted in the scope that they are called with. `queries` are the listings that must be known before
    it can be walked; it is not `known` while one of them is missing, and gives nothing then.
    """

    walk: Callable[[Scope], Iterator[Element]]
    count: Callable[[Scope], int]
    queries: tuple[BlobQuery, ...] = ()
    known: bool = True


@dataclass(frozen=True, slots=True)
class Sources:
    """Where generators find things.

    `uploads` as templates see them, `broken` uploads that could not be listed; `containers` by key, as far as they
    could be rendered; `listings` of blobs, none offline. `rows` are filled with the files of rows as they are read, by
    what the spec calls them, and `stamps` with what tells whether they were written since.
    """

    folder: Folder
    uploads: Mapping[str, Sequence[File]]
    broken: frozenset[str] = frozenset()
    containers: Mapping[str, DesiredContainer] = field(default_factory=dict)
    listings: Mapping[BlobQuery, Listing] = field(default_factory=dict)
    rows: dict[str, LocalFile] = field(default_factory=dict)
    stamps: dict[str, tuple[int, ...]] = field(default_factory=dict)


def nothing() -> Elements:
    """The stream of a generator that is broken."""
    return Elements(lambda scope: iter(()), lambda scope: 0)
