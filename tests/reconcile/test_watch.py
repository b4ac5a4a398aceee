"""Waiting: when it ends, what it says, and what a poll costs."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from batchspec.errors import ServiceRefused, ServiceUnreachable, StartTaskFailed, TimedOut
from batchspec.reconcile.outcome import Counts, Failure, Group, Outcome
from batchspec.reconcile.report import Noted
from batchspec.render.model import Desired, JsonObject
from tests.reconcile.builders import Workload, World

STDERR = b"".join(b"line %d\n" % number for number in range(1, 15))


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    return Workload(tmp_path, downloads=False)


@pytest.fixture
def world() -> World:
    """A world in which no task ends by itself."""
    return World(exit_code=lambda task_id: None)


def at_poll(world: World, script: dict[int, Callable[[], object]]) -> None:
    """Do something before the nth poll after the first; fails when the script is over and nothing ended the wait."""
    count = 0

    def step() -> None:
        nonlocal count
        count += 1
        if count in script:
            script[count]()

    world.clock.on_sleep = step


def finish(world: World, *task_ids: str, exit_code: int = 0, code: str = "FailureExitCode") -> Callable[[], None]:
    def act() -> None:
        for task_id in task_ids:
            world.batch.finish("words-job", task_id, exit_code=exit_code, code=code)

    return act


async def test_it_ends_when_every_task_has_ended(workload: Workload, world: World) -> None:
    at_poll(world, {2: finish(world, "a"), 5: finish(world, "b", "c")})
    applied = await world.apply(workload.desired())
    assert applied.outcome == Outcome(Counts(completed=3, succeeded=3), 0, ())


async def test_a_failure_is_told_with_node_code_exit_code_and_the_last_lines_of_stderr(
    workload: Workload, world: World
) -> None:
    def fail() -> None:
        finish(world, "b", "c", exit_code=3)()
        finish(world, "a", exit_code=1, code="CommandProgramNotFound")()
        world.batch.files["words-job", "b", "stderr.txt"] = STDERR
        for task in world.batch.tasks["words-job"].values():
            task["nodeInfo"] = {"nodeId": "node1"}
        del world.batch.tasks["words-job"]["a"]["executionInfo"]["exitCode"]

    at_poll(world, {1: fail})
    applied = await world.apply(workload.desired())
    lines = tuple(f"line {number}" for number in range(5, 15))
    exited = Failure("task", "b", "node1", 3, "usererror", "FailureExitCode", "failed", (), lines, "")
    missing = Failure(
        "task",
        "a",
        "node1",
        None,
        "usererror",
        "CommandProgramNotFound",
        "failed",
        (),
        (),
        "check the program's name, and that the start task installs it",
    )
    assert applied.outcome == Outcome(
        Counts(completed=3, failed=3),
        0,
        (
            Group("FailureExitCode (exit code 3)", 2, ("b", "c"), exited),
            Group("CommandProgramNotFound", 1, ("a",), missing),
        ),
    )


async def test_a_poll_costs_the_same_however_many_tasks_there_are(workload: Workload) -> None:
    costs: list[set[tuple[str, ...]]] = []
    for number in (1, 150):
        world = World(exit_code=lambda task_id: None)
        many = replace(workload, texts={f"t{index}.txt": "x" for index in range(number)})
        seen: list[int] = []

        def look(seen: list[int] = seen, world: World = world) -> None:
            seen.append(len(world.batch.reads))
            if len(seen) == 6:
                world.finish_all()

        world.clock.on_sleep = look
        await world.apply(many.desired())
        polls = [tuple(name for name, _ in world.batch.reads[start:end]) for start, end in pairwise(seen)]
        costs.append(set(polls))
    assert costs == [{("task_counts", "get_job", "node_counts", "get_pool")}] * 2


async def test_it_times_out_and_says_where_things_are(workload: Workload, world: World) -> None:
    world.batch.grow = False
    brief = replace(workload, timeout=timedelta(seconds=90))
    at_poll(world, {2: finish(world, "a")})
    with pytest.raises(TimedOut) as caught:
        await world.apply(brief.desired())
    assert str(caught.value) == (
        "after 90 s job words-job has 0 running and 2 waiting tasks of 3; pool words-pool: no nodes of 2 wanted"
    )
    assert caught.value.fix == "the run goes on; `apply` again waits again, or give `wait.timeout` more time"
    assert world.clock.seconds == 90


async def test_it_polls_quickly_at_first_and_slowly_later(workload: Workload, world: World) -> None:
    moments: list[float] = []
    world.clock.on_sleep = lambda: moments.append(world.clock.seconds)
    with pytest.raises(TimedOut):
        await world.apply(workload.desired())
    pauses = [round(after - before, 3) for before, after in pairwise([0.0, *moments])]
    assert (pauses[0], max(pauses), len(moments) < 170) == (0.2, 10.0, True)


async def test_tasks_blocked_by_a_failed_one_end_the_wait(workload: Workload, world: World) -> None:
    def fail() -> None:
        finish(world, "a", exit_code=3)()
        world.batch.tasks["words-job"]["b"]["dependsOn"] = {"taskIds": ["a"]}
        world.batch.tasks["words-job"]["c"]["dependsOn"] = {"taskIds": ["b"]}

    at_poll(world, {2: fail})
    applied = await world.apply(workload.desired())
    assert applied.outcome is not None
    assert (applied.outcome.counts, applied.outcome.blocked) == (Counts(active=2, completed=1, failed=1), 2)
    assert world.clock.seconds < 10


async def test_a_task_that_waits_for_a_node_while_others_are_blocked_goes_on(workload: Workload, world: World) -> None:
    def fail() -> None:
        finish(world, "a", exit_code=3)()
        world.batch.tasks["words-job"]["b"]["dependsOn"] = {"taskIds": ["a"]}

    at_poll(world, {2: fail, 5: finish(world, "c")})
    applied = await world.apply(workload.desired())
    assert applied.outcome is not None
    assert (applied.outcome.counts, applied.outcome.blocked) == (
        Counts(active=1, completed=2, succeeded=1, failed=1),
        1,
    )
    assert sum(one == ("list_tasks", "words-job") for one in world.batch.reads) < 12


async def test_a_job_ended_by_its_wall_clock_is_told(workload: Workload, world: World) -> None:
    def end() -> None:
        world.batch.jobs["words-job"] |= {
            "state": "completed",
            "executionInfo": {"terminateReason": "MaxWallClockTimeExpiry"},
        }

    at_poll(world, {2: finish(world, "a"), 3: end})
    with pytest.raises(TimedOut) as caught:
        await world.apply(workload.desired())
    assert str(caught.value) == "job words-job is completed (MaxWallClockTimeExpiry), with 2 tasks that never ran"


async def test_a_job_ended_by_a_failed_task_ends_with_that_failure(workload: Workload, world: World) -> None:
    def end() -> None:
        finish(world, "a", exit_code=3)()
        world.batch.jobs["words-job"] |= {"state": "completed", "executionInfo": {"terminateReason": "TaskFailed"}}

    at_poll(world, {3: end})
    applied = await world.apply(workload.desired())
    assert applied.outcome is not None
    assert (applied.outcome.counts, applied.outcome.blocked) == (Counts(active=2, completed=1, failed=1), 2)
    assert world.notes == ["job words-job is completed (TaskFailed), with 2 tasks that never ran"]


async def test_a_disabled_job_is_told_once(workload: Workload, world: World) -> None:
    at_poll(world, {1: lambda: world.batch.jobs["words-job"].update(state="disabled"), 9: finish(world, "a", "b", "c")})
    await world.apply(workload.desired())
    assert world.notes == ["job words-job is disabled: no task starts until it is enabled"]


async def test_a_job_deleted_meanwhile_is_no_success(workload: Workload, world: World) -> None:
    at_poll(world, {2: lambda: world.batch.jobs.pop("words-job")})
    with pytest.raises(ServiceRefused) as caught:
        await world.apply(workload.desired())
    assert str(caught.value) == (
        "wait for job words-job: JobNotFound: the job was deleted while its tasks were waited for"
    )


async def test_a_task_deleted_meanwhile_is_no_success(workload: Workload, world: World) -> None:
    def lose() -> None:
        del world.batch.tasks["words-job"]["c"]
        finish(world, "a", "b")()

    at_poll(world, {2: lose})
    with pytest.raises(ServiceRefused, match="1 of 3 tasks were deleted while they were waited for"):
        await world.apply(workload.desired())


async def test_counts_that_lag_behind_end_no_wait_and_hide_no_failure(workload: Workload, world: World) -> None:
    stale: dict[str, Any] = {"active": 0, "running": 0, "completed": 2, "succeeded": 2, "failed": 0}

    async def task_counts(job_id: str) -> dict[str, Any]:
        return {"taskCounts": stale}

    world.batch.task_counts = task_counts  # type: ignore[method-assign]  # the service itself lags
    at_poll(world, {4: finish(world, "a", "b"), 8: finish(world, "c", exit_code=3)})
    applied = await world.apply(workload.desired())
    assert applied.outcome is not None
    assert applied.outcome.counts == Counts(completed=3, succeeded=2, failed=1)
    assert [group.ids for group in applied.outcome.failures] == [("c",)]


async def test_a_service_that_comes_back_is_waited_for(workload: Workload, world: World) -> None:
    for nth in (3, 4, 5):
        world.batch.fail("task_counts", nth, ServiceUnreachable("no answer from the engine"))
    at_poll(world, {8: finish(world, "a", "b", "c")})
    applied = await world.apply(workload.desired())
    assert applied.outcome == Outcome(Counts(completed=3, succeeded=3), 0, ())
    assert world.notes == ["no answer from the engine; trying again", "the service answers again"]


async def test_a_service_that_stays_away_is_told_after_half_a_minute(workload: Workload, world: World) -> None:
    for nth in range(2, 400):
        world.batch.fail("task_counts", nth, ServiceUnreachable("no answer from the engine"))
    with pytest.raises(ServiceUnreachable) as caught:
        await world.apply(workload.desired())
    assert caught.value.fix == "the run goes on where it can; when the service is back, run `apply` again"
    assert 30 < world.clock.seconds < 60


async def test_a_service_that_goes_away_at_the_very_end_is_waited_for_too(workload: Workload, world: World) -> None:
    def end() -> None:
        finish(world, "a", "b", exit_code=0)()
        finish(world, "c", exit_code=3)()
        world.batch.fail("list_tasks", 1, ServiceUnreachable("gone"))

    at_poll(world, {2: end})
    applied = await world.apply(workload.desired())
    assert applied.outcome is not None
    assert applied.outcome.counts == Counts(completed=3, succeeded=2, failed=1)


def break_nodes(world: World, *numbers: int, state: str = "starttaskfailed") -> None:
    for number in numbers:
        node = world.batch.nodes["words-pool"][number]
        node["state"] = state
        if state == "starttaskfailed":
            failure = {"category": "usererror", "code": "FailureExitCode", "message": "it exited with 9"}
            node["startTaskInfo"] = {"state": "completed", "exitCode": 9, "result": "failure", "failureInfo": failure}
            world.batch.node_files["words-pool", node["id"], "startup/stderr.txt"] = b"no package\nno luck\n"
        else:
            node["errors"] = [{"code": "DiskFull", "message": "no space", "errorDetails": []}]


async def test_a_start_task_that_failed_on_every_node_ends_the_wait(workload: Workload, world: World) -> None:
    at_poll(world, {2: lambda: break_nodes(world, 0, 1)})
    with pytest.raises(StartTaskFailed) as caught:
        await world.apply(workload.desired())
    assert str(caught.value).split("\n") == [
        "no node of pool words-pool can run tasks: the start task failed on every one of them",
        "start task failed on tvmps_words-pool0_d: FailureExitCode, exit code 9: it exited with 9",
        "  | no package",
        "  | no luck",
    ]
    assert caught.value.fix == (
        "mend the start task and run `apply` again; when it was not its fault, `apply --retry-failed` runs it again; "
        "all of it: batchspec logs words.yaml --start-task tvmps_words-pool0_d"
    )
    assert world.notes == []


async def test_nodes_that_are_all_unusable_end_the_wait(workload: Workload, world: World) -> None:
    at_poll(world, {2: lambda: break_nodes(world, 0, 1, state="unusable")})
    with pytest.raises(StartTaskFailed) as caught:
        await world.apply(workload.desired())
    assert str(caught.value).split("\n") == [
        "no node of pool words-pool can run tasks: each of them is unusable",
        "node tvmps_words-pool0_d is unusable: DiskFull: no space",
    ]


async def test_a_start_task_that_failed_on_one_node_is_told_once_and_the_run_goes_on(
    workload: Workload, world: World
) -> None:
    at_poll(world, {2: lambda: break_nodes(world, 1), 9: finish(world, "a", "b", "c")})
    applied = await world.apply(workload.desired())
    assert applied.outcome == Outcome(Counts(completed=3, succeeded=3), 0, ())
    assert [(event.text, event.warning) for event in world.events if isinstance(event, Noted)] == [
        ("start task failed on tvmps_words-pool1_d: FailureExitCode, exit code 9: it exited with 9", True),
        ("  | no package", False),
        ("  | no luck", False),
        ("all of it: batchspec logs words.yaml --start-task tvmps_words-pool1_d", False),
    ]
    assert sum(name == "list_nodes" for name, _ in world.batch.reads) == 1


async def test_a_pool_whose_resize_failed_and_that_has_no_node_ends_the_wait(workload: Workload, world: World) -> None:
    world.batch.grow = False
    errors = [{"code": "AccountCoreQuotaReached", "message": "no cores left"}]
    at_poll(world, {3: lambda: world.batch.pools["words-pool"].update(resizeErrors=errors)})
    with pytest.raises(TimedOut) as caught:
        await world.apply(workload.desired())
    assert str(caught.value) == ("pool words-pool has no node and gets none: AccountCoreQuotaReached: no cores left")
    assert caught.value.fix == "check quota and vm_size; `apply` again tries the resize again"


async def test_a_pool_whose_resize_failed_in_part_is_told_and_used(workload: Workload, world: World) -> None:
    def lose() -> None:
        world.batch.nodes["words-pool"].pop()
        world.batch.pools["words-pool"]["resizeErrors"] = [{"code": "AllocationFailed", "message": "no room"}]

    at_poll(world, {1: lose, 4: finish(world, "a", "b", "c")})
    await world.apply(workload.desired())
    assert world.notes == ["pool words-pool: AllocationFailed: no room"]


@pytest.mark.parametrize("code", ["AllocationFailed", "AllocationTimedout"])
async def test_a_pool_that_scales_by_itself_gets_over_a_resize_that_failed(
    workload: Workload, world: World, code: str
) -> None:
    world.batch.grow = False
    errors = [{"code": code, "message": "no room"}]
    failed, recovered = {"resizeErrors": errors}, {"resizeErrors": None}
    pool: JsonObject = {"enableAutoScale": True, "autoScaleFormula": "$TargetDedicatedNodes=2;"}
    at_poll(
        world,
        {
            1: lambda: world.batch.pools["words-pool"].update(failed),
            5: lambda: world.batch.pools["words-pool"].update(recovered),
            7: finish(world, "a", "b", "c"),
        },
    )
    applied = await world.apply(replace(workload, pool=pool).desired())
    assert applied.outcome == Outcome(Counts(completed=3, succeeded=3), 0, ())


async def test_a_pool_of_no_nodes_is_told_once(workload: Workload, world: World) -> None:
    empty = replace(workload, nodes=0, timeout=timedelta(seconds=60))
    with pytest.raises(TimedOut):
        await world.apply(empty.desired())
    assert world.notes == ["pool words-pool has 0 nodes and its target is 0: no task can run until it is resized"]


async def test_a_pool_that_is_deleted_meanwhile_ends_the_wait(workload: Workload, world: World) -> None:
    at_poll(world, {2: lambda: world.batch.pools.pop("words-pool")})
    with pytest.raises(TimedOut, match="pool words-pool is not there any more"):
        await world.apply(workload.desired())


def in_pool_of_job(workload: Workload, world: World) -> Desired:
    """The same spec, but the service made the pool with the job: only the job says which it is."""
    info: Any = {"autoPoolSpecification": {"poolLifetimeOption": "job", "pool": {"vmSize": "standard_d2s_v3"}}}
    world.batch.pools["night_1"] = {"id": "night_1", "state": "active", "allocationState": "steady"}
    world.batch.before("task_counts", lambda name: world.batch.jobs[name]["executionInfo"].update(poolId="night_1"))
    return replace(replace(workload, job={"poolInfo": info}).desired(), pool=None)


async def test_the_pool_that_came_with_the_job_is_looked_at_too(workload: Workload, world: World) -> None:
    error = {"code": "AllocationFailed", "message": "no room"}
    desired = in_pool_of_job(workload, world)
    world.batch.pools["night_1"] |= {"targetDedicatedNodes": 2, "resizeErrors": [error]}
    with pytest.raises(TimedOut, match="pool night_1 has no node and gets none: AllocationFailed: no room"):
        await world.apply(desired)


async def test_a_pool_that_went_with_its_job_is_no_fault_of_its_own(workload: Workload, world: World) -> None:
    desired = in_pool_of_job(workload, world)
    at_poll(world, {2: lambda: world.batch.pools.pop("night_1"), 4: finish(world, "a", "b", "c")})
    applied = await world.apply(desired)
    assert applied.outcome == Outcome(Counts(completed=3, succeeded=3), 0, ())
