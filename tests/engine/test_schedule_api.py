"""Job schedules over HTTP: what clients do, and what time does."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.batch import models
from azure.core.exceptions import HttpResponseError

from batchspec.engine.clock import Timer
from tests.engine.served import Process, Served, serving, wait_for

SPECIFICATION = {"poolInfo": {"poolId": "pool"}}


class FastClock:
    """A clock on which a minute passes in a tenth of a second."""

    def __init__(self, speed: float = 600.0) -> None:
        self._speed = speed
        self._began = time.monotonic()
        self._start = datetime.now(UTC)

    def now(self) -> datetime:
        return self._start + timedelta(seconds=(time.monotonic() - self._began) * self._speed)

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Timer:
        return asyncio.get_running_loop().call_later(max(delay_s, 0.0) / self._speed, callback)


@pytest.fixture
def fast(tmp_path: Path) -> Iterator[Served]:
    """An engine whose time flies; requests are signed with a tolerance of 15 minutes, so 1.5 s are enough for all."""
    with serving(tmp_path / "state", clock=FastClock(60.0)) as engine:
        yield engine


def add(served: Served, schedule: dict[str, Any] | None = None, **specification: Any) -> None:
    body = {"id": "s", "schedule": schedule or {}, "jobSpecification": {**SPECIFICATION, **specification}}
    answer = served.request("POST", "/jobschedules", body)
    assert answer.status == 201, answer
    assert answer.headers["location"] == f"{served.endpoint}/jobschedules/s"


def schedule(served: Served) -> Any:
    return served.request("GET", "/jobschedules/s").json


def job_ids(served: Served) -> list[str]:
    return [job["id"] for job in served.request("GET", "/jobschedules/s/jobs").json["value"]]


def test_a_schedule_without_recurrence_has_one_job_and_completes_with_it(served: Served) -> None:
    add(served, displayName="one", priority=7)
    assert job_ids(served) == ["s:job-1"]
    job = served.request("GET", "/jobs/s:job-1").json
    assert (job["displayName"], job["priority"], job["state"]) == ("one", 7, "active")
    found = schedule(served)
    assert found["state"] == "active"
    assert found["executionInfo"] == {
        "recentJob": {"id": "s:job-1", "url": f"{served.endpoint}/jobs/s:job-1"},
    }
    assert served.request("POST", "/jobs/s:job-1/terminate").status == 202
    found = wait_for(lambda: schedule(served), lambda found: found["state"] == "completed")
    assert (found["previousState"], "endTime" in found["executionInfo"]) == ("active", True)


def test_a_schedule_waits_for_its_time(served: Served) -> None:
    later = "2999-01-01T00:00:00Z"
    add(served, {"doNotRunUntil": later})
    assert job_ids(served) == []
    assert schedule(served)["executionInfo"] == {"nextRunTime": "2999-01-01T00:00:00.0000000Z"}
    assert served.request("PATCH", "/jobschedules/s", {"schedule": {}}).status == 200
    assert job_ids(served) == ["s:job-1"]


def test_a_schedule_whose_time_is_over_completes_without_a_job(served: Served) -> None:
    add(served, {"doNotRunAfter": "2014-09-10T06:30:00Z", "recurrenceInterval": "PT5M"})
    assert (schedule(served)["state"], job_ids(served)) == ("completed", [])


def test_jobs_recur_and_never_two_at_once(fast: Served) -> None:
    add(fast, {"recurrenceInterval": "PT1M"}, onAllTasksComplete="terminatejob")
    found = wait_for(lambda: job_ids(fast), lambda ids: len(ids) >= 3)
    assert found[:3] == ["s:job-1", "s:job-2", "s:job-3"]
    states = [job["state"] for job in fast.request("GET", "/jobschedules/s/jobs").json["value"]]
    assert sum(state == "active" for state in states) <= 1


def test_a_job_that_is_still_active_keeps_the_next_one_from_starting(fast: Served) -> None:
    add(fast, {"recurrenceInterval": "PT1M"})
    due = schedule(fast)["executionInfo"]["nextRunTime"]
    wait_for(lambda: schedule(fast)["executionInfo"]["nextRunTime"], lambda later: later > due)
    assert job_ids(fast) == ["s:job-1"]
    assert fast.request("POST", "/jobs/s:job-1/terminate").status == 202
    wait_for(lambda: job_ids(fast), lambda ids: ids == ["s:job-1", "s:job-2"])


def test_a_disabled_schedule_makes_no_jobs_until_it_is_enabled(served: Served) -> None:
    add(served, {"doNotRunUntil": "2999-01-01T00:00:00Z"})
    assert served.request("POST", "/jobschedules/s/disable").status == 204
    assert schedule(served)["state"] == "disabled"
    assert served.request("PATCH", "/jobschedules/s", {"schedule": {}}).status == 200
    assert job_ids(served) == []
    assert served.request("POST", "/jobschedules/s/enable").status == 204
    assert (schedule(served)["state"], job_ids(served)) == ("active", ["s:job-1"])


def test_a_terminated_schedule_terminates_its_job(served: Served) -> None:
    add(served, {"recurrenceInterval": "PT1H"})
    assert served.request("POST", "/jobschedules/s/terminate").status == 202
    wait_for(lambda: schedule(served)["state"], lambda state: state == "completed")
    job = served.request("GET", "/jobs/s:job-1").json
    assert (job["state"], job["executionInfo"]["terminateReason"]) == ("completed", "TerminateJobSchedule")
    for path in ("enable", "disable", "terminate"):
        answer = served.request("POST", f"/jobschedules/s/{path}")
        assert (answer.status, answer.code) == (409, "JobScheduleCompleted")


def test_a_deleted_schedule_is_gone_with_its_jobs(served: Served) -> None:
    served.add_pool()
    add(served)
    served.add_task("t", "sleep 1000", job="s:job-1")
    found = wait_for(lambda: served.task("t", "s:job-1"), lambda task: task["state"] == "running")
    assert found["nodeInfo"]["taskRootDirectory"] == "workitems/s/job-1/t"
    assert served.request("DELETE", "/jobschedules/s").status == 202
    wait_for(lambda: served.request("HEAD", "/jobschedules/s").status, lambda status: status == 404)
    assert served.request("GET", "/jobs/s:job-1").code == "JobNotFound"
    assert list(served.settings.state_dir.glob("nodes/*/*/workitems/*")) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"schedule": {"recurrenceInterval": "PT59S"}}, "InvalidPropertyValue"),
        ({"schedule": {"startWindow": "PT1S"}}, "InvalidPropertyValue"),
        ({"id": "a b"}, "InvalidPropertyValue"),
        ({"jobSpecification": {}}, "MissingRequiredProperty"),
        ({"jobSpecification": {"poolInfo": {}}}, "MissingRequiredProperty"),
        ({"jobSpecification": {**SPECIFICATION, "id": "x"}}, "InvalidRequestBody"),
    ],
)
def test_a_schedule_that_breaks_a_rule_is_refused(served: Served, change: dict[str, Any], code: str) -> None:
    body = {"id": "s", "schedule": {}, "jobSpecification": SPECIFICATION, **change}
    answer = served.request("POST", "/jobschedules", body)
    assert (answer.status, answer.code) == (400, code)


def test_the_id_of_a_schedule_is_its_own(served: Served) -> None:
    add(served, {"doNotRunUntil": "2999-01-01T00:00:00Z"})
    served.add_job("j")
    body = {"id": "S", "schedule": {}, "jobSpecification": SPECIFICATION}
    assert served.request("POST", "/jobschedules", body).code == "JobScheduleExists"
    assert served.request("POST", "/jobschedules", {**body, "id": "J"}).code == "JobWithSameIdExists"
    answer = served.request("POST", "/jobs", {"id": "s", "poolInfo": {"poolId": "p"}})
    assert answer.code == "JobScheduleWithSameIdExists"
    assert served.request("GET", "/jobschedules/no").code == "JobScheduleNotFound"


def test_schedules_are_listed_filtered_and_changed_by_the_sdk(served: Served) -> None:
    client = served.client()
    later = datetime(2999, 1, 1, tzinfo=UTC)
    client.create_job_schedule(
        models.BatchJobScheduleCreateOptions(
            id="a",
            schedule=models.BatchJobScheduleConfiguration(do_not_run_until=later),
            job_specification=models.BatchJobSpecification(pool_info=models.BatchPoolInfo(pool_id="pool")),
        )
    )
    add(served)
    assert [item.id for item in client.list_job_schedules()] == ["a", "s"]
    wanted = "schedule/doNotRunUntil gt DateTime'2900-01-01T00:00:00Z'"
    assert [item.id for item in client.list_job_schedules(filter=wanted)] == ["a"]
    found = client.get_job_schedule("a")
    found.job_specification.priority = 3
    client.replace_job_schedule("a", found)
    assert client.get_job_schedule("a").job_specification.priority == 3
    assert client.job_schedule_exists("a")
    with pytest.raises(HttpResponseError, match="does not exist"):
        client.get_job_schedule("no")
    client.begin_delete_job_schedule("a").result()


def test_the_pool_of_a_schedule_serves_all_its_jobs_and_ends_with_it(served: Served) -> None:
    pool = {"vmSize": "standard_d2s_v3", "targetDedicatedNodes": 0, **_machine(served)}
    auto = {"autoPoolIdPrefix": "auto", "poolLifetimeOption": "jobschedule", "pool": pool}
    add(served, {"recurrenceInterval": "PT1H"}, poolInfo={"autoPoolSpecification": auto})
    job = served.request("GET", "/jobs/s:job-1").json
    pool_id = job["executionInfo"]["poolId"]
    assert pool_id.startswith("auto_")
    assert served.request("POST", "/jobs/s:job-1/terminate").status == 202
    assert served.request("GET", f"/pools/{pool_id}").json["state"] == "active"
    assert served.request("POST", "/jobschedules/s/terminate").status == 202
    wait_for(lambda: served.request("HEAD", f"/pools/{pool_id}").status, lambda status: status == 404)


def test_a_schedule_survives_the_kill_of_the_engine_while_it_is_deleted(tmp_path: Path) -> None:
    first = Process(tmp_path / "state")
    second = None
    try:
        first.served.add_pool()
        add(first.served, jobPreparationTask={"commandLine": "true"}, jobReleaseTask={"commandLine": "sleep 1000"})
        first.served.add_task("t", "true", job="s:job-1")
        first.served.completed("t", "s:job-1")
        assert first.served.request("DELETE", "/jobschedules/s").status == 202
        assert schedule(first.served)["state"] == "deleting"
        first.kill()
        second = Process(tmp_path / "state")
        again = second.served
        assert schedule(again)["state"] == "deleting"
        assert again.request("DELETE", "/jobs/s:job-1", query="force=true").status == 202
        wait_for(lambda: again.request("HEAD", "/jobs/s%3Ajob-1").status, lambda status: status != 200)
    finally:
        (second or first).kill()


def test_a_schedule_goes_on_after_a_restart(tmp_path: Path) -> None:
    with serving(tmp_path / "state") as served:
        add(served, {"recurrenceInterval": "PT1H"})
        before = schedule(served)
        served.stop()
        served.start()
        assert json.dumps(schedule(served)) == json.dumps(before)
        assert job_ids(served) == ["s:job-1"]


def _machine(served: Served) -> dict[str, Any]:
    image = {"publisher": "canonical", "offer": "ubuntu-24_04-lts", "sku": "server"}
    machine = {"imageReference": image, "nodeAgentSKUId": "batch.node.ubuntu 24.04"}
    return {"virtualMachineConfiguration": machine}
