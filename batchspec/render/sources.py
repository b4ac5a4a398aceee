"""The simple generators: files of an upload, blobs of a container, items, rows, numbers.

Place in the pipeline: `expand` calls these for one word of `for_each`, or of a matrix inside it. In: the value as
written, where things are found. Out: Elements. Rows are read one by one; blobs come from the listing that was made
once, before anything was rendered with it.
"""

from collections.abc import Iterator, Mapping

from batchspec.render import files, rows
from batchspec.render.elements import MAX_TASKS, Element, Elements, Sources, nothing
from batchspec.render.files import Folder
from batchspec.render.guard import TooMuch
from batchspec.render.ids import blob_name_fault
from batchspec.render.model import BlobQuery, Listing, LocalFile
from batchspec.render.names import BlobFile, listed
from batchspec.render.patterns import MAX_PATTERN
from batchspec.render.ranges import length_of, range_of
from batchspec.render.scope import Made, Omit, Scope
from batchspec.render.suggest import suggestion
from batchspec.render.symbolic import Json
from batchspec.render.wire import Wire
from batchspec.spec.document import shown
from batchspec.spec.load import At

_MAX_FAULTS = 10


def upload(wire: Wire, sources: Sources, given: object, at: At) -> Elements:
    """The files of an upload."""
    key = wire.text(given, at)

    def walk(scope: Scope) -> Iterator[Element]:
        name = key(scope)
        found = sources.uploads.get(str(name))
        if found is None and isinstance(name, str) and name not in sources.broken:
            scope.fault(at, f"there is no upload '{name}'{suggestion(name, sources.uploads)}")
        for file in found or ():
            yield Element(file, shown(file.name), (listed(file),))

    return Elements(walk, lambda scope: sum(1 for _ in walk(scope)))


def container(wire: Wire, sources: Sources, given: Mapping[str, object], at: At) -> Elements:
    """The blobs of a container; `given` holds its key and perhaps `prefix` and `pattern`, `at` is of all of them."""
    query = _query(wire, sources, given, at)
    if query is None:
        return nothing()
    listing = sources.listings.get(query)
    if listing is None:
        return Elements(lambda scope: iter(()), lambda scope: 0, (query,), known=False)

    def walk(scope: Scope) -> Iterator[Element]:
        told = 0
        for blob in listing.blobs:
            fault = blob_name_fault(blob.name)
            if fault and told < _MAX_FAULTS:
                told += 1
                message = f"the blob {shown(blob.name)} of '{query.name}' {fault}; leave it out with `prefix`"
                scope.fault((*at, "container"), f"{message} or `pattern`")
            elif not fault:
                yield Element(BlobFile(blob, query.key), shown(blob.name), ((query.key, blob),))

    return Elements(walk, lambda scope: len(listing.blobs), (query,))


def _query(wire: Wire, sources: Sources, given: Mapping[str, object], at: At) -> BlobQuery | None:
    texts: dict[str, str] = {}
    for word in ("container", "prefix", "pattern"):
        made = wire.text(given.get(word, ""), (*at, word))(wire.scope)
        if not isinstance(made, str):
            return None
        texts[word] = made
    if len(texts["pattern"]) > MAX_PATTERN:
        message = f"has {len(texts['pattern']):,} characters, more than any path; the most is {MAX_PATTERN:,}"
        wire.scope.fault((*at, "pattern"), message)
        return None
    key = texts["container"]
    if key not in wire.resources.containers:
        there = suggestion(key, wire.resources.containers)
        wire.scope.fault((*at, "container"), f"there is no container '{key}'{there}")
    if key not in sources.containers:
        return None
    return BlobQuery(key, sources.containers[key].name, texts["prefix"], texts["pattern"])


def none_of(query: BlobQuery, listing: Listing) -> str:
    """What to say when a listing is empty."""
    if not listing.there:
        return f"the container '{query.name}' is not there, so there is nothing to make tasks of"
    wanted = [f"begins with {shown(query.prefix)}"] * bool(query.prefix)
    wanted += [f"matches {shown(query.pattern)}"] * bool(query.pattern)
    which = " whose name " + " and then ".join(wanted) if wanted else ""
    return f"the container '{query.name}' has no blob{which}, so there is nothing to make tasks of"


def items(wire: Wire, sources: Sources, given: object, at: At) -> Elements:
    """The items of a list."""
    make = wire.data(given, at)

    def walk(scope: Scope) -> Iterator[Element]:
        for position, item in enumerate(list_from(make(scope), at, scope)):
            yield Element(item, str(position) if isinstance(item, (dict, list)) else shown(item))

    return Elements(walk, lambda scope: len(list_from(make(scope), at, scope)))


def list_from(made: Made, at: At, scope: Scope) -> list[Json]:
    """What was made, when it is a list; else a fault and an empty one."""
    if isinstance(made, list):
        return made
    if not isinstance(made, Omit):
        scope.fault(at, f"expected a list, got {shown(made)}")
    return []


def numbers(wire: Wire, sources: Sources, given: object, at: At) -> Elements:
    """The numbers of a range."""
    make = wire.data(given, at)

    def found(scope: Scope) -> range:
        whole = range_of(make(scope), at, scope)
        if (length := length_of(whole)) > MAX_TASKS:
            scope.fault(at, f"makes {length:,} tasks; the limit is {MAX_TASKS:,}")
            return range(0)
        return whole

    def walk(scope: Scope) -> Iterator[Element]:
        for value in found(scope):
            yield Element(value, str(value))

    return Elements(walk, lambda scope: len(found(scope)))


def table(wire: Wire, sources: Sources, given: object, at: At) -> Elements:
    """The rows of a file."""
    path = wire.text(given, at)

    def walk(scope: Scope) -> Iterator[Element]:
        source = path(scope)
        file = _rows_file(sources.folder, source, at, scope) if isinstance(source, str) else None
        reader = rows.reader_of(file.path.suffix) if file is not None else None
        if file is not None and reader is None:
            scope.fault(at, f"{shown(source)} is none of {rows.suffixes()} by its suffix")
        if file is None or reader is None:
            return
        try:
            _keep(sources, str(source), file)
            for number, row in enumerate(rows.rows(file.path, reader, sources.folder.within), 1):
                yield Element(row, f"row {number:,} of {source}")
        except (rows.BadRows, TooMuch) as error:
            scope.fault(at, f"{shown(source)}: {error}")

    return Elements(walk, lambda scope: sum(1 for _ in walk(scope)))


def _keep(sources: Sources, source: str, file: LocalFile) -> None:
    """Remember the file that the tasks are made of; every walk over them must find the same. Raises BadRows."""
    try:
        status = file.path.stat()
    except OSError as error:
        raise rows.BadRows(error.strerror or str(error)) from error
    stamp = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    sources.rows.setdefault(source, file)
    if sources.stamps.setdefault(source, stamp) != stamp:
        raise rows.BadRows("was written while it was in use; run this again")


def _rows_file(folder: Folder, source: str, at: At, scope: Scope) -> LocalFile | None:
    listing = files.list_files(folder, source)
    if len(listing.files) == 1 and not listing.faults:
        return listing.files[0]
    faults = listing.faults or ["names several files, one was expected"]
    for fault in faults:
        scope.fault(at, f"{shown(source)}: {fault}")
    return None
