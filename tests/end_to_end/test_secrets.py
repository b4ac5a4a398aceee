"""A secret that a task prints is shown by no command."""

from collections.abc import Callable
from dataclasses import replace

from tests.end_to_end.workspace import Workspace

SECRET = "correct-horse"
SPEC = """\
vars: {key: {secret: true, from_env: THE_KEY}}
tasks:
  - id: leaks
    command: echo "key $KEY" >&2; echo "out $KEY"; exit 3
    environment_settings: {KEY: "{{ vars.key }}"}
"""


def test_no_command_shows_a_secret_that_a_task_has_printed(write: Callable[[str], Workspace]) -> None:
    work = write(SPEC)
    work = replace(work, env={**work.env, "THE_KEY": SECRET})

    applied = work.run("apply", "--yes", "-v")
    status = work.run("status")
    as_json = work.run("status", "--format", "json")
    logs = work.run("logs", "leaks")
    again = work.run("apply", "--yes", "--retry-failed", "--refresh-secrets")

    assert [ran.code for ran in (applied, status, as_json, logs, again)] == [3, 0, 0, 0, 3]
    assert "key <masked>" in applied.stderr
    assert "key <masked>" in status.stdout
    assert "key <masked>" in as_json.stdout
    assert (logs.stdout, logs.stderr.splitlines()[-1]) == ("out <masked>\n", "key <masked>")
    assert all(SECRET not in ran.stdout + ran.stderr for ran in (applied, status, as_json, logs, again))
    assert work.run("delete", "--yes").code == 0
