"""What specs made, and what others made, becomes a spec again."""

import itertools
import json
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.batch import models

from tests.end_to_end.workspace import REPOSITORY, Ran, Services, Workspace, batchspec, exported

SECRET = "a" * 86 + "=="
# A schedule has no job of its own to import; see below.
WORKLOADS = sorted({path.stem for path in (REPOSITORY / "specs").glob("*.yaml")} - {"schedule"})
VALID = REPOSITORY / "tests" / "examples" / "valid"
# Those that need nothing that is not there: files, or what others own.
EXAMPLES = (
    "anchors_and_merges",
    "auto_pool",
    "autoscale",
    "autoscale_of_an_auto_pool",
    "imported",
    "pool_only",
    "pool_with_a_lifetime",
)
# What shells, YAML and templates would take for something else.
COMMANDS = (
    "/bin/bash -c 'echo \"it'\"'\"'s\" {{ not.a.template }}'",
    "/bin/sh -c 'printf \"%s\\n\" {% raw %} {%- if x -%} %} }} {# #}'",
    "python3 -c 'import sys\nprint(\"two\\tlines\")\n'",
    "/bin/bash -c 'set -e; set -o pipefail; echo one; echo two'",
    'echo ${#x} $((1+2)) `date` \\\\ "\\"" # not: a comment',
    "echo \u00fc\u00df \u65e5\u672c \U0001f600 \u202e rtl \u00a0 nbsp \u2028 sep",
    "echo '- yaml: [list, {a: b}]' &anchor *alias !!tag | > ? @ % `",
    *("no", "1e3", "~", "null", "0755", "  leading and trailing  ", "a\r\nb\r\n", "\ttab"),
)
VALUES = ("{{ v }}", "%}", "no", "multi\nline\n", " ")


def imported(work: Workspace, *options: str) -> Ran:
    """`batchspec import` of the workload's pool and job to `imported.yaml`."""
    ids = ("--pool", f"{work.name}-pool", "--job", f"{work.name}-job")
    return batchspec("import", *ids, "--out", "imported.yaml", *options, cwd=work.folder, env=work.env)


def plan(work: Workspace, *options: str) -> Ran:
    """The plan of the imported spec; exit code 5 when it has changes."""
    return batchspec("plan", "imported.yaml", "--detailed-exitcode", *options, cwd=work.folder, env=work.env)


def edit(work: Workspace, old: str, new: str) -> None:
    """Change the imported spec at one place."""
    path = work.folder / "imported.yaml"
    text = path.read_text()
    assert text.count(old) == 1, text
    path.write_text(text.replace(old, new))


def changes(ran: Ran) -> list[tuple[str, str, list[str]]]:
    """Of each change: the kind, the action, and the properties that are its reasons."""
    told = json.loads(ran.stdout)
    return [
        (one["kind"], one["action"], [reason["path"] for reason in one["reasons"] if reason.get("path")])
        for one in (*told["changes"], *told["tasks"])
    ]


@pytest.mark.parametrize("workload", WORKLOADS)
def test_what_a_spec_made_is_imported_to_a_spec_that_has_nothing_to_do(
    workload: str, make: Callable[[str], Workspace]
) -> None:
    if workload in ("ffmpeg", "pipeline") and shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    work = make(workload)
    applied = work.run("apply")
    assert applied.code == (3 if workload == "retries" else 0), applied

    made = imported(work)

    assert (made.code, made.stdout) == (0, ""), made
    text = (work.folder / "imported.yaml").read_text()
    assert "sig=" not in text
    planned = plan(work, "--format", "json")
    assert (planned.code, changes(planned)) == (0, []), f"{planned}\n{text}"
    again = imported(work)
    assert again.code == 2
    assert "there already: imported.yaml; nothing was written" in again.stderr
    deleted = work.run("delete", "--yes")
    assert deleted.code == 0, deleted


@pytest.mark.parametrize("example", EXAMPLES)
def test_what_a_valid_example_made_is_imported_to_a_spec_that_has_nothing_to_do(
    example: str, env: Mapping[str, str], tmp_path: Path
) -> None:
    shutil.copy(VALID / f"{example}.yaml", tmp_path / "spec.yaml")
    # No other test may use its names on this engine, as the tests of drift do.
    text = re.sub(
        r"^name: .*", f"name: i-{example.replace('_', '-')}", (tmp_path / "spec.yaml").read_text(), flags=re.M
    )
    (tmp_path / "spec.yaml").write_text(re.sub(r"^(  id: )(.*)", r"\1i-\2", text, flags=re.M))
    env = {**env, "SHARE_KEY": SECRET}
    applied = batchspec("apply", "spec.yaml", "--no-wait", "--yes", cwd=tmp_path, env=env)
    assert applied.code == 0, applied
    made = json.loads(batchspec("render", "spec.yaml", "--format", "json", cwd=tmp_path, env=env).stdout)
    ids = [(f"--{part}", made[part]["id"]) for part in ("pool", "job") if made[part] is not None]

    ran = batchspec("import", *itertools.chain(*ids), "--out", "imported.yaml", cwd=tmp_path, env=env)

    assert ran.code == 0, ran
    written = (tmp_path / "imported.yaml").read_text()
    assert SECRET not in written + ran.stderr
    planned = batchspec("plan", "imported.yaml", "--detailed-exitcode", "--format", "json", cwd=tmp_path, env=env)
    assert (planned.code, changes(planned)) == (0, []), f"{planned}\n{written}"
    deleted = batchspec("delete", "spec.yaml", "--yes", cwd=tmp_path, env=env)
    assert deleted.code == 0, deleted


SENT = """\
vars: {key: {secret: true, from_env: KEY}}
pool:
  vm_size: standard_d2s_v3
  target_dedicated_nodes: 0
  image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}
  metadata: {team: render}
  start_task: {command: "true", environment_settings: {K: "{{ vars.key }}"}}
job:
  common_environment_settings: {J: "{{ vars.key }}"}
  job_preparation_task: {command: "echo {{ vars.key }}"}
tasks:
  - {id: told, command: "echo {{ vars.key }}"}
  - {id: plain, command: echo plain}
"""


def test_what_was_sent_with_a_secret_is_not_written_whatever_its_name(write: Callable[[str], Workspace]) -> None:
    work = write(SENT)
    env = {**work.env, "KEY": "quite-plain"}
    folder = work.spec.parent
    assert batchspec("apply", "spec.yaml", "--no-wait", cwd=folder, env=env).code == 0

    where = ("--pool", work.name, "--job", work.name, "--out", "imported.yaml")
    ran = batchspec("import", *where, cwd=folder, env=env)

    written = (folder / "imported.yaml").read_text()
    assert "quite-plain" not in written + ran.stderr
    assert [word for word in ("team: render", "command: 'true'", "command: echo plain") if word not in written] == []
    planned = batchspec("plan", "imported.yaml", "--detailed-exitcode", cwd=folder, env=work.env)
    assert planned.code == 0, f"{planned}\n{written}"
    assert work.run("delete", "--yes").code == 0


def test_one_edit_of_an_imported_spec_is_the_only_reason_of_its_plan(topwords: Workspace) -> None:
    applied = topwords.run("apply")
    assert applied.code == 0, applied
    assert imported(topwords).code == 0

    edit(topwords, "target_dedicated_nodes: 2", "target_dedicated_nodes: 3")
    assert changes(plan(topwords, "--format", "json")) == [("pool", "update", ["targetDedicatedNodes"])]

    edit(topwords, "target_dedicated_nodes: 3", "target_dedicated_nodes: 2")
    edit(topwords, "constraints: {max_task_retry_count: 1}", "constraints: {max_task_retry_count: 2}")
    assert changes(plan(topwords, "--format", "json")) == [("job", "update", ["constraints.maxTaskRetryCount"])]

    edit(topwords, "constraints: {max_task_retry_count: 2}", "constraints: {max_task_retry_count: 1}")
    edit(topwords, "--filepath orchard.txt --numwords 3", "--filepath orchard.txt --numwords 4")
    assert [(kind, action) for kind, action, _ in changes(plan(topwords, "--format", "json"))] == [("task", "replace")]

    deleted = topwords.run("delete", "--yes")
    assert deleted.code == 0, deleted


def test_an_id_that_is_not_there_is_told_with_the_one_that_was_meant(
    env: Mapping[str, str], raw: Services, tmp_path: Path
) -> None:
    raw.batch.create_job(models.BatchJobCreateOptions(id="lonely-job", pool_info=models.BatchPoolInfo(pool_id="none")))

    ran = batchspec("import", "--job", "lonly-job", "--pool", "nowhere", cwd=tmp_path, env=env)

    assert (ran.code, ran.stdout) == (1, ""), ran
    assert "there is no pool 'nowhere'" in ran.stderr
    assert "there is no job 'lonly-job'; did you mean 'lonely-job'?" in ran.stderr
    raw.batch.begin_delete_job("lonely-job").result()


def test_what_nobody_made_is_described_as_it_is_and_refused(
    env: Mapping[str, str], raw: Services, tmp_path: Path
) -> None:
    sent = foreign(raw, exported(env, tmp_path))

    ran = batchspec("import", "--pool", "rawpool", "--job", "RawJob", "--out", "raw.yaml", cwd=tmp_path, env=env)

    assert ran.code == 0, ran
    text = (tmp_path / "raw.yaml").read_text()
    assert SECRET not in text + ran.stderr
    assert "sig=" not in text + ran.stderr
    valid = batchspec("validate", "raw.yaml", cwd=tmp_path, env=env)
    assert (valid.code, valid.stdout) == (0, "raw.yaml: valid\n"), valid
    rendered = json.loads(batchspec("render", "raw.yaml", "--format", "json", cwd=tmp_path, env=env).stdout)
    assert {part: without_marks(rendered[part]) for part in ("pool", "job")} == {
        part: sent[part] for part in ("pool", "job")
    }
    assert [without_marks(task) for task in rendered["tasks"]] == sent["tasks"]
    refused = batchspec("plan", "raw.yaml", cwd=tmp_path, env={**env, "API_KEY": "x"})
    assert refused.code == 6, refused
    assert "pool rawpool" in refused.stderr
    assert "pool rawpool was made by no spec" in ran.stderr
    raw.batch.begin_delete_job("RawJob").result()
    raw.batch.begin_delete_pool("rawpool").result()
    raw.blobs.delete_container("rawdata")


def test_whatever_stands_in_a_thousand_tasks_comes_back_as_it_is(
    raw: Services, tmp_path: Path, env: Mapping[str, str]
) -> None:
    raw.blobs.create_container("hostile")
    url = raw.blobs.get_container_client("hostile").url
    sas = "sv=2024&sp=r&sr=c&sig=" + "A" * 43 + "%3D"
    hidden = {
        f"curl '{url}/x?{sas}'": "curl '<container_url hostile>/x'",
        f"use {SECRET}": "<secret task_command_line>",
    }
    job: dict[str, Any] = {
        "id": "Hostile_job-1",
        "displayName": "Job \"x\" '{{ y }}' %}\u00e9",
        "commonEnvironmentSettings": [{"name": "A B", "value": "x: y # z"}, {"name": "{{ x }}", "value": "{% y %}"}],
        "poolInfo": {"poolId": "nowhere"},
        "metadata": [{"name": "{{ not }}", "value": "line\nline \u65e5"}],
    }
    tasks = {
        f"t-{number}": {
            "id": f"t-{number}",
            "commandLine": [*COMMANDS, *hidden][number % (len(COMMANDS) + len(hidden))],
            "environmentSettings": [{"name": "V", "value": VALUES[number % len(VALUES)]}],
        }
        for number in range(1000)
    }
    raw.batch.create_job(job)  # type: ignore[arg-type]
    raw.batch.create_tasks("Hostile_job-1", [*tasks.values()])  # type: ignore[list-item]

    ran = batchspec("import", "--job", "Hostile_job-1", "--out", "hostile.yaml", cwd=tmp_path, env=env)

    assert ran.code == 0, ran
    files = [path.read_text() for path in tmp_path.glob("hostile*")]
    assert all(word not in text for text in (*files, ran.stderr) for word in (SECRET, "sig=", "\u202e"))
    assert batchspec("validate", "hostile.yaml", cwd=tmp_path, env=env).code == 0
    rendered = json.loads(batchspec("render", "hostile.yaml", "--format", "json", cwd=tmp_path, env=env).stdout)
    assert without_marks(rendered["job"]) == job
    shown = {
        id_: task | {"commandLine": hidden.get(str(task["commandLine"]), task["commandLine"])}
        for id_, task in tasks.items()
    }
    assert {task["id"]: without_marks(task) for task in rendered["tasks"]} == shown
    raw.batch.begin_delete_job("Hostile_job-1").result()
    raw.blobs.delete_container("hostile")


def foreign(raw: Services, account: Mapping[str, str]) -> dict[str, Any]:
    """Make a pool, a job and tasks as any program would; what their renderings should be."""
    raw.blobs.create_container("rawdata")
    url = f"{raw.blobs.get_container_client('rawdata').url}"
    sas = "sv=2024&sp=r&sr=b&sig=" + "A" * 43 + "%3D"
    machine = {
        "imageReference": {"publisher": "canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"},
        "nodeAgentSKUId": "batch.node.ubuntu 24.04",
    }
    pool: dict[str, Any] = {
        "id": "rawpool",
        "vmSize": "standard_d2s_v3",
        "virtualMachineConfiguration": machine,
        "targetDedicatedNodes": 0,
        "metadata": [{"name": "team", "value": "{{ not a template }}"}],
    }
    job: dict[str, Any] = {
        "id": "RawJob",
        "priority": 7,
        "constraints": {"maxTaskRetryCount": 2},
        "poolInfo": {"poolId": "rawpool"},
    }
    tasks = [
        {
            "id": f"raw-{number}",
            "commandLine": f"/bin/bash -c 'echo \"yes: {number}\" '\"'\"'{{% x %}}'\"'\"''",
            "resourceFiles": [{"httpUrl": f"{url}/in/{number}.txt?{sas}", "filePath": f"in/{number}.txt"}],
            "outputFiles": [
                {
                    "filePattern": "*.out",
                    "destination": {"container": {"containerUrl": f"{url}?{sas.replace('sp=r', 'sp=cw')}"}},
                    "uploadOptions": {"uploadCondition": "tasksuccess"},
                }
            ],
            "environmentSettings": [{"name": "NO", "value": "no"}, {"name": "API_KEY", "value": SECRET}],
            "constraints": {"maxWallClockTime": "PT1H", "maxTaskRetryCount": number},
        }
        for number in range(2)
    ]
    raw.batch.create_pool(pool)  # type: ignore[arg-type]
    raw.batch.create_job(job)  # type: ignore[arg-type]
    for task in tasks:
        raw.batch.create_task("RawJob", task)  # type: ignore[arg-type]
    shown = json.loads(json.dumps(tasks).replace(SECRET, "<secret api_key>"))
    for number, task in enumerate(shown):
        task["resourceFiles"][0]["httpUrl"] = f"<blob_sas_url rawdata in/{number}.txt>"
        task["outputFiles"][0]["destination"]["container"]["containerUrl"] = "<sas_url rawdata cw>"
    return {"pool": pool, "job": job, "tasks": shown}


def without_marks(body: dict[str, Any]) -> dict[str, Any]:
    """A rendered body without what batchspec adds to it."""
    made = dict(body)
    for name in ("metadata", "environmentSettings"):
        items = [
            item
            for item in made.pop(name, [])
            if not item["name"].startswith("batchspec:") and item["name"] != "BATCHSPEC_TASK_HASH"
        ]
        made |= {name: items} if items else {}
    return made


def test_a_schedule_that_a_spec_made_is_imported_to_a_spec_that_has_nothing_to_do(
    make: Callable[[str], Workspace],
) -> None:
    work = make("schedule")
    key = exported(work.env, work.folder)["AZURE_BATCH_ACCESS_KEY"]
    work = replace(work, env={**work.env, "AZURE_BATCH_ACCESS_KEY": key})
    applied = work.run("apply")
    assert applied.code == 0, applied
    schedule = f"{work.name}-hourly"

    def schedule_imported(*options: str) -> Ran:
        return batchspec("import", *options, "--out", "imported.yaml", cwd=work.folder, env=work.env)

    made = schedule_imported("--schedule", schedule)

    assert made.code == 0, made
    text = (work.folder / "imported.yaml").read_text()
    assert ("sig=" in text, key in text) == (False, False)
    planned = plan(work, "--format", "json")
    assert (planned.code, changes(planned)) == (0, []), f"{planned}\n{text}"
    edit(work, "recurrence_interval: PT1H", "recurrence_interval: PT3H")
    ((kind, action, (first, *_)),) = changes(plan(work, "--format", "json"))
    assert (kind, action, first) == ("schedule", "update", "schedule.recurrenceInterval")

    wrong = schedule_imported("--force", "--schedule", schedule.upper() + "x")
    assert (wrong.code, f"there is no schedule '{schedule.upper()}x'" in wrong.stderr) == (1, True), wrong
    both = schedule_imported("--force", "--schedule", schedule, "--job", "a")
    assert (both.code, "--job and --schedule exclude each other" in both.stderr) == (2, True), both
    of_job = schedule_imported("--force", "--job", f"{schedule}:job-1")
    assert (of_job.code, f"import what makes it: --schedule {schedule}" in of_job.stderr) == (6, True), of_job
    assert work.run("delete", "--yes").code == 0


def test_a_schedule_that_no_spec_made_is_described_and_left_alone(
    make: Callable[[str], Workspace], raw: Services
) -> None:
    work = make("schedule")
    specification = models.BatchJobSpecification(
        pool_info=models.BatchPoolInfo(pool_id=f"{work.name}-pool"), priority=7
    )
    raw.batch.create_job_schedule(
        models.BatchJobScheduleCreateOptions(
            id=work.name,
            schedule=models.BatchJobScheduleConfiguration(
                do_not_run_until=datetime(2099, 1, 1, tzinfo=UTC), recurrence_interval=timedelta(days=1)
            ),
            job_specification=specification,
        )
    )

    made = batchspec("import", "--schedule", work.name, "--out", "imported.yaml", cwd=work.folder, env=work.env)

    assert made.code == 0, made
    assert f"schedule {work.name} was made by no spec" in made.stderr
    text = (work.folder / "imported.yaml").read_text()
    assert "do_not_run_until: " in text
    assert "priority: 7" in text
    refused = plan(work)
    assert (refused.code, f"not touched: schedule {work.name}" in refused.stderr) == (6, True), f"{refused}\n{text}"
    raw.batch.begin_delete_job_schedule(work.name).result()
