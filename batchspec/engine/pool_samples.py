"""What a pool's formula can measure, recorded every 30 seconds.

Place: under `pool_scaling.py`. In: the database's counts. Out: `autoscale.Samples`. In memory only: after a restart the
history begins anew, as after a fault of the service's own sampling.

Decisions:
- Twelve hours are kept, 8 bytes a number, a hundredth of a megabyte an hour and pool.
- Tasks are those of the jobs that run in the pool; active ones count when nothing they depend on is missing. Source:
  the table of read-only variables in "Create a formula to automatically scale compute nodes in a Batch pool".
- The load of a node is that of this machine; what is not measured here (disks, network) is 0.
"""

import os
from array import array
from collections.abc import Sequence
from datetime import datetime
from sqlite3 import Row
from typing import Final

from batchspec.engine.autoscale import VARIABLES, Sample
from batchspec.engine.store import Store

_MOST: Final = 12 * 120
_USABLE = frozenset({"idle", "running"})
_NODES = "SELECT dedicated, state, COUNT(*) AS number FROM nodes WHERE pool = ? GROUP BY dedicated, state"
_READY = """
SELECT COUNT(*) FROM jobs j JOIN tasks t INDEXED BY tasks_ready ON t.job = j.pk AND t.state = 'active' AND t.unmet = 0
WHERE j.pool = ? AND j.state = 'active'
"""
_TASKS = """
SELECT t.state, t.result, COUNT(*) AS number FROM jobs j JOIN tasks t INDEXED BY tasks_counted ON t.job = j.pk
WHERE j.pool = ? AND j.state <> 'deleting' GROUP BY t.state, t.result
"""


class PoolSamples:
    """The history of one pool; an `autoscale.Samples`."""

    def __init__(self, store: Store, pool: Row, slots: int) -> None:
        self._store = store
        self._pk: int = pool["pk"]
        self._id: str = pool["id"]
        self._slots = slots
        self._times: list[datetime] = []
        self._values: dict[str, array[float]] = {name: array("d") for name in VARIABLES}
        self._now: dict[str, float] = {}

    def record(self, now: datetime) -> None:
        """Take one sample of everything."""
        self.look()
        self._times.append(now)
        del self._times[:-_MOST]
        for name, values in self._values.items():
            values.append(self._now.get(name, 0.0))
            del values[:-_MOST]

    def look(self) -> None:
        """Count what is there now."""
        self._now = {**self._nodes(), **self._tasks()}

    def series(self, variable: str) -> Sequence[Sample]:
        """As `autoscale.Samples` says."""
        return [Sample(at, value) for at, value in zip(self._times, self._values[variable], strict=True)]

    def current(self, variable: str) -> float:
        """As `autoscale.Samples` says."""
        return self._now.get(variable, 0.0)

    def _nodes(self) -> dict[str, float]:
        kinds = {True: 0, False: 0}
        usable = preempted = 0
        for row in self._store.all(_NODES, self._pk):
            kinds[bool(row["dedicated"])] += row["number"]
            usable += row["number"] if row["state"] in _USABLE else 0
            preempted += row["number"] if row["state"] == "preempted" else 0
        load = 100.0 * os.getloadavg()[0] / (os.cpu_count() or 1)
        return {
            "$CurrentDedicatedNodes": kinds[True],
            "$CurrentLowPriorityNodes": kinds[False],
            "$PreemptedNodeCount": preempted,
            "$UsableNodeCount": usable,
            "$SampleNodeCount": usable,
            "$TaskSlotsPerNode": self._slots,
            "$CPUPercent": min(load, 100.0) if usable else 0.0,
        }

    def _tasks(self) -> dict[str, float]:
        counts: dict[str, int] = {}
        for row in self._store.all(_TASKS, self._id):
            name = row["result"] if row["state"] == "completed" else row["state"]
            counts[name] = counts.get(name, 0) + row["number"]
        ready = self._store.one(_READY, self._id)[0]
        running = counts.get("running", 0) + counts.get("preparing", 0)
        return {
            "$ActiveTasks": ready,
            "$RunningTasks": running,
            "$PendingTasks": ready + running,
            "$SucceededTasks": counts.get("success", 0),
            "$FailedTasks": counts.get("failure", 0),
        }
