"""The engine killed at random moments, again and again, under load: nothing acknowledged is lost, nothing runs on."""

import random
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.engine.served import Process, Served, wait_for
from tests.engine.test_server import shell

KILLS = 8
TASKS_A_REQUEST = 20


class Adding:
    """Adds tasks from a thread, engine or no engine; `acknowledged` are those it was told of."""

    def __init__(self, log: Path) -> None:
        self.acknowledged: set[str] = set()
        self.served: Served | None = None
        self._log = log
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        number = 0
        while not self._over.wait(0.02):
            ids = [f"t{number + index}" for index in range(TASKS_A_REQUEST)]
            bodies = [{"id": one, "commandLine": shell(f"echo {one} >> {self._log}")} for one in ids]
            try:
                assert self.served is not None
                answer = self.served.request("POST", "/jobs/job/addtaskcollection", {"value": bodies})
            except (OSError, AssertionError):
                continue
            # A request whose answer was lost may have had its effect: then the repeated one says that they exist.
            assert {one["status"] for one in answer.json["value"]} <= {"success", "clienterror"}, answer
            self.acknowledged.update(ids)
            number += TASKS_A_REQUEST

    def stop(self) -> None:
        self._over.set()
        self._thread.join()


def runs(log: Path) -> Counter[str]:
    """How often each task ran."""
    return Counter(log.read_text().split()) if log.exists() else Counter()


def listed(served: Served) -> dict[str, str]:
    """Every task of the job, with its state."""
    found: dict[str, str] = {}
    while True:
        query = f"$select=id,state&$filter=id%20gt%20'{max(found)}'" if found else "$select=id,state"
        page = served.request("GET", "/jobs/job/tasks", query=query).json["value"]
        if not page:
            return found
        found |= {task["id"]: task["state"] for task in page}


def counts(served: Served) -> dict[str, int]:
    return dict(served.request("GET", "/jobs/job/taskcounts").json["taskCounts"])


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_lost_and_what_is_finished_stays_so(tmp_path: Path, seed: int) -> None:
    chance, log, state = random.Random(seed), tmp_path / "log", tmp_path / "state"
    process = Process(state)
    process.served.add_pool(nodes=2, taskSlotsPerNode=2)
    process.served.add_job()
    adding = Adding(log)
    try:
        for _ in range(KILLS):
            adding.served = process.served
            time.sleep(chance.uniform(0.05, 0.6))
            finished = {one for one, state in listed(process.served).items() if state == "completed"}
            process.kill()
            before = runs(log)
            process = Process(state)
            assert finished <= {one for one, state in listed(process.served).items() if state == "completed"}
            assert {one: runs(log)[one] for one in finished} == {one: before[one] for one in finished}
        adding.stop()
        served = process.served
        wait_for(lambda: counts(served), lambda now: now["active"] == now["running"] == 0, deadline_s=120)
        there, ran = listed(served), runs(log)
        assert adding.acknowledged <= there.keys()
        assert set(there.values()) == {"completed"}
        assert counts(served)["succeeded"] == len(there) == len(ran)
        # Only what ran when the engine was killed runs again: at most four at a time.
        assert sum(ran.values()) - len(ran) <= 4 * KILLS
    finally:
        adding.stop()
        process.kill()
