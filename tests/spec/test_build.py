"""Specs as data, with their defaults."""

from pathlib import Path

from batchspec.spec.build import build
from batchspec.spec.document import At
from batchspec.spec.model import Container, Download, Job, Pool, TaskTemplate, Upload, Variable
from tests.spec.written import document, spec

IMAGE = {"publisher": "a", "offer": "b", "sku": "c"}
WHOLE = """
    version: 1
    name: demo
    vars:
      short: 5
      long: {type: string, description: d, allowed: [a, b]}
      password: {secret: true, from_env: PASSWORD}
      empty: {default: null}
    containers: {my_input: , out: {name: theirs, existing: true, keep: "{{ vars.k }}"}}
    uploads:
      one: {container: my_input, files: a.txt}
      two: {container: my_input, files: [a, b], prefix: p/, prune: true}
    pool: {id: p, vm_size: s, image: {publisher: a, offer: b, sku: c}, os: windows}
    tasks:
      - {id: t, command: c, needs: e, for_each: {range: 2}, required_slots: 2}
      - {name: e, id: u, command_line: c}
    wait: {timeout: PT1H}
    downloads: [{container: out, to: r}, {container: out, to: s, prefix: p, pattern: "*"}]
    cleanup: {after_success: [job]}
    """


def test_every_part_is_built_with_its_path_and_its_defaults(tmp_path: Path) -> None:
    found = spec(tmp_path, WHOLE)
    assert found.name == "demo"
    assert found.vars == {
        "short": Variable("short", "integer", 5, False, "", False, None, ("vars", "short")),
        "long": Variable("long", "string", None, True, "d", False, None, ("vars", "long"), ("a", "b")),
        "password": Variable("password", None, None, True, "", True, "PASSWORD", ("vars", "password")),
        "empty": Variable("empty", None, None, False, "", False, None, ("vars", "empty")),
    }
    assert found.containers == {
        "my_input": Container("my_input", "{{ name }}-my-input", False, False, ("containers", "my_input")),
        "out": Container("out", "theirs", True, "{{ vars.k }}", ("containers", "out")),
    }
    assert found.uploads == {
        "one": Upload("one", "my_input", ("a.txt",), "", False, ("uploads", "one")),
        "two": Upload("two", "my_input", ("a", "b"), "p/", True, ("uploads", "two")),
    }
    assert found.pool == Pool("p", False, "windows", {"vm_size": "s", "image": IMAGE}, ("pool",))
    assert found.job == Job("{{ name }}", False, {}, ())
    assert found.tasks == (
        TaskTemplate(None, "t", {"range": 2}, ("e",), {"command": "c", "required_slots": 2}, ("tasks", 0)),
        TaskTemplate("e", "u", None, (), {"command_line": "c"}, ("tasks", 1)),
    )
    assert found.wait_timeout == "PT1H"
    assert found.downloads == (
        Download("out", "r", "", "**", ("downloads", 0)),
        Download("out", "s", "p", "*", ("downloads", 1)),
    )
    assert found.cleanup_after_success == ("job",)


def test_what_is_left_out_has_defaults(tmp_path: Path) -> None:
    found = spec(tmp_path, "version: 1\nname: demo\npool: {vm_size: s, image: {publisher: a, offer: b, sku: c}}\n")
    assert (found.pool and found.pool.id, found.job, found.tasks, found.wait_timeout) == (
        "{{ name }}",
        None,
        (),
        "PT30M",
    )


def test_a_document_that_is_no_mapping_gives_nothing(tmp_path: Path) -> None:
    assert build(document(tmp_path, "[a]\n")) is None
    assert build(document(tmp_path, "a: 1\n"), {()}) is None


def test_what_refers_to_a_broken_upload_stays_and_finds_no_files_or_no_container(tmp_path: Path) -> None:
    content = """
        uploads: {bad: {container: c, files: 5}, lost: {container: d, files: f}}
        downloads: [{container: d, to: x}]
        tasks: [{id: c, command: x, for_each: {upload: bad}}]
        """
    broken: set[At] = {("uploads", "bad", "files"), ("uploads", "lost", "container"), ("downloads", 0, "container")}
    found = build(document(tmp_path, content), broken)
    assert found is not None
    assert found.uploads == {
        "bad": Upload("bad", "c", (), "", False, ("uploads", "bad")),
        "lost": Upload("lost", None, ("f",), "", False, ("uploads", "lost")),
    }
    assert found.downloads == (Download(None, "x", "", "**", ("downloads", 0)),)
    assert [task.for_each for task in found.tasks] == [{"upload": "bad"}]


def test_a_broken_task_stays_with_what_is_left_of_it(tmp_path: Path) -> None:
    content = """
        tasks:
          - {id: 5, command: 5}
          - {id: b, command: x, for_each: {uplod: u}}
          - {id: c, command: x, for_each: {upload: u}}
          - {id: d, command: x, for_each: u}
        """
    broken: set[At] = {("tasks", 0, "id"), ("tasks", 0, "command"), ("tasks", 3, "for_each")}
    broken |= {("tasks", 1, "for_each", "uplod"), ("tasks", 2, "for_each", "upload")}
    found = build(document(tmp_path, content), broken)
    assert found is not None
    assert [(task.id, task.for_each, task.properties) for task in found.tasks] == [
        ("unnamed-0-{{ index }}", None, {"command": ":"}),
        ("b", {}, {"command": "x"}),
        ("c", {"upload": None}, {"command": "x"}),
        ("d", {}, {"command": "x"}),
    ]


def test_what_is_broken_stands_at_a_default_so_that_it_is_told_once(tmp_path: Path) -> None:
    content = """
        name: a--b
        vars: {count: {type: integer, default: x}, Bad: 1, text: {default: 5, allowed: [6]}, fine: {type: string}}
        containers: {Bad: {name: x}, ok: {name: 5}}
        """
    broken = {("name",), ("vars", "count", "default"), ("vars", "Bad"), ("vars", "text", "default")}
    found = build(document(tmp_path, content), broken | {("containers", "Bad"), ("containers", "ok", "name")})
    assert found is not None
    assert found.name == "unnamed"
    assert {name: (one.required, one.default) for name, one in found.vars.items()} == {
        "count": (False, 1),
        "Bad": (False, "Bad"),
        "text": (False, "text"),
        "fine": (True, None),
    }
    assert {key: one.name for key, one in found.containers.items()} == {"Bad": "unnamed-0", "ok": "{{ name }}-ok"}
