"""Files as people have them: names with `#`, braces, parentheses, quotes and percent signs go in and come out whole."""

from collections.abc import Callable

from tests.end_to_end.workspace import Workspace

NAMES = (
    "a#1.txt",
    "b{1,2}.txt",
    "c (copy).txt",
    "d%20e.txt",
    "f'g\"h.txt",
    "ü & é;$HOME.txt",
    "-i [j].txt",
    "{{ k }}.txt",
)
SPEC = """\
containers: {input: {}, output: {}}
uploads: {odd: {container: input, files: "odd/*", prefix: "p#1 (x)/"}}
tasks:
  - for_each: {upload: odd}
    id: "{{ file.stem | task_id }}"
    commands:
      - mkdir out
      - cp -- {{ file.name | sh }} {{ ('out/' ~ file.name | basename) | sh }}
      - cat -- {{ file.name | sh }}
    resource_files: [{upload: odd, file: "{{ file.name }}"}]
    output_files:
      - {file_pattern: "out/*", container: output, path: made}
      - {file_pattern: "../std*.txt", container: output, path: "told/{{ file.stem | task_id }}"}
downloads: [{container: output, to: ../results}]
"""


def test_files_of_any_name_go_in_and_come_out_and_so_does_what_a_task_printed(
    write: Callable[[str], Workspace],
) -> None:
    work = write(SPEC)
    folder = work.folder / "specs" / "odd"
    folder.mkdir()
    for name in NAMES:
        (folder / name).write_text(f"in {name}")

    ran = work.run("apply")

    assert ran.code == 0, ran
    results = work.folder / "results"
    assert {path.name: path.read_text() for path in (results / "made").iterdir()} == {n: f"in {n}" for n in NAMES}
    told = [sorted(path.name for path in one.iterdir()) for one in (results / "told").iterdir()]
    assert told == [["stderr.txt", "stdout.txt"]] * len(NAMES)
    printed = sorted(path.read_text() for path in results.glob("told/*/stdout.txt"))
    assert printed == sorted(f"in {name}" for name in NAMES)
    assert "Nothing to do" in work.run("plan").stdout
