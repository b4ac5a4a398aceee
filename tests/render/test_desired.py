import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchspec.errors import SpecInvalid, UsageError
from batchspec.render.desired import check_tasks, render
from batchspec.render.model import DesiredContainer, DesiredDownload, DesiredUpload, LocalFile
from batchspec.render.printed import document
from batchspec.render.symbolic import symbol
from batchspec.render.warnings import warnings
from batchspec.spec.build import build
from batchspec.spec.load import load
from tests.render.conftest import Render

WHOLE = """\
vars: {day: 7, token: {secret: true, from_env: TOKEN}}
containers:
  input: {}
  out_put: {keep: "{{ vars.day > 5 }}"}
  theirs: {name: "shared-{{ target }}", existing: true}
uploads:
  texts: {container: input, files: ["in/*.txt", extra.bin], prefix: "{{ vars.day }}/", prune: true}
pool: {vm_size: s, metadata: {team: a}}
job: {priority: "{{ vars.day }}"}
tasks:
  - id: one
    command: run {{ job.id }} {{ pool.id }} {{ containers.out_put.name }} {{ vars.token | sh }}
wait: {timeout: PT5M}
downloads: [{container: out_put, to: "../results/{{ name }}", prefix: "{{ vars.day }}/", pattern: "*.txt"}]
cleanup: {after_success: [container.input, pool]}
"""
FILES = {"in/b.txt": "bb", "in/a.txt": "a", "extra.bin": "123"}


def test_a_whole_spec_is_rendered(render_spec: Render, tmp_path: Path) -> None:
    desired = render_spec(WHOLE, FILES, secrets={"token": "s3cret"}).desired
    assert desired.name == "run"
    assert desired.containers == {
        "input": DesiredContainer("input", "run-input", False, False, ("containers", "input")),
        "out_put": DesiredContainer("out_put", "run-out-put", False, True, ("containers", "out_put")),
        "theirs": DesiredContainer("theirs", "shared-local", True, False, ("containers", "theirs")),
    }
    files = (
        LocalFile("7/a.txt", tmp_path / "in/a.txt", 1),
        LocalFile("7/b.txt", tmp_path / "in/b.txt", 2),
        LocalFile("7/extra.bin", tmp_path / "extra.bin", 3),
    )
    assert desired.uploads == {"texts": DesiredUpload("texts", "input", files, "7/", True, ("uploads", "texts"))}
    assert desired.wait_timeout == timedelta(minutes=5)
    folder = tmp_path.parent / "results" / "run"
    (download,) = desired.downloads
    expected = DesiredDownload("out_put", folder, download.shown_as, "7/", "*.txt", ("downloads", 0))
    assert download == expected
    assert desired.cleanup_after_success == ("container.input", "pool")
    assert desired.variables == {"day": 7}, "without the secret"
    assert isinstance(desired.source, dict)
    assert desired.source["uploads"]["texts"]["files"] == ["in/*.txt", "extra.bin"], "as it is written"
    (task,) = desired.tasks()
    secret = symbol("secret", "token")
    assert task.body["commandLine"] == f"/bin/bash -c 'run run run run-out-put '\"'\"'{secret}'\"'\"''"


def test_the_pool_and_the_job_carry_marks(render_spec: Render) -> None:
    desired = render_spec(WHOLE, FILES).desired
    assert desired.pool is not None
    assert desired.job is not None
    assert desired.pool.body == {
        "id": "run",
        "vmSize": "s",
        "metadata": [
            {"name": "team", "value": "a"},
            {"name": "batchspec:name", "value": "run"},
            {"name": "batchspec:hash", "value": desired.pool.hash},
        ],
    }
    assert desired.job.body == {
        "id": "run",
        "priority": 7,
        "poolInfo": {"poolId": "run"},
        "metadata": [
            {"name": "batchspec:name", "value": "run"},
            {"name": "batchspec:hash", "value": desired.job.hash},
        ],
    }


def test_without_fingerprints_no_content_is_read(render_spec: Render) -> None:
    spec = """\
containers: {input: {}}
uploads: {tool: {container: input, files: tool}}
pool: {vm_size: s, start_task: {command: x, resource_files: [{upload: tool}]}}
tasks: [{id: a, command: x}]
"""
    whole = render_spec(spec, {"tool": "x"}).desired.pool
    bare = render_spec(spec, {"tool": "x"}, fingerprints=False).desired
    assert whole is not None
    assert bare.pool is not None
    assert (len(whole.hash), len(whole.start_task_hash)) == (32, 32)
    assert (bare.pool.hash, bare.pool.start_task_hash) == ("", "")
    assert "md5" not in bare.uploads["tool"].files[0].__dict__
    changed = render_spec(spec, {"tool": "y"}).desired.pool
    assert changed is not None
    assert changed.hash == whole.hash
    assert changed.start_task_hash != whole.start_task_hash


def test_existing_pool_and_job_have_no_body(render_spec: Render) -> None:
    spec = (
        "pool: {id: theirs, existing: true}\njob: {id: theirs, existing: '{{ true }}'}\ntasks: [{id: a, command: x}]\n"
    )
    desired = render_spec(spec).desired
    assert desired.pool is not None
    assert desired.job is not None
    assert (desired.pool.id, desired.pool.body, desired.job.existing, desired.job.body) == ("theirs", None, True, None)


def test_what_is_sent_with_a_secret_is_marked_but_for_settings_which_are_never_shown(
    render_spec: Render,
) -> None:
    spec = (
        "vars: {t: {secret: true, from_env: T}}\npool: {vm_size: s}\ntasks:\n"
        "  - {id: told, command: 'x {{ vars.t }}'}\n"
        "  - {id: set, command: x, environment_settings: {T: '{{ vars.t }}'}}\n"
        "  - {id: plain, command: x}\n"
    )
    tasks = render_spec(spec).desired.tasks()
    assert {task.id: task.hash.endswith("!") for task in tasks} == {"told": True, "set": False, "plain": False}


def test_fingerprints_depend_on_no_secret(render_spec: Render) -> None:
    spec = "vars: {t: {secret: true, from_env: T}}\npool: {vm_size: s, display_name: '{{ vars.t }}'}\n"
    one = render_spec(spec, secrets={"t": "a"}).desired.pool
    other = render_spec(spec, secrets={"t": "b"}).desired.pool
    assert one == other


def test_all_problems_are_told_at_once(render_spec: Render) -> None:
    spec = """\
containers: {input: {name: "A--b"}, output: {name: "out{{ vrs.x }}"}, a: {name: same1}, b: {name: same1}}
uploads:
  none: {container: input, files: [none.txt, "*.zip"]}
  two: {container: input, files: [x/f, y/f]}
pool: {id: "a b", vm_size: s, target_dedicated_nodes: "{{ 'x' }}"}
job: {id: "{{ name }}.x"}
wait: {timeout: "{{ 5 }}"}
cleanup: {after_success: ["container.{{ 'inptu' }}"]}
downloads: [{container: a, to: "{{ vars.y }}"}, {container: a, to: "{{ '' }}"}]
tasks:
  - {id: a, command: "{% if %}"}
"""
    told = [line.split(" ", 1)[1] for line in render_spec(spec, {"x/f": "", "y/f": ""}).told]
    assert told == [
        (
            "containers.input.name: 'A--b': "
            "a container's name has lower-case letters and digits, with single - between them"
        ),
        "containers.output.name: unknown name 'vrs'; did you mean 'vars'?",
        "containers.b.name: 'same1' is the name of the container 'a' already",
        "uploads.none.files[0]: 'none.txt': no such file; check the path, which starts at the folder of the spec",
        "uploads.none.files[1]: '*.zip': matches no file; check the path, which starts at the folder of the spec",
        "uploads.two.files[1]: x/f and y/f would both be the blob 'f'",
        "pool.id: 'a b' has a space, an id only letters, digits, - and _",
        "pool.target_dedicated_nodes: expected a whole number, got 'x'",
        "job.id: 'run.x' has '.', an id only letters, digits, - and _",
        "wait.timeout: '5' is no duration; write one such as PT30M, PT1H30M or P1DT12H",
        "cleanup.after_success[0]: 'container.inptu' names nothing here; did you mean 'container.input'?",
        "downloads[0].to: `vars` has no 'y'; there are none",
        "downloads[1].to: expected the path of a folder, relative to the spec",
        (
            "tasks[0].command: expected an expression, got `%}`; "
            "to have {{ or {% literally, write {% raw %} before and {% endraw %} after it"
        ),
    ]


@pytest.mark.parametrize("name", ["Run", "a_b", "a--b", "x{{ vars.none }}", "{{ 'x' * 65 }}"])
def test_a_name_that_is_none_is_one_problem(render_spec: Render, name: str) -> None:
    head = f'version: 1\nname: "{name}"\n'
    rendered = render_spec("containers: {a: {}}\npool: {vm_size: s}\ntasks: [{id: a, command: x}]\n", head=head)
    assert [problem.path for problem in rendered.problems] == ["name"]


def test_two_uploads_cannot_make_the_same_blob(render_spec: Render) -> None:
    spec = """\
containers: {input: {}}
uploads:
  one: {container: input, files: x/f}
  two: {container: input, files: y/f}
  same: {container: input, files: "x/*"}
"""
    assert render_spec(spec, {"x/f": "", "y/f": ""}).told == [
        "spec.yaml:6:8: uploads.two: y/f and x/f of the upload 'one' would both be the blob 'f' of 'input'"
    ]


def test_a_variable_with_a_reserved_character_is_told(render_spec: Render) -> None:
    (told,) = render_spec("vars: {x: a}\n", variables={"x": ["\ue000"]}).told
    assert told == "spec.yaml:3:11: vars.x: holds one of the characters U+E000 to U+E002, which batchspec reserves"


def test_the_document_shows_symbols_and_is_the_same_every_time(render_spec: Render) -> None:
    def shown() -> str:
        desired = render_spec(WHOLE, FILES, secrets={"token": "s3cret"}).desired
        head, tasks = document(desired)
        return json.dumps({**head, "tasks": list(tasks)})

    assert shown() == shown()
    assert "s3cret" not in shown()
    assert "<secret token>" in shown()
    body: Any = json.loads(shown())
    assert list(body) == ["containers", "uploads", "pool", "schedule", "job", "tasks"]
    assert body["uploads"] == [
        {
            "key": "texts",
            "container": "run-input",
            "prune": True,
            "files": [
                {"name": "7/a.txt", "size": 1},
                {"name": "7/b.txt", "size": 2},
                {"name": "7/extra.bin", "size": 3},
            ],
        }
    ]


def test_the_document_can_be_limited_and_one_task_selected(render_spec: Render) -> None:
    spec = "pool: {vm_size: s}\ntasks: [{for_each: {range: 5}, id: 'task-{{ value }}', command: x}]\n"
    desired = render_spec(spec).desired

    def ids(**options: Any) -> list[str]:
        _, tasks = document(desired, **options)
        return [task["id"] for task in tasks if isinstance(task, dict) and isinstance(task["id"], str)]

    assert ids(limit=2) == ["task-0", "task-1"]
    assert ids(task="task-3") == ["task-3"]
    with pytest.raises(UsageError, match="there is no task 'tesk-3'; did you mean 'task-3'"):
        ids(task="tesk-3")


def test_a_spec_without_pool_and_tasks_is_rendered(render_spec: Render) -> None:
    desired = render_spec("").desired
    assert (desired.pool, desired.job, list(desired.tasks())) == (None, None, [])


PIECES = st.sampled_from(
    ["{{ ", " }}", "{% ", " %}", "name", "vars", ".x", "[0]", " | ", "tojson", "a", "5", ": ", "- ", "\n  ", "'", '"']
)


@given(st.lists(PIECES, max_size=12).map("".join), st.sampled_from(["name", "containers", "uploads", "pool", "tasks"]))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_spec_holds_only_problems_come_out(tmp_path: Path, text: str, key: str) -> None:
    rest = {
        "name": "x",
        "containers": {"c": {}},
        "uploads": {"u": {"container": "c", "files": text}},
        "pool": {"vm_size": text, "target_dedicated_nodes": text, "start_task": {"commands": [text]}},
        "tasks": [{"id": text, "command": text, "for_each": {"items": text}, "resource_files": [{"upload": text}]}],
    }
    path = tmp_path / "s.yaml"
    path.write_text(json.dumps({"version": 1, **rest}), encoding="utf-8")
    _render_anything(path)
    path.write_text(f"version: 1\n{key}: {text}\n", encoding="utf-8")
    _render_anything(path)


def _render_anything(path: Path) -> None:
    try:
        spec = build(load(path))
    except SpecInvalid:
        return
    if spec is None:
        return
    desired, problems = render(spec, variables={}, secrets={}, target="azure")
    problems += check_tasks(desired) if desired else []
    if desired and not problems:
        head, tasks = document(desired, limit=3)
        json.dumps({**head, "tasks": list(tasks)})


def test_an_id_that_uses_the_position_of_its_element_is_warned_about(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(
        "tasks:\n"
        '  - {id: "a-{{ index }}", command: x, for_each: {range: 3}}\n'
        "  - {id: \"b-{{ '%03d' % index }}-{{ value }}\", command: x, for_each: {range: 3}}\n"
        '  - {id: "c-{{ index }}", command: x}\n'
        "  - {id: \"d-{{ row.index }}{{ 'index' }}\", command: x, for_each: {rows: index.csv}}\n"
        '  - {id: "index-{{ value }}", command: "{{ index }}", for_each: {range: 3}}\n'
        '  - {id: "{{ index", command: x, for_each: {range: 3}}\n'
    )
    spec = build(load(path))
    assert spec is not None
    assert [(one.line, one.column, one.path) for one in warnings(spec)] == [
        (2, 10, "tasks[0].id"),
        (3, 10, "tasks[1].id"),
    ]


def test_a_variable_that_looks_like_a_template_is_warned_about(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text('vars:\n  a: "{{ name }}"\n  b: {default: "x {{ name }}"}\n  c: "{ }"\n  d: ["{{ name }}"]\n')
    spec = build(load(path))
    assert spec is not None
    told = "is not rendered: a variable is a plain value; write the template where the variable is used"
    assert [(one.line, one.column, one.path, one.message) for one in warnings(spec)] == [
        (2, 6, "vars.a", told),
        (3, 16, "vars.b.default", told),
    ]


def test_a_pool_of_no_size_is_warned_about(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    told = "says no size, so that no task ever runs: add `target_dedicated_nodes` or `autoscale`, for example"
    for pool, found in {
        "{vm_size: s}": [told],
        "{vm_size: s, target_low_priority_nodes: 0}": [],
        "{vm_size: s, autoscale: {formula: workday}}": [],
        "{id: theirs, existing: true}": [],
    }.items():
        path.write_text(f"pool: {pool}\n")
        spec = build(load(path))
        assert spec is not None
        assert [(one.path, one.message) for one in warnings(spec)] == [("pool", message) for message in found]


def test_every_string_may_be_a_template_names_of_templates_and_systems_too(render_spec: Render) -> None:
    rendered = render_spec(
        "vars: {x: input, os: windows}\n"
        "containers: {input: {}}\n"
        'pool: {vm_size: s, os: "{{ vars.os }}"}\n'
        'cleanup: {after_success: ["container.{{ vars.x }}"]}\n'
        "tasks:\n"
        '  - {name: "{{ vars.x }}", id: a, command: x}\n'
        '  - {needs: "{{ vars.x }}", id: b, command: x}\n'
    )
    assert rendered.desired.pool is not None
    assert rendered.desired.os == "windows"
    assert rendered.desired.cleanup_after_success == ("container.input",)
    assert [body.get("dependsOn") for body in rendered.bodies] == [None, {"taskIds": ["a"]}]


def test_wrong_values_of_such_templates_are_told(render_spec: Render) -> None:
    rendered = render_spec(
        "vars: {x: a}\n"
        "containers: {theirs: {name: theirs, existing: true}}\n"
        'pool: {vm_size: s, os: "{{ vars.x }}"}\n'
        "cleanup: {after_success: [\"container.{{ 'theirs' }}\"]}\n"
        "tasks:\n"
        '  - {name: "{{ vars.x }}", id: a, command: x}\n'
        '  - {name: a, needs: "{{ vars.x }}b", id: b, command: x}\n'
    )
    assert [line.split(" ", 1)[1] for line in rendered.told] == [
        "pool.os: expected linux or windows, got 'a'",
        "cleanup.after_success[0]: 'container.theirs' is `existing`: it is not this spec's to delete",
        "tasks[1].name: 'a' is the name of tasks[0] too",
        "tasks[1].needs[0]: there is no task template named 'ab'; did you mean 'a'?",
    ]


def test_one_file_by_two_ways_is_one_blob_and_a_prefix_must_be_a_path(render_spec: Render) -> None:
    files = {"in/a.txt": "a"}
    same = "uploads: {one: {container: c, files: in/a.txt}, two: {container: c, files: in/../in/a.txt}}\n"
    assert render_spec(f"containers: {{c: {{}}}}\n{same}", files).told == []
    wrong = "uploads: {one: {container: c, files: in/a.txt, prefix: ../x/}}\n"
    assert [line.split(" ", 1)[1] for line in render_spec(f"containers: {{c: {{}}}}\n{wrong}", files).told] == [
        "uploads.one.prefix: '../x/' has an empty part, . or .. in its path, which is no path on a node; change it"
    ]


def test_a_secret_in_an_id_is_told_by_its_name(render_spec: Render) -> None:
    spec = "pool: {id: 'p-{{ vars.key }}', vm_size: s}\nvars: {key: {secret: true, from_env: KEY}}\n"
    assert render_spec(spec).told == [
        "spec.yaml:3:12: pool.id: 'p-<secret key>' holds a secret or an address, which no id can"
    ]
