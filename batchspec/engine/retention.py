"""Removes the folder of a completed task when its retention time is over.

Place: beside the jobs; told when a task ends. In: the `expires` column. Out: folders gone. One timer for the next
expiry, however many tasks there are.
"""

from batchspec.engine.clock import Timer
from batchspec.engine.core import Core
from batchspec.engine.folders import task_folder
from batchspec.engine.times import TICKS_PER_S, ticks_from_datetime

_BATCH = 200
_DUE = """
SELECT t.pk, t.id, t.node, j.id AS job_id FROM tasks t JOIN jobs j ON j.pk = t.job
WHERE t.expires IS NOT NULL AND t.expires <= ? LIMIT ?
"""


class Retention:
    """Knows when the next folder is due."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._due: int | None = None
        self._timer: Timer | None = None

    def look(self) -> None:
        """Set the timer to the earliest expiry there is."""
        due = self._core.store.one("SELECT MIN(expires) FROM tasks WHERE expires IS NOT NULL")[0]
        if due == self._due:
            return
        self.close()
        self._due = due
        if due is not None:
            delay_s = (due - self._now()) / TICKS_PER_S
            self._timer = self._core.clock.call_later(max(delay_s, 0.0), self._clean)

    def close(self) -> None:
        """Call off the timer."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._due = None

    def _clean(self) -> None:
        rows = self._core.store.all(_DUE, self._now(), _BATCH)
        for row in rows:
            self._core.discard(task_folder(self._core.nodes_dir / row["node"], row["job_id"], row["id"]))
            self._core.store.update("tasks", row["pk"], expires=None, cleaned=1)
        self._timer = self._due = None
        self.look()

    def _now(self) -> int:
        return ticks_from_datetime(self._core.clock.now())
