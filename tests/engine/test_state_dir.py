"""The state folder keeps secrets to its user, and says who serves."""

import os
import stat
from pathlib import Path

import pytest

from batchspec.engine.state_dir import Accounts, Serving, StateDir, cache_dir


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    made = StateDir(tmp_path / "a" / "engine")
    made.prepare()
    return made


def test_everything_in_it_is_for_its_user_only(state: StateDir) -> None:
    state.accounts()
    state.announce(Serving(1, "1.0", "2026-01-01T00:00:00+00:00"))
    os.close(state.open_log())
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in state.path.iterdir()}
    assert (stat.S_IMODE(state.path.stat().st_mode), modes) == (
        0o700,
        {"account.json": 0o600, "engine.json": 0o600, "engine.log": 0o600},
    )


def test_accounts_are_made_once_and_keep_their_ports(state: StateDir) -> None:
    made = state.accounts()
    state.keep(made.on(batch_port=1234, storage_port=5678))
    kept = Accounts(made.batch_key, made.storage_key, batch_port=1234, storage_port=5678)
    assert (state.accounts(), made.batch_port, made.batch_key == made.storage_key) == (kept, None, False)


def test_accounts_do_not_show_their_keys(state: StateDir) -> None:
    assert repr(state.accounts()) == "Accounts(batch_port=None, storage_port=None)"


def test_who_serves_is_known_as_long_as_the_lock_is_held(state: StateDir) -> None:
    before = state.server_pid()
    lock = state.try_serve()
    assert lock is not None
    during = (state.server_pid(), state.try_serve())
    os.close(lock)
    assert (before, during, state.server_pid()) == (None, (os.getpid(), None), None)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "x"}', "{}"])
def test_a_damaged_announcement_is_none(content: str, state: StateDir) -> None:
    (state.path / "engine.json").write_text(content)
    assert state.serving() is None


def test_what_is_announced_is_read_until_it_is_withdrawn(state: StateDir) -> None:
    serving = Serving(os.getpid(), "1.0", "2026-01-01T00:00:00+00:00", ("a note",))
    state.announce(serving)
    announced = state.serving()
    state.announce(None)
    state.announce(None)
    assert (announced, state.serving()) == (serving, None)


def test_what_another_process_announced_stays(state: StateDir) -> None:
    other = Serving(os.getppid(), "1.0", "2026-01-01T00:00:00+00:00", ())
    state.announce(other)
    state.announce(None)
    assert state.serving() == other


def test_a_long_log_is_put_aside(state: StateDir) -> None:
    with state.log.open("wb") as file:
        file.truncate((10 << 20) + 1)
    os.close(state.open_log())
    assert {path.name: path.stat().st_size for path in state.path.iterdir()} == {
        "engine.log": 0,
        "engine.log.1": (10 << 20) + 1,
    }


def test_folders_follow_the_xdg_variables_when_these_are_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert (StateDir.of_user().path, cache_dir()) == (
        tmp_path / "batchspec" / "engine",
        Path("/home/me/.cache/batchspec"),
    )
