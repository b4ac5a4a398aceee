"""What is wrong with tasks as a whole; `test_tasks` has what is wrong with each."""

import pytest

from batchspec.render.desired import check_tasks
from batchspec.render.tasks import TaskStream
from tests.render.conftest import Render

RANGES = "tasks[1].depends_on.task_id_ranges"
HEAD = "containers: {output: {}}\npool: {vm_size: s}\n"


def told(render_spec: Render, tasks: str, head: str = HEAD) -> list[str]:
    return [problem.split(": ", 1)[1] for problem in render_spec(f"{head}tasks:\n{tasks}").told]


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        (
            (
                "  - {id: encode-a, command_line: x}\n"
                "  - {id: b, depends_on: {task_ids: [encode-A, encod-a]}, command_line: x}\n"
            ),
            ["tasks[1].depends_on.task_ids[1]: no task has the id 'encod-a'; did you mean 'encode-a'?"],
        ),
        (
            (
                "  - {for_each: {range: 3}, id: '{{ value }}', command_line: x}\n"
                "  - {id: b, depends_on: {task_id_ranges: [{start: 0, end: 2}, {start: 1, end: 4}]}, command_line: x}\n"
            ),
            [f"{RANGES}[1]: no task has the id 3, of the range from 1 to 4"],
        ),
        (
            (
                "  - {for_each: {range: [1, 9, 2]}, id: '{{ value }}', command_line: x}\n"
                "  - {id: b, depends_on: {task_id_ranges: [{start: 1, end: 3}, {start: 5, end: 4}]}, command_line: x}\n"
            ),
            [
                f"{RANGES}[0]: no task has the id 2, of the range from 1 to 3",
                f"{RANGES}[1]: no task is in the range from 5 to 4, which ends before it begins",
            ],
        ),
        (
            (
                "  - {for_each: {range: 2}, id: 'a{{ value }}', command_line: x,\n"
                "     depends_on: {task_ids: ['b{{ value }}']}}\n"
            ),
            [
                "tasks[0].depends_on.task_ids[0]: no task has the id 'b0'; there are: a0, a1 (for value 0)",
                "tasks[0].depends_on.task_ids[0]: no task has the id 'b1'; there are: a0, a1 (for value 1)",
            ],
        ),
    ],
)
def test_what_no_task_has_is_told(render_spec: Render, tasks: str, expected: list[str]) -> None:
    assert told(render_spec, tasks) == expected


@pytest.mark.parametrize("job", ["job: {existing: true}\n", "job: {job_manager_task: {id: m, command_line: x}}\n"])
def test_where_others_may_add_tasks_any_id_may_be_there(render_spec: Render, job: str) -> None:
    assert told(render_spec, "  - {id: b, depends_on: {task_ids: [other]}, command_line: x}\n", HEAD + job) == []


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        (
            "  - {id: a, depends_on: {task_ids: [A]}, command_line: x}\n",
            "tasks[0].depends_on: waits for itself: a -> a",
        ),
        (
            (
                "  - {for_each: {range: 3}, id: 't{{ value }}', command_line: x,\n"
                "     depends_on: {task_ids: ['t{{ (value + 1) % 3 }}']}}\n"
            ),
            "tasks[0].depends_on: waits for itself: t0 -> t1 -> t2 -> t0",
        ),
        (
            (
                "  - {id: a, depends_on: {task_ids: [last]}, name: first, command_line: x}\n"
                "  - {id: last, needs: [first], command_line: x}\n"
            ),
            "tasks[0].depends_on: waits for itself: a -> last -> a",
        ),
        (
            (
                "  - {for_each: {range: 4}, id: '{{ value }}', command_line: x,\n"
                "     depends_on: {task_id_ranges: [{start: 3, end: 3}]}}\n"
            ),
            "tasks[0].depends_on: waits for itself: 3 -> 3",
        ),
    ],
)
def test_a_circle_is_told(render_spec: Render, tasks: str, expected: str) -> None:
    assert told(render_spec, tasks) == [f"{expected}; no task of these could ever start"]


def test_a_long_chain_is_no_circle(render_spec: Render) -> None:
    tasks = """\
  - for_each: {range: 5000}
    id: "{{ value }}"
    depends_on: {task_ids: ["{{ value - 1 if value else 4999 - 4999 + 5000 }}"]}
    command_line: x
  - {id: "5000", command_line: x}
"""
    assert told(render_spec, tasks) == []


def test_one_number_twice_is_told_where_ranges_are_used(render_spec: Render) -> None:
    tasks = "  - {name: n, for_each: {range: 5}, id: '{{ value }}', command_line: x}\n  - {id: '04', command_line: x}\n"
    assert told(render_spec, tasks) == []
    assert told(render_spec, tasks + "  - {id: last, needs: [n], command_line: x}\n") == [
        (
            "tasks[1].id: '4' and '04' are the same number to Azure Batch's ranges of ids: "
            "tasks[0] with id '4' of value 4, and tasks[1] with id '04'"
        )
    ]


def test_too_many_own_ids_are_told_with_the_way_out(render_spec: Render) -> None:
    tasks = """\
  - {for_each: {range: 2000}, id: "{{ 'x' * 40 }}-{{ value }}", command_line: x}
  - {id: last, depends_on: {task_ids: "{{ ['x' * 40 ~ '-1'] * 1600 }}"}, command_line: x}
"""
    assert told(render_spec, tasks) == [
        (
            "tasks[1].depends_on.task_ids: has 67,200 characters of ids, Azure Batch takes 64,000; "
            "name the template under `needs`, or use `task_id_ranges`"
        )
    ]


def test_own_ids_count_beside_those_of_needs(render_spec: Render) -> None:
    tasks = """\
  - {name: n, for_each: {range: 1400}, id: "{{ 'x' * 40 }}-{{ value + 1000 }}", command_line: x}
  - {id: last, needs: n, depends_on: {task_ids: "{{ ['x' * 40 ~ '-1001'] * 300 }}"}, command_line: x}
"""
    assert told(render_spec, tasks) == [
        (
            "tasks[1].depends_on: the ids that a task depends on have 76,500 characters, Azure Batch takes 64,000; "
            "name the template under `needs`, or give its tasks numbers as ids"
        )
    ]


def warned(render_spec: Render, tasks: str) -> list[str]:
    desired = render_spec(f"{HEAD}tasks:\n{tasks}").desired
    assert check_tasks(desired) == []
    assert isinstance(desired.tasks, TaskStream)
    return [f"{one.path}: {one.message}" for one in desired.tasks.warnings]


def output(pattern: str, path: str = "") -> str:
    where = f", path: '{path}'" if path else ""
    entry = f"{{file_pattern: '{pattern}', container: output{where}}}"
    return f"  - {{for_each: {{range: 3}}, id: 't{{{{ value }}}}', command_line: x, output_files: [{entry}]}}\n"


def test_tasks_that_write_the_same_blob_are_warned_of(render_spec: Render) -> None:
    expected = (
        "tasks[0].output_files: the tasks 't0' and 't1' and 1 more write the same blob 'result.txt' of the container "
        "'output', and the last one wins; put what tells the tasks apart into `path`"
    )
    assert warned(render_spec, output("result.txt")) == [expected]
    assert warned(render_spec, output("out/result.txt")) == [expected]
    assert warned(render_spec, output("x", "result.txt")) == [expected]


@pytest.mark.parametrize(
    "written",
    [
        output("result-{{ value }}.txt"),
        output("result.txt", "{{ value }}.txt"),
        output("*.txt", "folder"),
        output("$AZ_BATCH_TASK_ID.txt"),
    ],
)
def test_what_may_be_different_blobs_is_not(render_spec: Render, written: str) -> None:
    assert warned(render_spec, written) == []
