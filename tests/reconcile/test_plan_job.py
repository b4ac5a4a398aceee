"""What becomes of the job."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from batchspec.reconcile.change import Change, Reason
from batchspec.reconcile.observe import observe
from batchspec.reconcile.plan_job import job_change
from batchspec.render.model import DesiredJob
from tests.reconcile.builders import Workload, World

REPLACE = ("replace", ("delete", "create"))
PATCH = ("update", ("patch",))


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    return Workload(tmp_path)


async def change(before: Workload, after: Workload, **there: Any) -> Change | None:
    world = World(exit_code=lambda task_id: None)
    await world.apply(before.desired(), wait=False)
    world.batch.jobs["words-job"].update(there)
    desired = after.desired()
    assert desired.job is not None
    return job_change(desired.job, (await observe(desired, world.services)).job)


PREPARED: dict[str, Any] = {"jobPreparationTask": {"commandLine": "x"}}
CASES: list[tuple[dict[str, Any], dict[str, Any], tuple[str, tuple[str, ...]] | None]] = [
    ({}, {}, None),
    ({}, {"priority": 5}, PATCH),
    ({"priority": 5}, {}, PATCH),
    ({}, {"constraints": {"maxTaskRetryCount": 2}}, PATCH),
    ({"constraints": {"maxTaskRetryCount": 2}}, {}, PATCH),
    ({}, {"maxParallelTasks": 3, "allowTaskPreemption": True}, PATCH),
    ({}, {"usesTaskDependencies": True}, REPLACE),
    ({}, {"onTaskFailure": "performexitoptionsjobaction"}, REPLACE),
    ({}, {"jobPreparationTask": {"commandLine": "x"}}, REPLACE),
    ({"jobPreparationTask": {"commandLine": "x"}}, {}, REPLACE),
    ({"jobPreparationTask": {"commandLine": "x"}}, {"jobPreparationTask": {"commandLine": "y"}}, REPLACE),
    ({"jobPreparationTask": {"commandLine": "x", "constraints": {"maxTaskRetryCount": 1}}}, PREPARED, REPLACE),
    ({"commonEnvironmentSettings": [{"name": "A", "value": "1"}]}, {}, REPLACE),
    ({"displayName": "x"}, {}, REPLACE),
    ({}, {"poolInfo": {"poolId": "other"}}, REPLACE),
    ({}, {"onAllTasksComplete": "terminatejob"}, ("update", ("patch", "finish"))),
    ({"onAllTasksComplete": "terminatejob"}, {}, REPLACE),
]


@pytest.mark.parametrize(("before", "after", "expected"), CASES)
async def test_what_changed_decides_how(
    before: dict[str, Any], after: dict[str, Any], expected: tuple[str, tuple[str, ...]] | None, workload: Workload
) -> None:
    found = await change(replace(workload, job=before), replace(workload, job=after))
    assert (None if found is None else (found.action, found.steps)) == expected


async def test_a_default_that_is_now_written_out_is_no_difference(workload: Workload) -> None:
    filled_in = {
        "id": "jobpreparation",
        "commandLine": "x",
        "waitForSuccess": True,
        "rerunOnNodeRebootAfterSuccess": True,
        "constraints": {
            "maxWallClockTime": "P10675199DT2H48M5.4775807S",
            "retentionTime": "P7D",
            "maxTaskRetryCount": 0,
        },
        "userIdentity": {"autoUser": {"scope": "pool", "elevationLevel": "nonadmin"}},
    }
    written: dict[str, Any] = {"jobPreparationTask": {"commandLine": "x", "waitForSuccess": True}}
    before, after = replace(workload, job=PREPARED), replace(workload, job=written)
    found = await change(before, after, jobPreparationTask=filled_in)
    assert found == Change("update", "job", "words-job", (Reason("recorded fingerprint differs"),), steps=("patch",))


@pytest.mark.parametrize("state", ["completed", "terminating"])
async def test_a_job_that_is_over_takes_no_changes_that_would_be_in_place(state: str, workload: Workload) -> None:
    ending = replace(workload, job={"onAllTasksComplete": "terminatejob"})
    assert await change(ending, workload, state=state) is None
    assert await change(workload, replace(workload, job={"priority": 5}), state=state) is None


async def test_a_job_that_is_being_deleted_is_made_anew(workload: Workload) -> None:
    reason = Reason("the job of this id is being deleted; waited for")
    assert await change(workload, workload, state="deleting") == Change("create", "job", "words-job", (reason,))


async def test_what_is_owed_at_the_end_of_a_run_is_told(workload: Workload) -> None:
    ending = replace(workload, job={"onAllTasksComplete": "terminatejob"})
    assert await change(ending, ending, onAllTasksComplete="noaction") == Change(
        "update",
        "job",
        "words-job",
        (Reason("set once all tasks are added", "onAllTasksComplete", "noaction", "terminatejob"),),
        steps=("finish",),
    )


async def test_other_files_that_prepare_the_nodes_are_a_new_job(workload: Workload) -> None:
    world = World()
    await world.apply(workload.desired())

    def with_files(fingerprint: str) -> DesiredJob:
        job = workload.desired().job
        assert job is not None
        return replace(job, prepared_hash=fingerprint)

    there = world.batch.jobs["words-job"]
    # A job that was made by hand says nothing of the files.
    assert job_change(with_files("new"), there) is None
    there["metadata"].append({"name": "batchspec:start", "value": "old"})
    found = job_change(with_files("new"), there)
    assert found is not None
    assert (found.action, found.reasons) == (
        "replace",
        (Reason("files that its nodes are prepared with changed, and a job prepares each node once", replaces=True),),
    )
    # Nor does a spec that names no files of its own, as an imported one.
    assert job_change(with_files(""), there) is None
