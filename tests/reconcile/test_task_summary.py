"""All tasks in numbers, counted while they are walked."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from batchspec.reconcile.task_summary import Most, TaskCount, limit_of
from batchspec.render.model import DesiredTask, JsonObject
from tests.reconcile.builders import Workload
from tests.reconcile.looking import tasks


def test_the_largest_of_each_number_is_kept_with_the_first_task_that_has_it() -> None:
    summary = tasks(
        {"requiredSlots": 2, "resourceFiles": [{}]},
        {"requiredSlots": 2, "multiInstanceSettings": {"numberOfInstances": 3}, "resourceFiles": [{}, {}]},
        {"dependsOn": {"taskIds": ["abc", "de"]}, "constraints": {"maxWallClockTime": "PT1H"}},
        {"dependsOn": {"taskIdRanges": [{"start": 1, "end": 9}]}, "multiInstanceSettings": {}},
    )
    assert (summary.number, summary.slots, summary.instances) == (4, Most(2, "t0"), Most(3, "t1"))
    assert (summary.dependencies, summary.resource_files) == (Most(5, "t2"), Most(2, "t1"))
    assert (summary.longest, summary.longest_id, summary.unlimited) == (timedelta(hours=1), "t2", 3)
    assert sorted(summary.examples) == [0, 1, 2, 3]


def test_work_is_time_times_slots() -> None:
    hour: JsonObject = {"constraints": {"maxWallClockTime": "PT1H"}}
    assert tasks({**hour, "requiredSlots": 3}, hour).work == timedelta(hours=4)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("PT90S", timedelta(seconds=90)),
        ("P10675199DT2H48M5.4775807S", None),
        (None, None),
        ("an hour", None),
    ],
)
def test_a_limit_is_a_length_of_time_or_none(text: str | None, limit: timedelta | None) -> None:
    assert limit_of(text) == limit


def test_a_walk_counts_anew_and_hands_every_task_on(tmp_path: Path) -> None:
    count = TaskCount()
    watched = count.watching(Workload(tmp_path).desired())
    assert [task.id for task in watched.tasks()] == ["a", "b", "c"]
    assert next(watched.tasks()).id == "a"
    assert count.summary.number == 1
    assert len(list(watched.tasks())) == count.summary.number == 3


def test_tasks_are_a_stream_of_which_one_example_of_each_template_is_kept(tmp_path: Path) -> None:
    def many() -> Iterator[DesiredTask]:
        for number in range(1000):
            yield DesiredTask(f"t{number}", {"id": f"t{number}"}, "", frozenset(), number % 2, ())

    count = TaskCount()
    watched = count.watching(replace(Workload(tmp_path).desired(), tasks=many))
    assert sum(1 for _ in watched.tasks()) == 1000
    assert {template: task.id for template, task in count.summary.examples.items()} == {0: "t0", 1: "t1"}
