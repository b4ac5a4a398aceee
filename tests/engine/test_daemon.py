"""The engine starts once, is found again, and stops without leaving anything."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.batch import BatchClient, models
from azure.core.credentials import AzureNamedKeyCredential

from batchspec.engine.daemon import VERSION
from batchspec.engine.state_dir import StateDir

DEADLINE_S = 60.0
PROGRAM = [sys.executable, "-m", "batchspec.engine"]


class Home:
    """A user's state folder, and the command line."""

    def __init__(self, folder: Path) -> None:
        self.env = {**os.environ, "XDG_STATE_HOME": str(folder)}
        self.state = StateDir(folder / "batchspec" / "engine")
        self.said = ""

    def run(self, command: str, *more: str, code: int = 0, **env: str) -> dict[str, Any]:
        done = subprocess.run(
            [*PROGRAM, command, *more],
            env={**self.env, **env},
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
        self.said = done.stderr
        assert done.returncode == code, done.stdout + done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def kill(self) -> None:
        pid = self.state.server_pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        until(lambda: self.state.server_pid() is None)

    def pretend_version(self, version: str) -> None:
        path = self.state.path / "engine.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"version": version}))


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path / "state")
    yield made
    made.run("stop")


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def batch(connection: dict[str, Any]) -> BatchClient:
    told = connection["batch"]
    return BatchClient(told["endpoint"], AzureNamedKeyCredential(told["account"], told["key"]))


def sleeping_task(client: BatchClient) -> None:
    image = models.BatchVmImageReference(publisher="canonical", offer="ubuntu-24_04-lts", sku="server")
    machine = models.VirtualMachineConfiguration(image_reference=image, node_agent_sku_id="batch.node.ubuntu 24.04")
    client.create_pool(
        models.BatchPoolCreateOptions(
            id="p", vm_size="standard_d2s_v3", target_dedicated_nodes=1, virtual_machine_configuration=machine
        )
    )
    client.create_job(models.BatchJobCreateOptions(id="j", pool_info=models.BatchPoolInfo(pool_id="p")))
    client.create_task("j", models.BatchTaskCreateOptions(id="t", command_line="sleep 7654"))
    until(lambda: client.get_task("j", "t").state == models.BatchTaskState.RUNNING)


def sleepers(home: Home) -> list[int]:
    """The processes of the sleeping task in this home."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "cwd").readlink().is_relative_to(home.state.path / "nodes"):
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def test_a_start_says_how_to_reach_the_engine_and_a_second_finds_it(home: Home) -> None:
    first = home.run("start")
    progress = home.said
    second = home.run("start")
    assert (first | {"started": False}, first["started"]) == (second, True)
    assert (progress.splitlines()[-1], home.said) == ("starting the local engine", "")
    batch_url, storage_url = first["batch"]["endpoint"], first["storage"]["endpoint"]
    assert first == {
        "state": "running",
        "started": True,
        "pid": home.state.server_pid(),
        "version": VERSION,
        "batch": {"endpoint": batch_url, "account": "batchspec", "key": first["batch"]["key"]},
        "storage": {
            "endpoint": storage_url,
            "account": "batchspecstorage",
            "key": first["storage"]["key"],
            "connection_string": "DefaultEndpointsProtocol=http;AccountName=batchspecstorage;"
            f"AccountKey={first['storage']['key']};BlobEndpoint={storage_url};",
        },
        "state_dir": str(home.state.path),
        "log": str(home.state.log),
        "notes": [] if os.geteuid() == 0 else ["tasks with elevated rights run as you, without root's rights"],
    }


def test_status_shows_no_keys_and_stop_is_said_to_have_stopped_it(home: Home) -> None:
    before = home.run("status")
    started = home.run("start")
    during = home.run("status")
    stops = [home.run("stop"), home.run("stop")]
    assert (
        before
        == home.run("status")
        == {
            "state": "stopped",
            "state_dir": str(home.state.path),
            "log": str(home.state.log),
        }
    )
    assert started["batch"]["key"] not in json.dumps(during)
    assert (during["counts"], during["batch"]) == (
        {"pools": 0, "nodes": 0, "nodes running tasks": 0, "jobs": 0},
        started["batch"] | {"key": "***"},
    )
    assert stops == [{"state": "stopped", "was_running": True}, {"state": "stopped", "was_running": False}]


def test_addresses_and_pools_survive_a_kill(home: Home) -> None:
    first = home.run("start")
    with batch(first) as client:
        client.create_job(models.BatchJobCreateOptions(id="kept", pool_info=models.BatchPoolInfo(pool_id="none")))
    home.kill()
    second = home.run("start")
    with batch(second) as client:
        jobs = [job.id for job in client.list_jobs()]
    assert (jobs, second["batch"], second["storage"]) == (["kept"], first["batch"], first["storage"])


def test_taken_ports_are_replaced_and_a_note_says_so(home: Home) -> None:
    first = home.run("start")
    home.run("stop")
    ports = [int(first[kind]["endpoint"].split(":")[2].split("/")[0]) for kind in ("batch", "storage")]
    with socket.create_server(("127.0.0.1", ports[0])), socket.create_server(("127.0.0.1", ports[1])):
        second = home.run("start")
    now = [int(second[kind]["endpoint"].split(":")[2].split("/")[0]) for kind in ("batch", "storage")]
    assert second["notes"][:2] == [
        f"port {old} of the local {name} service is taken by another program; it is now {new}"
        for name, old, new in zip(("Batch", "Storage"), ports, now, strict=True)
    ]


async def test_many_starts_at_once_make_one_engine(home: Home) -> None:
    def start() -> dict[str, Any]:
        return Home(Path(home.env["XDG_STATE_HOME"])).run("start")

    told = await asyncio.gather(*(asyncio.to_thread(start) for _ in range(4)))
    assert (len({each["pid"] for each in told}), sorted(each["started"] for each in told)) == (
        1,
        [False, False, False, True],
    )


def test_an_idle_engine_of_another_version_is_replaced(home: Home) -> None:
    first = home.run("start")
    home.pretend_version("0.0.1")
    second = home.run("start")
    assert (second["version"], second["started"], second["pid"] == first["pid"]) == (VERSION, True, False)
    assert home.said == "replacing the idle local engine of batchspec 0.0.1\nstarting the local engine\n"


def test_a_busy_engine_of_another_version_is_left_alone(home: Home) -> None:
    with batch(home.run("start")) as client:
        sleeping_task(client)
    home.pretend_version("0.0.1")
    refused = home.run("start", code=1)
    assert refused["error"]["message"] == (
        f"a local engine of batchspec 0.0.1 is running tasks, and this is batchspec {VERSION}"
    )


def test_a_stop_ends_tasks_and_a_start_runs_them_again(home: Home) -> None:
    with batch(home.run("start")) as client:
        sleeping_task(client)
    home.run("stop")
    left = sleepers(home)
    with batch(home.run("start")) as client:
        until(lambda: client.get_task("j", "t").state == models.BatchTaskState.RUNNING)
    assert left == []


def test_a_reset_forgets_all_and_ends_what_a_killed_engine_left(home: Home) -> None:
    first = home.run("start")
    with batch(first) as client:
        sleeping_task(client)
    home.kill()
    answer = home.run("reset")
    assert answer == {"state": "reset", "was_running": False, "state_dir": str(home.state.path)}
    assert ([path.name for path in home.state.path.iterdir()], sleepers(home)) == (["start.lock"], [])
    second = home.run("start")
    with batch(second) as client:
        assert list(client.list_pools()) == []
    assert second["batch"]["key"] != first["batch"]["key"]


def test_an_idle_engine_stops_by_itself(home: Home) -> None:
    home.run("start", BATCHSPEC_ENGINE_IDLE_S="0.3")
    until(lambda: home.state.server_pid() is None)
    assert "with nothing to do" in home.state.log.read_text()


def test_an_engine_whose_state_folder_was_removed_stops(home: Home) -> None:
    pid = home.run("start")["pid"]
    shutil.rmtree(home.state.path)
    until(lambda: not Path(f"/proc/{pid}").exists())
    assert not home.state.path.exists()


def test_what_keeps_the_engine_from_starting_is_said(home: Home) -> None:
    refused = home.run("start", code=1, BATCHSPEC_ENGINE_TASKS="many")
    assert refused == {
        "error": {
            "message": "BATCHSPEC_ENGINE_TASKS is 'many'",
            "fix": "set it to a number, 1 or more, or unset it",
        }
    }


def test_a_damaged_database_is_said_with_the_way_out(home: Home) -> None:
    home.state.prepare()
    (home.state.path / "engine.sqlite3").write_bytes(b"no database " * 1000)
    refused = home.run("start", code=1)
    assert refused == {
        "error": {
            "message": f"the local engine cannot use its database in {home.state.path}: file is not a database",
            "fix": "make room on its disk, or `batchspec engine reset` to begin anew",
        }
    }


def test_a_state_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    refused = Home(tmp_path / "state").run("start", code=1)
    assert refused["error"]["message"].endswith("batchspec/engine cannot be used: Not a directory")


def test_a_second_server_in_one_folder_is_refused(home: Home) -> None:
    pid = home.run("start")["pid"]
    refused = home.run("serve", code=1)
    assert refused["error"]["message"] == f"the local engine runs already (process {pid})"


def test_neither_keys_nor_signatures_are_in_the_log(home: Home) -> None:
    told = home.run("start")
    home.run("stop")
    log = home.state.log.read_text()
    assert [key for key in (told["batch"]["key"], told["storage"]["key"], "sig=") if key in log] == []


def test_without_the_extra_the_fix_is_to_install_it(home: Home) -> None:
    program = "import sys; sys.modules['starlette'] = None; from batchspec.engine.__main__ import main; main(['start'])"
    done = subprocess.run([sys.executable, "-c", program], env=home.env, capture_output=True, timeout=60, check=True)
    assert json.loads(done.stdout) == {
        "error": {
            "message": "the local engine's packages are not installed: starlette",
            "fix": "pip install 'batchspec[local]'",
        }
    }


def test_a_start_imports_neither_the_server_nor_asyncio(home: Home) -> None:
    home.run("start")
    program = (
        "import sys; from batchspec.engine.__main__ import main; main(['start'])\n"
        "print([name for name in ('asyncio', 'aiohttp', 'starlette', 'uvicorn', 'sqlite3') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], env=home.env, capture_output=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == b"[]"


def test_faults_are_asked_for_listed_and_do_not_touch_the_engines_own_questions(home: Home) -> None:
    asked = json.dumps({"method": "POST", "path": "/faults", "body": {"kind": "drop", "every": 1}})
    error = home.run("fault", asked, code=1)["error"]
    assert error["fix"] == "batchspec engine start"
    home.run("start")
    assert home.run("fault", asked)["fired"] == 0
    status = home.run("status")
    assert (status["counts"]["pools"], [fault["kind"] for fault in status["faults"]["value"]]) == (0, ["drop"])
    wrong = json.dumps({"method": "POST", "path": "/faults", "body": {"kind": "answer", "status": 1}})
    assert home.run("fault", wrong, code=1)["error"]["message"].startswith("InvalidPropertyValue: ")
    assert home.run("fault", json.dumps({"method": "DELETE", "path": "/faults"})) == {}


def test_a_quota_that_is_no_number_keeps_the_engine_from_starting(home: Home) -> None:
    error = home.run("start", code=1, BATCHSPEC_ENGINE_QUOTA_POOLS="many")["error"]
    assert error["message"] == "BATCHSPEC_ENGINE_QUOTA_POOLS is 'many'"
