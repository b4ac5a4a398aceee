"""Job managers and preemption: what runs before, beside and instead of others."""

from typing import Any

from tests.engine.served import Served, wait_for


def manager(command_line: str, **properties: Any) -> dict[str, Any]:
    return {"jobManagerTask": {"id": "manager", "commandLine": command_line, **properties}}


def job(served: Served, job_id: str = "job") -> Any:
    return served.request("GET", f"/jobs/{job_id}").json


def test_a_manager_is_a_task_whose_end_ends_the_job(served: Served) -> None:
    served.add_pool()
    served.add_job(
        **manager("/bin/sh -c 'echo $AZ_BATCH_TASK_ID; while [ ! -e $AZ_BATCH_TASK_DIR/go ]; do sleep 0.01; done'")
    )
    wait_for(lambda: served.task("manager")["state"], lambda state: state == "running")
    shown = job(served)["jobManagerTask"]
    assert {name: shown[name] for name in ("killJobOnCompletion", "runExclusive", "allowLowPriorityNode")} == {
        "killJobOnCompletion": True,
        "runExclusive": True,
        "allowLowPriorityNode": True,
    }
    (folder,) = served.settings.state_dir.glob("nodes/pool/*/workitems/job/job-1/manager")
    (folder / "go").touch()
    found = wait_for(lambda: job(served), lambda found: found["state"] == "completed")
    assert found["executionInfo"]["terminateReason"] == "JMComplete"
    assert served.output("manager") == "manager\n"


def test_a_manager_may_leave_the_job_running(served: Served) -> None:
    served.add_pool()
    served.add_job(**manager("true", killJobOnCompletion=False))
    served.completed("manager")
    assert job(served)["state"] == "active"


def test_an_exclusive_manager_has_its_node_to_itself(served: Served) -> None:
    served.add_pool(taskSlotsPerNode=4)
    served.add_job(**manager("sleep 1000"))
    wait_for(lambda: served.task("manager")["state"], lambda state: state == "running")
    served.add_task("t", "true")
    served.add_job("shared", **manager("sleep 1000", runExclusive=False))
    assert served.task("t")["state"] == "active"
    assert served.nodes()[0]["runningTasksCount"] == 1
    assert served.request("POST", "/jobs/job/terminate").status == 202
    wait_for(lambda: served.task("manager", "shared")["state"], lambda state: state == "running")
    served.add_task("t", "true", job="shared")
    served.completed("t", "shared")


def test_a_manager_that_minds_preemption_waits_for_a_dedicated_node(served: Served) -> None:
    served.add_pool(nodes=0, targetLowPriorityNodes=1)
    served.add_job(**manager("true", allowLowPriorityNode=False))
    served.add_task("t", "true")
    served.completed("t")
    assert served.task("manager")["state"] == "active"


def test_a_failed_pool_leaves_no_manager_behind(served: Served) -> None:
    body = {"id": "x", "poolInfo": {"poolId": "pool"}, **manager("true", id="a b")}
    assert served.request("POST", "/jobs", body).code == "InvalidPropertyValue"
    assert served.request("GET", "/jobs/x").status == 404


def test_a_job_of_higher_priority_takes_the_place_of_one_that_allows_it(served: Served) -> None:
    served.add_pool()
    served.add_job("low", allowTaskPreemption=True)
    served.add_task("long", "sleep 1000", job="low")
    wait_for(lambda: served.task("long", "low")["state"], lambda state: state == "running")
    served.add_job("high", priority=10)
    served.add_task("urgent", "true", job="high")
    served.completed("urgent", "high")
    again = wait_for(lambda: served.task("long", "low"), lambda task: task["state"] == "running")
    assert again["executionInfo"]["requeueCount"] == 0


def test_a_job_that_does_not_allow_it_keeps_its_place(served: Served) -> None:
    served.add_pool(taskSlotsPerNode=2)
    served.add_job("low")
    served.add_task("long", "sleep 1000", job="low", requiredSlots=2)
    wait_for(lambda: served.task("long", "low")["state"], lambda state: state == "running")
    served.add_job("high", priority=10)
    served.add_task("urgent", "true", job="high")
    assert served.task("urgent", "high")["state"] == "active"
    assert served.task("long", "low")["state"] == "running"


def test_a_task_that_needs_more_than_slots_preempts_nothing(served: Served) -> None:
    served.add_pool()
    served.add_job("low", allowTaskPreemption=True)
    served.add_task("long", "sleep 1000", job="low")
    started = wait_for(lambda: served.task("long", "low"), lambda task: task["state"] == "running")
    served.add_job("high", priority=10)
    instances = {"numberOfInstances": 2, "coordinationCommandLine": "true"}
    served.add_task("wide", "true", job="high", multiInstanceSettings=instances)
    served.add_job("other", "nowhere")
    again = served.task("long", "low")
    assert (again["state"], again["executionInfo"]) == ("running", started["executionInfo"])
