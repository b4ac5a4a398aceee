"""Nodes over HTTP: start tasks, reboot, reimage, scheduling."""

import shlex
from pathlib import Path

from tests.engine.served import Served, wait_for


def shell(text: str) -> str:
    return f"/bin/sh -c {shlex.quote(text)}"


def test_a_start_task_runs_before_the_node_takes_tasks(served: Served) -> None:
    served.add_pool(startTask={"commandLine": shell("sleep 0.1; echo ready > $AZ_BATCH_NODE_SHARED_DIR/flag")})
    served.add_job()
    served.add_task("t", shell("cat $AZ_BATCH_NODE_SHARED_DIR/flag"))
    served.completed("t")
    (node,) = served.nodes()
    info = {name: value for name, value in node["startTaskInfo"].items() if not name.endswith("Time")}
    assert served.output("t") == "ready\n"
    assert info == {"state": "completed", "exitCode": 0, "result": "success", "retryCount": 0}


def test_a_failing_start_task_is_retried_and_then_keeps_tasks_off_the_node(served: Served) -> None:
    start_task = {"commandLine": shell("echo x >> runs; echo broken >&2; exit 4"), "maxTaskRetryCount": 2}
    served.add_pool(startTask=start_task)
    served.add_job()
    served.add_task("t", "true")
    (node,) = served.nodes_in("starttaskfailed")
    info = node["startTaskInfo"]
    found = (info["state"], info["exitCode"], info["result"], info["retryCount"], info["failureInfo"]["code"])
    assert found == ("completed", 4, "failure", 2, "FailureExitCode")
    path = f"/pools/pool/nodes/{node['id']}/files/startup"
    assert served.request("GET", f"{path}/stderr.txt").content == b"broken\n"
    assert served.request("GET", f"{path}%2Fwd%2Fruns").content == b"x\nx\nx\n"
    assert served.task("t")["state"] == "active"


def test_a_start_task_that_need_not_succeed_holds_nothing_up(served: Served) -> None:
    served.add_pool(startTask={"commandLine": "false", "waitForSuccess": False})
    served.nodes_in("idle")
    nodes = wait_for(served.nodes, lambda nodes: nodes[0].get("startTaskInfo", {}).get("state") == "completed")
    assert (nodes[0]["state"], nodes[0]["startTaskInfo"]["exitCode"]) == ("idle", 1)


def test_start_tasks_of_different_nodes_run_one_at_a_time(served: Served, tmp_path: Path) -> None:
    lock = shlex.quote(str(tmp_path / "lock"))
    served.add_pool("pool", 3, startTask={"commandLine": shell(f"mkdir {lock} && sleep 0.05 && rmdir {lock}")})
    served.add_pool("more", 2, startTask={"commandLine": shell(f"mkdir {lock} && sleep 0.05 && rmdir {lock}")})
    served.nodes_in("idle")
    served.nodes_in("idle", pool="more")


def test_a_reboot_runs_the_start_task_as_it_is_now_and_keeps_files(served: Served) -> None:
    served.add_pool(startTask={"commandLine": shell("echo a >> $AZ_BATCH_NODE_SHARED_DIR/runs")})
    (node,) = served.nodes_in("idle")
    served.request(
        "PATCH", "/pools/pool", {"startTask": {"commandLine": shell("echo b >> $AZ_BATCH_NODE_SHARED_DIR/runs")}}
    )
    assert served.request("POST", f"/pools/pool/nodes/{node['id']}/reboot").status == 202
    (node,) = served.nodes_in("idle")
    assert served.request("GET", f"/pools/pool/nodes/{node['id']}/files/shared/runs").content == b"a\nb\n"


def test_a_reimage_begins_with_empty_folders(served: Served) -> None:
    served.add_pool(startTask={"commandLine": shell("echo x >> $AZ_BATCH_NODE_SHARED_DIR/runs")})
    (node,) = served.nodes_in("idle")
    assert (
        served.request("POST", f"/pools/pool/nodes/{node['id']}/reimage", {"nodeReimageOption": "requeue"}).status
        == 202
    )
    (node,) = served.nodes_in("idle")
    assert served.request("GET", f"/pools/pool/nodes/{node['id']}/files/shared/runs").content == b"x\n"


def test_a_reboot_requeues_terminates_or_waits(served: Served) -> None:
    served.add_pool()
    served.add_job()
    (node,) = served.nodes_in("idle")
    url = f"/pools/pool/nodes/{node['id']}/reboot"
    served.add_task("t", "sleep 1000")
    wait_for(lambda: served.task("t")["state"], lambda state: state == "running")
    assert served.request("POST", url, {"nodeRebootOption": "requeue"}).status == 202
    wait_for(
        lambda: served.task("t"), lambda task: task["executionInfo"]["requeueCount"] == 1 and task["state"] == "running"
    )
    assert served.request("POST", url, {"nodeRebootOption": "terminate"}).status == 202
    assert served.completed("t")["executionInfo"]["failureInfo"]["code"] == "TaskEnded"
    served.nodes_in("idle")
    served.add_task("u", "sleep 0.3")
    wait_for(lambda: served.task("u")["state"], lambda state: state == "running")
    assert served.request("POST", url, {"nodeRebootOption": "taskcompletion"}).status == 202
    assert served.request("POST", url).code == "NodeBeingRebooted"
    assert served.completed("u")["executionInfo"]["result"] == "success"
    served.nodes_in("idle")


def test_a_node_whose_scheduling_is_disabled_is_offline_and_takes_no_tasks(served: Served) -> None:
    served.add_pool()
    served.add_job()
    (node,) = served.nodes_in("idle")
    url = f"/pools/pool/nodes/{node['id']}"
    assert served.request("POST", f"{url}/disablescheduling", {}).status == 200
    served.add_task("t", "true")
    found = served.request("GET", url).json
    assert (found["state"], found["schedulingState"], served.task("t")["state"]) == ("offline", "disabled", "active")
    assert served.request("POST", f"{url}/disablescheduling", {}).code == "NodeAlreadyInTargetSchedulingState"
    assert served.request("POST", f"{url}/enablescheduling").status == 200
    assert served.completed("t")["executionInfo"]["result"] == "success"


def test_a_node_tells_what_it_ran(served: Served) -> None:
    served.add_pool()
    served.add_job()
    served.add_task("a", "true")
    served.add_task("b", "false")
    served.completed("a")
    served.completed("b")
    (node,) = served.nodes_in("idle")
    counts = [node[name] for name in ("totalTasksRun", "totalTasksSucceeded", "runningTasksCount")]
    assert (counts, [task["taskId"] for task in node["recentTasks"]]) == ([2, 1, 0], ["b", "a"])


def test_nodes_are_filtered_and_selected(served: Served) -> None:
    served.add_pool("pool", 2)
    served.nodes_in("idle")
    query = "$filter=state%20eq%20%27idle%27&$select=state&maxresults=1"
    page = served.request("GET", "/pools/pool/nodes", query=query).json
    assert (page["value"], "odata.nextLink" in page) == ([{"state": "idle"}], True)
    assert served.request("GET", "/pools/pool/nodes/none").code == "NodeNotFound"
    assert served.request("GET", "/pools/none/nodes").code == "PoolNotFound"


def test_a_node_is_deallocated_and_started(served: Served) -> None:
    served.add_pool("p", 1)
    (node,) = served.nodes_in("idle", pool="p")
    path = f"/pools/p/nodes/{node['id']}"
    assert served.request("POST", f"{path}/start").code == "OperationInvalidForCurrentState"
    assert served.request("POST", f"{path}/deallocate", {"nodeDeallocateOption": "terminate"}).status == 202
    served.nodes_in("deallocated", pool="p")
    assert served.request("POST", f"{path}/reboot", {}).code == "OperationInvalidForCurrentState"
    assert served.request("GET", "/nodecounts").json["value"][0]["dedicated"]["deallocated"] == 1
    assert served.request("POST", f"{path}/start").status == 202
    served.nodes_in("idle", pool="p")


def test_a_deallocated_node_gives_its_task_back(served: Served) -> None:
    served.add_pool()
    served.add_job()
    served.add_task("t", "sleep 1000")
    wait_for(lambda: served.task("t")["state"], lambda state: state == "running")
    (node,) = served.nodes()
    assert served.request("POST", f"/pools/pool/nodes/{node['id']}/deallocate", {}).status == 202
    task = wait_for(lambda: served.task("t"), lambda task: task["state"] == "active")
    assert task["executionInfo"]["requeueCount"] == 1
