"""Containers, uploads and downloads in a plan."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from batchspec.reconcile.plan_blobs import Needs, holds, is_downloaded, selects
from batchspec.reconcile.ports import BlobState
from batchspec.render.model import DesiredDownload, LocalFile
from batchspec.render.symbolic import symbol

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
MD5_OF_A = bytes.fromhex("0cc175b9c0f1b6a831c399e269772661")


def blob(name: str, size: int = 1, md5: bytes | None = MD5_OF_A) -> BlobState:
    return BlobState(name, size, md5, MOMENT, '"1"', {})


def test_what_bodies_refer_to_is_needed_by_blob_or_as_a_whole() -> None:
    needs = Needs()
    needs.add({"a": [symbol("blob_sas_url", "input", "x"), {"b": f"get {symbol('blob_url', 'input', 'y')}"}]})
    needs.add(symbol("sas_url", "output", "cw"))
    needs.add({"secret": symbol("secret", "pw")})
    assert needs.by_container == {"input": {"x", "y"}, "output": None}
    asked = [("input", "x"), ("input", "z"), ("output", "anything"), ("other", "x")]
    assert [needs.blob(*one) for one in asked] == [True, False, True, False]
    needs.add(symbol("container_url", "input"))
    needs.add(symbol("blob_url", "input", "x"))
    assert needs.by_container["input"] is None


def test_a_blob_holds_a_file_by_size_and_md5(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("a")
    file = LocalFile("a", path, 1)
    blobs = [blob("a"), blob("a", size=2), blob("a", md5=b"x" * 16), blob("a", md5=None)]
    assert [holds(one, file) for one in blobs] == [True, False, False, False]


@pytest.mark.parametrize(
    ("prefix", "pattern", "names"),
    [
        ("", "**", ["a.txt", "d/b.txt", ".hidden"]),
        ("", "*.txt", ["a.txt"]),
        ("", "**/*.txt", ["a.txt", "d/b.txt"]),
        ("d/", "*", ["d/b.txt"]),
        ("d", "", ["d/b.txt"]),
    ],
)
def test_prefix_and_pattern_select(prefix: str, pattern: str, names: list[str]) -> None:
    download = DesiredDownload("output", Path(), "results", prefix, pattern, ())
    found = [name for name in ("a.txt", "d/b.txt", ".hidden") if selects(download, blob(name))]
    assert found == names


def test_a_local_file_is_the_blob_by_md5_or_else_by_time(tmp_path: Path) -> None:
    path = tmp_path / "a"
    assert not is_downloaded(path, blob("a"))
    path.write_text("a")
    os.utime(path, (0, 0))
    assert is_downloaded(path, blob("a"))
    assert not is_downloaded(path, blob("a", md5=b"x" * 16))
    assert not is_downloaded(path, blob("a", md5=None))
    os.utime(path, (MOMENT.timestamp(), MOMENT.timestamp()))
    assert is_downloaded(path, blob("a", md5=None))
    assert not is_downloaded(path, blob("a", size=2, md5=None))
    assert not is_downloaded(tmp_path, blob("a", size=tmp_path.stat().st_size, md5=None))
    assert not is_downloaded(tmp_path / "a" / "below", blob("a"))
