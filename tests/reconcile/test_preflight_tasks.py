"""Preflight of the tasks: slots, instances, SAS, times, limits, containers."""

from datetime import timedelta

import pytest

from batchspec.reconcile.change import Change
from batchspec.reconcile.preflight_facts import Facts
from batchspec.reconcile.preflight_tasks import containers, limits, multi_instance, sas, slots, spot_nodes, time_limits
from batchspec.render.model import DesiredContainer, JsonObject
from batchspec.render.symbolic import symbol
from tests.reconcile.looking import NEW, POOL, facts, told

WAITS = "it would wait for ever"
SCALES: JsonObject = {"vmSize": "standard_d2s_v3", "enableAutoScale": True}
SPOT: JsonObject = {**POOL, "targetDedicatedNodes": 0, "targetLowPriorityNodes": 3}


def lasting(length: str) -> JsonObject:
    return {"constraints": {"maxWallClockTime": length}}


def test_every_task_fits_on_a_node() -> None:
    fact = "a node of pool p has 1 slot, a task needs 1 at most"
    assert told(slots, facts(POOL, {})) == [("required slots", "ok", fact, "")]
    assert told(slots, facts({**POOL, "taskSlotsPerNode": 4}, {"requiredSlots": 4}))[0][1] == "ok"


@pytest.mark.parametrize(
    ("pool", "more"), [(POOL, ""), (SCALES, ", while autoscale may pay for nodes that do nothing")]
)
def test_a_task_that_needs_more_slots_than_a_node_has_fails(pool: JsonObject, more: str) -> None:
    fact = f"task t1 needs 2 slots and a node of pool p has 1 slot: {WAITS}{more}"
    fix = "lower `required_slots`, or raise the pool's `task_slots_per_node`"
    assert told(slots, facts(pool, {}, {"requiredSlots": 2})) == [("required slots", "failed", fact, fix)]


@pytest.mark.parametrize("seen", [facts(None, {}), facts(POOL), facts(POOL, {"requiredSlots": 2}, pending=0)])
def test_without_pool_or_tasks_to_run_no_slot_is_told_of(seen: Facts) -> None:
    assert told(slots, seen) == []


MULTI: JsonObject = {"multiInstanceSettings": {"numberOfInstances": 2, "coordinationCommandLine": "x"}}
TALKS: JsonObject = {**POOL, "enableInterNodeCommunication": True}


def test_a_multi_instance_task_gets_its_nodes() -> None:
    fact = "task t0 needs 2 nodes, which the pool has"
    assert told(multi_instance, facts(TALKS, MULTI)) == [("multi-instance", "ok", fact, "")]
    scales: JsonObject = {**SCALES, "enableInterNodeCommunication": True}
    fact = "task t0 needs 2 nodes, as many as the formula must give at once"
    assert told(multi_instance, facts(scales, MULTI)) == [("multi-instance", "ok", fact, "")]


@pytest.mark.parametrize(
    ("pool", "fact", "fix"),
    [
        (POOL, "the nodes of pool p cannot reach each other", "write `enable_inter_node_communication: true`"),
        ({**TALKS, "taskSlotsPerNode": 4}, "a node of pool p has 4 slots", "write `task_slots_per_node: 1`"),
        (
            {**TALKS, "targetDedicatedNodes": 1},
            "it needs 2 nodes and pool p shall have 1 node",
            "give the pool more nodes",
        ),
    ],
)
def test_what_is_in_the_way_of_a_multi_instance_task_fails(pool: JsonObject, fact: str, fix: str) -> None:
    whole = f"task t0 would wait for ever: {fact}"
    assert told(multi_instance, facts(pool, MULTI)) == [("multi-instance", "failed", whole, fix)]


def test_a_task_of_one_instance_needs_no_more_than_a_node() -> None:
    assert told(multi_instance, facts(POOL, {})) == []
    assert told(multi_instance, facts(None, MULTI)) == []


SAS: JsonObject = {"environmentSettings": [{"name": "OUT", "value": symbol("sas_url", "output", "cw")}]}
SHORTEN = "shorten it, add nodes, raise wait.timeout or the job's max_wall_clock_time, or use a pool with an identity"
WEEK = timedelta(days=7)


def test_a_sas_outlives_what_has_no_limit_and_what_is_short() -> None:
    assert told(sas, facts(POOL, SAS)) == [("SAS life", "ok", "a SAS lasts 7 days", "")]
    assert told(sas, facts(POOL, {**SAS, **lasting("PT1H")})) == [("SAS life", "ok", "a SAS lasts 7 days", "")]


def test_a_task_that_may_run_for_longer_than_its_sas_is_a_warning() -> None:
    fact = "a SAS lasts 7 days, and task t0 may run for 8 days"
    assert told(sas, facts(POOL, {**SAS, **lasting("P8D")})) == [("SAS life", "warning", fact, SHORTEN)]


def test_a_queue_that_may_be_longer_than_the_sas_is_a_warning() -> None:
    many = [{**SAS, **lasting("P2D")}] * 6
    fact = "a SAS lasts 7 days, and with every task at its time limit the last one ends after 8 days"
    assert told(sas, facts(POOL, *many)) == [("SAS life", "warning", fact, SHORTEN)]
    assert told(sas, facts(POOL, *many, SAS))[0][1] == "ok"  # one without a limit: nobody can tell
    assert told(sas, facts(SCALES, *many))[0][1] == "ok"  # and how many nodes there are, the formula decides


def test_a_sas_that_cannot_last_as_long_as_the_wait_fails() -> None:
    seen = facts(POOL, SAS, longest_sas=WEEK, wait=timedelta(days=8))
    fact = "wait.timeout is 8 days, 0:00:00, longer than the 7 days that a SAS lasts with an Entra credential"
    fix = "shorten it, use an account key, or a pool with a managed identity"
    assert told(sas, seen) == [("SAS life", "failed", fact, fix)]


def test_nobody_s_sas_is_told_of() -> None:
    assert told(sas, facts(POOL, {})) == []
    assert told(sas, facts(POOL, SAS, pending=0)) == []


JOB: JsonObject = {"constraints": {"maxWallClockTime": "PT1H"}}


def test_a_task_ends_within_its_job_and_the_wait() -> None:
    fact = "task t0 may run for 20 min, and the wait for 30 min"
    assert told(time_limits, facts(POOL, lasting("PT20M"), job=JOB)) == [("time limits", "ok", fact, "")]


def test_a_task_that_may_outlive_its_job_or_the_wait_is_a_warning() -> None:
    two = lasting("PT2H")
    fact, fix = (
        "task t0 may run for 2 h, and the job ends after 1 h",
        "raise the job's max_wall_clock_time, or lower the task's",
    )
    assert told(time_limits, facts(POOL, two, job=JOB)) == [("time limits", "warning", fact, fix)]
    fact = "task t0 may run for 2 h, and the wait ends after 30 min"
    fix = "raise wait.timeout; the task would go on, and `apply` run again waits for it again"
    assert told(time_limits, facts(POOL, two)) == [("time limits", "warning", fact, fix)]


def test_tasks_without_a_limit_have_none_to_tell_of() -> None:
    assert told(time_limits, facts(POOL, {})) == []
    assert told(time_limits, facts(POOL, lasting("P10675199DT2H48M5.4775807S"))) == []
    assert told(time_limits, facts(POOL, lasting("PT2H"), pending=0)) == []


def test_long_tasks_on_low_priority_nodes_alone_are_a_warning() -> None:
    fact = "all nodes are low-priority, and task t0 may run for 2 days"
    fix = "a node that is taken away starts its task anew: save intermediate results, or add dedicated nodes"
    assert told(spot_nodes, facts(SPOT, lasting("P2D"))) == [("low-priority nodes", "warning", fact, fix)]
    assert told(spot_nodes, facts(SPOT, lasting("PT2H"))) == []
    assert told(spot_nodes, facts({**SPOT, "targetDedicatedNodes": 1}, lasting("P2D"))) == []


def test_what_was_held_to_the_service_s_limits_is_told_in_numbers() -> None:
    fact = "every request has less than 1 MiB, and the longest id 2 of 64 characters"
    assert told(limits, facts(POOL, {})) == [("limits", "ok", fact, "")]
    more: JsonObject = {"resourceFiles": [{}, {}], "dependsOn": {"taskIds": ["t0", "t1"]}}
    assert told(limits, facts(POOL, {}, {}, more)) == [
        ("limits", "ok", f"{fact}; a task has 2 resource files at most", ""),
        ("dependencies", "ok", "task t2 names 4 of 64,000 characters of ids that it waits for", ""),
    ]
    assert told(limits, facts(POOL)) == []


@pytest.mark.parametrize(
    ("seen", "what"),
    [
        (facts({**POOL, "displayName": "x" * 1_048_576}, {}), "pool p"),
        (facts(POOL, {}, job={"metadata": [{"name": symbol("secret", "x"), "value": "x" * 1_048_300}]}), "the job"),
    ],
)
def test_a_pool_or_job_that_is_too_large_for_a_request_fails(seen: Facts, what: str) -> None:
    ((name, verdict, fact, fix),) = told(limits, seen)
    assert (name, verdict) == ("limits", "failed")
    assert fact.startswith(f"the request that makes {what} has 1,04")
    assert fact.endswith(" bytes, and Batch takes 1,048,576")
    assert fix == "name files by their container and folder, or shorten what is long"


def container(key: str, url: str = "") -> DesiredContainer:
    return DesiredContainer(key, f"spec-{key}", False, False, (), url=url)


@pytest.mark.parametrize(
    ("keys", "changes", "fact"),
    [
        (("a",), (), "1 name is legal"),
        (("a", "b"), NEW, "2 names are legal"),
        (
            ("a", "b"),
            (Change("create", "container", "spec-a"),),
            "2 names are legal; one that is still being deleted is waited for",
        ),
    ],
)
def test_names_of_containers_are_legal(keys: tuple[str, ...], changes: tuple[Change, ...], fact: str) -> None:
    seen = facts(containers={key: container(key) for key in keys}, changes=changes)
    assert told(containers, seen) == [("containers", "ok", fact, "")]


def test_containers_of_others_are_named_by_them() -> None:
    assert told(containers, facts(containers={"a": container("a", "https://x.blob.core.windows.net/a")})) == []
