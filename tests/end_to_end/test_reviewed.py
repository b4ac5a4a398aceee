"""Reviewed is what runs: a plan's digest binds `apply` to it."""

import json
import re
from collections.abc import Callable

from tests.end_to_end.workspace import Ran, Services, Workspace

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
