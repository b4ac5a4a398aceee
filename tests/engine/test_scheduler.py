"""Which task runs where and when."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from batchspec.engine.node import Node
from batchspec.engine.scheduler import choose
from tests.engine.served import Served, serving, wait_for


@dataclass
class Place:
    id: str
    free_slots: int
    used_slots: int


@pytest.mark.parametrize(
    ("slots", "packs", "affinity", "expected"),
    [
        (1, False, "", "empty"),
        (1, True, "", "full"),
        (2, True, "", "half"),
        (1, False, "TVM:half", "half"),
        (1, True, "half", "half"),
        (2, False, "TVM:full", "empty"),
        (5, False, "", None),
    ],
)
def test_a_node_is_chosen_by_policy_room_and_affinity(
    slots: int, packs: bool, affinity: str, expected: str | None
) -> None:
    nodes = cast(list[Node], [Place("half", 2, 2), Place("empty", 4, 0), Place("full", 1, 3)])
    found = choose(nodes, slots, packs=packs, affinity=affinity)
    assert (found.id if found else None) == expected


def running(served: Served, job: str = "job") -> list[Any]:
    query = "$filter=state%20eq%20%27running%27"
    return list(served.request("GET", f"/jobs/{job}/tasks", query=query).json["value"])


def test_tasks_spread_over_nodes_or_fill_one(served: Served) -> None:
    for policy, expected in (("spread", [1, 1]), ("pack", [0, 2])):
        served.add_pool(policy, 2, taskSlotsPerNode=2, taskSchedulingPolicy={"nodeFillType": policy})
        served.nodes_in("idle", pool=policy)
        served.add_job(policy, policy)
        for name in ("a", "b"):
            served.add_task(name, "sleep 1000", job=policy)
        wait_for(lambda policy=policy: running(served, policy), lambda tasks: len(tasks) == 2)  # type: ignore[misc]
        assert sorted(node["runningTasksCount"] for node in served.nodes(policy)) == expected


def test_slots_limit_what_runs_on_a_node(served: Served) -> None:
    served.add_pool(taskSlotsPerNode=4)
    served.add_job()
    served.add_task("a", "sleep 1000", requiredSlots=3)
    wait_for(lambda: running(served), lambda tasks: len(tasks) == 1)
    served.add_task("b", "sleep 1000", requiredSlots=2)
    served.add_task("c", "sleep 1000", requiredSlots=1)
    wait_for(lambda: running(served), lambda tasks: len(tasks) == 2)
    (node,) = served.nodes()
    assert (served.task("b")["state"], node["runningTaskSlotsCount"]) == ("active", 4)


def test_a_job_runs_no_more_than_its_parallel_limit(served: Served) -> None:
    served.add_pool(nodes=3)
    served.nodes_in("idle")
    served.add_job(maxParallelTasks=1)
    for name in ("a", "b"):
        served.add_task(name, "sleep 1000")
    wait_for(lambda: running(served), lambda tasks: len(tasks) == 1)
    served.add_job("other")
    served.add_task("c", "true", job="other")
    served.completed("c", "other")
    assert len(running(served)) == 1


def test_the_machines_limit_holds_for_all_pools_together(tmp_path: Path) -> None:
    with serving(tmp_path / "state", task_limit=2) as served:
        for name in ("p", "q"):
            served.add_pool(name, 3)
            served.nodes_in("idle", pool=name)
            served.add_job(name, name)
            for task in ("a", "b", "c"):
                served.add_task(task, "sleep 1000", job=name)
        assert len(running(served, "p")) + len(running(served, "q")) == 2


def test_priority_comes_before_age_and_age_before_the_rest(served: Served, tmp_path: Path) -> None:
    log = tmp_path / "log"
    for name, priority in (("low", -5), ("first", 0), ("second", 0), ("high", 7)):
        served.add_job(name, priority=priority)
        for task in ("x", "y"):
            served.add_task(task, f"/bin/sh -c 'echo {name}-{task} >> {log}'", job=name)
    served.add_pool(taskSchedulingPolicy={"nodeFillType": "spread", "jobDefaultOrder": "creationtime"})
    served.completed("y", "low")
    expected = ["high-x", "high-y", "first-x", "first-y", "second-x", "second-y", "low-x", "low-y"]
    assert log.read_text().split() == expected


@pytest.mark.parametrize(
    ("order", "expected"), [("none", ["a1", "b1", "a2", "b2"]), ("creationtime", ["a1", "a2", "b1", "b2"])]
)
def test_jobs_of_one_priority_take_turns_or_come_by_age(served: Served, order: str, expected: list[str]) -> None:
    served.add_pool(nodes=0, taskSchedulingPolicy={"nodeFillType": "spread", "jobDefaultOrder": order})
    for job in ("a", "b"):
        served.add_job(job)
    for name in ("a1", "a2", "b1", "b2"):
        served.add_task(name, "true", job=name[0])
    assert served.request("POST", "/pools/pool/resize", {"targetDedicatedNodes": 1}).status == 202
    found = {name: served.completed(name, name[0])["executionInfo"]["startTime"] for name in expected}
    assert sorted(found, key=lambda name: found[name]) == expected
