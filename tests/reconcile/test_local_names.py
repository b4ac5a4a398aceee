"""Blob names as file names."""

from pathlib import Path

import pytest

from batchspec.reconcile.local_names import Places, inside, path_below

FOLDER = Path("/to")


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
    assert places.place(FOLDER, "c", "a/b") == FOLDER / "a/b"
    assert places.place(FOLDER, "c", "a/b") == FOLDER / "a/b"
    with pytest.raises(ValueError, match="'c/a/b' is the same file here"):
        places.place(FOLDER, "other", "a/b")


def test_a_file_cannot_be_a_folder_too() -> None:
    places = Places()
    places.place(FOLDER, "c", "a/b")
    with pytest.raises(ValueError, match="'c/a/b' needs a folder of that name"):
        places.place(FOLDER, "c", "a")
    with pytest.raises(ValueError, match="'c/a/b' is a file here, so nothing can be below it"):
        places.place(FOLDER, "c", "a/b/c")


def test_inside_follows_links_of_what_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "to"
    folder.mkdir()
    (folder / "out").symlink_to(tmp_path)
    (folder / "in").symlink_to(folder)
    paths = ("a", "new/a", "in/a", "out/a", "out/new/a")
    assert [inside(folder, folder / path) for path in paths] == [True, True, True, False, False]
