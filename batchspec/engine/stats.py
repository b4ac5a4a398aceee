"""Statistics: what `$expand=stats` adds to a pool, a job, a schedule or a task.

Place: beside `views.py`. In: rows. Out: the `stats` of REST bodies. Only what the database knows is counted: times,
successes, failures and retries. What a process used of CPU, disk and memory is not measured on this machine and told as
none. Source: OpenAPI, definitions PoolStatistics, JobStatistics, JobScheduleStatistics, TaskStatistics.
"""

from sqlite3 import Row
from typing import Any, Final

from batchspec.engine.store import Store
from batchspec.engine.times import duration_from_seconds, text_from_ticks

_TICKS_PER_S = 10_000_000
_NOT_MEASURED: Final[dict[str, Any]] = {
    "userCPUTime": "PT0S",
    "kernelCPUTime": "PT0S",
    "readIOps": "0",
    "writeIOps": "0",
    "readIOGiB": 0.0,
    "writeIOGiB": 0.0,
}
_RESOURCES: Final[dict[str, Any]] = {
    "avgCPUPercentage": 0.0,
    "avgMemoryGiB": 0.0,
    "peakMemoryGiB": 0.0,
    "avgDiskGiB": 0.0,
    "peakDiskGiB": 0.0,
    "diskReadIOps": "0",
    "diskWriteIOps": "0",
    "diskReadGiB": 0.0,
    "diskWriteGiB": 0.0,
    "networkReadGiB": 0.0,
    "networkWriteGiB": 0.0,
}
_SUMS = """
SELECT COALESCE(SUM(result = 'success'), 0) AS succeeded, COALESCE(SUM(result = 'failure'), 0) AS failed,
  COALESCE(SUM(retries), 0) AS retries, COALESCE(SUM(COALESCE(ended, ?1) - started), 0) AS ran,
  COALESCE(SUM(COALESCE(started, ?1) - created), 0) AS waited
FROM tasks WHERE job IN (SELECT pk FROM jobs WHERE {jobs})
"""


def task_stats(row: Row, url: str, now: int) -> dict[str, Any]:
    """The statistics of a task; `now` is in ticks."""
    started = row["started"]
    ran = (row["ended"] or now) - started if started is not None else 0
    return {
        **_period(url, row["created"], now),
        **_NOT_MEASURED,
        "wallClockTime": _duration(ran),
        "waitTime": _duration((started or now) - row["created"]),
    }


def job_stats(row: Row, store: Store, url: str, now: int) -> dict[str, Any]:
    """The statistics of a job: those of its tasks, summed."""
    return _of_jobs(store.one(_SUMS.format(jobs="pk = ?2"), now, row["pk"]), row, url, now)


def schedule_stats(row: Row, store: Store, url: str, now: int) -> dict[str, Any]:
    """The statistics of a schedule: those of its jobs that are still there, summed."""
    first, last = f"{row['id']}:", f"{row['id']};"
    return _of_jobs(store.one(_SUMS.format(jobs="id > ?2 AND id < ?3"), now, first, last), row, url, now)


def pool_stats(row: Row, store: Store, url: str, now: int) -> dict[str, Any]:
    """The statistics of a pool: the time its present nodes have been there."""
    query = "SELECT COALESCE(SUM(? - created), 0) FROM nodes WHERE pool = ?"
    used = store.one(query, now, row["pk"])[0]
    period = {"startTime": text_from_ticks(row["created"]), "lastUpdateTime": text_from_ticks(now)}
    return {
        **_period(url, row["created"], now),
        "usageStats": {**period, "dedicatedCoreTime": _duration(used)},
        "resourceStats": {**period, **_RESOURCES},
    }


def _of_jobs(sums: Row, row: Row, url: str, now: int) -> dict[str, Any]:
    return {
        **_period(url, row["created"], now),
        **_NOT_MEASURED,
        "wallClockTime": _duration(sums["ran"]),
        "numSucceededTasks": str(sums["succeeded"]),
        "numFailedTasks": str(sums["failed"]),
        "numTaskRetries": str(sums["retries"]),
        "waitTime": _duration(sums["waited"]),
    }


def _period(url: str, created: int, now: int) -> dict[str, Any]:
    times = {"startTime": text_from_ticks(created), "lastUpdateTime": text_from_ticks(now)}
    return {"url": f"{url}/lifetimestats", **times}


def _duration(ticks: int) -> str:
    return duration_from_seconds(max(ticks, 0) / _TICKS_PER_S)
