"""Tasks made of blobs that somebody else has put there, tasks that wait for a thousand others, thousands of inputs."""

import json
from collections.abc import Callable

from tests.end_to_end.workspace import Services, Workspace

BLOBS = """\
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
    work = write(BLOBS.replace("CONTAINER", name))
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


FAN_IN = """\
job: {id: "{{ name }}-job"}
tasks:
  - name: many
    for_each: {range: 1001}
    id: "{{ '%063d' % (value * 3) }}x"
    command_line: /bin/true
  - {id: last, needs: many, command: echo all}
"""


def test_a_task_waits_for_more_tasks_than_it_can_name(write: Callable[[str], Workspace], raw: Services) -> None:
    work = write(FAN_IN)
    job = f"{work.name}-job"

    ran = work.run("apply")

    assert ran.code == 0, ran
    assert "2 tasks of these only wait for the 1,001 of 'many'" in ran.stdout, ran
    tasks = {str(task.id): task for task in raw.batch.list_tasks(job)}
    merges = sorted(id_ for id_ in tasks if "-merge-" in id_)
    assert (len(tasks), len(merges)) == (1001 + 2 + 1, 2)
    waited = [tasks[id_].depends_on.task_ids or [] for id_ in (*merges, "last")]  # type: ignore[union-attr]
    assert [sum(map(len, ids)) for ids in waited[:2]] == [64_000, 64]
    assert sorted(waited[2]) == merges
    assert {*waited[0], *waited[1]} == tasks.keys() - {*merges, "last"}
    began = tasks.pop("last").execution_info.start_time  # type: ignore[union-attr]
    assert all(task.execution_info and task.execution_info.end_time <= began for task in tasks.values())  # type: ignore[operator]

    again = work.run("plan", "--detailed-exitcode")
    assert (again.code, "Nothing to do" in again.stdout) == (0, True), again


INPUTS = """\
containers: {input: {}, output: {}}
uploads: {many: {container: input, files: "many/**/*.txt"}}
tasks:
  - id: sum
    command: find . -name "*.txt" -exec cat {} + | awk '{ total += $1 } END { print NR, total }' > sum.out
    resource_files: [{upload: many}]
    output_files: [{file_pattern: sum.out, container: output, upload_condition: tasksuccess}]
downloads: [{container: output, to: ../results}]
"""


def test_a_task_takes_thousands_of_inputs(write: Callable[[str], Workspace], raw: Services) -> None:
    work = write(INPUTS)
    for number in range(2000):
        file = work.folder / f"specs/many/{number % 10}/it's number {number}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{number}\n")

    ran = work.run("apply")

    assert ran.code == 0, ran
    assert (work.folder / "results/sum.out").read_text() == "2000 1999000\n"
    fetched = raw.batch.get_task(work.name, "sum").resource_files or []
    assert [(one.http_url, bool(one.storage_container_url)) for one in fetched] == [(None, True)]

    (work.folder / "specs/many/7/it's number 7.txt").write_text("1007\n")
    edited = work.run("plan", "--format", "json")

    assert edited.code == 0, edited
    told = json.loads(edited.stdout)
    assert [(one["action"], one["id"]) for one in told["tasks"]] == [("replace", "sum")], told
