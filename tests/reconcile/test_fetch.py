"""Downloads: what is written, where, and what never is."""

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from batchspec.errors import LocalIOFailed, TransferFailed
from batchspec.reconcile.fetch import download
from batchspec.reconcile.report import Event, Finished, silent
from batchspec.render.model import Desired, DesiredDownload
from tests.fakes import FakeBlobs, services
from tests.reconcile.builders import Killed, Workload, files_below

OUT = "words-output"
MODIFIED = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


@pytest.fixture
def blobs() -> FakeBlobs:
    return FakeBlobs()


@pytest.fixture
def desired(tmp_path: Path) -> Desired:
    return Workload(tmp_path).desired()


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "results"


async def fetch(desired: Desired, blobs: FakeBlobs) -> int:
    return await download(desired, services(blobs=blobs), report=silent)


async def test_every_blob_becomes_a_file_with_its_time(desired: Desired, blobs: FakeBlobs, results: Path) -> None:
    blobs.put(OUT, "a.txt", b"A", last_modified=MODIFIED)
    blobs.put(OUT, "deep/er/b.txt", b"B" * 200_000, last_modified=MODIFIED)
    events: list[Event] = []
    assert await download(desired, services(blobs=blobs), report=events.append) == 2
    assert files_below(results) == {"a.txt": "A", "deep/er/b.txt": "B" * 200_000}
    assert (results / "a.txt").stat().st_mtime == MODIFIED.timestamp()
    assert [(one.summary, one.done_bytes) for one in events if isinstance(one, Finished)] == [
        ("2 files to results", 200_001)
    ]


async def test_what_is_here_is_not_read_again(desired: Desired, blobs: FakeBlobs) -> None:
    blobs.put(OUT, "with-md5", b"A")
    blobs.put(OUT, "without-md5", b"B", with_md5=False, last_modified=MODIFIED)
    await fetch(desired, blobs)
    blobs.forget()
    assert (await fetch(desired, blobs), blobs.reads) == (0, [("list_blobs", OUT)])


@pytest.mark.parametrize("with_md5", [True, False])
async def test_a_blob_of_the_same_size_that_changed_is_read_again(
    with_md5: bool, desired: Desired, blobs: FakeBlobs, results: Path
) -> None:
    blobs.put(OUT, "a", b"A", with_md5=with_md5, last_modified=MODIFIED)
    await fetch(desired, blobs)
    blobs.put(OUT, "a", b"B", with_md5=with_md5)
    assert (await fetch(desired, blobs), files_below(results)) == (1, {"a": "B"})


HOSTILE = {
    "../../x": "it has a part '..'",
    "/etc/x": "it has an empty part (a leading, doubled or trailing slash)",
    "\\..\\x": "it holds a backslash",
    "a\0b": "it holds a NUL character",
    "n" * 1000: "it has a part of 1000 bytes; a file's name can have 255",
    "ü" * 200: "it has a part of 400 bytes; a file's name can have 255",
    "./x": "it has a part '.'",
    "a/../b": "it has a part '..'",
    "..": "it has a part '..'",
    "full/": "it has an empty part (a leading, doubled or trailing slash)",
    "\ud800": "it is not valid Unicode",
}


async def test_hostile_names_never_leave_the_folder_and_are_all_told(
    desired: Desired, blobs: FakeBlobs, results: Path, tmp_path: Path
) -> None:
    before = files_below(tmp_path)
    blobs.put(OUT, "good.txt", b"good")
    for name in HOSTILE:
        blobs.put(OUT, name, b"evil")
    with pytest.raises(TransferFailed) as caught:
        await fetch(desired, blobs)
    told = str(caught.value).split("\n")
    assert told[0] == f"{len(HOSTILE)} blobs were not downloaded:"
    assert sorted(told[1:]) == sorted(f"  {OUT}: {name!r}: {reason}" for name, reason in HOSTILE.items())
    assert files_below(tmp_path) == before | {"results/good.txt": "good"}


async def test_a_blob_and_a_blob_below_it_cannot_both_be_files(
    desired: Desired, blobs: FakeBlobs, results: Path
) -> None:
    for name in ("a", "a/b", "a/c/d", "z"):
        blobs.put(OUT, name, name.encode())
    with pytest.raises(TransferFailed) as caught:
        await fetch(desired, blobs)
    assert str(caught.value).split("\n") == [
        "2 blobs were not downloaded:",
        f"  {OUT}: 'a/b': '{OUT}/a' is a file here, so nothing can be below it",
        f"  {OUT}: 'a/c/d': '{OUT}/a' is a file here, so nothing can be below it",
    ]
    assert files_below(results) == {"a": "a", "z": "z"}


async def test_two_downloads_into_one_folder_do_not_overwrite_each_other(
    desired: Desired, blobs: FakeBlobs, results: Path
) -> None:
    blobs.put(OUT, "x", b"output")
    blobs.put("words-input", "x", b"input")
    blobs.put("words-input", "y", b"input")
    second = DesiredDownload("input", results, "results", "", "**", ())
    both = replace(desired, downloads=(*desired.downloads, second))
    with pytest.raises(TransferFailed, match=f"words-input: 'x': '{OUT}/x' is the same file here"):
        await fetch(both, blobs)
    assert files_below(results) == {"x": "output", "y": "input"}


async def test_one_blob_named_by_two_downloads_is_read_once(desired: Desired, blobs: FakeBlobs, results: Path) -> None:
    blobs.put(OUT, "x", b"output")
    both = replace(desired, downloads=desired.downloads * 2)
    await fetch(both, blobs)
    blobs.forget()
    assert (await fetch(both, blobs), blobs.reads) == (0, [("list_blobs", OUT), ("list_blobs", OUT)])


async def test_a_link_that_leads_out_is_not_followed(
    desired: Desired, blobs: FakeBlobs, results: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    results.mkdir()
    (results / "link").symlink_to(outside)
    (results / "file").symlink_to(outside / "target")
    blobs.put(OUT, "link/deep/x", b"evil")
    blobs.put(OUT, "file", b"here")
    with pytest.raises(TransferFailed, match="'link/deep/x': a symbolic link leads out of"):
        await fetch(desired, blobs)
    assert list(outside.iterdir()) == []
    assert (results / "file").read_text() == "here"
    assert not (results / "file").is_symlink()


async def test_a_folder_that_is_a_link_itself_is_fine(desired: Desired, blobs: FakeBlobs, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "results").symlink_to(tmp_path / "elsewhere")
    blobs.put(OUT, "a/b", b"x")
    assert (await fetch(desired, blobs), files_below(tmp_path / "elsewhere")) == (1, {"a/b": "x"})


async def test_empty_folder_markers_are_no_files(desired: Desired, blobs: FakeBlobs, results: Path) -> None:
    blobs.put(OUT, "folder/", b"")
    blobs.put(OUT, "folder/a", b"x")
    assert (await fetch(desired, blobs), files_below(results)) == (1, {"folder/a": "x"})


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
async def test_a_folder_that_cannot_be_written_is_named(desired: Desired, blobs: FakeBlobs, results: Path) -> None:
    results.mkdir(mode=0o500)
    blobs.put(OUT, "a", b"x")
    with pytest.raises(LocalIOFailed, match=r"cannot write .*/results/a: Permission denied"):
        await fetch(desired, blobs)


async def test_a_file_where_the_folder_should_be_is_named(desired: Desired, blobs: FakeBlobs, results: Path) -> None:
    results.write_text("in the way")
    blobs.put(OUT, "a", b"x")
    with pytest.raises(LocalIOFailed) as caught:
        await fetch(desired, blobs)
    assert str(caught.value) == f"cannot write {results / 'a'}: File exists"
    assert caught.value.fix == ("make the folder writable or change the download's `to`, then run `batchspec download`")


async def test_a_folder_where_a_file_should_be_is_named_and_left(
    desired: Desired, blobs: FakeBlobs, results: Path
) -> None:
    (results / "a").mkdir(parents=True)
    blobs.put(OUT, "a", b"x")
    with pytest.raises(LocalIOFailed, match=r"cannot write .*/results/a: Is a directory"):
        await fetch(desired, blobs)
    assert [path.name for path in results.iterdir()] == ["a"]


class _Torn(FakeBlobs):
    """Reads that end early, or never."""

    async def read_blob(self, container: str, name: str, *, etag: str) -> AsyncIterator[bytes]:
        yield b"half"
        if name == "killed":
            raise Killed


async def test_a_download_that_is_killed_leaves_nothing_half_written(desired: Desired, results: Path) -> None:
    torn = _Torn()
    torn.put(OUT, "killed", b"half and the rest")
    with pytest.raises(Killed):
        await fetch(desired, torn)
    assert files_below(results) == {}


async def test_what_arrives_short_or_wrong_is_not_kept(desired: Desired, results: Path) -> None:
    torn = _Torn()
    torn.put(OUT, "short", b"half and the rest")
    torn.put(OUT, "wrong", b"HALF")
    with pytest.raises(TransferFailed) as caught:
        await fetch(desired, torn)
    assert str(caught.value).split("\n") == [
        "2 blobs were not downloaded:",
        f"  {OUT}: 'short': 4 of 17 bytes arrived",
        f"  {OUT}: 'wrong': what arrived does not have the blob's MD5",
    ]
    assert files_below(results) == {}


async def test_a_blob_that_changes_after_it_was_listed_is_read_as_it_is_now(
    desired: Desired, blobs: FakeBlobs, results: Path
) -> None:
    blobs.put(OUT, "a", b"old")
    new: Iterator[bytes] = iter([b"newer"])

    def change(resource: str) -> None:
        for content in new:
            blobs.put(OUT, "a", content)

    blobs.before("read_blob", change)
    assert (await fetch(desired, blobs), files_below(results)) == (1, {"a": "newer"})


async def test_a_blob_that_changes_all_the_time_is_told_of(desired: Desired, blobs: FakeBlobs, results: Path) -> None:
    blobs.put(OUT, "a", b"old")
    blobs.before("read_blob", lambda resource: blobs.put(OUT, "a", b"newer"))
    with pytest.raises(TransferFailed, match="'a': it changes all the time"):
        await fetch(desired, blobs)
    assert files_below(results) == {}


async def test_a_blob_that_is_deleted_after_it_was_listed_is_told_of(
    desired: Desired, blobs: FakeBlobs, results: Path
) -> None:
    blobs.put(OUT, "a", b"old")
    blobs.put(OUT, "b", b"other")

    def remove(resource: str) -> None:
        blobs.containers[OUT].blobs.pop("a", None)

    blobs.before("read_blob", remove)
    with pytest.raises(TransferFailed, match="'a': it was deleted meanwhile"):
        await fetch(desired, blobs)
    assert files_below(results) == {"b": "other"}


async def test_what_a_killed_client_left_half_written_is_removed_and_a_live_one_s_is_not(
    desired: Desired, blobs: FakeBlobs, results: Path
) -> None:
    results.mkdir()
    dead, live = results / ".batchspec-99999999-1f.part", results / f".batchspec-{os.getppid()}-1f.part"
    old = results / f".batchspec-{os.getppid()}-2f.part"
    for path in (dead, live, old):
        path.write_text("half")
    os.utime(old, (0, 0))
    blobs.put(OUT, "a", b"x")
    await fetch(desired, blobs)
    assert set(files_below(results)) == {live.name, "a"}


async def test_prefix_and_pattern_choose(desired: Desired, blobs: FakeBlobs, results: Path) -> None:
    for name in ("run/a.mp3", "run/b.txt", "run/deep/c.mp3", "other/d.mp3"):
        blobs.put(OUT, name, b"x")
    chosen = DesiredDownload("output", results, "results", "run/", "*.mp3", ())
    assert await fetch(replace(desired, downloads=(chosen,)), blobs) == 1
    assert set(files_below(results)) == {"a.mp3"}


async def test_a_container_that_is_not_there_has_no_outputs(desired: Desired, blobs: FakeBlobs) -> None:
    assert await fetch(desired, blobs) == 0
