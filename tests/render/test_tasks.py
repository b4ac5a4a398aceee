import itertools

import pytest

from batchspec.errors import SpecInvalid
from batchspec.render.tasks import TaskStream
from tests.render.conftest import Render, Rendered

HEAD = """\
containers: {input: {}, output: {}}
uploads:
  texts: {container: input, files: "in/*"}
  tool: {container: output, files: tool.py}
pool: {vm_size: s}
"""
FILES = {"in/a.txt": "one", "in/b.txt": "two", "tool.py": "print()"}
EACH = """\
tasks:
  - name: each
    for_each: {upload: texts}
    id: "{{ file.stem }}"
    command_line: cat {{ file.name }}
    resource_files: [{upload: texts, file: "{{ file.name }}"}]
"""


def hashes(rendered: Rendered) -> dict[str, str]:
    return {task.id: task.hash for task in rendered.desired.tasks()}


def test_the_stream_starts_anew_every_time_and_marks_every_task(render_spec: Render) -> None:
    desired = render_spec(HEAD + EACH, FILES).desired
    first, second = list(desired.tasks()), list(desired.tasks())
    assert first == second
    assert [(task.id, task.template, task.at, task.uses) for task in first] == [
        ("a", 0, ("tasks", 0), frozenset({"input"})),
        ("b", 0, ("tasks", 0), frozenset({"input"})),
    ]
    assert [task.body["environmentSettings"] for task in first] == [
        [{"name": "BATCHSPEC_TASK_HASH", "value": task.hash}] for task in first
    ]


def test_a_hash_depends_on_the_own_file_only(render_spec: Render) -> None:
    before = hashes(render_spec(HEAD + EACH, FILES))
    after = hashes(render_spec(HEAD + EACH, {**FILES, "in/b.txt": "TWO", "in/c.txt": "three"}))
    assert after["a"] == before["a"]
    assert after["b"] != before["b"]


@pytest.mark.parametrize(
    ("more", "same"),
    [
        ("constraints: {max_task_retry_count: 3}", True),
        ("display_name: x", True),
        ("required_slots: 2", True),
        ("exit_conditions: {default: {dependency_action: satisfy}}", True),
        ("environment_settings: {A: b}", False),
        ("user_identity: {username: me}", False),
        ("resource_files: [{upload: tool}]", False),
        ("output_files: [{file_pattern: x, container: output}]", False),
    ],
)
def test_only_what_can_change_a_result_changes_the_hash(render_spec: Render, more: str, same: bool) -> None:
    task = "tasks:\n  - id: one\n    command_line: x\n"
    assert (hashes(render_spec(HEAD + task, FILES)) == hashes(render_spec(f"{HEAD}{task}    {more}\n", FILES))) is same


@pytest.mark.parametrize(
    "uses_tool",
    [
        "    resource_files: [{upload: tool}]",
        "    resource_files: [{container: output}]",
        "    environment_settings: {TOOL: \"{{ containers.output.sas_url('r') }}\"}",
        "    environment_settings: {TOOL: '{{ uploads.tool[0].url }}'}",
    ],
)
def test_every_way_to_read_an_upload_counts(render_spec: Render, uses_tool: str) -> None:
    task = f"tasks:\n  - id: one\n    command_line: x\n{uses_tool}\n"
    before = hashes(render_spec(HEAD + task, FILES))
    assert hashes(render_spec(HEAD + task, {**FILES, "tool.py": "other"})) != before
    assert hashes(render_spec(HEAD + task, {**FILES, "in/a.txt": "other"})) == {
        **before,
        "one": hashes(render_spec(HEAD + task, FILES))["one"],
    }


@pytest.mark.parametrize("part", ["pool: {vm_size: s, start_task:", "job: {job_preparation_task:"])
def test_uploads_of_the_start_task_and_job_preparation_count_for_every_task(render_spec: Render, part: str) -> None:
    inner = f"{part} {{command_line: x, resource_files: [{{upload: tool}}]}}}}\n"
    head = HEAD.replace("pool: {vm_size: s}\n", inner if part.startswith("pool") else "pool: {vm_size: s}\n" + inner)
    before = hashes(render_spec(head + EACH, FILES))
    after = hashes(render_spec(head + EACH, {**FILES, "tool.py": "other"}))
    assert all(before[id_] != after[id_] for id_ in ("a", "b"))


NEEDS = "  - id: all\n    needs: [each]\n    command_line: x\n"


def test_needs_become_dependencies_and_count(render_spec: Render) -> None:
    rendered = render_spec(HEAD + EACH + NEEDS, FILES)
    assert rendered.bodies[-1]["dependsOn"] == {"taskIds": ["a", "b"]}
    job = rendered.desired.job
    assert job is not None
    assert job.body is not None
    assert job.body["usesTaskDependencies"] is True
    after = hashes(render_spec(HEAD + EACH + NEEDS, {**FILES, "in/b.txt": "TWO"}))
    assert after["all"] != hashes(rendered)["all"]


def test_needs_may_name_a_later_template_and_join_own_dependencies(render_spec: Render) -> None:
    spec = """\
pool: {vm_size: s}
tasks:
  - {id: last, needs: [first], depends_on: {task_ids: [other]}, command_line: x}
  - {id: "{{ name }}-1", name: first, command_line: x}
  - {id: other, command_line: x}
"""
    assert render_spec(spec).bodies[0]["dependsOn"] == {"taskIds": ["other", "run-1"]}


MANY = """\
pool: {vm_size: s}
tasks:
  - {name: many, for_each: {range: 2000}, id: "{{ 'x' * 40 }}-{{ value }}", command_line: x}
  - {id: last, needs: [many], command_line: x}
"""


def test_more_ids_than_one_task_takes_are_collected_by_merge_tasks(render_spec: Render) -> None:
    tasks = {task.id: task for task in render_spec(MANY).desired.tasks()}
    merges = [id_ for id_ in tasks if "-merge-" in id_]
    assert len(tasks) == 2003
    assert tasks["last"].body["dependsOn"] == {"taskIds": merges}
    collected = []
    for id_ in merges:
        depends = tasks[id_].body["dependsOn"]
        assert isinstance(depends, dict)
        assert isinstance(depends["taskIds"], list)
        assert sum(len(str(one)) for one in depends["taskIds"]) <= 64_000
        collected += depends["taskIds"]
        assert tasks[id_].body["commandLine"] == "/bin/sh -c true"
    assert collected == [id_ for id_ in tasks if id_.startswith("x")]
    assert list(tasks).index(merges[-1]) == 2001
    assert render_spec(MANY).desired.notes() == [
        (
            "2 tasks of these only wait for the 2,000 of 'many': their ids are more than Azure Batch takes in one "
            "`depends_on`"
        )
    ]


def test_merge_tasks_are_the_same_every_time_and_run_again_with_what_they_stand_for(render_spec: Render) -> None:
    before = hashes(render_spec(MANY))
    assert hashes(render_spec(MANY)) == before
    changed = MANY.replace("command_line: x}", "command_line: \"{{ 'y' if value == 1999 else 'x' }}\"}", 1)
    after = hashes(render_spec(changed))
    different = [id_ for id_ in before if after[id_] != before[id_]]
    assert [id_ for id_ in different if not id_.startswith("x")] == [
        next(id_ for id_ in before if id_.endswith("-2") and "-merge-" in id_),
        "last",
    ]
    assert len(different) == 3


def test_one_merge_task_can_be_rendered_alone(render_spec: Render) -> None:
    desired = render_spec(MANY).desired
    merge = next(task for task in desired.tasks() if "-merge-" in task.id)
    assert isinstance(desired.tasks, TaskStream)
    assert list(desired.tasks.select(merge.id)) == [merge]


def test_how_the_needs_are_said_to_the_service_is_not_in_the_fingerprint(render_spec: Render) -> None:
    spec = """\
pool: {vm_size: s}
tasks:
  - {name: many, for_each: {range: 3}, id: "{{ value }}", command_line: x}
  - {id: last, needs: [many], command_line: x}
"""
    tasks = list(render_spec(spec).desired.tasks())
    assert tasks[-1].body["dependsOn"] == {"taskIdRanges": [{"start": 0, "end": 2}]}
    more = list(render_spec(spec.replace("range: 3", "range: 4")).desired.tasks())
    assert [one.hash for one in more[:3]] == [one.hash for one in tasks[:3]]
    assert more[-1].hash != tasks[-1].hash


def test_templates_that_wait_for_each_other_are_told(render_spec: Render) -> None:
    spec = """\
pool: {vm_size: s}
tasks:
  - {name: a, id: a, needs: [b], command_line: x}
  - {name: b, id: b, needs: [a], command_line: x}
"""
    assert render_spec(spec).told == ["spec.yaml:5:29: tasks[0].needs: 'a' would wait for itself"]


def test_every_circle_of_templates_is_told_once(render_spec: Render) -> None:
    needs = {"a": "b", "b": "c", "c": "a", "d": "a", "e": "e", "f": "f"}
    spec = "".join(
        f"  - {{name: {name}, id: {name}, needs: {other}, command_line: x}}\n" for name, other in needs.items()
    )
    assert [told.partition(": ")[2] for told in render_spec(f"pool: {{vm_size: s}}\ntasks:\n{spec}").told] == [
        "tasks[0].needs: 'a' would wait for itself",
        "tasks[4].needs: 'e' would wait for itself",
        "tasks[5].needs: 'f' would wait for itself",
    ]


def test_a_chain_of_templates_may_be_longer_than_python_recurses(render_spec: Render) -> None:
    links = "".join(f"  - {{name: t{n}, id: t{n}, needs: t{n - 1}, command_line: x}}\n" for n in range(1, 1500))
    spec = "pool: {vm_size: s}\ntasks:\n  - {name: t0, id: t0, command_line: x}\n" + links

    tasks = list(render_spec(spec).desired.tasks())

    assert tasks[-1].body["dependsOn"] == {"taskIds": ["t1498"]}
    other = list(render_spec(spec.replace("t0, command_line: x", "t0, command_line: y", 1)).desired.tasks())
    assert len({one.hash for one in (*tasks, *other)}) == 3000


def test_ids_that_differ_in_case_only_are_told_with_what_they_come_from(render_spec: Render) -> None:
    files = {"in/A.txt": "", "in/a.txt": "", "tool.py": ""}
    assert render_spec(HEAD + EACH + "  - {id: a, command_line: x}\n", files).told == [
        (
            "spec.yaml:11:9: tasks[0].id: two tasks cannot both have the id 'a' (case does not count): "
            "tasks[0] with id 'A' of file 'A.txt', and tasks[0] with id 'a' of file 'a.txt'"
        ),
        (
            "spec.yaml:14:10: tasks[1].id: two tasks cannot both have the id 'a' (case does not count): "
            "tasks[0] with id 'A' of file 'A.txt', and tasks[1] with id 'a'"
        ),
    ]


def test_an_illegal_id_names_the_file_and_the_filter(render_spec: Render) -> None:
    told = render_spec(HEAD + EACH, {**FILES, "in/c d.txt": ""}).told
    assert told == [
        (
            "spec.yaml:11:9: tasks[0].id: 'c d' has a space, an id only letters, digits, - and _; "
            "the filter task_id makes one (for file 'c d.txt')"
        )
    ]


def test_the_same_fault_of_many_tasks_is_told_once_on_its_line(render_spec: Render) -> None:
    spec = """\
pool: {vm_size: s}
tasks:
  - for_each: {range: 1000}
    id: t{{ value }}
    command: |
      echo

      echo {{ valeu }}
"""
    assert render_spec(spec).told == [
        "spec.yaml:10:15: tasks[0].command: unknown name 'valeu'; did you mean 'value'? (for value 0 and 999 more)"
    ]


def test_many_different_faults_of_one_place_are_counted(render_spec: Render) -> None:
    spec = "pool: {vm_size: s}\ntasks:\n  - {for_each: {range: 100}, id: 'a {{ value }}', command_line: x}\n"
    told = render_spec(spec).told
    assert len(told) == 6
    assert "spec.yaml:5:34: tasks[0].id: and 95 more problems of this kind" in told


def test_a_task_too_large_for_a_request_is_told(render_spec: Render) -> None:
    spec = "pool: {vm_size: s}\ntasks:\n  - {id: a, command_line: '{{ vars.x }}{{ vars.x }}'}\nvars: {x: a}\n"
    (told,) = render_spec(spec, variables={"x": "x" * 524_280}).told
    size = 2 * 524_280 + len('{"id": "a", "commandLine": ""}')
    assert told == (
        f"spec.yaml:5:5: tasks[0]: the task has about {size:,} bytes, a request to Azure Batch at most 1,048,576"
    )


def test_a_stream_that_was_not_checked_raises_all_problems_of_a_task(render_spec: Render) -> None:
    rendered = render_spec("pool: {vm_size: s}\ntasks:\n  - {id: '{{ x }}', command_line: '{{ y }}'}\n")
    assert rendered.maybe is not None
    with pytest.raises(SpecInvalid) as caught:
        next(rendered.maybe.tasks())
    assert [problem.path for problem in caught.value.problems] == ["tasks[0].id", "tasks[0].command_line"]


def test_a_hundred_thousand_tasks_are_a_stream(render_spec: Render) -> None:
    spec = "pool: {vm_size: s}\ntasks:\n  - {for_each: {range: 100000}, id: 't{{ value }}', command_line: x}\n"
    stream = render_spec(spec).desired.tasks()
    assert [task.id for task in itertools.islice(stream, 3)] == ["t0", "t1", "t2"]
