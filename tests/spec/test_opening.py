"""What may be opened, and what blocks nobody."""

import os
import socket
from pathlib import Path

import pytest

from batchspec.spec.opening import Escaped, NotAFile, git_root, is_within, link_fault, opened


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with a file, beside a file that is not its own."""
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    (tmp_path / "repo" / ".git" / "config").write_text("token")
    (tmp_path / "repo" / "a.txt").write_text("ours")
    (tmp_path / "theirs.txt").write_text("theirs")
    return tmp_path / "repo"


def test_the_root_is_the_nearest_folder_with_git_in_any_form(repo: Path) -> None:
    inner = repo / "a" / "b"
    inner.mkdir(parents=True)
    assert git_root(inner) == repo
    (repo / "a" / ".git").write_text("gitdir: /")  # a submodule: the bound only becomes narrower
    assert git_root(inner) == repo / "a"
    (repo / "a" / ".git").unlink()
    (repo / "a" / ".git").symlink_to("/nowhere")
    assert git_root(inner) == repo / "a"


def test_git_itself_is_not_within(repo: Path) -> None:
    assert is_within(repo / "a.txt", repo)
    assert is_within(repo / ".github" / "x", repo)
    assert not is_within(repo / ".git" / "config", repo)
    assert not is_within(repo / "sub" / ".GIT" / "config", repo)
    assert not is_within(repo.parent / "theirs.txt", repo)


def test_a_link_out_of_its_repository_has_a_fault(repo: Path) -> None:
    links = {"good": "a.txt", "out": "../theirs.txt", "git": ".git/config", "gone": "nowhere"}
    for name, target in links.items():
        (repo / name).symlink_to(target)
    assert {name: link_fault(repo / name) for name in links} == {
        "good": None,
        "gone": None,
        **{
            name: f"leads to {target}, outside the files of {repo}; name that file itself, or say --allow-outside"
            for name, target in (("out", repo.parent / "theirs.txt"), ("git", repo / ".git" / "config"))
        },
    }
    (repo.parent / "free").symlink_to("theirs.txt")  # in no repository
    assert link_fault(repo.parent / "free") is None


def test_a_regular_file_is_opened_and_nothing_else(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(repo / "a.txt", repo) as file:
        assert file.read() == b"ours"
    os.mkfifo(repo / "pipe")
    monkeypatch.chdir(repo)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        for path in (repo / "pipe", Path("/dev/zero"), Path("/dev/tty")):
            if path.exists():
                with pytest.raises(OSError):  # noqa: PT011 - /dev/tty may not be there for this process
                    opened(path)
        with pytest.raises(NotAFile, match="is no file but a pipe"):
            opened(repo / "pipe")
        with pytest.raises(OSError):  # noqa: PT011 - ENXIO on Linux, EOPNOTSUPP elsewhere
            opened(repo / "socket")
    with pytest.raises(IsADirectoryError):
        opened(repo)


def test_a_link_that_is_changed_after_it_was_allowed_opens_nothing(repo: Path) -> None:
    (repo / "swapped").symlink_to("../theirs.txt")
    with pytest.raises(Escaped, match="outside the repository by now"):
        opened(repo / "swapped", repo)
    with opened(repo / "swapped") as file:
        assert file.read() == b"theirs"
    os.link(repo.parent / "theirs.txt", repo / "hard")  # a hard link is a file of the repository
    with opened(repo / "hard", repo) as file:
        assert file.read() == b"theirs"
