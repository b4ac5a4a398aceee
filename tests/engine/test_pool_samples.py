"""What is counted for a formula."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from batchspec.engine.clock import SystemClock
from batchspec.engine.pool_samples import PoolSamples
from batchspec.engine.store import Store

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def made(tmp_path: Path) -> PoolSamples:
    store = Store(tmp_path / "s.sqlite3", SystemClock())
    times = {"state_time": 1, "created": 1}
    pk = store.insert(
        "pools", id="p", state="active", allocation="steady", allocation_time=1, modified=1, body="{}", **times
    )
    for number, state in enumerate(("idle", "running", "preempted", "unusable")):
        store.insert("nodes", pool=pk, id=f"n{number}", dedicated=int(number < 2), state=state, body="{}", **times)
    job = store.insert(
        "jobs", id="j", pool="P", state="active", modified=1, priority=0, parallel=-1, body="{}", **times
    )
    tasks = [("active", 0, None), ("active", 1, None), ("running", 0, None), ("completed", 0, "success")]
    for number, (state, unmet, result) in enumerate([*tasks, ("completed", 0, "failure"), ("preparing", 0, None)]):
        row = {"id": f"t{number}", "state": state, "unmet": unmet, "result": result}
        store.insert("tasks", job=job, modified=1, slots=1, body="{}", **row, **times)
    return PoolSamples(store, store.one("SELECT * FROM pools"), 4)


def test_tasks_and_nodes_are_counted_as_the_service_does(tmp_path: Path) -> None:
    samples = made(tmp_path)
    samples.look()
    names = "ActiveTasks RunningTasks PendingTasks SucceededTasks FailedTasks TaskSlotsPerNode CurrentDedicatedNodes"
    names += " CurrentLowPriorityNodes PreemptedNodeCount UsableNodeCount"
    assert [samples.current(f"${name}") for name in names.split()] == [1, 2, 3, 1, 1, 4, 2, 2, 1, 2]


def test_samples_are_kept_in_their_order_and_for_twelve_hours(tmp_path: Path) -> None:
    samples = made(tmp_path)
    for number in range(1442):
        samples.record(NOW + timedelta(seconds=30 * number))
    series = samples.series("$ActiveTasks")
    assert (len(series), series[0].at, series[-1].value) == (1440, NOW + timedelta(seconds=60), 1.0)
