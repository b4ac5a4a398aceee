"""The engine's memory: one SQLite database, the truth about every pool, node, job and task.

Place: under the handlers and the scheduler, which own the statements about their tables. In: SQL. Out: rows. It never
decides anything; which change is legal is `lifecycle.py`'s.

Decisions:
- One connection, used from the event loop directly. A statement takes microseconds; a writer thread would cost two
  hops for each of them and would split what belongs together.
- WAL with `synchronous=NORMAL`: a commit is in the operating system's hands before the response is sent, so a killed
  engine loses nothing it acknowledged, and 100,000 short tasks do not wait for 200,000 disk flushes.
- Moments are ticks (integers, see `times.py`); a resource's `modified` is also its ETag, so `stamp` never gives the
  same one twice.
- A task may fill the disk, and that it did must still be written down: a file is kept in reserve, and deleted then.
- What a client wrote is a JSON column; what the engine asks for (state, slots, unmet dependencies) are indexed columns.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from batchspec.engine.clock import Clock
from batchspec.engine.times import ticks_from_datetime

SCHEMA_VERSION = 1
_RESERVE_BYTES = 8 << 20

# AUTOINCREMENT: what still knows a pool or a job that is gone by its key must not take a new one for it.
_SCHEMA = """
CREATE TABLE pools(
  pk INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE COLLATE NOCASE,
  state TEXT NOT NULL, state_time INTEGER NOT NULL,
  allocation TEXT NOT NULL, allocation_time INTEGER NOT NULL,
  created INTEGER NOT NULL, modified INTEGER NOT NULL,
  body TEXT NOT NULL);
CREATE TABLE nodes(
  pk INTEGER PRIMARY KEY, pool INTEGER NOT NULL REFERENCES pools(pk), id TEXT NOT NULL UNIQUE,
  dedicated INTEGER NOT NULL, state TEXT NOT NULL, state_time INTEGER NOT NULL,
  created INTEGER NOT NULL, booted INTEGER, scheduling INTEGER NOT NULL DEFAULT 1,
  tasks_run INTEGER NOT NULL DEFAULT 0, tasks_succeeded INTEGER NOT NULL DEFAULT 0,
  body TEXT NOT NULL);
CREATE INDEX nodes_of_pool ON nodes(pool);
CREATE TABLE jobs(
  pk INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE COLLATE NOCASE, pool TEXT COLLATE NOCASE,
  state TEXT NOT NULL, state_time INTEGER NOT NULL, previous TEXT, previous_time INTEGER,
  created INTEGER NOT NULL, modified INTEGER NOT NULL, started INTEGER, ended INTEGER, reason TEXT,
  priority INTEGER NOT NULL, parallel INTEGER NOT NULL,
  body TEXT NOT NULL);
CREATE INDEX jobs_of_pool ON jobs(pool, priority DESC, pk) WHERE state = 'active';
CREATE TABLE tasks(
  pk INTEGER PRIMARY KEY, job INTEGER NOT NULL REFERENCES jobs(pk), id TEXT NOT NULL COLLATE NOCASE,
  state TEXT NOT NULL, state_time INTEGER NOT NULL, previous TEXT, previous_time INTEGER,
  created INTEGER NOT NULL, modified INTEGER NOT NULL,
  slots INTEGER NOT NULL, unmet INTEGER NOT NULL DEFAULT 0,
  result TEXT, exit_code INTEGER, started INTEGER, ended INTEGER,
  retries INTEGER NOT NULL DEFAULT 0, retried INTEGER, requeues INTEGER NOT NULL DEFAULT 0, requeued INTEGER,
  failure TEXT, node TEXT, expires INTEGER, cleaned INTEGER NOT NULL DEFAULT 0,
  body TEXT NOT NULL,
  UNIQUE(job, id));
CREATE INDEX tasks_ready ON tasks(job, pk, slots) WHERE state = 'active' AND unmet = 0;
CREATE INDEX tasks_counted ON tasks(job, state, result, slots);
CREATE INDEX tasks_expiring ON tasks(expires) WHERE expires IS NOT NULL;
CREATE TABLE needs_id(job INTEGER NOT NULL, wanted TEXT NOT NULL COLLATE NOCASE, task INTEGER NOT NULL,
  PRIMARY KEY(job, wanted, task)) WITHOUT ROWID;
CREATE TABLE needs_range(job INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, task INTEGER NOT NULL);
CREATE INDEX needs_range_of_job ON needs_range(job);
CREATE TABLE satisfied(job INTEGER NOT NULL, id TEXT NOT NULL COLLATE NOCASE, number INTEGER,
  PRIMARY KEY(job, id)) WITHOUT ROWID;
CREATE INDEX satisfied_numbers ON satisfied(job, number) WHERE number IS NOT NULL;
CREATE TABLE facts(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
# What came later and changes nothing that was there: made in an older database too.
_ADDED = """
CREATE TABLE IF NOT EXISTS node_users(
  node TEXT NOT NULL, name TEXT NOT NULL COLLATE NOCASE, body TEXT NOT NULL, PRIMARY KEY(node, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS certificates(
  pk INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE COLLATE NOCASE, state TEXT NOT NULL, state_time INTEGER NOT NULL,
  previous TEXT, previous_time INTEGER, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS schedules(
  pk INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE COLLATE NOCASE,
  state TEXT NOT NULL, state_time INTEGER NOT NULL, previous TEXT, previous_time INTEGER,
  created INTEGER NOT NULL, modified INTEGER NOT NULL, ended INTEGER,
  not_before INTEGER, not_after INTEGER, due INTEGER, last_due INTEGER, jobs INTEGER NOT NULL DEFAULT 0,
  pool TEXT, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS preparations(
  job INTEGER NOT NULL, node TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL,
  started INTEGER NOT NULL, ended INTEGER, exit_code INTEGER, result TEXT, failure TEXT,
  retries INTEGER NOT NULL DEFAULT 0, retried INTEGER, PRIMARY KEY(job, node, kind)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS subtasks(
  task INTEGER NOT NULL, number INTEGER NOT NULL, node TEXT NOT NULL,
  state TEXT NOT NULL, state_time INTEGER NOT NULL, previous TEXT, previous_time INTEGER,
  started INTEGER, ended INTEGER, exit_code INTEGER, result TEXT, failure TEXT,
  PRIMARY KEY(task, number)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tasks_failed ON tasks(job, id) WHERE result = 'failure';
CREATE INDEX IF NOT EXISTS tasks_unfinished ON tasks(job, id) WHERE state <> 'completed';
"""


class Store:
    """The open database."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._clock = clock
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._depth = 0
        self._reserve = path.with_suffix(".reserve")
        _keep_reserve(self._reserve)
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-32000", "temp_store=MEMORY"):
            self._db.execute(f"PRAGMA {pragma}")
        self._prepare()
        self._last_stamp = self._newest_stamp()

    def _prepare(self) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            self._db.executescript(f"BEGIN;{_SCHEMA}PRAGMA user_version={SCHEMA_VERSION};COMMIT;")
        elif version != SCHEMA_VERSION:
            self._db.close()
            raise StoreUnreadable(f"the engine's state was written in format {version}, not {SCHEMA_VERSION}")
        self._db.executescript(f"BEGIN;{_ADDED}COMMIT;")

    def _newest_stamp(self) -> int:
        queries = (f"SELECT MAX(modified) FROM {table}" for table in ("pools", "jobs", "tasks", "schedules"))
        return max(self.one(query)[0] or 0 for query in queries)

    def close(self) -> None:
        """Close the file; everything committed is in it."""
        self._db.close()

    def stamp(self) -> int:
        """The time in ticks, never the same twice and never going back."""
        self._last_stamp = max(ticks_from_datetime(self._clock.now()), self._last_stamp + 1)
        return self._last_stamp

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside happens or nothing does; committed at the end of the outermost one."""
        if self._depth:
            yield
            return
        self._db.execute("BEGIN IMMEDIATE")
        self._depth = 1
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        else:
            self._db.execute("COMMIT")
        finally:
            self._depth = 0

    def run(self, sql: str, *values: Any) -> int:
        """Execute one statement; return how many rows it changed."""
        return self._db.execute(sql, values).rowcount

    def insert(self, table: str, **columns: Any) -> int:
        """Add a row; return its key."""
        names = ", ".join(columns)
        marks = ", ".join("?" * len(columns))
        key = self._db.execute(f"INSERT INTO {table}({names}) VALUES({marks})", tuple(columns.values())).lastrowid
        assert key is not None
        return key

    def update(self, table: str, pk: int, **columns: Any) -> None:
        """Change columns of one row."""
        names = ", ".join(f"{name} = ?" for name in columns)
        self._db.execute(f"UPDATE {table} SET {names} WHERE pk = ?", (*columns.values(), pk))

    def find(self, sql: str, *values: Any) -> sqlite3.Row | None:
        """The first row, None when there is none."""
        row: sqlite3.Row | None = self._db.execute(sql, values).fetchone()
        return row

    def one(self, sql: str, *values: Any) -> sqlite3.Row:
        """The first row of a statement that always has one."""
        row = self.find(sql, *values)
        if row is None:
            raise LookupError(sql)
        return row

    def all(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """Every row."""
        return self._db.execute(sql, values).fetchall()

    def free_reserve(self) -> None:
        """Give the disk's last room to the database; it is taken back at the next start."""
        self._reserve.unlink(missing_ok=True)


def _keep_reserve(path: Path) -> None:
    try:
        if not path.exists():
            path.write_bytes(bytes(_RESERVE_BYTES))
    except OSError:
        # No room for it: nothing is kept, the engine works without.
        path.unlink(missing_ok=True)


class StoreUnreadable(Exception):
    """The state folder was written by another version of the engine."""


def json_text(value: Any) -> str:
    """Compact JSON for a column."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
