"""Tasks made of blobs that somebody else has put into a container."""

import json
from collections.abc import Callable

from tests.end_to_end.workspace import Services, Workspace

SPEC = """\
containers:
  found: {existing: true, name: "CONTAINER"}
  output: {}
tasks:
  - for_each: {matrix: {file: {container: found, prefix: raw/, pattern: "*.txt"}, upper: [0, 1]}}
    id: "{{ matrix.file.stem | task_id }}-{{ matrix.upper }}"
    command: >-
      tr a-z {{ 'A-Z' if matrix.upper else 'a-z' }} < {{ matrix.file.name | sh }}
      > {{ matrix.file.stem | sh }}-{{ matrix.upper }}
    resource_files: [{container: found, file: "{{ matrix.file.name }}"}]
    output_files: [{file_pattern: "*-?", container: output, upload_condition: tasksuccess}]
downloads: [{container: output, to: ../results}]
"""


def test_existing_blobs_are_tasks_and_only_what_changed_runs_again(
    write: Callable[[str], Workspace], raw: Services
) -> None:
    name = "shared-by-others"
    container = raw.blobs.create_container(name)
    for blob, content in {
        "raw/it's.txt": b"one",
        "raw/b.txt": b"two",
        "raw/": b"",
        "raw/c.bin": b"",
        "d.txt": b"",
    }.items():
        container.upload_blob(blob, content)
    container.upload_blob("raw/folder.txt", b"", metadata={"hdi_isfolder": "true"})
    work = write(SPEC.replace("CONTAINER", name))
    results = work.folder / "results"

    offline = work.run("render", "--format", "json")
    assert offline.code == 0, offline
    (shown,) = json.loads(offline.stdout)["tasks"]
    assert shown["for_each"]["matrix"]["file"] == {"container": "found", "prefix": "raw/", "pattern": "*.txt"}

    first = work.run("apply")
    assert first.code == 0, first
    made = {file.name: file.read_text() for file in results.iterdir()}
    assert made == {"it's-0": "one", "it's-1": "ONE", "b-0": "two", "b-1": "TWO"}
    tasks = raw.added(work.name)

    again = work.run("plan", "--detailed-exitcode")
    assert (again.code, "Nothing to do" in again.stdout) == (0, True), again

    container.upload_blob("raw/b.txt", b"new", overwrite=True)
    second = work.run("apply", "--yes", "--force")
    assert second.code == 0, second
    assert (results / "b-1").read_text() == "NEW"
    added = raw.added(work.name)
    assert {task for task in added if added[task] != tasks[task]} == {"b-0", "b-1"}

    container.delete_blob("raw/b.txt")
    container.delete_blob("raw/it's.txt")
    empty = work.run("plan")
    assert "has no blob whose name begins with 'raw/'" in empty.stderr, empty
    assert empty.code == 0, empty
