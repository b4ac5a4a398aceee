"""A secret is where it is needed and is shown by no command; a new value is sent when that is asked for."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.end_to_end.workspace import Services, Workspace, until

SECRET = "correct-horse"
OTHER = 'S3cr&t/%+"$x y'
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


POOL = """\
vars: {key: {secret: true, from_env: THE_KEY}}
pool:
  id: "{{ name }}-pool"
  vm_size: standard_d2s_v3
  target_dedicated_nodes: 1
  image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}
"""
HOLDING = """\
vars: {key: {secret: true, from_env: THE_KEY}}
job: {common_environment_settings: {COMMON: own}}
tasks:
  - id: holds
    command: while [ ! -e {gate} ]; do sleep 0.05; done; echo "$KEY" > key; wc -c < key
    environment_settings: {KEY: "{{ vars.key }}"}
  - id: waits
    command: printf %s "$KEY" | wc -c
    environment_settings: {KEY: "{{ vars.key }}"}
"""


def knowing(work: Workspace, secret: str) -> Workspace:
    """The same with this value of the secret."""
    return replace(work, env={**work.env, "THE_KEY": secret})


def values(raw: Services, work: Workspace) -> dict[str, str | None]:
    """What each task would be given."""
    return {
        str(task.id): next((one.value for one in task.environment_settings or () if one.name == "KEY"), None)
        for task in raw.batch.list_tasks(work.name)
    }


def test_a_new_value_is_no_change_until_it_is_asked_for_and_then_reaches_the_tasks_that_wait(
    write: Callable[[str], Workspace], raw: Services, tmp_path: Path
) -> None:
    work = write(HOLDING)
    old, new = knowing(work, SECRET), knowing(work, OTHER)
    assert old.run("apply", "--no-wait").code == 0
    until(lambda: raw.tasks(work.name)["holds"][0] == "running", "the task that holds the node")

    plans = [one.run("plan", "--format", "json", "-v") for one in (work, old, new)]
    renderings = [one.run("render") for one in (work, old, new)]
    assert len({json.loads(plan.stdout)["digest"] for plan in plans}) == 1
    assert len({rendering.stdout for rendering in renderings}) == 1
    assert values(raw, work) == {"holds": SECRET, "waits": SECRET}

    refreshed = new.run("apply", "--refresh-secrets", "--no-wait", "--yes", "-v")
    assert refreshed.code == 0, refreshed
    assert values(raw, work) == {"holds": SECRET, "waits": OTHER}
    (tmp_path / "gate").touch()
    ended = new.run("apply")
    assert ended.code == 0, ended
    assert new.run("logs", "waits").stdout.strip() == str(len(OTHER))
    shown = [ran.stdout + ran.stderr for ran in (*plans, *renderings, refreshed, ended)]
    assert all(secret not in text for text in shown for secret in (SECRET, OTHER))
    assert new.run("delete", "--yes").code == 0


def test_a_new_value_of_a_start_task_reaches_the_nodes_by_a_reboot(
    write: Callable[[str], Workspace], raw: Services
) -> None:
    start = """\
  start_task:
    command: printf %s "$KEY" > $AZ_BATCH_NODE_SHARED_DIR/key
    environment_settings: {KEY: "{{ vars.key }}"}
"""
    work = write(POOL + start)

    def on_the_node() -> str:
        (node,) = raw.nodes(f"{work.name}-pool")
        return b"".join(raw.batch.download_node_file(f"{work.name}-pool", node, "shared/key")).decode()

    assert knowing(work, SECRET).run("apply").code == 0
    assert on_the_node() == SECRET
    unasked = knowing(work, OTHER).run("apply")
    assert unasked.stdout == "Nothing to do\n"
    asked = knowing(work, OTHER).run("apply", "--refresh-secrets", "--yes", "-v")
    assert asked.code == 0, asked
    assert on_the_node() == OTHER
    assert all(secret not in asked.stdout + asked.stderr for secret in (SECRET, OTHER))
    assert work.run("delete", "--yes").code == 0


def test_a_secret_that_the_service_repeats_in_a_refusal_is_masked(write: Callable[[str], Workspace]) -> None:
    work = knowing(write(POOL + '  network_configuration: {subnet_id: "/subscriptions/{{ vars.key }}"}\n'), OTHER)

    runs = [work.run("apply", "-v"), work.run("apply", "--format", "json")]

    assert [ran.code for ran in runs] == [1, 1], runs
    assert "PropertyValue: /subscriptions/<masked>" in runs[0].stderr
    assert "/subscriptions/<masked>" in json.loads(runs[1].stdout)["error"]["message"]
    assert all(OTHER not in ran.stdout + ran.stderr for ran in runs)
    assert all(json.dumps(OTHER)[1:-1] not in ran.stdout + ran.stderr for ran in runs)
    assert work.run("delete", "--yes").code == 0
