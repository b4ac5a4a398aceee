"""How much a plan takes away, in numbers, and when that needs `--force`."""

from dataclasses import replace
from pathlib import Path

import pytest

from batchspec.errors import TooMuchAtOnce
from batchspec.reconcile.blast_radius import blast_radius, refuse_too_much
from batchspec.reconcile.change import Action, Change, Plan
from batchspec.reconcile.observe import Observed, ObservedTask, Strays
from batchspec.reconcile.preflight import Preflight
from batchspec.render.model import JsonObject, Secret
from batchspec.render.symbolic import symbol
from tests.reconcile.builders import Workload, World

JOB_AGAIN = (Change("replace", "job", "j"),)


def observed(tasks: int, *, running: int = 0, foreign: int = 0, busy_nodes: int = 0) -> Observed:
    """Services with so many tasks of ours and of others, and so many nodes that run tasks."""
    marks = ["words:1"] * tasks + [None] * foreign
    states = ["running"] * running + ["completed"] * (len(marks) - running)
    found = [
        ObservedTask(f"t{at}", state, failed=False, failure_code="", hash=mark, constraints={})
        for at, (mark, state) in enumerate(zip(marks, states, strict=True))
    ]
    there = {task.id: task for task in found}
    return Observed({}, {}, None, (), (), None, there, Strays(), running_nodes=busy_nodes)


def tasks(replace: int, delete: int = 0) -> list[Change]:
    verbs: tuple[Action, Action] = ("replace", "delete")
    chosen = [verbs[at >= replace] for at in range(replace + delete)]
    return [Change(verb, "task", f"t{at}") for at, verb in enumerate(chosen)]


ARITHMETIC = [
    (tasks(30), 100, None),
    (tasks(31), 100, "would replace 31 of 100 existing tasks (31%; more than 30% needs --force)"),
    (tasks(40), 100, "would replace 40 of 100 existing tasks (40%; more than 30% needs --force)"),
    (tasks(20, 20), 100, "would replace 20 and delete 20 of 100 existing tasks (40%; more than 30% needs --force)"),
    (tasks(0, 1), 3, "would delete 1 of 3 existing tasks (33.3%; more than 30% needs --force)"),
    (tasks(1), 2, "would replace 1 of 2 existing tasks (50%; more than 30% needs --force)"),
    (tasks(1), 1, "would replace 1 of 1 existing task (100%; more than 30% needs --force)"),
    (tasks(3), 10, None),
    (
        tasks(30_001),
        100_000,
        "would replace 30,001 of 100,000 existing tasks (just over 30%; more than 30% needs --force)",
    ),
    ([Change("create", "task", "new")] * 5, 1, None),
    ([Change("update", "task", "t0", steps=("delete", "add"))], 1, None),
]


@pytest.mark.parametrize(("changes", "total", "said"), ARITHMETIC)
def test_tasks_are_counted_literally(changes: list[Change], total: int, said: str | None) -> None:
    assert list(blast_radius((), changes, observed(total))) == ([] if said is None else [said])


def test_tasks_of_others_in_a_shared_job_do_not_count() -> None:
    said = "would replace 2 of 4 existing tasks (50%; more than 30% needs --force)"

    assert list(blast_radius((), tasks(2), observed(4, foreign=100))) == [said]


def test_a_job_that_is_replaced_takes_all_its_tasks_with_it_whoever_added_them() -> None:
    new = [Change("create", "task", f"t{at}") for at in range(4)]

    assert list(blast_radius(JOB_AGAIN, new, observed(4, running=2, foreign=1))) == [
        "would replace 5 of 5 existing tasks in a new job, 2 of them running (100%; more than 30% needs --force)"
    ]


def test_an_empty_job_is_replaced_without_more() -> None:
    assert list(blast_radius(JOB_AGAIN, (), observed(0))) == []


def test_a_pool_at_work_is_told_apart_from_one_that_idles_and_from_one_that_is_updated() -> None:
    again, update = (Change(action, "pool", "p") for action in ("replace", "update"))

    assert list(blast_radius((again,), (), observed(0, busy_nodes=1))) == [
        "would replace pool p while 1 node of it runs tasks (more than 0 needs --force)"
    ]
    assert list(blast_radius((again,), (), observed(0))) == []
    assert list(blast_radius((update,), (), observed(0, busy_nodes=3))) == []


@pytest.fixture
def world() -> World:
    return World()


def refuse(plan: Plan, seen: Observed) -> None:
    """What `apply` does without `--force`."""
    del seen
    refuse_too_much(plan)


async def test_nothing_is_written_when_too_many_tasks_would_run_again(tmp_path: Path, world: World) -> None:
    workload = Workload(tmp_path)
    await world.apply(workload.desired())
    edited = replace(workload, texts={**workload.texts, "a.txt": "other"})

    with pytest.raises(TooMuchAtOnce, match=r"would replace 1 of 3 existing tasks \(33.3%"):
        await world.apply(edited.desired(), refuse=refuse)

    assert world.writes == []


async def test_what_became_too_much_after_the_plan_was_shown_is_refused_under_the_lock(
    tmp_path: Path, world: World
) -> None:
    workload = replace(Workload(tmp_path), texts={f"{at}.txt": str(at) for at in range(4)})
    await world.apply(workload.desired())
    edited = replace(workload, texts={**workload.texts, "0.txt": "other"})

    def others_go(shown: Plan) -> None:
        del shown, world.batch.tasks["words-job"]["3"]

    with pytest.raises(TooMuchAtOnce, match=r"would replace 1 of 3 existing tasks \(33.3%"):
        await world.apply(edited.desired(), confirm=others_go, refuse=refuse)

    assert world.changes == []


async def test_a_pool_that_is_replaced_for_a_secret_alone_is_asked_whether_it_runs_tasks(
    tmp_path: Path, world: World
) -> None:
    accounts: JsonObject = {"userAccounts": [{"name": "me", "password": symbol("secret", "pw")}]}
    workload = replace(Workload(tmp_path), pool=accounts, secrets={"pw": Secret("geheim")})
    await world.apply(workload.desired())
    world.batch.nodes["words-pool"][0]["state"] = "running"
    running = {}
    for refresh_secrets in (False, True):
        ahead = Preflight(workload.desired(), world.services, refresh_secrets=refresh_secrets)
        running[refresh_secrets] = (await ahead.observe()).running_nodes

    assert running == {False: 0, True: 1}


async def test_a_plan_tells_it_as_a_check(tmp_path: Path, world: World) -> None:
    workload = Workload(tmp_path)
    await world.apply(workload.desired())
    edited = replace(workload, texts={**workload.texts, "a.txt": "other"})
    ahead = Preflight(edited.desired(), world.services)
    seen = await ahead.observe()
    plan = ahead.checked(await world.plan(edited.desired()), seen)

    (check,) = [check for check in plan.checks if check.name == "blast radius"]
    assert (check.verdict, check.fact) == (
        "warning",
        "would replace 1 of 3 existing tasks (33.3%; more than 30% needs --force)",
    )
