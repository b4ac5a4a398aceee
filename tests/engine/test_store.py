"""The database: transactions, stamps, the reserve."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from batchspec.engine.clock import SystemClock
from batchspec.engine.store import Store, StoreUnreadable
from batchspec.engine.times import ticks_from_datetime


class StoppedClock(SystemClock):
    """A clock that always says the same."""

    moment = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment


def test_a_stamp_is_never_given_twice_even_by_a_clock_that_stands_still_or_goes_back(tmp_path: Path) -> None:
    clock = StoppedClock()
    store = Store(tmp_path / "db", clock)
    stamps = [store.stamp() for _ in range(3)]
    clock.moment = datetime(2025, 1, 1, tzinfo=UTC)
    stamps.append(store.stamp())
    first = ticks_from_datetime(datetime(2026, 1, 1, tzinfo=UTC))
    assert stamps == [first, first + 1, first + 2, first + 3]
    store.close()


def test_a_stamp_is_newer_than_everything_an_earlier_run_wrote(tmp_path: Path) -> None:
    store = Store(tmp_path / "db", SystemClock())
    columns = {"state": "active", "state_time": 1, "allocation": "steady", "allocation_time": 1, "created": 1}
    far = ticks_from_datetime(datetime(2100, 1, 1, tzinfo=UTC))
    store.insert("pools", id="p", modified=far, body="{}", **columns)
    store.close()
    store = Store(tmp_path / "db", SystemClock())
    assert store.stamp() == far + 1
    store.close()


def test_a_transaction_that_fails_leaves_nothing_also_when_nested(tmp_path: Path) -> None:
    store = Store(tmp_path / "db", SystemClock())

    def fail() -> None:
        with store.transaction():
            store.run("INSERT INTO facts VALUES('a', '1')")
            with store.transaction():
                store.run("INSERT INTO facts VALUES('b', '2')")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert store.all("SELECT * FROM facts") == []
    with store.transaction():
        store.run("INSERT INTO facts VALUES('a', '1')")
    assert [tuple(row) for row in store.all("SELECT * FROM facts")] == [("a", "1")]
    store.close()


def test_a_state_of_another_format_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "db") as database:
        database.execute("PRAGMA user_version=99")
    database.close()
    with pytest.raises(StoreUnreadable, match="format 99"):
        Store(tmp_path / "db", SystemClock())


def test_the_reserve_is_given_up_once_and_taken_back_at_the_next_start(tmp_path: Path) -> None:
    reserve = tmp_path / "db.reserve"
    store = Store(tmp_path / "db.sqlite3", SystemClock())
    assert reserve.stat().st_size == 8 << 20
    store.free_reserve()
    assert not reserve.exists()
    store.close()
    Store(tmp_path / "db.sqlite3", SystemClock()).close()
    assert reserve.exists()
