"""Reviewed is what runs: a plan's digest, or the plan in a file, binds `apply` to it."""

import json
import re
from collections.abc import Callable
from typing import Any

from tests.end_to_end.workspace import Ran, Services, Workspace, batchspec

SPEC = """
containers: {input: {}, output: {}}
uploads: {texts: {container: input, files: "texts/*.txt"}}
tasks:
  - for_each: {upload: texts}
    id: "{{ file.stem | task_id }}"
    command: wc -c < {{ file.name | sh }} > {{ file.stem | sh }}.count
    resource_files: [{upload: texts, file: "{{ file.name }}"}]
    output_files: [{file_pattern: "*.count", container: output, upload_condition: tasksuccess}]
downloads: [{container: output, to: ../results}]
"""


def texts(work: Workspace, **content: str) -> None:
    """Write `texts/NAME.txt`."""
    folder = work.folder / "specs/texts"
    folder.mkdir(exist_ok=True)
    for name, text in content.items():
        (folder / f"{name}.txt").write_text(text)


def digest_in(planned: Ran) -> str:
    """The digest that `plan` printed in its last line."""
    assert planned.code == 0, planned
    found = re.fullmatch(r"Digest: ([0-9a-f]{12})", planned.stdout.splitlines()[-1])
    assert found, planned
    return found[1]


def test_a_digest_binds_apply_to_the_plan_that_was_reviewed(write: Callable[[str], Workspace], raw: Services) -> None:
    work = write(SPEC)
    texts(work, a="one", b="two")
    digest = digest_in(work.run("plan"))
    whole = json.loads(work.run("plan", "--format", "json").stdout)["digest"]
    assert (digest_in(work.run("plan")), whole[:12]) == (digest, digest)

    texts(work, b="twenty")
    refused = work.run("apply", "--digest", digest)
    assert refused.code == 6, refused
    assert f", not {digest}: the spec, its inputs or what is there has changed" in refused.stderr
    assert raw.of(work.name) == ([], [], [])

    texts(work, b="two")
    applied = work.run("apply", "--digest", whole)
    assert applied.code == 0, applied
    assert {file.name: file.read_text() for file in (work.folder / "results").iterdir()} == {
        "a.count": "3\n",
        "b.count": "3\n",
    }
    assert digest_in(work.run("plan", "-v")) != digest


def frozen(work: Workspace, *options: str) -> dict[str, Any]:
    """What `plan --out p.json` writes."""
    planned = work.run("plan", "--out", "p.json", *options)
    assert planned.code == 0, planned
    assert "p.json: written; do exactly that with: batchspec apply --plan p.json" in planned.stderr
    plan: dict[str, Any] = json.loads((work.folder / "p.json").read_text())
    return plan


def apply_plan(work: Workspace, *options: str) -> Ran:
    return batchspec("apply", "--plan", "p.json", *options, cwd=work.folder, env=work.env)


def refused(ran: Ran) -> list[str]:
    """What a plan that is refused says has changed."""
    assert ran.code == 6, ran
    begin, end = "is stale, and nothing was changed; since it was made, this has:\n", "\n  see what it would do now:"
    return [line.strip() for line in ran.stderr.split(begin)[1].split(end)[0].splitlines()]


def results(work: Workspace) -> dict[str, str]:
    return {file.name: file.read_text() for file in (work.folder / "results").iterdir()}


def test_a_plan_in_a_file_is_applied_exactly_and_has_nothing_to_do_afterwards(
    write: Callable[[str], Workspace], raw: Services
) -> None:
    work = write(SPEC)
    texts(work, a="one", b="two")
    digest = frozen(work)["digest"]
    assert digest.startswith(digest_in(work.run("plan")))

    applied = apply_plan(work)
    assert applied.code == 0, applied
    assert results(work) == {"a.count": "3\n", "b.count": "3\n"}
    added = raw.added(work.name)
    again = apply_plan(work)
    assert (again.code, again.stdout) == (0, "Nothing to do\n"), again
    assert raw.added(work.name) == added


def test_what_has_changed_since_is_told_and_nothing_is_written(
    write: Callable[[str], Workspace], raw: Services
) -> None:
    work = write(SPEC)
    texts(work, a="one", b="two")
    frozen(work)

    texts(work, b="twenty", c="new")
    (work.folder / "specs/texts/a.txt").unlink()
    work.edit("command: wc -c", "command: wc -l")
    assert refused(apply_plan(work)) == [
        "spec, tasks[0].command:",
        "was wc -c < {{ file.name | sh }} > {{ file.stem | sh }}.count",
        "is  wc -l < {{ file.name | sh }} > {{ file.stem | sh }}.count",
        f"file {work.name}-input/a.txt: was 3 bytes (MD5 f97c5d29941b), is not there",
        f"file {work.name}-input/b.txt: was 3 bytes (MD5 b8a9f715dbb6), is 6 bytes (MD5 ab389edaabf8)",
        f"file {work.name}-input/c.txt: was not there, is 3 bytes (MD5 22af645d1859)",
        "task b: was as reviewed, is with another command, setting or input",
        "task c: was not there, is there",
        "task a: was there, is not there",
    ]
    assert raw.of(work.name) == ([], [], [])
