"""The log of a bug: where it goes, and what it never holds."""

import tempfile
from pathlib import Path

import pytest

from batchspec.cli import crash

KEY = "A" * 86 + "=="


def test_the_log_is_in_the_state_folder_and_only_for_its_owner(tmp_path: Path) -> None:
    path = crash.write_log(ValueError("oops"), {"XDG_STATE_HOME": str(tmp_path)})

    assert path is not None
    assert path.parent == tmp_path / "batchspec" / "log"
    assert path.stat().st_mode & 0o777 == 0o600
    assert "ValueError: oops" in path.read_text()


def test_where_the_state_folder_cannot_be_written_the_log_goes_to_the_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    path = crash.write_log(ValueError("oops"), {"XDG_STATE_HOME": str(tmp_path / "file")})

    assert path is not None
    assert path.parent == tmp_path


@pytest.mark.parametrize(
    "secret",
    [
        f"key {KEY}",
        "https://h/c?sv=1&sig=SECRET%3D",
        "Authorization: SharedKey account:SECRET==",
        "Authorization: Bearer eySECRET.x",
        "AccountKey=SECRET;",
        "the variable SECRET",
        "the environment's SECRET2",
    ],
)
def test_secrets_are_masked(secret: str) -> None:
    text = crash.masked(f"before {secret} after", {"AZURE_BATCH_ACCESS_KEY": "SECRET2"}, ["SECRET"])

    assert "SECRET" not in text
    assert KEY not in text
    assert text.startswith("before ")
    assert text.endswith("after")


def test_a_short_value_of_a_secret_does_not_blank_the_whole_log() -> None:
    assert crash.masked("a b c", {}, ["a", ""]) == "a b c"
