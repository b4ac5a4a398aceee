"""Which tasks give way."""

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from batchspec.engine.preemption import Waiting, victims


@dataclass(eq=False)
class Claimed:
    slots: int


@dataclass(eq=False)
class Run:
    name: str
    priority: int
    slots: int = 1
    is_preemptible: bool = True
    is_stopping: bool = False

    @property
    def claim(self) -> Claimed:
        return Claimed(self.slots)


@dataclass
class Machine:
    running: list[Run]
    slots: int = 2
    state: str = "running"
    schedules: bool = True
    runs: dict[int, Run] = field(init=False)

    def __post_init__(self) -> None:
        self.runs = dict(enumerate(self.running))

    @property
    def used_slots(self) -> int:
        return sum(run.slots for run in self.running)


@pytest.mark.parametrize(
    ("runs", "waiting", "expected"),
    [
        ([Run("a", 0), Run("b", -5)], [(1, 1)], ["b"]),
        ([Run("a", 0), Run("b", -5)], [(1, 2)], ["b", "a"]),
        ([Run("a", 0), Run("b", -5)], [(0, 1)], ["b"]),
        ([Run("a", 0), Run("b", 0)], [(0, 1)], []),
        ([Run("a", 0, is_preemptible=False), Run("b", 0)], [(1, 2)], []),
        ([Run("a", 0), Run("b", 0, is_stopping=True)], [(1, 1), (1, 1)], ["a"]),
        ([Run("a", 0, is_stopping=True)], [(1, 1)], []),
        ([Run("a", 0, 2)], [(1, 1), (1, 1)], ["a"]),
        ([Run("a", 0)], [(1, 3)], []),
    ],
)
def test_the_lowest_priority_gives_way_where_that_is_enough(
    runs: list[Run], waiting: list[tuple[int, int]], expected: list[str]
) -> None:
    queue = [Waiting(*each) for each in waiting]
    found = cast(list[Any], victims(cast(Any, [Machine(runs)]), queue, machine_is_full=True))
    assert [run.name for run in found] == expected


def test_what_waits_beside_free_slots_waits_for_something_else() -> None:
    nodes = [Machine([Run("a", 0)])]
    assert victims(cast(Any, nodes), [Waiting(1, 1)], machine_is_full=False) == []
    assert len(victims(cast(Any, nodes), [Waiting(1, 1)], machine_is_full=True)) == 1


def test_a_node_that_takes_no_tasks_is_left_alone() -> None:
    nodes = [Machine([Run("a", 0)], schedules=False), Machine([Run("b", 0)], state="leavingpool")]
    assert victims(cast(Any, nodes), [Waiting(1, 1)], machine_is_full=True) == []
