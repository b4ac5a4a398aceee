"""What specs made, and what others made, becomes a spec again."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from azure.batch import models

from tests.end_to_end.workspace import Ran, Services, Workspace, batchspec, exported

REPOSITORY = Path(__file__).resolve().parents[2]
SECRET = "a" * 86 + "=="


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


@pytest.mark.parametrize("workload", ["topwords", "ffmpeg"])
def test_what_a_spec_made_is_imported_to_a_spec_that_has_nothing_to_do(
    workload: str, make: Callable[[str], Workspace]
) -> None:
    if workload == "ffmpeg" and shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    work = make(workload)
    applied = work.run("apply")
    assert applied.code == 0, applied

    made = imported(work)

    assert (made.code, made.stdout) == (0, ""), made
    text = (work.folder / "imported.yaml").read_text()
    assert "sig=" not in text
    planned = plan(work)
    assert (planned.code, planned.stdout) == (0, "Nothing to do\n"), f"{planned}\n{text}"
    again = imported(work)
    assert again.code == 2
    assert "there already: imported.yaml; nothing was written" in again.stderr
    deleted = work.run("delete", "--yes")
    assert deleted.code == 0, deleted


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
