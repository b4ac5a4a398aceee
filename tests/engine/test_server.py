"""The engine as a whole: stop, kill and start again; idleness; the official SDK, sync and async."""

import shlex
import sqlite3
import time
from pathlib import Path

import pytest
from azure.batch import models
from azure.batch.aio import BatchClient as AsyncBatchClient
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError

from tests.engine.served import Process, Served, serving, vm, wait_for


def shell(text: str) -> str:
    return f"/bin/sh -c {shlex.quote(text)}"


def fill(served: Served, log: Path) -> None:
    """A node with a start task that counts its runs, a finished task and a running one."""
    start = {"commandLine": shell("echo x >> $AZ_BATCH_NODE_SHARED_DIR/starts")}
    served.add_pool(startTask=start, taskSlotsPerNode=2)
    served.add_job()
    served.add_task("done", shell(f"echo done >> {log}"))
    served.completed("done")
    served.add_task("long", shell(f"echo $$ >> {log}; exec sleep 1000"))
    wait_for(lambda: log.read_text().split(), lambda lines: len(lines) == 2)


def check_recovered(served: Served, log: Path) -> None:
    """Finished stays finished, running runs again, once, on the node that is as it was."""
    lines = wait_for(lambda: log.read_text().split(), lambda lines: len(lines) == 3)
    assert lines[0] == "done"
    wait_for(lambda: Path(f"/proc/{lines[1]}").exists(), lambda exists: not exists)
    task = served.task("long")
    assert (task["state"], task["executionInfo"]["requeueCount"]) == ("running", 0)
    assert served.task("done")["executionInfo"]["result"] == "success"
    assert served.output("done") == ""
    (node,) = served.nodes()
    starts = served.request("GET", f"/pools/pool/nodes/{node['id']}/files/shared/starts")
    assert (starts.content, node["totalTasksRun"]) == (b"x\n", 1)


def test_what_a_stopped_engine_was_doing_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with serving(tmp_path / "state") as served:
        fill(served, log)
        served.stop()
        wait_for(lambda: Path(f"/proc/{log.read_text().split()[1]}").exists(), lambda exists: not exists)
        served.start()
        check_recovered(served, log)


def test_what_a_killed_engine_was_doing_goes_on_and_its_processes_end(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = Process(tmp_path / "state")
    try:
        fill(process.served, log)
    finally:
        process.kill()
    with serving(tmp_path / "state") as served:
        check_recovered(served, log)


def test_an_interrupted_start_task_runs_again(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = Process(tmp_path / "state")
    try:
        start = {"commandLine": shell(f"echo x >> {log}; test -e {tmp_path}/go || exec sleep 1000")}
        process.served.add_pool(startTask=start)
        wait_for(log.exists, bool)
    finally:
        process.kill()
    (tmp_path / "go").touch()
    with serving(tmp_path / "state") as served:
        served.nodes_in("idle")
    assert log.read_text() == "x\nx\n"


def test_deletions_and_terminations_go_on_after_a_kill(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with serving(state) as served:
        served.add_pool()
        for name in ("terminating", "deleting", "disabling"):
            served.add_job(name)
            served.add_task("t", "true", job=name)
            served.completed("t", name)
        served.stop()
        with sqlite3.connect(state / "engine.sqlite3") as database:
            database.execute("UPDATE jobs SET state = id")
            database.execute("UPDATE pools SET state = 'deleting'")
        database.close()
        served.start()
        wait_for(lambda: served.request("GET", "/pools/pool").status, lambda status: status == 404)
        wait_for(lambda: served.request("GET", "/jobs/deleting").status, lambda status: status == 404)
        for name, after in (("terminating", "completed"), ("disabling", "disabled")):
            wait_for(lambda name=name: served.request("GET", f"/jobs/{name}").json["state"], lambda s, a=after: s == a)  # type: ignore[misc]


def test_an_engine_is_idle_only_when_nothing_can_run(served: Served) -> None:
    served.add_job()
    served.add_task("waits-for-a-pool", "true")
    time.sleep(0.01)
    assert served.idle_seconds() > 0
    served.add_pool()
    served.add_task("t", "sleep 1000")
    wait_for(lambda: served.task("t")["state"], lambda state: state == "running")
    assert served.idle_seconds() == 0.0
    served.request("POST", "/jobs/job/terminate")
    served.nodes_in("idle")
    time.sleep(0.01)
    assert served.idle_seconds() > 0


def test_the_sdk_runs_a_job_from_pool_to_clean_up(served: Served) -> None:
    client = served.client()
    image = next(i for i in client.list_supported_images() if i.image_reference.sku == "server")
    assert image.node_agent_sku_id == "batch.node.ubuntu 24.04"
    client.create_pool(
        models.BatchPoolCreateOptions(
            id="p", vm_size="standard_d2s_v3", virtual_machine_configuration=vm(), target_dedicated_nodes=1
        )
    )
    assert client.pool_exists("p")
    client.create_job(models.BatchJobCreateOptions(id="j", pool_info=models.BatchPoolInfo(pool_id="p")))
    options = [models.BatchTaskCreateOptions(id=f"t{i:03}", command_line="true") for i in range(120)]
    client.create_tasks("j", options)
    wait_for(lambda: client.get_job_task_counts("j").task_counts.succeeded, lambda number: number == 120)
    tasks = list(client.list_tasks("j", select=["id", "state"], max_results=50))
    assert [task.id for task in tasks] == [option.id for option in options]
    assert b"".join(client.download_task_file("j", "t000", "stdout.txt")) == b""
    assert client.get_task_file_properties("j", "t000", "wd").is_directory
    client.begin_resize_pool("p", models.BatchPoolResizeOptions(target_dedicated_nodes=2)).result()
    assert len(list(client.list_nodes("p"))) == 2
    client.begin_terminate_job("j", {"terminateReason": "x"}).result()  # type: ignore[arg-type]
    with pytest.raises(ResourceExistsError):
        client.create_job(models.BatchJobCreateOptions(id="j", pool_info=models.BatchPoolInfo(pool_id="p")))
    client.begin_delete_job("j").result()
    client.begin_delete_pool("p").result()
    with pytest.raises(ResourceNotFoundError):
        client.get_pool("p")


def test_the_sdk_sees_the_services_error_codes(served: Served) -> None:
    with pytest.raises(HttpResponseError) as error:
        served.client().get_job("none")
    assert (error.value.status_code, error.value.error.code) == (404, "JobNotFound")  # type: ignore[union-attr]


async def test_the_async_sdk_works_too(served: Served) -> None:
    settings = served.settings
    credential = AzureNamedKeyCredential(settings.account, settings.key)
    async with AsyncBatchClient(served.endpoint, credential) as client:
        pool = models.BatchPoolCreateOptions(
            id="p", vm_size="standard_d2s_v3", virtual_machine_configuration=vm(), target_dedicated_nodes=1
        )
        await client.create_pool(pool)
        await client.create_job(models.BatchJobCreateOptions(id="j", pool_info=models.BatchPoolInfo(pool_id="p")))
        await client.create_task("j", models.BatchTaskCreateOptions(id="t-1", command_line="echo hi"))
        served.completed("t-1", "j")
        content = [part async for part in await client.download_task_file("j", "t-1", "stdout.txt")]
        assert b"".join(content) == b"hi\n"
        found = [task.id async for task in client.list_tasks("j", filter="executionInfo/result eq 'success'")]
        assert found == ["t-1"]
        poller = await client.begin_delete_job("j")
        await poller.result()
        with pytest.raises(ResourceNotFoundError):
            await client.get_job("j")
