"""`apply` on fake services: what it writes, when it writes nothing, and what it refuses."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from batchspec.errors import Declined, ForeignOwner, Locked, PlanRefused, TransferFailed
from batchspec.reconcile.apply import Applied
from batchspec.reconcile.change import Change, Plan, Reason
from batchspec.reconcile.lock import holder
from batchspec.reconcile.marks import REBOOT_KEY, metadata_of
from batchspec.reconcile.outcome import Counts, Outcome
from batchspec.reconcile.report import Finished
from batchspec.render.model import HASH_KEY, Secret
from batchspec.render.symbolic import symbol
from tests.fakes import FakeContainer, refused
from tests.reconcile.builders import Workload, World, files_below


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    return Workload(tmp_path)


@pytest.fixture
def world() -> World:
    return World()


def refuse(shown: Plan) -> None:
    raise Declined("no")


def never_asked(shown: Plan) -> None:
    assert not shown.questions


async def test_a_first_run_makes_everything_and_brings_the_results(workload: Workload, world: World) -> None:
    applied = await world.apply(workload.desired(), confirm=never_asked)
    assert applied.outcome == Outcome(Counts(completed=3, succeeded=3), 0, ())
    assert (applied.downloaded, set(files_below(workload.results))) == (
        3,
        {"a_OUTPUT.txt", "b_OUTPUT.txt", "c_OUTPUT.txt"},
    )
    assert sorted(world.changes) == [
        ("add_tasks", "words-job"),
        ("create_container", "words-application"),
        ("create_container", "words-input"),
        ("create_container", "words-output"),
        ("create_job", "words-job"),
        ("create_pool", "words-pool"),
        ("upload", "words-application/script.py"),
        ("upload", "words-input/a.txt"),
        ("upload", "words-input/b.txt"),
        ("upload", "words-input/c.txt"),
    ]
    totals = applied.plan.totals
    assert (totals.create, totals.change, totals.replace, totals.delete) == (12, 0, 0, 0)


async def test_the_lock_s_container_counts_as_created_like_the_others(workload: Workload, world: World) -> None:
    await world.apply(workload.desired())
    assert [event.summary for event in world.events if isinstance(event, Finished) and event.stage == "containers"] == [
        "3 created"
    ]


async def test_a_second_run_writes_nothing_and_asks_nothing(workload: Workload, world: World) -> None:
    await world.apply(workload.desired())
    again = await world.apply(workload.desired(), confirm=never_asked)
    assert (world.writes, again.plan.nothing_to_do, again.downloaded) == ([], True, 0)
    assert again.outcome == Outcome(Counts(completed=3, succeeded=3), 0, ())


ODD = [
    pytest.param({"pool": {"vmSize": "STANDARD_D2S_V3"}}, id="case of an enum"),
    pytest.param({"pool": {"resizeTimeout": "PT900S"}}, id="a duration"),
    pytest.param({"pool": {"userAccounts": [{"name": "me", "password": symbol("secret", "pw")}]}}, id="a secret"),
    pytest.param({"job": {"constraints": {"maxWallClockTime": "PT60M"}, "priority": 0}}, id="defaults of the job"),
    pytest.param({"job": {"onAllTasksComplete": "NoAction"}}, id="no action, written in capitals"),
    pytest.param({"job": {"onAllTasksComplete": "terminateJob"}}, id="terminate, written in capitals"),
    pytest.param({"task": {"constraints": {"maxWallClockTime": "PT1H", "maxTaskRetryCount": 0}}}, id="of a task"),
    pytest.param(
        {"pool": {"enableAutoScale": True, "autoScaleFormula": "$TargetDedicatedNodes = 1;"}}, id="a pool that scales"
    ),
]


@pytest.mark.parametrize("odd", ODD)
async def test_a_second_run_writes_nothing_whatever_the_service_makes_of_a_body(
    odd: dict[str, dict[str, object]], workload: Workload, world: World
) -> None:
    one = replace(workload, secrets={"pw": Secret("geheim")}, **odd)  # type: ignore[arg-type]
    await world.apply(one.desired())
    for pool in world.batch.pools.values():
        pool["vmSize"] = pool["vmSize"].lower()
        pool.pop("userAccounts", None)
        pool["metadata"].reverse()
        pool["resizeTimeout"] = "PT15M"
    for job in world.batch.jobs.values():
        job["onAllTasksComplete"] = job["onAllTasksComplete"].lower()
        job["metadata"].reverse()
    for task in world.batch.tasks["words-job"].values():
        task["constraints"]["maxWallClockTime"] = "PT60M"
        task["environmentSettings"].reverse()
    again = await world.apply(one.desired(), confirm=never_asked)
    assert (world.writes, again.plan.nothing_to_do) == ([], True)


async def test_a_resize_reaches_the_pool_in_place(workload: Workload, world: World) -> None:
    await world.apply(workload.desired())
    applied = await world.apply(replace(workload, nodes=4).desired(), confirm=never_asked)
    assert world.changes == [("update_pool", "words-pool"), ("resize_pool", "words-pool")]
    assert applied.plan.changes == (
        Change(
            "update",
            "pool",
            "words-pool",
            (Reason("changed", "targetDedicatedNodes", 2, 4),),
            steps=("patch", "resize"),
        ),
    )
    assert (await world.plan(replace(workload, nodes=4).desired())).nothing_to_do


async def test_a_pool_turns_to_scaling_by_itself_and_back(workload: Workload, world: World) -> None:
    await world.apply(workload.desired())
    scaling = replace(workload, pool={"enableAutoScale": True, "autoScaleFormula": "$TargetDedicatedNodes = 1;"})
    await world.apply(scaling.desired(), confirm=never_asked)
    assert world.changes == [("update_pool", "words-pool"), ("set_autoscale", "words-pool")]
    world.batch.pools["words-pool"]["targetDedicatedNodes"] = 1  # what the formula made of it
    await world.apply(workload.desired(), confirm=never_asked)
    assert world.changes == [
        ("update_pool", "words-pool"),
        ("set_autoscale", "words-pool"),
        ("resize_pool", "words-pool"),
    ]
    assert (await world.plan(workload.desired())).nothing_to_do


async def test_a_pool_that_somebody_let_scale_by_itself_is_set_back(workload: Workload, world: World) -> None:
    await world.apply(workload.desired())
    world.batch.pools["words-pool"] |= {"enableAutoScale": True, "autoScaleFormula": "$TargetDedicatedNodes = 9;"}
    assert (await world.plan(workload.desired())).changes[0].steps == ("autoscale",)


async def test_a_fourth_text_is_one_upload_and_one_task(workload: Workload, world: World) -> None:
    await world.apply(workload.desired())
    more = replace(workload, texts={**workload.texts, "d.txt": "d"})
    applied = await world.apply(more.desired(), confirm=never_asked)
    assert world.changes == [("upload", "words-input/d.txt"), ("add_tasks", "words-job")]
    assert (applied.downloaded, world.ran) == (1, {"a": 1, "b": 1, "c": 1, "d": 1})


async def test_an_edited_text_is_one_upload_and_one_task_replaced(workload: Workload, world: World) -> None:
    await world.apply(workload.desired())
    edited = replace(workload, texts={**workload.texts, "b.txt": "other"})
    asked: list[Plan] = []
    await world.apply(edited.desired(), confirm=asked.append)
    assert [one.id for one in asked[0].questions] == ["b"]
    assert world.changes == [
        ("upload", "words-input/b.txt"),
        ("delete_task", "words-job/b"),
        ("add_tasks", "words-job"),
    ]


async def test_a_deleted_text_leaves_a_finished_task_that_the_plan_names(workload: Workload, world: World) -> None:
    await world.apply(workload.desired())
    fewer = replace(workload, texts={name: workload.texts[name] for name in ("a.txt", "b.txt")})
    applied = await world.apply(fewer.desired(), confirm=never_asked)
    assert (world.writes, applied.plan.orphaned_tasks) == ([], ("c",))
    assert applied.outcome == Outcome(Counts(completed=2, succeeded=2), 0, ())
    assert applied.plan.notes == ("1 finished task is no longer in the spec and is kept: c",)


async def test_an_unfinished_task_whose_text_is_gone_is_deleted(workload: Workload, world: World) -> None:
    world.exit_code = lambda task_id: None if task_id == "c" else 0
    await world.apply(workload.desired(), wait=False)
    fewer = replace(workload, texts={name: workload.texts[name] for name in ("a.txt", "b.txt")})
    applied = await world.apply(fewer.desired())
    assert world.changes == [("delete_task", "words-job/c")]
    assert applied.outcome == Outcome(Counts(completed=2, succeeded=2), 0, ())


async def test_an_edited_script_reboots_the_nodes_before_the_tasks_run_again(workload: Workload, world: World) -> None:
    await world.apply(workload.desired())
    edited = replace(workload, script="count better")
    await world.apply(edited.desired())
    assert world.changes == [
        ("upload", "words-application/script.py"),
        ("update_pool", "words-pool"),
        ("reboot_node", "words-pool/tvmps_words-pool0_d"),
        ("reboot_node", "words-pool/tvmps_words-pool1_d"),
        ("update_pool", "words-pool"),
        ("delete_task", "words-job/a"),
        ("delete_task", "words-job/b"),
        ("delete_task", "words-job/c"),
        ("add_tasks", "words-job"),
    ]
    assert REBOOT_KEY not in metadata_of(world.batch.pools["words-pool"])
    assert (await world.plan(edited.desired())).nothing_to_do


async def test_a_node_that_refuses_to_reboot_is_taken_out_and_another_comes(workload: Workload, world: World) -> None:
    await world.apply(workload.desired())
    world.batch.nodes["words-pool"][0]["state"] = "starttaskfailed"

    def refuse_to_reboot(resource: str) -> None:
        if resource == "words-pool/tvmps_words-pool0_d":
            raise refused("reboot node", resource, 409, "OperationInvalidForCurrentState")

    world.batch.before("reboot_node", refuse_to_reboot)
    await world.apply(replace(workload, script="count better").desired())
    pool_writes = [one for one in world.changes if "pool" in one[0] or "node" in one[0]]
    assert pool_writes == [
        ("update_pool", "words-pool"),
        ("reboot_node", "words-pool/tvmps_words-pool0_d"),
        ("reboot_node", "words-pool/tvmps_words-pool1_d"),
        ("remove_nodes", "words-pool"),
        ("resize_pool", "words-pool"),
        ("update_pool", "words-pool"),
    ]
    assert [node["state"] for node in world.batch.nodes["words-pool"]] == ["idle", "idle"]


async def test_another_vm_size_is_a_replacement_that_says_why_and_asks(workload: Workload, world: World) -> None:
    await world.apply(workload.desired())
    other = replace(workload, vm_size="standard_d4s_v3").desired()
    assert (await world.plan(other)).changes == (
        Change(
            "replace",
            "pool",
            "words-pool",
            (Reason("changed", "vmSize", "standard_d2s_v3", "standard_d4s_v3", replaces=True),),
            steps=("delete", "create"),
        ),
    )
    with pytest.raises(Declined):
        await world.apply(other, confirm=refuse)
    assert world.writes == []


async def test_another_vm_size_of_an_empty_pool_is_patched(workload: Workload, world: World) -> None:
    empty = replace(workload, nodes=0)
    await world.apply(empty.desired(), wait=False)
    await world.apply(replace(empty, vm_size="standard_d4s_v3").desired(), confirm=never_asked, wait=False)
    assert world.changes == [("update_pool", "words-pool")]
    assert world.batch.pools["words-pool"]["vmSize"] == "standard_d4s_v3"


async def test_failed_tasks_are_told_again_and_not_touched(workload: Workload, world: World) -> None:
    world.exit_code = lambda task_id: 3 if task_id == "b" else 0
    first = await world.apply(workload.desired())
    again = await world.apply(workload.desired())
    assert (world.writes, again.plan.failed_tasks, again.outcome) == ([], ("b",), first.outcome)
    assert first.outcome is not None
    assert (first.outcome.counts, [group.ids for group in first.outcome.failures]) == (
        Counts(completed=3, succeeded=2, failed=1),
        [("b",)],
    )
    assert set(files_below(workload.results)) == {"a_OUTPUT.txt", "c_OUTPUT.txt"}


async def test_retry_failed_runs_the_failed_ones_again(workload: Workload, world: World) -> None:
    world.exit_code = lambda task_id: 3 if task_id == "b" else 0
    await world.apply(workload.desired())
    world.exit_code = lambda task_id: 0
    applied = await world.apply(workload.desired(), retry_failed=True, confirm=never_asked)
    assert world.changes == [("reactivate_task", "words-job/b")]
    assert applied.outcome == Outcome(Counts(completed=3, succeeded=3), 0, ())


async def test_a_task_whose_sas_was_refused_is_added_anew_when_retried(workload: Workload, world: World) -> None:
    await world.apply(workload.desired())
    world.batch.finish("words-job", "b", exit_code=1, code="FileUploadAccessDenied")
    await world.apply(workload.desired(), retry_failed=True, confirm=never_asked)
    assert world.changes == [("delete_task", "words-job/b"), ("add_tasks", "words-job")]


async def test_constraints_of_unfinished_tasks_change_in_place(workload: Workload, world: World) -> None:
    world.exit_code = lambda task_id: None if task_id == "b" else 0
    await world.apply(workload.desired(), wait=False)
    edited = replace(workload, task={"constraints": {"maxWallClockTime": "PT5M"}}).desired()
    await world.apply(edited, confirm=never_asked, wait=False)
    assert world.changes == [("update_task", "words-job/b")]
    assert (await world.plan(edited)).tasks == ()


async def test_a_task_that_ends_while_its_constraints_change_is_no_error(workload: Workload, world: World) -> None:
    world.exit_code = lambda task_id: None if task_id == "b" else 0
    await world.apply(workload.desired(), wait=False)
    world.batch.before("update_task", lambda resource: world.finish_all())
    edited = replace(workload, task={"constraints": {"maxWallClockTime": "PT5M"}}).desired()
    applied = await world.apply(edited)
    assert applied.outcome == Outcome(Counts(completed=3, succeeded=3), 0, ())


async def test_a_job_that_ends_with_its_tasks_is_told_so_after_the_last_was_added(
    workload: Workload, world: World
) -> None:
    ending = replace(workload, job={"onAllTasksComplete": "terminatejob"})
    await world.apply(ending.desired())
    assert [one for one in world.changes if one[1] == "words-job"] == [
        ("create_job", "words-job"),
        ("add_tasks", "words-job"),
        ("update_job", "words-job"),
    ]
    assert world.batch.jobs["words-job"]["state"] == "completed"


async def test_a_completed_job_that_must_take_a_task_is_replaced_and_the_plan_says_so(
    workload: Workload, world: World
) -> None:
    ending = replace(workload, job={"onAllTasksComplete": "terminatejob"})
    await world.apply(ending.desired())
    more = replace(ending, texts={**ending.texts, "d.txt": "d"}).desired()
    shown = await world.plan(more)
    assert shown.changes[-1] == Change(
        "replace",
        "job",
        "words-job",
        (
            Reason(
                "the job is completed (AllTasksComplete) and takes no more tasks: all of them run again in a new one",
                replaces=True,
            ),
        ),
        steps=("delete", "create"),
    )
    assert len(shown.tasks) == 4
    applied = await world.apply(more)
    assert applied.outcome == Outcome(Counts(completed=4, succeeded=4), 0, ())


async def test_two_at_once_on_nothing_run_every_task_once(workload: Workload, world: World) -> None:
    desired = workload.desired()
    ends = await asyncio.gather(world.apply(desired), world.apply(desired), return_exceptions=True)
    refused = [end for end in ends if isinstance(end, PlanRefused)]
    done = [end for end in ends if isinstance(end, Applied)]
    assert (len(refused) + len(done), len(done) >= 1) == (2, True), ends
    assert world.ran == {"a": 1, "b": 1, "c": 1}
    assert (await world.plan(desired)).nothing_to_do


async def test_while_another_client_writes_the_second_is_refused_and_says_by_whom(
    workload: Workload, world: World
) -> None:
    desired = workload.desired()
    second: list[str] = []

    async def interfere(resource: str) -> None:
        with pytest.raises(Locked) as caught:
            await world.apply(desired)
        second.append(str(caught.value))

    world.batch.before("create_pool", interfere)
    await world.apply(desired)
    assert second == [f"container words-application is locked by {holder()}"]
    assert world.ran == {"a": 1, "b": 1, "c": 1}


async def test_the_lock_is_not_held_while_waiting(workload: Workload, world: World) -> None:
    world.exit_code = lambda task_id: None
    held: list[bool] = []

    def look() -> None:
        held.append(any(container.lease is not None for container in world.blobs.containers.values()))
        world.finish_all()

    world.clock.on_sleep = look
    await world.apply(workload.desired())
    assert held == [False]


async def test_what_was_not_shown_is_not_replaced(workload: Workload, world: World) -> None:
    await world.apply(workload.desired())
    more = replace(workload, texts={**workload.texts, "d.txt": "d"})

    def change_meanwhile(shown: Plan) -> None:
        world.batch.pools["words-pool"]["vmSize"] = "standard_a1"
        world.batch.pools["words-pool"]["metadata"] = [
            {**item, "value": "other"} if item["name"] == HASH_KEY else item
            for item in world.batch.pools["words-pool"]["metadata"]
        ]

    with pytest.raises(PlanRefused, match="it would now replace pool words-pool"):
        await world.apply(more.desired(), confirm=change_meanwhile)
    assert world.changes == []


async def test_everything_in_the_way_is_named_at_once_and_nothing_is_touched(workload: Workload, world: World) -> None:
    await world.apply(workload.desired())
    other = World()
    other.blobs.containers["words-output"] = FakeContainer({}, '"1"')
    other.blobs.containers["words-input"] = FakeContainer({"batchspec_name": "words"}, '"2"')
    other.blobs.put("words-input", "a.txt", b"somebody's")
    await other.batch.create_pool({"id": "words-pool", "vmSize": "x"})
    await other.batch.create_job(
        {"id": "words-job", "poolInfo": {"poolId": "p"}, "metadata": [{"name": "batchspec:name", "value": "else"}]}
    )
    with pytest.raises(ForeignOwner) as caught:
        await other.apply(workload.desired())
    assert str(caught.value) == (
        "not made by the spec 'words', so not touched: container words-output, blob words-input/a.txt, "
        "pool words-pool, job words-job (of the spec 'else')"
    )
    assert other.writes == []


async def test_foreign_things_that_are_being_deleted_are_waited_for(workload: Workload, world: World) -> None:
    world.batch.slow_deletes = 3
    await world.batch.create_pool({"id": "words-pool", "vmSize": "x"})
    await world.batch.create_job({"id": "words-job", "poolInfo": {"poolId": "p"}})
    await world.batch.delete_pool("words-pool")
    await world.batch.delete_job("words-job")
    applied = await world.apply(workload.desired(), confirm=never_asked)
    assert applied.outcome == Outcome(Counts(completed=3, succeeded=3), 0, ())


async def test_what_should_exist_and_does_not_is_named_at_once(workload: Workload, world: World) -> None:
    with pytest.raises(PlanRefused) as caught:
        await world.apply(replace(workload, existing=frozenset({"input", "pool", "job"})).desired())
    assert str(caught.value) == (
        "not there, though the spec says `existing: true`: container words-input, pool words-pool, job words-job"
    )


async def test_in_a_job_of_others_only_our_tasks_count_and_only_they_are_touched(
    workload: Workload, world: World
) -> None:
    world.exit_code = lambda task_id: None
    other = replace(workload, texts={"x.txt": "x", "y.txt": "y"}, downloads=False)
    await world.batch.create_job({"id": "words-job", "poolInfo": {"poolId": "words-pool"}})
    shared = frozenset({"job"})
    await world.apply(replace(other, existing=shared).desired(), wait=False)
    world.batch.finish("words-job", "y", exit_code=9)
    polls: list[int] = []

    def end_ours() -> None:
        polls.append(len(world.batch.reads))
        for task_id in ("a", "b", "c"):
            if len(polls) == 3 and task_id in world.batch.tasks["words-job"]:
                world.batch.finish("words-job", task_id)

    world.clock.on_sleep = end_ours
    applied = await world.apply(replace(workload, existing=shared).desired(), confirm=never_asked)
    assert applied.outcome == Outcome(Counts(completed=3, succeeded=3), 0, ())
    assert set(world.batch.tasks["words-job"]) == {"a", "b", "c", "x", "y"}
    assert len({after - before for before, after in pairwise(polls)}) == 1
    assert (await world.plan(replace(workload, existing=shared).desired())).orphaned_tasks == ()


async def test_a_completed_job_of_others_is_refused(workload: Workload, world: World) -> None:
    await world.batch.create_job({"id": "words-job", "poolInfo": {"poolId": "words-pool"}})
    world.batch.jobs["words-job"]["state"] = "completed"
    with pytest.raises(PlanRefused, match="job words-job is completed and takes no more tasks"):
        await world.apply(replace(workload, existing=frozenset({"job"})).desired())


async def test_after_clean_up_there_is_nothing_to_do(workload: Workload, world: World) -> None:
    clean = replace(workload, cleanup=("container.input", "container.application", "pool"))
    await world.apply(clean.desired())
    assert (set(world.blobs.containers), world.batch.pools) == ({"words-output"}, {})
    again = await world.apply(clean.desired(), confirm=never_asked)
    assert (world.writes, again.plan.nothing_to_do, again.plan.cleaned_up) == ([], True, True)


async def test_after_clean_up_one_changed_input_brings_back_exactly_what_it_needs(
    workload: Workload, world: World
) -> None:
    clean = replace(workload, cleanup=("container.input",))
    await world.apply(clean.desired())
    edited = replace(clean, texts={**clean.texts, "b.txt": "other"})
    await world.apply(edited.desired())
    assert world.changes == [
        ("create_container", "words-input"),
        ("upload", "words-input/b.txt"),
        ("delete_container", "words-input"),
        ("delete_task", "words-job/b"),
        ("add_tasks", "words-job"),
    ]


async def test_the_only_text_changed_after_clean_up_brings_back_only_itself(workload: Workload, world: World) -> None:
    clean = replace(workload, texts={"a.txt": "a"}, cleanup=("container.input", "container.application"))
    await world.apply(clean.desired())
    shown = await world.plan(replace(clean, texts={"a.txt": "other"}).desired())
    assert [(one.action, one.id) for one in (*shown.changes, *shown.tasks)] == [
        ("create", "words-application"),
        ("create", "words-input"),
        ("create", "words-application/script.py"),
        ("create", "words-input/a.txt"),
        ("replace", "a"),
    ]


async def test_a_failure_cleans_up_nothing(workload: Workload, world: World) -> None:
    world.exit_code = lambda task_id: 3 if task_id == "b" else 0
    clean = replace(workload, cleanup=("container.input", "pool", "job")).desired()
    await world.apply(clean)
    await world.apply(clean)
    assert (world.writes, set(world.batch.pools), set(world.batch.jobs)) == ([], {"words-pool"}, {"words-job"})
    assert "words-input" in world.blobs.containers


async def test_a_spec_that_cleans_up_its_job_says_that_it_runs_anew(workload: Workload, world: World) -> None:
    clean = replace(workload, cleanup=("job",)).desired()
    await world.apply(clean)
    shown = await world.plan(clean)
    assert len(shown.tasks) == 3
    assert shown.notes == ("the spec's cleanup removes its own job, so nothing is remembered: everything runs anew",)


async def test_what_another_version_of_the_spec_made_is_told_of_and_left(workload: Workload, world: World) -> None:
    await world.apply(workload.desired())
    world.batch.pools["old-pool"] = {**world.batch.pools["words-pool"], "id": "old-pool"}
    world.batch.jobs["old-job"] = {**world.batch.jobs["words-job"], "id": "old-job"}
    world.blobs.containers["words-old"] = FakeContainer({"batchspec_name": "words"}, '"1"')
    applied = await world.apply(workload.desired())
    assert (world.writes, applied.plan.notes) == (
        [],
        (
            "pool old-pool carries this spec's mark and is no longer in it; `batchspec delete` removes it",
            "job old-job carries this spec's mark and is no longer in it; `batchspec delete` removes it",
            "container words-old carries this spec's mark and is no longer in it; `batchspec delete` removes it",
        ),
    )


async def test_prune_removes_our_blobs_whose_file_is_gone_and_no_others(workload: Workload, world: World) -> None:
    pruning = replace(workload, prune=True)
    await world.apply(pruning.desired())
    world.blobs.put("words-input", "foreign.txt", b"x")
    fewer = replace(pruning, texts={"a.txt": workload.texts["a.txt"]})
    asked: list[Plan] = []
    await world.apply(fewer.desired(), confirm=asked.append)
    assert [one.id for one in asked[0].questions] == ["words-input/b.txt", "words-input/c.txt"]
    assert set(world.blobs.containers["words-input"].blobs) == {"a.txt", "foreign.txt"}


async def test_a_blob_that_two_uploads_would_prune_goes_once(workload: Workload, world: World) -> None:
    pruning = replace(workload, prune=True)
    await world.apply(pruning.desired())
    fewer = replace(pruning, texts={"a.txt": workload.texts["a.txt"]}).desired()
    again = replace(fewer.uploads["texts"], key="again", prefix="b")
    both = replace(fewer, uploads={**fewer.uploads, "again": again})

    planned = await world.plan(both)

    assert [one.id for one in planned.questions] == ["words-input/b.txt", "words-input/c.txt"]


async def test_a_pool_that_somebody_deleted_is_made_anew_and_no_finished_task_runs_again(
    workload: Workload, world: World
) -> None:
    world.exit_code = lambda task_id: None if task_id == "c" else 0
    await world.apply(workload.desired(), wait=False)
    world.batch.pools.clear()
    world.batch.nodes.clear()
    world.clock.on_sleep = world.finish_all
    applied = await world.apply(workload.desired(), confirm=never_asked)
    assert world.changes == [("create_pool", "words-pool")]
    assert (applied.outcome, world.ran) == (Outcome(Counts(completed=3, succeeded=3), 0, ()), {"a": 1, "b": 1, "c": 1})


async def test_a_last_resize_that_failed_is_tried_again_only_for_tasks(workload: Workload, world: World) -> None:
    world.exit_code = lambda task_id: None if task_id == "b" else 0
    await world.apply(workload.desired(), wait=False)
    world.batch.pools["words-pool"]["resizeErrors"] = [{"code": "AllocationTimedout", "message": "no room"}]
    assert (await world.plan(workload.desired())).changes == (
        Change(
            "update",
            "pool",
            "words-pool",
            (Reason("the last resize ended in errors and is tried again"),),
            steps=("resize",),
        ),
    )
    world.finish_all()
    assert (await world.plan(workload.desired())).changes == ()


async def test_a_run_that_only_waits_extends_the_sas_of_its_waiting_tasks(workload: Workload, world: World) -> None:
    world.exit_code = lambda task_id: None
    await world.apply(workload.desired(), wait=False)
    for granted in world.blobs.grants:
        world.blobs.grants[granted] = timedelta(hours=1)
    world.clock.on_sleep = world.finish_all
    await world.apply(workload.desired())
    assert world.blobs.grants == {
        ("words-application", "r"): timedelta(days=7),
        ("words-input", "r"): timedelta(days=7),
        ("words-output", "cw"): timedelta(days=7),
    }


async def test_failed_tasks_matter_more_than_a_failed_download(workload: Workload, world: World) -> None:
    world.exit_code = lambda task_id: 3 if task_id == "b" else 0
    world.batch.before("create_job", lambda resource: world.blobs.put("words-output", "../../x", b"!"))
    applied = await world.apply(workload.desired())
    assert applied.outcome is not None
    assert (applied.outcome.counts.failed, isinstance(applied.missed, TransferFailed)) == (1, True)
    assert "'../../x'" in str(applied.missed)


async def test_without_own_containers_an_update_is_bound_to_what_the_plan_saw(workload: Workload, world: World) -> None:
    for key in ("application", "input", "output"):
        await world.blobs.create_container(f"words-{key}", {})
    mine = replace(workload, existing=frozenset({"application", "input", "output"}))
    await world.apply(mine.desired())
    await world.batch.get_pool("words-pool")
    world.batch.before("update_pool", lambda resource: world.batch.pools["words-pool"].update(eTag="other"))
    with pytest.raises(Exception, match="ConditionNotMet"):
        await world.apply(replace(mine, nodes=5).desired())


async def test_a_pool_alone_is_waited_for(workload: Workload, world: World) -> None:
    alone = replace(workload.desired(), job=None, tasks=lambda: iter(()), downloads=())
    world.batch.grow = False

    def arrive() -> None:
        world.batch.grow = True
        world.batch._fill("words-pool")

    world.clock.on_sleep = arrive
    applied = await world.apply(alone)
    assert (applied.outcome, world.clock.seconds > 0) == (None, True)
    assert [event.summary for event in world.events if isinstance(event, Finished) and event.stage == "pool"] == [
        "created",
        "2 of 2 nodes ready",
    ]
