"""Multi-instance tasks over HTTP: a primary, its subtasks, and what coordinates them."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from batchspec.engine.process_table import pids
from tests.engine.served import DEADLINE_S, Process, Served, wait_for


def settings(coordination: str, count: int = 2, **properties: Any) -> dict[str, Any]:
    instances = {"coordinationCommandLine": coordination, "numberOfInstances": count, **properties}
    return {"multiInstanceSettings": instances}


def prepare(served: Served, nodes: int = 2, **properties: Any) -> None:
    served.add_pool(nodes=nodes, enableInterNodeCommunication=True, **properties)
    served.nodes_in("idle")
    served.add_job()


def subtasks(served: Served) -> list[Any]:
    answer = served.request("GET", "/jobs/job/tasks/t/subtasksinfo")
    assert answer.status == 200, answer
    return list(answer.json["value"])


def test_the_coordination_command_runs_everywhere_and_the_command_line_on_the_primary(served: Served) -> None:
    prepare(served, 3)
    names = "$AZ_BATCH_IS_CURRENT_NODE_MASTER $AZ_BATCH_HOST_LIST $AZ_BATCH_NODE_LIST $AZ_BATCH_MASTER_NODE $CCP_NODES"
    served.add_task(
        "t",
        "/bin/sh -c 'echo primary; basename $AZ_BATCH_TASK_SHARED_DIR'",
        **settings(f"/bin/sh -c 'echo {names}'", 3),
    )
    task = served.completed("t")
    assert task["executionInfo"]["exitCode"] == 0
    hosts = "127.0.0.1,127.0.0.1,127.0.0.1"
    rest = f"{hosts} {hosts.replace(',', ';')} 127.0.0.1:6000 3 127.0.0.1 1 127.0.0.1 1 127.0.0.1 1\n"
    assert served.output("t") == f"true {rest}primary\nt\n"
    found = subtasks(served)
    assert [(item["id"], item["state"], item["result"], item["exitCode"]) for item in found] == [
        (1, "completed", "success", 0),
        (2, "completed", "success", 0),
    ]
    nodes = {task["nodeInfo"]["nodeId"], *(item["nodeInfo"]["nodeId"] for item in found)}
    assert nodes == {node["id"] for node in served.nodes()}
    for item in found:
        folder = item["nodeInfo"]["taskRootDirectory"]
        assert folder == f"workitems/job/job-1/t/{item['id']}"
        path = f"/pools/pool/nodes/{item['nodeInfo']['nodeId']}/files/{folder}/stdout.txt"
        assert served.request("GET", path).content.decode() == f"false {rest}"
    served.nodes_in("idle")
    assert served.client().get_task("job", "t").multi_instance_settings is not None
    assert [item.id for item in served.client().list_subtasks("job", "t")] == [1, 2]


def test_all_its_nodes_are_taken_while_it_runs(served: Served) -> None:
    prepare(served)
    served.add_task("t", "sleep 1000", **settings("true"))
    wait_for(served.nodes, lambda nodes: all(node["state"] == "running" for node in nodes))
    served.add_task("u", "true")
    assert served.task("u")["state"] == "active"
    assert served.request("POST", "/jobs/job/tasks/t/terminate").status == 204
    served.completed("u")
    served.nodes_in("idle")


def test_a_coordination_command_that_fails_fails_the_task(served: Served) -> None:
    prepare(served)
    command = "/bin/sh -c 'if [ $AZ_BATCH_IS_CURRENT_NODE_MASTER = true ]; then sleep 1000; else exit 5; fi'"
    served.add_task("t", "echo never", **settings(command))
    info = served.completed("t")["executionInfo"]
    assert (info["exitCode"], info["result"], info["failureInfo"]["code"]) == (5, "failure", "FailureExitCode")
    assert {"name": "SubtaskId", "value": "1"} in info["failureInfo"]["details"]
    assert [(item["state"], item["exitCode"], item["result"]) for item in subtasks(served)] == [
        ("completed", 5, "failure")
    ]
    assert "never" not in served.output("t")


def test_the_whole_is_retried(served: Served) -> None:
    prepare(served)
    count = "/bin/sh -c 'echo x >> $AZ_BATCH_NODE_SHARED_DIR/count'"
    served.add_task("t", "/bin/sh -c 'exit 1'", constraints={"maxTaskRetryCount": 1}, **settings(count))
    assert served.completed("t")["executionInfo"]["retryCount"] == 1
    counts = [path.read_text() for path in served.settings.state_dir.glob("nodes/pool/*/shared/count")]
    assert counts == ["x\nx\n", "x\nx\n"]


def test_what_a_coordination_command_leaves_running_lives_until_the_end(served: Served) -> None:
    prepare(served)
    command = "/bin/sh -c 'sleep 4321 & echo $! > $AZ_BATCH_TASK_SHARED_DIR/pid'"
    served.add_task("t", "/bin/sh -c 'kill -0 $(cat $AZ_BATCH_TASK_SHARED_DIR/pid)'", **settings(command))
    assert served.completed("t")["executionInfo"]["exitCode"] == 0
    left = [int(path.read_text()) for path in served.settings.state_dir.glob("nodes/pool/*/workitems/job/job-1/t/pid")]
    assert len(left) == 2
    wait_for(lambda: set(left) & set(pids()), lambda alive: not alive)


@pytest.mark.parametrize(
    ("pool", "count"),
    [
        ({"enableInterNodeCommunication": False}, 2),
        ({"enableInterNodeCommunication": True, "taskSlotsPerNode": 2}, 2),
        ({"enableInterNodeCommunication": True}, 3),
    ],
)
def test_a_task_whose_nodes_cannot_be_waits_and_keeps_no_other_from_running(
    served: Served, pool: dict[str, Any], count: int
) -> None:
    served.add_pool(nodes=2, **pool)
    served.add_job()
    served.add_task("t", "true", **settings("true", count))
    served.add_task("u", "true")
    served.completed("u")
    assert served.task("t")["state"] == "active"
    assert subtasks(served) == []


def test_a_node_that_leaves_takes_the_whole_task_with_it(served: Served) -> None:
    prepare(served, 2)
    served.add_task("t", "sleep 1000", **settings("true"))
    (subtask,) = wait_for(lambda: subtasks(served), lambda found: bool(found) and found[0]["state"] == "completed")
    node = subtask["nodeInfo"]["nodeId"]
    assert served.request("POST", "/pools/pool/removenodes", {"nodeList": [node]}).status == 202
    task = wait_for(lambda: served.task("t"), lambda task: task["state"] == "active")
    assert task["executionInfo"]["requeueCount"] == 1
    served.nodes_in("idle")


class _Files(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        found = self.path == "/common.txt"
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", "5" if found else "0")
        self.end_headers()
        self.wfile.write(b"data\n" if found else b"")

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def files() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Files)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join(DEADLINE_S)
    server.server_close()


def test_common_files_reach_every_node_and_its_own_only_the_primary(served: Served, files: str) -> None:
    prepare(served)
    common = [{"httpUrl": f"{files}/common.txt", "filePath": "common.txt"}]
    own = [{"httpUrl": f"{files}/common.txt", "filePath": "own.txt"}]
    command = "cat ../common.txt own.txt"
    coordination = settings("/bin/sh -c 'cat $AZ_BATCH_TASK_SHARED_DIR/common.txt'", commonResourceFiles=common)
    served.add_task("t", command, resourceFiles=own, **coordination)
    assert served.completed("t")["executionInfo"]["exitCode"] == 0
    assert served.output("t") == "data\n" * 3
    assert len(list(served.settings.state_dir.glob("nodes/pool/*/workitems/job/job-1/t/common.txt"))) == 2
    assert len(list(served.settings.state_dir.glob("nodes/pool/*/workitems/job/job-1/t/**/own.txt"))) == 1


def test_a_common_file_that_is_missing_fails_the_task(served: Served, files: str) -> None:
    prepare(served)
    common = [{"httpUrl": f"{files}/no", "filePath": "common.txt"}]
    served.add_task("t", "true", **settings("true", commonResourceFiles=common))
    info = served.completed("t")["executionInfo"]
    assert (info["failureInfo"]["code"], "exitCode" in info) == ("BlobNotFound", False)
    assert [item["result"] for item in subtasks(served)] == ["failure"]


def test_a_killed_engine_runs_the_whole_again(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    first = Process(tmp_path / "state")
    second = None
    try:
        prepare(first.served)
        command = f"/bin/sh -c 'while [ ! -e {gate} ]; do sleep 0.01; done'"
        first.served.add_task("t", command, **settings("/bin/sh -c 'sleep 4321 &'"))
        wait_for(lambda: subtasks(first.served), lambda found: bool(found) and found[0]["state"] == "completed")
        first.kill()
        second = Process(tmp_path / "state")
        gate.touch()
        task = second.served.completed("t")
        assert (task["executionInfo"]["exitCode"], task["executionInfo"]["requeueCount"]) == (0, 0)
        assert [item["exitCode"] for item in subtasks(second.served)] == [0]
        second.served.nodes_in("idle")
    finally:
        (second or first).kill()


def test_one_instance_has_no_subtasks(served: Served) -> None:
    prepare(served, 1)
    served.add_task("t", "echo done", **settings("echo first", 1))
    served.completed("t")
    assert (served.output("t"), subtasks(served)) == ("first\ndone\n", [])
