"""Blob names as file names."""

from pathlib import Path

import pytest

from batchspec.reconcile.local_names import Places, inside, path_below
from batchspec.render.model import DesiredDownload

FOLDER = Path("/to")


def download(prefix: str = "") -> DesiredDownload:
    """A download to the folder."""
    return DesiredDownload("output", FOLDER, "to", prefix, "**", ())


@pytest.mark.parametrize(
    "name",
    ["a", "a/b/c.txt", "...", "a..b", " ", "-rf", "ü'\"$x.mp3", "a\nb", "n" * 255, ".hidden", "~", "C:x"],
)
def test_a_name_that_can_be_a_file_is_one_below_the_folder(name: str) -> None:
    assert path_below(FOLDER, name) == Path(f"/to/{name}")


@pytest.mark.parametrize(
    "name", ["", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a\\b", "\0", "n" * 256, ".batchspec-1-x.part"]
)
def test_a_name_that_cannot_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="it h"):
        path_below(FOLDER, name)


def test_a_file_is_given_to_one_blob_only() -> None:
    places = Places()
    assert places.place(download(), "c", "a/b") == FOLDER / "a/b"
    assert places.place(download(), "c", "a/b") == FOLDER / "a/b"
    with pytest.raises(ValueError, match="'c/a/b' is the same file here"):
        places.place(download(), "other", "a/b")


@pytest.mark.parametrize(
    ("prefix", "path"), [("runs/1/", "a/b"), ("runs/1/a", "a/b"), ("runs/1", "1/a/b"), ("runs", "runs/1/a/b")]
)
def test_the_folders_of_the_prefix_are_no_part_of_the_path(prefix: str, path: str) -> None:
    assert Places().place(download(prefix), "c", "runs/1/a/b") == FOLDER / path


def test_a_prefix_hides_no_name_that_leaves_the_folder() -> None:
    with pytest.raises(ValueError, match="it has a part"):
        Places().place(download("runs/"), "c", "runs/../../x")


def test_a_file_cannot_be_a_folder_too() -> None:
    places = Places()
    places.place(download(), "c", "a/b")
    with pytest.raises(ValueError, match="'c/a/b' needs a folder of that name"):
        places.place(download(), "c", "a")
    with pytest.raises(ValueError, match="'c/a/b' is a file here, so nothing can be below it"):
        places.place(download(), "c", "a/b/c")


def test_inside_follows_links_of_what_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "to"
    folder.mkdir()
    (folder / "out").symlink_to(tmp_path)
    (folder / "in").symlink_to(folder)
    paths = ("a", "new/a", "in/a", "out/a", "out/new/a")
    assert [inside(folder, folder / path) for path in paths] == [True, True, True, False, False]
