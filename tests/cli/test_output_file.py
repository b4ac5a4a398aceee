"""A file that is written whole or not at all."""

import os
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from batchspec.cli.output_file import write_file
from batchspec.errors import LocalIOFailed, UsageError


def test_a_text_is_written_as_utf_8_into_a_new_folder(tmp_path: Path) -> None:
    write_file(tmp_path / "new/a.yaml", ["é\n", "b\n"])

    assert (tmp_path / "new/a.yaml").read_bytes() == b"\xc3\xa9\nb\n"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.yaml"]


def test_a_text_that_breaks_off_leaves_the_old_file(tmp_path: Path) -> None:
    def pieces() -> Iterator[str]:
        yield "new\n"
        raise UsageError("no")

    (tmp_path / "a").write_text("old\n")
    with pytest.raises(UsageError):
        write_file(tmp_path / "a", pieces())

    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "old\n"}


def test_a_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old\n")
    (tmp_path / "link").symlink_to("a")

    write_file(tmp_path / "link", ["new\n"])

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "a").read_text() == "new\n"


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = Thread(target=write_file, args=(tmp_path / "pipe", ["new\n"]))
    writer.start()

    assert (tmp_path / "pipe").read_text() == "new\n"
    writer.join(timeout=60)
    assert (tmp_path / "pipe").is_fifo()


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(LocalIOFailed, match=r"^cannot write .*/file/a: (Not a directory|File exists)$"):
        write_file(tmp_path / "file" / "a", ["x"])
    with pytest.raises(LocalIOFailed, match=r"^cannot write .*: Is a directory$"):
        write_file(tmp_path, ["x"])
