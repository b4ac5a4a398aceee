"""Where job preparation and release tasks failed."""

from batchspec.reconcile.outcome import PREPARATION, RELEASE, Failure
from batchspec.reconcile.preparation import failed, failures_of_job
from batchspec.render.model import JsonObject
from tests.fakes import Body, FakeBatch

JOB: JsonObject = {"id": "j", "jobPreparationTask": {}, "jobReleaseTask": {}}


def ended(exit_code: int, folder: str = "workitems/j/job-1/jobpreparation") -> Body:
    """The execution info of such a task."""
    info: Body = {"state": "completed", "exitCode": exit_code, "taskRootDirectory": folder, "result": "success"}
    if exit_code:
        failure = {"category": "usererror", "code": "FailureExitCode", "message": "it exited", "details": []}
        info |= {"result": "failure", "failureInfo": failure}
    return info


async def test_a_job_without_such_tasks_costs_no_request() -> None:
    batch = FakeBatch()

    assert await failures_of_job(batch, None) == ()
    assert await failures_of_job(batch, {"id": "j"}) == ()
    assert await failed(batch, {"id": "j", "jobPreparationTask": {}}, RELEASE) == ()
    assert batch.reads == []


async def test_each_failure_has_its_node_its_exit_code_and_what_it_wrote_last() -> None:
    release = "workitems/j/job-1/jobrelease"
    batch = FakeBatch(
        preparations={
            "j": [
                {"poolId": "p", "nodeId": "a", "jobPreparationTaskExecutionInfo": ended(3)},
                {
                    "poolId": "p",
                    "nodeId": "b",
                    "jobPreparationTaskExecutionInfo": ended(0),
                    "jobReleaseTaskExecutionInfo": ended(4, release),
                },
            ]
        },
        node_files={
            ("p", "a", "workitems/j/job-1/jobpreparation/stderr.txt"): b"no data\n",
            ("p", "b", f"{release}/stderr.txt"): b"no room\n",
        },
    )

    assert await failures_of_job(batch, JOB) == (
        Failure(PREPARATION, "a", "a", 3, "usererror", "FailureExitCode", "it exited", (), ("no data",), ""),
        Failure(RELEASE, "b", "b", 4, "usererror", "FailureExitCode", "it exited", (), ("no room",), ""),
    )


async def test_of_many_nodes_five_are_told() -> None:
    statuses = [{"poolId": "p", "nodeId": f"n{at}", "jobPreparationTaskExecutionInfo": ended(3)} for at in range(9)]
    batch = FakeBatch(preparations={"j": statuses})

    assert [failure.node for failure in await failures_of_job(batch, JOB)] == ["n0", "n1", "n2", "n3", "n4"]
