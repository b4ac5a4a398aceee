"""Plans as people read them."""

import pytest

from batchspec.cli.plan_entries import describe_pool
from batchspec.cli.text_plan import check_lines, lines
from batchspec.reconcile.change import Change, Check, Plan, Reason
from batchspec.render.model import JsonObject
from tests.cli.made import POOL_BODY, desired


def plan(*changes: Change, **other: object) -> Plan:
    tasks = tuple(change for change in changes if change.kind == "task")
    rest = tuple(change for change in changes if change.kind != "task")
    values: dict[str, object] = {
        "downloads": (),
        "kept_tasks": 0,
        "failed_tasks": (),
        "orphaned_tasks": (),
        "pending_tasks": 0,
        "notes": (),
        "cleaned_up": False,
    }
    return Plan(name="topwords", changes=rest, tasks=tasks, **{**values, **other})  # type: ignore[arg-type]


def test_a_first_run_reads_as_on_the_product_page() -> None:
    first = plan(
        *(Change("create", "container", f"topwords-{key}", key=key) for key in ("application", "input", "output")),
        Change("create", "upload", "topwords-application/task.py", key="script", size=1100),
        *(Change("create", "upload", f"topwords-input/{one}.txt", key="texts", size=2000) for one in "abc"),
        Change("create", "pool", "topwords-pool"),
        Change("create", "job", "topwords-job"),
        *(Change("create", "task", one) for one in "abc"),
    )

    assert list(lines(first, desired())) == [
        "  + container  topwords-application, topwords-input, topwords-output",
        "  + upload     1 file to application, 3 files to input (7.1 kB)",
        "  + pool       topwords-pool      2 x standard_d2s_v3, ubuntu 24.04",
        "  + job        topwords-job",
        "  + tasks      3 new: a, b, c",
        "Plan: 12 to create, 0 to change, 0 to replace, 0 to delete.",
    ]


def test_nothing_to_do_is_one_line() -> None:
    assert list(lines(plan(kept_tasks=3), desired())) == ["Nothing to do"]


def test_what_changes_says_why_beneath() -> None:
    reason = Reason("changed", "vmSize", "standard_d2s_v3", "standard_d4s_v3", replaces=True)
    changed = plan(
        Change("update", "upload", "topwords-input/b.txt", (Reason("content differs"),), "texts", 900),
        Change("replace", "pool", "topwords-pool", (reason, Reason("no longer in the spec", "startTask", "x", None))),
        Change("update", "job", "topwords-job", (Reason("changed", "priority", 0, 5),), steps=("patch",)),
        Change("replace", "task", "b", (Reason("command, settings or an input changed"),), steps=("delete", "add")),
        Change("update", "task", "c", (Reason("failed (DiskFull) and is retried"),), steps=("reactivate",)),
        Change("delete", "task", "d\x1b[2J", (Reason("no longer in the spec, and not finished"),), steps=("delete",)),
    )

    assert list(lines(changed, desired())) == [
        "  ~ upload     1 file to input: b.txt (900 B)",
        "                 content differs",
        "-/+ pool       topwords-pool      replaced by 2 x standard_d2s_v3, ubuntu 24.04",
        "                 vm_size: standard_d2s_v3 -> standard_d4s_v3 (forces replacement)",
        "                 start_task: x -> (not set) (no longer in the spec)",
        "  ~ job        topwords-job       in place",
        "                 priority: 0 -> 5",
        "  ~ tasks      1 to retry: c",
        "                 failed (DiskFull) and is retried",
        "-/+ tasks      1 to run again: b",
        "                 command, settings or an input changed",
        "  - tasks      1 to delete: d\\x1b[2J",
        "                 no longer in the spec, and not finished",
        "Plan: 0 to create, 3 to change, 2 to replace, 1 to delete.",
    ]


def test_ten_thousand_tasks_are_one_line() -> None:
    many = plan(*(Change("create", "task", f"t{number}") for number in range(10_000)))

    assert list(lines(many, desired())) == [
        "  + tasks      10,000 new: t0, t1, t2, t3, t4 and 9,995 more",
        "Plan: 10,000 to create, 0 to change, 0 to replace, 0 to delete.",
    ]


def test_all_tasks_are_named_when_that_is_asked_for() -> None:
    ended = Reason("no longer in the spec, and not finished")
    many = plan(
        *(Change("create", "task", f"t{number}") for number in range(7)),
        *(Change("delete", "task", name, (ended,)) for name in ("x", "y\n")),
        failed_tasks=("a", "b"),
    )

    assert list(lines(many, desired(), all_tasks=True)) == [
        "  + tasks      7 new",
        *(f"                   t{number}" for number in range(7)),
        "  - tasks      2 to delete",
        "                 no longer in the spec, and not finished",
        "                   x",
        "                   y\\n",
        "Plan: 7 to create, 0 to change, 0 to replace, 2 to delete.",
        "2 unchanged tasks failed before; --retry-failed runs them again.",
        "  failed before: a",
        "  failed before: b",
    ]


def test_what_differs_in_the_first_changed_tasks_is_told_beneath_all_of_them() -> None:
    general = Reason("command, settings or an input changed")
    setting = Reason("changed", "environmentSettings[A]", None, {"b": "c"})
    command = Reason("changed", "commandLine", "run 1", "run 2")
    content = Reason("its content changed", "resourceFiles[in/MyFile.txt]")
    again = [
        Change("replace", "task", "a", (general, setting, command)),
        Change("replace", "task", "b", (general, setting, content)),
        Change("replace", "task", "c", (general,)),
    ]

    assert list(lines(plan(*again), desired()))[:-1] == [
        "-/+ tasks      3 to run again: a, b, c",
        "                 command, settings or an input changed",
        '                 a, b: environment_settings[A]: (not set) -> {"b": "c"}',
        "                 a: command_line: run 1 -> run 2",
        "                 b: resource_files[in/MyFile.txt]: its content changed",
    ]


def test_what_is_told_of_each_task_is_not_told_of_all() -> None:
    general = Reason("command, settings or an input changed")
    again = Change("replace", "task", "a", (general, Reason("changed", "commandLine", "run 1", "run 2")))

    assert list(lines(plan(again), desired()))[:-1] == [
        "-/+ tasks      1 to run again: a",
        "                 a: command_line: run 1 -> run 2",
    ]


def test_what_differs_alike_in_the_same_tasks_stands_beneath_their_names() -> None:
    reasons = (Reason("changed", "environmentSettings[A]", None, "b"), Reason("changed", "commandLine", "c 1", "c 2"))
    again = plan(*(Change("replace", "task", name, reasons) for name in "ab"))

    assert list(lines(again, desired()))[:-1] == [
        "-/+ tasks      2 to run again: a, b",
        "                 a, b:",
        "                   environment_settings[A]: (not set) -> b",
        "                   command_line: c 1 -> c 2",
    ]


def test_a_job_that_is_replaced_takes_its_tasks_with_it() -> None:
    replaced = Change("replace", "job", "j", (Reason("changed", "usesTaskDependencies", False, True, replaces=True),))

    assert (
        next(lines(plan(replaced), desired()))
        == "-/+ job        j                  replaced, and all its tasks with it"
    )


def test_no_line_is_longer_than_100_columns_when_names_are_long() -> None:
    names = [f"{letter * 60}" for letter in "abcd"]
    long = plan(
        *(Change("create", "container", name) for name in names),
        *(Change("create", "task", name) for name in names),
    )

    assert list(lines(long, desired()))[:-1] == [
        f"  + container  {names[0]},",
        *(f"               {name}," for name in names[1:-1]),
        f"               {names[-1]}",
        f"  + tasks      4 new: {names[0]} and 3 more",
    ]


def test_remarks_follow_the_totals() -> None:
    noted = plan(
        Change("create", "download", "topwords-output/x", size=5),
        downloads=(Change("create", "download", "topwords-output/x", size=5),),
        pending_tasks=2,
        failed_tasks=("a", "b"),
        notes=("one finished task\nis kept",),
    )

    assert list(lines(plan(**_of(noted)), desired())) == [
        "    download   1 file (5 B)",
        "Plan: 0 to create, 0 to change, 0 to replace, 0 to delete.",
        "2 unchanged tasks not finished yet: apply waits for them.",
        "2 unchanged tasks failed before: a, b; --retry-failed runs them again.",
        "Note: one finished task\\nis kept",
    ]


def test_what_nobody_could_look_at_is_told_and_nothing_is_promised() -> None:
    unseen = plan(unseen=("downloads from it (theirs@there): THE_SAS is not set\n",))

    assert list(lines(unseen, desired())) == [
        "Nothing to do in what could be looked at",
        "Not in this plan: downloads from it (theirs@there): THE_SAS is not set\\n",
    ]


CHECKS = (
    Check("clock", "ok", "0.2 s off", "set it"),
    Check("quota", "not checked", "needs an Entra credential", "az login"),
    Check("image", "warning", "old", "take a new one"),
    Check("start task", "failed", "no ffmpeg\n?sig=abc", ""),
)


def test_checks_come_last_in_numbers_and_those_that_are_not_fine_with_what_to_do() -> None:
    assert list(lines(plan(kept_tasks=1, checks=CHECKS), desired())) == [
        "Nothing to do",
        "Preflight: 1 ok, 1 warning, 1 failed, 1 not checked",
        "  warning      image: old",
        "               take a new one",
        "  failed       start task: no ffmpeg\\n?sig=<masked>",
    ]


def test_verbose_shows_every_check() -> None:
    assert list(check_lines(CHECKS, verbose=True)) == [
        "Preflight: 1 ok, 1 warning, 1 failed, 1 not checked",
        "  ok           clock: 0.2 s off",
        "  not checked  quota: needs an Entra credential",
        "               az login",
        "  warning      image: old",
        "               take a new one",
        "  failed       start task: no ffmpeg\\n?sig=<masked>",
    ]


def test_a_plan_with_nothing_to_do_tells_of_checks_only_what_is_not_fine() -> None:
    assert list(lines(plan(kept_tasks=1, checks=CHECKS[:2]), desired())) == ["Nothing to do"]


def test_when_all_is_fine_one_line_says_so() -> None:
    assert list(check_lines(CHECKS[:1] * 9)) == ["Preflight: 9 ok"]
    assert next(check_lines(CHECKS[2:3] * 2)) == "Preflight: 2 warnings"


def test_what_changed_in_the_service_is_told_from_what_changed_in_the_spec() -> None:
    drifted = Reason("changed", "targetDedicatedNodes", 4, 2, "drift")
    shown = list(lines(plan(Change("update", "pool", "topwords-pool", (drifted,))), desired()))

    assert shown[1] == "                 target_dedicated_nodes: 4 -> 2 (changed in the service, not in the spec)"
    assert shown[3:] == [
        "1 property differs since it was changed in the service, not in the spec: apply puts the spec's back."
    ]


def test_a_cleanup_that_is_due_is_told() -> None:
    assert list(lines(plan(cleanup_due=("job", "container.input")), desired())) == [
        "Plan: 0 to create, 0 to change, 0 to replace, 0 to delete.",
        "Every task has succeeded: apply removes job, container.input, as the spec's cleanup says.",
    ]


def _of(one: Plan) -> dict[str, object]:
    names = ("downloads", "pending_tasks", "failed_tasks", "notes")
    return {name: getattr(one, name) for name in names}


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, "2 x standard_d2s_v3, ubuntu 24.04"),
        ({"targetDedicatedNodes": 0, "targetLowPriorityNodes": 5}, "5 spot x standard_d2s_v3, ubuntu 24.04"),
        ({"targetDedicatedNodes": 1, "targetLowPriorityNodes": 5}, "1 + 5 spot x standard_d2s_v3, ubuntu 24.04"),
        ({"targetDedicatedNodes": 0}, "0 x standard_d2s_v3, ubuntu 24.04"),
        ({"enableAutoScale": True}, "autoscaled, standard_d2s_v3, ubuntu 24.04"),
        ({"virtualMachineConfiguration": None}, "2 x standard_d2s_v3"),
    ],
)
def test_a_new_pool_is_told_in_one_phrase(changes: JsonObject, shown: str) -> None:
    assert describe_pool({**POOL_BODY, **changes}) == shown
