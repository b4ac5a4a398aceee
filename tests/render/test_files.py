import hashlib
import os
import socket
from pathlib import Path

import pytest

from batchspec.errors import LocalIOFailed
from batchspec.render.files import Folder, Listing, folder_of, list_files, md5_of
from batchspec.render.model import LocalFile

TREE = (
    "a.txt",
    "b.txt",
    "B.TXT",
    "c.md",
    ".hidden.txt",
    "dir/d.txt",
    "dir/sub/e.txt",
    "dir/.h/f.txt",
    "é/g.txt",
)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    for name in TREE:
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return Folder(tmp_path / "root", tmp_path / "root")


def names(folder: Folder, pattern: str, prefix: str = "") -> list[str]:
    listing = list_files(folder, pattern, prefix)
    assert listing.faults == []
    return [file.name for file in listing.files]


def faults(folder: Folder, pattern: str) -> list[str]:
    return list_files(folder, pattern).faults


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.txt", ["a.txt", "b.txt"]),
        ("?.txt", ["a.txt", "b.txt"]),
        ("[ab].txt", ["a.txt", "b.txt"]),
        ("[!a].txt", ["b.txt"]),
        ("*", ["B.TXT", "a.txt", "b.txt", "c.md"]),
        (".*.txt", [".hidden.txt"]),
        ("a.txt", ["a.txt"]),
        ("dir/d.txt", ["d.txt"]),
        ("dir/*", ["d.txt"]),
        ("dir/**", ["d.txt", "sub/e.txt"]),
        ("**/*.txt", ["a.txt", "b.txt", "dir/d.txt", "dir/sub/e.txt", "é/g.txt"]),
        ("**/**/e.txt", ["dir/sub/e.txt"]),
        ("*/d.txt", ["dir/d.txt"]),
        ("dir/.*/*", [".h/f.txt"]),
        ("./dir/../a.txt", ["a.txt"]),
    ],
)
def test_a_pattern_names_these_files_in_this_order(folder: Folder, pattern: str, expected: list[str]) -> None:
    assert names(folder, pattern) == expected


def test_a_file_knows_where_it_is_and_its_size(folder: Folder) -> None:
    path = folder.path / "dir" / "d.txt"
    assert list_files(folder, "dir/*", "in/") == Listing([LocalFile("in/d.txt", path, 9)], [])


def test_braces_stand_for_themselves_and_who_means_a_choice_is_told(folder: Folder) -> None:
    told = "braces stand for themselves here; write each choice as a pattern of its own, in a list"
    assert faults(folder, "{a,b}.txt") == [f"no such file; {told}"]
    assert faults(folder, "*.{txt,md}") == [f"matches no file; {told}"]
    for name in ("s{1,2}.txt", "{x}.md"):
        (folder.path / name).write_text("")
    assert names(folder, "s{1,2}.txt") == names(folder, "s{*}.txt") == ["s{1,2}.txt"]
    assert names(folder, "{?}.md") == ["{x}.md"]


def test_a_file_with_exactly_the_name_of_the_pattern_is_that_file(folder: Folder) -> None:
    for name in ("[ab].txt", "x*.txt", "xy.txt"):
        (folder.path / name).write_text("")
    assert names(folder, "[ab].txt") == ["[ab].txt"]
    assert names(folder, "x*.txt") == ["x*.txt"]
    (folder.path / "d[1]").mkdir()
    (folder.path / "d[1]" / "z.txt").write_text("")
    assert names(folder, "d[1]/*") == ["z.txt"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("none.txt", ["no such file; check the path, which starts at the folder of the spec"]),
        ("*.zip", ["matches no file; check the path, which starts at the folder of the spec"]),
        ("nowhere/*", ["there is no folder nowhere; check the path, which starts at the folder of the spec"]),
        ("dir", ["is a folder; write dir/** for all files in it"]),
        ("dir/", ["is a folder; write dir/** for all files in it"]),
        ("", ["names no file: it is empty"]),
        ("a\0b", ["holds a NUL character, which no file name can"]),
        ("*/../a.txt", ["has an empty part, . or .. behind a wildcard; write it before the first one"]),
        ("x" * 4096, ["no such file; check the path, which starts at the folder of the spec"]),
        ("x" * 4097, ["has 4,097 characters, more than any path; the most is 4,096"]),
    ],
)
def test_a_pattern_that_names_nothing_is_explained(folder: Folder, pattern: str, expected: list[str]) -> None:
    assert faults(folder, pattern) == expected


def test_nothing_is_read_outside(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("")
    (folder.path / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder.path / "up").symlink_to(tmp_path)
    root = folder.path
    told = f"lies outside {root}, from where alone a spec may read (--allow-outside lifts this)"
    assert faults(folder, "../secret.txt") == [f"../secret.txt: {told}"]
    assert faults(folder, "../*") == [f"..: {told}"]
    assert faults(folder, "l*.txt") == [f"link.txt: {told}"]
    assert faults(folder, "up/*") == [f"up: {told}"]
    assert faults(folder, "u*/*") == [f"up: {told}"]
    assert faults(folder, str(tmp_path / "secret.txt")) != []
    anywhere = Folder(folder.path, None)
    assert names(anywhere, "../secret.txt") == ["secret.txt"]
    assert names(anywhere, "l*.txt") == ["link.txt"]


def test_links_inside_are_followed_and_never_in_a_circle(folder: Folder) -> None:
    (folder.path / "dir" / "again").symlink_to(folder.path / "dir")
    (folder.path / "same.md").symlink_to(folder.path / "c.md")
    (folder.path / "loop").symlink_to(folder.path / "loop")
    assert names(folder, "dir/**") == ["d.txt", "sub/e.txt"]
    assert names(folder, "*.md") == ["c.md", "same.md"]
    assert len(faults(folder, "l*")) == 1


def test_a_link_to_nothing_is_told(folder: Folder) -> None:
    (folder.path / "gone.txt").symlink_to(folder.path / "nowhere")
    assert faults(folder, "*.txt") == ["gone.txt: is a link to nothing"]
    assert faults(folder, "gone.txt") == ["gone.txt: is a link to nothing"]


def test_what_is_no_file_is_passed_over(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(folder.path / "pipe.txt")
    monkeypatch.chdir(folder.path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.txt")
        assert names(folder, "*.txt") == ["a.txt", "b.txt"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read everything")
def test_what_cannot_be_read_is_told(folder: Folder) -> None:
    (folder.path / "a.txt").chmod(0)
    (folder.path / "dir").chmod(0)
    assert faults(folder, "*.txt") == ["a.txt: cannot be read: Permission denied"]
    assert faults(folder, "dir/*") == ["dir: cannot be listed: Permission denied"]
    (folder.path / "dir").chmod(0o755)


@pytest.mark.parametrize(("name", "why"), [(b"\xff.bin", "UTF-8"), (b"x\n.bin", "control"), (b"x\\y.bin", "backslash")])
def test_a_name_that_no_blob_can_have_is_told(folder: Folder, name: bytes, why: str) -> None:
    Path(os.fsdecode(os.fsencode(folder.path) + b"/" + name)).write_text("")
    (fault,) = faults(folder, "*.bin")
    assert why in fault
    fault.encode()


def test_the_git_root_bounds_what_is_read(tmp_path: Path) -> None:
    inner = tmp_path / "repo" / "specs"
    inner.mkdir(parents=True)
    assert folder_of(inner / "s.yaml") == Folder(inner, inner)
    (tmp_path / "repo" / ".git").mkdir()
    assert folder_of(inner / "s.yaml") == Folder(inner, tmp_path / "repo")
    assert folder_of(inner / "s.yaml", allow_outside=True) == Folder(inner, None)


def test_md5_is_that_of_the_content(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"x" * 3_000_000)
    assert LocalFile("f", path, 3_000_000).md5 == hashlib.md5(b"x" * 3_000_000).digest()
    with pytest.raises(LocalIOFailed):
        md5_of(tmp_path / "gone")
