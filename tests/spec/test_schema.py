"""The schema's verdict in words."""

import json
from pathlib import Path

import pytest

from batchspec.spec import schema
from tests.spec.written import ACCOUNT_KEY, document

START = "version: 1\nname: x\n"


def told(folder: Path, content: str) -> list[str]:
    """What the schema finds in the content, below a sound start."""
    found = schema.problems(document(folder, START + content))
    return [str(problem).removeprefix("s:") for problem in found]


def test_the_text_is_the_schema_and_definitions_are_its_nodes() -> None:
    assert json.loads(schema.text()) == schema.schema()
    assert schema.definition("BatchPoolCreateOptions")["properties"]["vm_size"]["type"] == "string"
    with pytest.raises(KeyError):
        schema.definition("NoSuchModel")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("pool: {vmSize: a}", "3:8: pool.vmSize: unknown property; did you mean 'vm_size'?"),
        ("pool: {vm-size: a}", "3:8: pool.vm-size: unknown property; did you mean 'vm_size'?"),
        (
            "job: {onTaskFailure: noaction}",
            "3:7: job.onTaskFailure: unknown property; did you mean 'task_failure_mode'?",
        ),
        ("pool: {xyzzy: a}", "3:8: pool.xyzzy: unknown property"),
        ("wait: {xyzzy: a}", "3:8: wait.xyzzy: unknown property; known here: timeout"),
        ("pool: [a]", "3:7: pool: expected a mapping, got a list; write `name: value` lines, without `- `"),
        ("pool: {vm_size: }", "3:17: pool.vm_size: expected a text, got nothing"),
        ("pool: {vm_size: 1e3}", '3:17: pool.vm_size: expected a text, got the number 1e3; write it in quotes: "1e3"'),
        ("pool: {task_slots_per_node: 0}", "3:29: pool.task_slots_per_node: 0 is too small; the least is 1"),
        ("pool: {task_slots_per_node: 257}", "3:29: pool.task_slots_per_node: 257 is too large; the most is 256"),
        ("pool: {task_slots_per_node: true}", "3:29: pool.task_slots_per_node: expected a whole number, got true"),
        ("pool: {enable_auto_scale: on}", "3:27: pool.enable_auto_scale: expected true or false, got 'on'; write true"),
        ("pool: {enable_auto_scale: 2}", "3:27: pool.enable_auto_scale: expected true or false, got the number 2"),
        ("pool: {resize_timeout: PT}", "a duration"),
        ("pool: {resize_timeout: P}", "a duration"),
        ("pool: {resize_timeout: 1:30}", "a duration"),
        ("tasks: {id: a}", "3:8: tasks: expected a list, got a mapping; begin each item with `- `"),
        ("tasks: []", "3:8: tasks: must not be empty; write at least one, or leave the word out"),
        (
            "cleanup: {after_success: job}",
            "3:26: cleanup.after_success: expected a list, got 'job'; write a list: [job]",
        ),
        (
            "tasks: [{id: a, for_each: {range: [1, 2, 3, 4]}}]",
            "3:35: tasks[0].for_each.range: has 4 items; at most 3 are allowed",
        ),
        (
            "tasks: [{id: a, for_each: {range: x}}]",
            "3:35: tasks[0].for_each.range: expected a whole number or a mapping or a list, got 'x'",
        ),
        (
            "tasks: [{id: a, environment_settings: [{nam: A}]}]",
            "3:41: tasks[0].environment_settings[0].nam: unknown property; did you mean 'name'?",
        ),
        (
            f"pool: {{os: {ACCOUNT_KEY}}}",
            "3:12: pool.os: '<secret>' is not one of linux, windows",
        ),
    ],
)
def test_what_is_wrong_is_told_with_what_was_expected(tmp_path: Path, content: str, expected: str) -> None:
    if expected == "a duration":
        seen = content.split(": ")[-1].rstrip("}")
        expected = f"3:24: pool.resize_timeout: expected an ISO 8601 duration such as PT30M or P1D, got '{seen}'"
    assert expected in told(tmp_path, content + "\n")


@pytest.mark.parametrize(
    "content",
    [
        'pool: {target_dedicated_nodes: "{{ vars.n }}", enable_auto_scale: "{{ vars.x }}"}',
        'pool: {resize_timeout: "PT{{ vars.n }}M", metadata: "{{ vars.m }}"}',
        'job: {constraints: "{{ vars.constraints }}", all_tasks_complete_mode: "{{ vars.mode }}"}',
        'tasks: [{id: a, command: c, resource_files: "{{ vars.files }}"}]',
        'tasks: [{id: a, command: c, resource_files: ["{{ vars.file }}"]}]',
        "pool: {resize_timeout: P1DT2H3M4.5S, start_task: {max_task_retry_count: -1}}",
        "vars: {a: {default: {b: 1}}, c: [1], d: }",
    ],
)
def test_templates_may_stand_where_other_types_belong(tmp_path: Path, content: str) -> None:
    assert told(tmp_path, content + "\n") == []


def test_no_message_shows_a_part_of_the_schema(tmp_path: Path) -> None:
    content = (
        "vars: 5\ncontainers: [1]\nuploads: {a: 1}\npool: {a: 1}\njob: {a: {b: 1}}\ntasks: [1]\nwait: 1\ndownloads: 1\n"
    )
    found = told(tmp_path, content)
    assert len(found) == 8
    assert not [line for line in found if "$ref" in line or "{'" in line or len(line) > 200]
