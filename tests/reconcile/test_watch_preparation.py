"""What failed preparations and releases do to a run."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from batchspec.errors import PreparationFailed, ServiceUnreachable, TimedOut
from batchspec.reconcile.outcome import RELEASE, Counts, Failure, Outcome
from batchspec.reconcile.report import Finished
from batchspec.render.model import JsonObject
from tests.fake_calls import utc_text
from tests.reconcile.builders import Workload, World
from tests.reconcile.test_preparation import ended

TASKS: JsonObject = {"jobPreparationTask": {"commandLine": "prepare"}, "jobReleaseTask": {"commandLine": "release"}}
TERMINATES: JsonObject = {**TASKS, "onAllTasksComplete": "terminatejob"}
NODES = ("tvmps_words-pool0_d", "tvmps_words-pool1_d")


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    return Workload(tmp_path, downloads=False, job=TASKS)


@pytest.fixture
def world() -> World:
    """A world in which no task ends by itself."""
    return World(exit_code=lambda task_id: None)


def fail(world: World, *nodes: str, kind: str = "Preparation") -> None:
    """The task fails now on these nodes."""
    for node in nodes:
        info = ended(3) | {"startTime": utc_text(world.batch.now())}
        status = {"poolId": "words-pool", "nodeId": node, f"job{kind}TaskExecutionInfo": info}
        world.batch.preparations.setdefault("words-job", []).append(status)
        world.batch.node_files["words-pool", node, "workitems/j/job-1/jobpreparation/stderr.txt"] = b"no data\n"


def at_poll(world: World, script: dict[int, Callable[[], object]]) -> None:
    """Do something before the nth poll after the first."""
    polls = iter(range(1, 1000))

    def step() -> None:
        script.get(next(polls), lambda: None)()

    world.clock.on_sleep = step


async def test_a_preparation_that_failed_on_every_node_ends_the_wait(workload: Workload, world: World) -> None:
    at_poll(world, {2: lambda: fail(world, NODES[0]), 4: lambda: fail(world, NODES[1])})

    with pytest.raises(PreparationFailed) as caught:
        await world.apply(workload.desired())

    assert str(caught.value).split("\n") == [
        "no node of pool words-pool can run tasks of job words-job: its preparation task failed on every one of them",
        f"job preparation task failed on {NODES[0]}: FailureExitCode, exit code 3: it exited",
        "  | no data",
    ]
    assert "run `apply` again, which makes the job anew" in caught.value.fix


async def test_a_preparation_that_failed_on_one_node_is_told_once_and_the_run_goes_on(
    workload: Workload, world: World
) -> None:
    at_poll(world, {2: lambda: fail(world, NODES[1]), 9: world.finish_all})

    applied = await world.apply(workload.desired())

    assert applied.outcome == Outcome(Counts(completed=3, succeeded=3), 0, ())
    assert world.notes == [
        f"job preparation task failed on {NODES[1]}: FailureExitCode, exit code 3: it exited",
        "  | no data",
        f"all of it: batchspec logs words.yaml --preparation {NODES[1]}",
    ]


@pytest.mark.parametrize("why", ["booted again", "not waited for", "another is coming", "a task runs"])
async def test_the_wait_goes_on_while_a_node_may_still_take_a_task(why: str, workload: Workload, world: World) -> None:
    body: JsonObject = {"commandLine": "prepare", "waitForSuccess": why != "not waited for"}
    workload = replace(workload, job={"jobPreparationTask": body}, timeout=timedelta(seconds=90))

    def break_it() -> None:
        fail(world, *NODES)
        if why == "booted again":
            world.batch.nodes["words-pool"][0]["lastBootTime"] = utc_text(world.batch.now() + timedelta(seconds=1))
        if why == "another is coming":
            world.batch.pools["words-pool"]["targetDedicatedNodes"] = 3
        if why == "a task runs":
            world.batch.tasks["words-job"]["a"]["state"] = "running"

    at_poll(world, {2: break_it})

    with pytest.raises(TimedOut):
        await world.apply(workload.desired())


async def test_a_poll_of_a_job_with_a_preparation_costs_one_request_more(workload: Workload, world: World) -> None:
    seen: list[int] = []

    def look() -> None:
        seen.append(len(world.batch.reads))
        if len(seen) == 3:
            world.finish_all()

    world.clock.on_sleep = look
    await world.apply(workload.desired())

    assert [name for name, _ in world.batch.reads[seen[0] : seen[1]]] == [
        "task_counts",
        "get_job",
        "node_counts",
        "get_pool",
        "list_preparations",
    ]


async def test_the_release_is_waited_for_where_the_job_ends_with_its_tasks(workload: Workload) -> None:
    world = World()
    states: list[str] = []

    def releases(_: str) -> None:
        states.extend(["terminating", "terminating", "completed"])
        fail(world, NODES[0], kind="Release")

    def goes_on(job_id: str) -> None:
        if states:
            world.batch.jobs[job_id]["state"] = states.pop(0) if len(states) > 1 else states[0]

    world.batch.before("update_job", releases)
    world.batch.before("get_job", goes_on)

    applied = await world.apply(replace(workload, job=TERMINATES).desired())

    failure = Failure(RELEASE, NODES[0], NODES[0], 3, "usererror", "FailureExitCode", "it exited", (), ("no data",), "")
    assert applied.outcome == Outcome(Counts(completed=3, succeeded=3), 0, (), (failure,))
    assert applied.outcome.failed
    ends = [event.summary for event in world.events if isinstance(event, Finished) and event.stage == "release"]
    assert ends == ["job words-job has ended"]


async def test_a_service_that_comes_back_is_waited_for_while_the_release_goes_on(workload: Workload) -> None:
    world, states = World(), ["terminating", "terminating", "completed"]

    def goes_on(job_id: str) -> None:
        world.batch.jobs[job_id]["state"] = states.pop(0) if states else "completed"
        if states:
            world.batch.fail("get_job", 1, ServiceUnreachable("no answer from the engine"))

    world.batch.before("update_job", lambda _: world.batch.before("get_job", goes_on))

    applied = await world.apply(replace(workload, job=TERMINATES).desired())

    assert applied.outcome == Outcome(Counts(completed=3, succeeded=3), 0, ())
    assert world.notes == ["no answer from the engine; trying again", "the service answers again"]


async def test_a_release_that_does_not_end_times_out(workload: Workload) -> None:
    world = World()
    world.batch.before("update_job", lambda _: world.batch.before("get_job", lambda job_id: stay(job_id)))

    def stay(job_id: str) -> None:
        world.batch.jobs[job_id]["state"] = "terminating"

    with pytest.raises(TimedOut, match="for the release tasks of job words-job to end"):
        await world.apply(replace(workload, job=TERMINATES).desired())


async def test_what_failed_once_in_a_job_is_had_again_in_a_new_one_when_that_is_asked_for(workload: Workload) -> None:
    world = World(exit_code=lambda task_id: None)
    await world.apply(workload.desired(), wait=False)
    fail(world, NODES[0])
    planned = await world.plan(workload.desired())
    again = await world.plan(workload.desired(), retry_failed=True)

    note = "the job preparation task failed on 1 node, which runs no task of the job; --retry-failed makes the job anew"
    assert (planned.changes, planned.tasks, planned.notes) == ((), (), (note,))
    ((job,), tasks) = (again.changes, again.tasks)
    assert (job.action, len(tasks)) == ("replace", 3)
    assert job.reasons[0].text == (
        "the job preparation task failed on 1 node, and runs once: all tasks run again in a new job"
    )
    assert again.too_much == ()
    world.batch.finish("words-job", "a")
    (said,) = (await world.plan(workload.desired(), retry_failed=True)).too_much
    assert said.startswith("would replace 3 of 3 existing tasks in a new job")
    world.batch.tasks["words-job"]["b"]["state"] = "running"  # which would be lost
    assert (await world.plan(workload.desired(), retry_failed=True)).changes == ()


async def test_elsewhere_nothing_is_waited_for(workload: Workload) -> None:
    world = World()

    applied = await world.apply(workload.desired())

    assert applied.outcome == Outcome(Counts(completed=3, succeeded=3), 0, ())
    assert not [event for event in world.events if isinstance(event, Finished) and event.stage == "release"]
