"""Why tasks and nodes failed: the service's failure information -> `Failure`s, grouped by cause.

Place in the pipeline: `watch` and `status` ask here once something failed. It reads: the failed tasks (id, execution
info, node), and the end of stderr of at most three tasks per cause. Never a list of all tasks.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from batchspec.errors import ServiceRefused
from batchspec.reconcile.outcome import Failure, Group
from batchspec.reconcile.ports import BatchService, TextPart
from batchspec.render.model import JsonObject
from batchspec.render.symbolic import Json

_SHOWN_IDS = 5
_SHOWN_GROUPS = 10
# How many tasks of one cause are told in full, when what they wrote differs: one exit code has many reasons.
_TOLD = 3
STDERR_LINES = 10
_STDERR_BYTES = 8192
FAILED = "executionInfo/result eq 'failure'"

_NEW_SAS = (
    "the SAS was refused (expired, revoked, or its container is gone): `batchspec apply --retry-failed` makes a new one"
)
# What to do next, by failure code (azure-sdk-for-net BatchErrorCodeStrings; batch-service.md section 2).
_FIXES = {
    "CommandProgramNotFound": "check the program's name, and that the start task installs it",
    "CommandLaunchFailed": "check the quotes of `command_line`, or write shell text under `command`",
    "BlobDownloadMiscError": "an input could not be fetched: check its URL, and that the node can reach it",
    "BlobNotFound": "the input is not in its container: `batchspec apply --retry-failed` uploads what is missing",
    "BlobAccessDenied": _NEW_SAS,
    "ResourceContainerNotFound": "the container is gone: `batchspec apply --retry-failed` makes it anew",
    "ResourceContainerAccessDenied": _NEW_SAS,
    "FileUploadAccessDenied": _NEW_SAS,
    "FileUploadContainerNotFound": "the output container is gone: `batchspec apply --retry-failed` makes it anew",
    "FileUploadMiscError": "the output file was not there or could not be sent: see `output_files` and the command",
    "DiskFull": "the node's disk is full: a larger vm_size, fewer slots a node, or less data a task",
    "ResourceDirectoryCreateFailed": "a folder for an input could not be made: check `file_path` and the node's disk",
    "TaskEnded": "it was ended by its wall clock, with its job or by a user: see `constraints` and `exit_conditions`",
}

# What a shell makes of a command that it cannot run, or that a signal ended (128 and the signal's number).
_EXIT_CODES = {
    126: "a command cannot be executed: check its mode and its `#!` line",
    127: "a command was not found: check its name, and that the start task installs it",
    137: "killed by SIGKILL, often because the memory was full: a larger vm_size, or fewer slots a node",
    139: "killed by SIGSEGV: the program crashed",
}
_SIGNALS = {1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 13: "SIGPIPE",
            14: "SIGALRM", 15: "SIGTERM", 24: "SIGXCPU", 25: "SIGXFSZ"}  # fmt: skip
_EXIT_CODES |= {128 + number: f"killed by {name}" for number, name in _SIGNALS.items()}


def failure_of_task(task: JsonObject) -> Failure:
    """One failed task's Failure, without its stderr."""
    info = _object(task.get("executionInfo"))
    node = _object(task.get("nodeInfo"))
    return failure_of_run("task", str(task["id"]), str(node.get("nodeId", "")), info)


def failure_of_node(node: JsonObject) -> Failure:
    """The Failure of a node whose start task failed or that is unusable."""
    node_id = str(node["id"])
    errors = node.get("errors")
    if node.get("state") != "starttaskfailed" and isinstance(errors, list) and errors:
        error = _object(errors[0])
        return Failure("node", node_id, node_id, None, "", str(error.get("code", "")), str(error.get("message", "")),
                       _details(error.get("errorDetails")), (), "")  # fmt: skip
    if node.get("state") != "starttaskfailed":
        return Failure(
            "node", node_id, node_id, None, "", str(node.get("state")), "the node cannot run tasks", (), (), ""
        )
    return failure_of_run("start task", node_id, node_id, _object(node.get("startTaskInfo")))


def failure_of_run(kind: str, resource_id: str, node: str, info: JsonObject) -> Failure:
    """The Failure that an execution info tells, without its stderr."""
    failure = _object(info.get("failureInfo"))
    code = str(failure.get("code", "")) or "Unknown"
    exit_code = info.get("exitCode")
    return Failure(
        kind=kind,
        id=resource_id,
        node=node,
        exit_code=exit_code if isinstance(exit_code, int) else None,
        category=str(failure.get("category", "")),
        code=code,
        message=str(failure.get("message", "")),
        details=tuple(line for line in _details(failure.get("details")) if line != f"AdditionalErrorCode: {code}"),
        stderr=(),
        fix=_fix(code, exit_code),
    )


def _fix(code: str, exit_code: Json) -> str:
    if code == "FailureExitCode" and isinstance(exit_code, int):
        return _EXIT_CODES.get(exit_code, "")
    return _FIXES.get(code, "")


def _details(items: Json) -> tuple[str, ...]:
    if not isinstance(items, list):
        return ()
    pairs = [(item.get("name"), item.get("value")) for item in items if isinstance(item, dict)]
    return tuple(f"{name}: {value}" for name, value in pairs)


def _object(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}


def every(task_id: str) -> bool:
    """All tasks count."""
    return True


async def failures_of_tasks(
    batch: BatchService, job_id: str, ours: Callable[[str], bool] = every
) -> tuple[int, tuple[Group, ...]]:
    """How many tasks have failed, and why: by cause, the most frequent first, then by cause; one of each told in full.

    `ours` says of an id whether the task counts. At most 10 groups.
    """
    by_cause: dict[str, list[Failure]] = {}
    counts: Counter[str] = Counter()
    async for task in batch.list_tasks(job_id, filter=FAILED, select="id,executionInfo,nodeInfo"):
        if ours(str(task["id"])):
            failure = failure_of_task(task)
            counts[failure.cause] += 1
            shown = by_cause.setdefault(failure.cause, [])
            if len(shown) < _SHOWN_IDS:
                shown.append(failure)
    order = sorted(counts, key=lambda cause: (-counts[cause], cause))[:_SHOWN_GROUPS]
    groups = await asyncio.gather(*(_group(batch, job_id, cause, counts[cause], by_cause[cause]) for cause in order))
    return counts.total(), tuple(groups)


async def _group(batch: BatchService, job_id: str, cause: str, count: int, shown: list[Failure]) -> Group:
    told: list[Failure] = []
    for failure in shown[:_TOLD]:
        lines = last_lines(await _tail_of_task(batch, job_id, failure.id))
        if not told or (lines and lines not in (one.stderr for one in told)):
            told.append(replace(failure, stderr=lines))
    return Group(cause, count, tuple(failure.id for failure in shown), told[0], tuple(told[1:]))


async def _tail_of_task(batch: BatchService, job_id: str, task_id: str) -> TextPart | None:
    """The end of a task's stderr; None when it cannot be read, which must not hide the failure itself."""
    try:
        return await batch.read_task_file(job_id, task_id, "stderr.txt", tail=_STDERR_BYTES)
    except ServiceRefused:
        return None


async def failures_of_nodes(batch: BatchService, pool_id: str, *, limit: int = 5) -> tuple[Failure, ...]:
    """Nodes that cannot run tasks (start task failed, unusable), with the end of the start task's stderr."""
    found: list[Failure] = []
    async for node in batch.list_nodes(
        pool_id, filter="state eq 'starttaskfailed' or state eq 'unusable'", select="id,state,startTaskInfo,errors"
    ):
        failure = failure_of_node(node)
        if failure.kind == "start task":
            failure = replace(failure, stderr=await stderr_on_node(batch, pool_id, failure.id, "startup"))
        found.append(failure)
        if len(found) == limit:
            break
    return tuple(found)


async def stderr_on_node(batch: BatchService, pool_id: str, node_id: str, folder: str) -> tuple[str, ...]:
    """The last lines of stderr of what ran in this folder of a node; none when they cannot be read."""
    try:
        return last_lines(await batch.read_node_file(pool_id, node_id, f"{folder}/stderr.txt", tail=_STDERR_BYTES))
    except ServiceRefused:
        return ()


def last_lines(part: TextPart | None) -> tuple[str, ...]:
    """The last 10 lines of a piece of text; a first line that was cut is marked with an ellipsis."""
    if part is None:
        return ()
    lines = part.text.splitlines()
    if part.start > 0 and lines:
        lines[0] = "... " + lines[0]
    return tuple(lines[-STDERR_LINES:])
