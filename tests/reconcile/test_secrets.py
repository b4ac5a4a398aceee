"""Secrets with new values: what is sent again, and how."""

from dataclasses import replace
from pathlib import Path

import pytest

from batchspec.reconcile.change import Change, Reason, Totals
from batchspec.reconcile.secrets import NOT_SHOWN, SENT_AGAIN, secret_reasons
from batchspec.render.model import JsonObject, Secret
from batchspec.render.symbolic import holds_secret, symbol
from tests.reconcile.builders import Workload, World

SECRET = symbol("secret", "key")
SETTINGS: JsonObject = {"environmentSettings": [{"name": "KEY", "value": SECRET}]}
TASK: JsonObject = {"commandLine": f"run {SECRET}"}
START: JsonObject = {"startTask": {"commandLine": "x", **SETTINGS}}


def again(name: str, *, replaces: bool = False) -> Reason:
    return Reason(SENT_AGAIN, name, NOT_SHOWN, NOT_SHOWN, replaces=replaces)


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    return Workload(tmp_path, secrets={"key": Secret("old")})


@pytest.fixture
def world() -> World:
    return World()


async def applied(workload: Workload, world: World) -> Workload:
    """The workload after it was submitted; its secret then has a new value."""
    await world.apply(workload.desired(), wait=False)
    return replace(workload, secrets={"key": Secret("new")})


def test_a_secret_is_found_wherever_it_is() -> None:
    body: JsonObject = {"id": "a", "startTask": {"environmentSettings": [{"value": f"x{SECRET}"}]}, "vmSize": "s"}

    assert holds_secret(body)
    assert not holds_secret({"url": symbol("sas_url", "output", "cw")})
    assert list(secret_reasons(body)) == [again("startTask")]


async def test_a_new_value_is_no_change_by_itself(workload: Workload, world: World) -> None:
    world.exit_code = lambda task_id: None
    changed = await applied(replace(workload, pool=START, job={}, task=TASK), world)

    assert (await world.plan(changed.desired())).totals == Totals()


async def test_waiting_tasks_are_added_anew_and_running_ones_left_alone(workload: Workload, world: World) -> None:
    world.exit_code = lambda task_id: None
    changed = await applied(replace(workload, task=TASK), world)
    world.batch.tasks["words-job"]["b"]["state"] = "running"

    plan = await world.plan(changed.desired(), refresh_secrets=True)
    assert plan.tasks == tuple(
        Change("update", "task", name, (Reason(SENT_AGAIN),), steps=("delete", "add")) for name in ("a", "c")
    )

    await world.apply(changed.desired(), wait=False, refresh_secrets=True)
    sent = {name: found["commandLine"] for name, found in world.batch.tasks["words-job"].items()}
    assert sent == {"a": "run new", "b": "run old", "c": "run new"}


async def test_a_failed_task_is_retried_with_the_new_value(workload: Workload, world: World) -> None:
    world.exit_code = lambda task_id: 1
    changed = await applied(replace(workload, texts={"a.txt": "a"}, task=TASK), world)

    plan = await world.plan(changed.desired(), retry_failed=True, refresh_secrets=True)

    reason = Reason("failed (FailureExitCode) and is retried")
    assert plan.tasks == (Change("update", "task", "a", (reason,), steps=("delete", "add")),)


async def test_a_start_task_is_updated_and_its_nodes_rebooted(workload: Workload, world: World) -> None:
    changed = await applied(replace(workload, pool=START), world)

    plan = await world.plan(changed.desired(), refresh_secrets=True)
    assert plan.changes == (Change("update", "pool", "words-pool", plan.changes[0].reasons, steps=("patch", "reboot")),)
    assert plan.changes[0].reasons[0] == again("startTask")

    await world.apply(changed.desired(), refresh_secrets=True)
    assert world.batch.pools["words-pool"]["startTask"]["environmentSettings"] == [{"name": "KEY", "value": "new"}]
    assert sum(operation == "reboot_node" for operation, _ in world.writes) == 2


@pytest.mark.parametrize(("nodes", "action"), [(2, "replace"), (0, "update")])
async def test_what_only_an_empty_pool_takes_replaces_another(
    workload: Workload, world: World, nodes: int, action: str
) -> None:
    accounts: JsonObject = {"userAccounts": [{"name": "me", "password": SECRET}]}
    changed = await applied(replace(workload, pool=accounts, nodes=nodes, texts={}), world)

    (change,) = (await world.plan(changed.desired(), refresh_secrets=True)).changes

    assert (change.action, change.kind, change.reasons) == (
        action,
        "pool",
        (again("userAccounts", replaces=action == "replace"),),
    )


async def test_a_job_with_a_secret_is_replaced(workload: Workload, world: World) -> None:
    job: JsonObject = {"commonEnvironmentSettings": [{"name": "KEY", "value": SECRET}]}
    changed = await applied(replace(workload, job=job), world)

    plan = await world.plan(changed.desired(), refresh_secrets=True)

    assert plan.changes == (
        Change(
            "replace",
            "job",
            "words-job",
            (again("commonEnvironmentSettings", replaces=True),),
            steps=("delete", "create"),
        ),
    )
    assert len(plan.tasks) == 3
