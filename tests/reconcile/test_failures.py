"""Why tasks and nodes failed."""

from typing import Any

import pytest

from batchspec.errors import ServiceRefused
from batchspec.reconcile.failures import failure_of_node, failures_of_nodes, failures_of_tasks, last_lines
from batchspec.reconcile.outcome import Failure
from batchspec.reconcile.ports import TextPart
from tests.fakes import FakeBatch


@pytest.fixture
async def batch() -> FakeBatch:
    batch = FakeBatch()
    await batch.create_job({"id": "j", "poolInfo": {"poolId": "p"}})
    return batch


async def test_failures_are_grouped_by_cause_the_most_frequent_first(batch: FakeBatch) -> None:
    await batch.add_tasks("j", [{"id": f"t{number:02}"} for number in range(20)])
    for number in range(20):
        batch.finish("j", f"t{number:02}", exit_code=(0, 1, 2, 2)[number % 4])
    number, groups = await failures_of_tasks(batch, "j")
    assert number == 15
    assert [(group.cause, group.count, group.ids, group.example.id) for group in groups] == [
        ("FailureExitCode (exit code 2)", 10, ("t02", "t03", "t06", "t07", "t10"), "t02"),
        ("FailureExitCode (exit code 1)", 5, ("t01", "t05", "t09", "t13", "t17"), "t01"),
    ]
    assert sum(name == "read_task_file" for name, _ in batch.reads) == 6


async def test_tasks_of_one_cause_that_wrote_something_else_are_told_too(batch: FakeBatch) -> None:
    await batch.add_tasks("j", [{"id": task_id} for task_id in "abcd"])
    for task_id, stderr in (("a", b"one"), ("b", b"one"), ("c", b"another"), ("d", b"a third")):
        batch.finish("j", task_id, exit_code=1)
        batch.files["j", task_id, "stderr.txt"] = stderr
    _, (group,) = await failures_of_tasks(batch, "j")
    assert group.example.stderr == ("one",)
    assert [(failure.id, failure.stderr) for failure in group.others] == [("c", ("another",))]


@pytest.mark.parametrize(
    ("exit_code", "told"), [(126, "executed"), (127, "not found"), (137, "SIGKILL"), (139, "SIGSEGV"), (143, "SIGTERM")]
)
async def test_what_a_shell_means_by_its_exit_code_is_said(exit_code: int, told: str, batch: FakeBatch) -> None:
    await batch.add_tasks("j", [{"id": "a"}])
    batch.finish("j", "a", exit_code=exit_code)
    _, (group,) = await failures_of_tasks(batch, "j")
    assert told in group.example.fix


async def test_at_most_ten_causes_are_told_and_all_are_counted(batch: FakeBatch) -> None:
    await batch.add_tasks("j", [{"id": f"t{number:02}"} for number in range(15)])
    for number in range(15):
        batch.finish("j", f"t{number:02}", exit_code=number + 1)
    number, groups = await failures_of_tasks(batch, "j")
    assert (number, len(groups)) == (15, 10)


async def test_only_our_tasks_count(batch: FakeBatch) -> None:
    await batch.add_tasks("j", [{"id": "a"}, {"id": "b"}])
    batch.finish("j", "a", exit_code=1)
    batch.finish("j", "b", exit_code=1)
    number, groups = await failures_of_tasks(batch, "j", lambda task_id: task_id == "b")
    assert (number, [group.ids for group in groups]) == (1, [("b",)])


async def test_a_stderr_that_cannot_be_read_hides_no_failure(batch: FakeBatch) -> None:
    await batch.add_tasks("j", [{"id": "a"}])
    batch.finish("j", "a", exit_code=1)
    gone = ServiceRefused("x", operation="read", resource="a", status=409, code="TaskFilesUnavailable")
    batch.fail("read_task_file", 1, gone)
    _, groups = await failures_of_tasks(batch, "j")
    assert groups[0].example.stderr == ()


@pytest.mark.parametrize(
    "code",
    [
        "BlobDownloadMiscError",
        "BlobNotFound",
        "BlobAccessDenied",
        "ResourceContainerNotFound",
        "ResourceContainerAccessDenied",
        "FileUploadAccessDenied",
        "FileUploadContainerNotFound",
        "FileUploadMiscError",
        "CommandProgramNotFound",
        "CommandLaunchFailed",
        "DiskFull",
        "TaskEnded",
    ],
)
async def test_every_usual_code_has_a_next_step(code: str, batch: FakeBatch) -> None:
    await batch.add_tasks("j", [{"id": "a"}])
    batch.finish("j", "a", exit_code=1, code=code)
    batch.tasks["j"]["a"]["executionInfo"]["failureInfo"]["details"] = [{"name": "Message", "value": "more"}]
    _, groups = await failures_of_tasks(batch, "j")
    assert (groups[0].example.code, groups[0].example.details) == (code, ("Message: more",))
    assert len(groups[0].example.fix) > 20


DETAIL = {"name": "a", "value": 1}
NODES: list[tuple[dict[str, Any], Failure]] = [
    (
        {"id": "n", "state": "unusable", "errors": [{"code": "C", "message": "M", "errorDetails": [DETAIL]}]},
        Failure("node", "n", "n", None, "", "C", "M", ("a: 1",), (), ""),
    ),
    (
        {"id": "n", "state": "unusable"},
        Failure("node", "n", "n", None, "", "unusable", "the node cannot run tasks", (), (), ""),
    ),
    (
        {"id": "n", "state": "starttaskfailed", "startTaskInfo": {"exitCode": 7}},
        Failure("start task", "n", "n", 7, "", "Unknown", "", (), (), ""),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("node", "failure"), NODES)
def test_a_node_says_why_it_cannot_be_used(node: dict[str, Any], failure: Failure) -> None:
    assert failure_of_node(node) == failure


async def test_of_many_failed_nodes_five_are_told(batch: FakeBatch) -> None:
    await batch.create_pool({"id": "p", "vmSize": "x", "targetDedicatedNodes": 9})
    for node in batch.nodes["p"][1:]:
        node["state"] = "starttaskfailed"
        batch.node_files["p", node["id"], "startup/stderr.txt"] = b"oops\n"
    found = await failures_of_nodes(batch, "p")
    assert [(failure.id, failure.stderr) for failure in found] == [
        (f"tvmps_p{number}_d", ("oops",)) for number in range(1, 6)
    ]


def test_the_last_ten_lines_are_shown_and_a_cut_one_is_marked() -> None:
    text = "\n".join(f"line {number}" for number in range(20))
    assert last_lines(TextPart(text, 0, len(text), len(text))) == tuple(f"line {number}" for number in range(10, 20))
    assert last_lines(TextPart("ut\nend", 5, 11, 11)) == ("... ut", "end")
    assert last_lines(TextPart("", 0, 0, 0)) == last_lines(None) == ()
