import asyncio

from batchspec.errors import UsageError
from batchspec.reconcile.listing import list_blobs
from batchspec.render.model import Blob, BlobQuery, Listing
from tests.fake_blobs import FakeBlobs


def names(store: FakeBlobs, query: BlobQuery) -> list[str]:
    return [blob.name for blob in listed(store, query).blobs]


def listed(store: FakeBlobs, query: BlobQuery) -> Listing:
    listing = asyncio.run(list_blobs([query], store))[query]
    assert listing is not None
    return listing


def filled(*names: str) -> FakeBlobs:
    store = FakeBlobs()
    for name in names:
        store.put("c", name, b"content")
    return store


def test_a_listing_has_what_a_task_may_depend_on() -> None:
    store = filled("a")
    store.put("c", "b", b"12", with_md5=False)
    query = BlobQuery("key", "c", "", "")
    found = asyncio.run(list_blobs([query], store))
    a, b = (store.containers["c"].blobs[name] for name in "ab")
    assert found == {query: Listing((Blob("a", 7, a.content_md5, a.etag), Blob("b", 2, None, b.etag)))}


def test_prefix_and_pattern_choose_and_the_pattern_looks_at_the_rest() -> None:
    store = filled("x/a.txt", "x/b.bin", "x/y/c.txt", "a.txt", "x/.d.txt")
    assert names(store, BlobQuery("key", "c", "x/", "*.txt")) == ["x/a.txt"]
    assert names(store, BlobQuery("key", "c", "x/", "**/*.txt")) == ["x/a.txt", "x/y/c.txt"]
    assert names(store, BlobQuery("key", "c", "x/", "")) == ["x/.d.txt", "x/a.txt", "x/b.bin", "x/y/c.txt"]


def test_folder_markers_are_left_out_and_empty_files_are_not() -> None:
    store = filled("x/a")
    for name, metadata in {"x/": {}, "y_$folder$": {}, "z": {"Hdi_IsFolder": "true"}, "empty": {}}.items():
        store.put("c", name, b"", metadata=metadata)
    assert names(store, BlobQuery("key", "c", "", "")) == ["empty", "x/a"]


def test_a_container_that_is_not_there_is_told_from_an_empty_one() -> None:
    store = filled("a")
    missing, empty, full = (BlobQuery("k", "none", "", ""), BlobQuery("k", "c", "z", ""), BlobQuery("k", "c", "", ""))
    found = [listed(store, one) for one in (missing, empty, full)]
    assert [(one.there, len(one.blobs)) for one in found] == [(False, 0), (True, 0), (True, 1)]


def test_where_nobody_may_look_nothing_is_asked() -> None:
    store = filled("a")
    store.closed["theirs"] = UsageError("no SAS")
    closed, own = BlobQuery("k", "theirs", "", ""), BlobQuery("k", "c", "", "")
    found = asyncio.run(list_blobs([closed, own], store))
    assert found == {closed: None, own: listed(store, own)}
    assert ("list_blobs", "theirs") not in store.reads
