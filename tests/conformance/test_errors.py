"""Every refusal that a client can provoke: status and code, and the values beside it where they are recorded.

Through requests by hand, since the SDKs do not send most of what is wrong here. The codes that a client cannot provoke
stand in a table with the reason; a test holds both against the documented list.
"""

import base64
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from tests.conformance.account import IMAGE, VM_SIZE, new_id
from tests.conformance.things import Things
from tests.conformance.wire import Raw

DOCUMENTED: Final = frozenset(
    """
    ConditionNotMet MissingRequiredHeader MissingRequiredProperty UnsupportedProperty InvalidHeaderValue
    InvalidPropertyValue MissingRequiredQueryParameter UnsupportedQueryParameter InvalidQueryParameterValue
    OutOfRangeQueryParameterValue RequestUrlFailedToParse InvalidUri InvalidHttpVerb EmptyMetadataKey
    InvalidRequestBody OutOfRangeInput InvalidAuthenticationInfo InvalidInput InvalidMetadata MetadataTooLarge
    MultipleConditionHeadersNotSupported UnsupportedRequestVersion InvalidAutoScalingSettings
    AutoScalingFormulaSyntaxError AutoScalingFormulaTooLong TaskDependenciesNotSpecifiedOnJob TaskDependencyListTooLong
    TaskDependencyRangesTooLong AuthenticationFailed InsufficientAccountPermissions AccountIsDisabled IOError
    ResourceNotFound PoolNotFound NodeNotFound JobNotFound JobScheduleNotFound TaskNotFound FileNotFound
    NodeUserNotFound ApplicationNotFound NodeAgentSKUNotFound JobPreparationTaskNotRunOnNode
    JobReleaseTaskNotRunOnNode UnsupportedHttpVerb MissingContentLengthHeader PoolExists JobExists JobScheduleExists
    TaskExists NodeUserExists OperationInvalidForCurrentState PoolBeingCreated PoolBeingDeleted PoolBeingResized
    NodeBeingCreated NodeBeingStarted NodeBeingRebooted NodeBeingReimaged NodeStateUnusable
    NodeAlreadyInTargetSchedulingState OperationNotValidOnNode OperationNotValidOnPool JobBeingTerminated
    JobBeingDeleted JobDisabled JobCompleted JobNotActive JobScheduleBeingTerminated JobScheduleBeingDeleted
    JobScheduleDisabled JobScheduleCompleted TaskCompleted TaskNotCompleted TaskSucceeded TaskFilesUnavailable
    TaskFilesCleanedup ActiveJobAndScheduleQuotaReached PoolQuotaReached JobPreparationTaskNotSpecified
    JobReleaseTaskNotSpecified TaskIdSameAsJobPreparationTask TaskIdSameAsJobReleaseTask JobWithSameIdExists
    JobScheduleWithSameIdExists InvalidApplicationPackageReferences RequestBodyTooLarge InvalidRange InternalError
    OperationTimedOut ServerBusy TooManyEnableAutoScaleRequests
    """.split()  # noqa: SIM905 - words read better than quotes
)

NOT_PROVOKED: Final[Mapping[str, str]] = {
    "MissingRequiredHeader": "No operation is documented to require a header; without Authorization it is a 403.",
    "UnsupportedProperty": "An unknown property is an InvalidRequestBody; which known ones it means is not said.",
    "RequestUrlFailedToParse": "An HTTP server refuses a URL that cannot be parsed before Batch sees it.",
    "InvalidUri": "Likewise.",
    "InvalidHttpVerb": "Likewise of a verb; a verb that the resource does not have is an UnsupportedHttpVerb.",
    "OutOfRangeInput": "No operation is documented to answer it; ranges are told by InvalidPropertyValue.",
    "InvalidInput": "Likewise.",
    "InvalidMetadata": "Metadata here are items of the body, whose faults are told as those of properties.",
    "MetadataTooLarge": "No limit is documented.",
    "TaskDependencyRangesTooLong": "No limit is documented.",
    "InsufficientAccountPermissions": "A shared key has every permission.",
    "AccountIsDisabled": "Only Azure disables an account.",
    "IOError": "A fault of the service.",
    "JobPreparationTaskNotRunOnNode": "Named by no operation of the data plane.",
    "JobReleaseTaskNotRunOnNode": "Likewise.",
    "JobReleaseTaskNotSpecified": "Likewise.",
    "MissingContentLengthHeader": "HTTP servers take a body without a length as empty, or in chunks.",
    "PoolBeingCreated": "A pool is there when the request that makes it is answered.",
    "PoolBeingDeleted": "A pool may be gone before the next request.",
    "JobBeingDeleted": "Likewise a job.",
    "JobBeingTerminated": "Likewise: a job without a release task ends at once.",
    "JobScheduleBeingTerminated": "Likewise a schedule.",
    "JobScheduleBeingDeleted": "Likewise.",
    "NodeBeingCreated": "How long a node is in a state is up to the service.",
    "NodeBeingStarted": "Likewise.",
    "NodeBeingRebooted": "Likewise.",
    "NodeBeingReimaged": "Likewise.",
    "NodeStateUnusable": "Only a fault of the service makes a node unusable.",
    "OperationNotValidOnNode": "Named by no operation of the data plane.",
    "JobScheduleDisabled": "No operation is documented to refuse a disabled schedule.",
    "JobDisabled": "A disabled job takes tasks and changes; no operation is documented to refuse it.",
    "JobScheduleWithSameIdExists": "Likewise.",
    "TooManyEnableAutoScaleRequests": "It takes more requests than a test should send to Azure.",
    "InvalidAutoScalingSettings": "Each fault of the settings has a code of its own.",
    "JobNotActive": "Each state that is not active has a code of its own.",
    "TaskFilesCleanedup": "It takes the retention time, or the end of a node.",
    "ActiveJobAndScheduleQuotaReached": "The number is the account's; tests/engine has it with a small one.",
    "PoolQuotaReached": "Likewise.",
    "JobWithSameIdExists": "A job and a schedule share no ids that a client can give: a schedule's jobs have a colon.",
    "InternalError": "A fault of the service; `batchspec engine fault` makes one.",
    "OperationTimedOut": "Likewise.",
    "ServerBusy": "Likewise.",
}

POOL: Final[dict[str, Any]] = {"vmSize": VM_SIZE, "virtualMachineConfiguration": IMAGE}
Case = tuple[int, str, str, str, Any]

# Nothing needs to be there for these: status, code, method, path with its query, body.
ALONE: Final[list[Case]] = [
    (400, "MissingRequiredProperty", "POST", "/pools", {"id": "x", "virtualMachineConfiguration": IMAGE}),
    (400, "MissingRequiredProperty", "POST", "/jobs", {"id": "x"}),
    (400, "MissingRequiredProperty", "POST", "/jobschedules", {"id": "x", "schedule": {}}),
    (400, "InvalidPropertyValue", "POST", "/pools", {"id": "a b", **POOL}),
    (400, "InvalidPropertyValue", "POST", "/pools", {"id": "x" * 65, **POOL}),
    (400, "InvalidPropertyValue", "POST", "/pools", {"id": "x", **POOL, "targetDedicatedNodes": -1}),
    (400, "InvalidPropertyValue", "POST", "/pools", {"id": "x", **POOL, "resizeTimeout": "PT1M"}),
    (400, "InvalidPropertyValue", "POST", "/jobs", {"id": "x", "poolInfo": {"poolId": "p"}, "priority": 1001}),
    (400, "InvalidRequestBody", "POST", "/pools", {"id": "x", **POOL, "colour": "red"}),
    (400, "InvalidRequestBody", "POST", "/pools", b"{"),
    (400, "InvalidRequestBody", "POST", "/jobs", {"id": 7, "poolInfo": {"poolId": "p"}}),
    (400, "EmptyMetadataKey", "POST", "/pools", {"id": "x", **POOL, "metadata": [{"name": "", "value": "v"}]}),
    (400, "InvalidQueryParameterValue", "GET", "/pools?$filter=colour%20eq%20'red'", None),
    (400, "InvalidQueryParameterValue", "GET", "/jobs?$filter=id%20is%20'x'", None),
    (400, "OutOfRangeQueryParameterValue", "GET", "/pools?maxresults=1001", None),
    (400, "OutOfRangeQueryParameterValue", "GET", "/nodecounts?maxresults=11", None),
    (400, "UnsupportedQueryParameter", "GET", "/pools?$orderby=id", None),
    (404, "ResourceNotFound", "GET", "/nothing", None),
    (404, "PoolNotFound", "GET", "/pools/no-such-pool", None),
    (404, "PoolNotFound", "POST", "/pools/no-such-pool/resize", {"targetDedicatedNodes": 1}),
    (404, "PoolNotFound", "GET", "/pools/no-such-pool/nodes", None),
    (404, "JobNotFound", "GET", "/jobs/no-such-job", None),
    (404, "JobNotFound", "GET", "/jobs/no-such-job/tasks", None),
    (404, "JobNotFound", "POST", "/jobs/no-such-job/tasks", {"id": "t", "commandLine": "true"}),
    (404, "JobScheduleNotFound", "GET", "/jobschedules/no-such-schedule", None),
    (404, "JobScheduleNotFound", "GET", "/jobschedules/no-such-schedule/jobs", None),
    (404, "ApplicationNotFound", "GET", "/applications/no-such-application", None),
    (404, "NodeAgentSKUNotFound", "POST", "/pools", {
        "id": "x", **POOL, "virtualMachineConfiguration": {**IMAGE, "nodeAgentSKUId": "batch.node.amiga"}}),
    (400, "AutoScalingFormulaSyntaxError", "POST", "/pools", {
        "id": "x", **POOL, "enableAutoScale": True, "autoScaleFormula": "$TargetDedicatedNodes = ;"}),
    (400, "AutoScalingFormulaTooLong", "POST", "/pools", {
        "id": "x", **POOL, "enableAutoScale": True, "autoScaleFormula": "a = 1;" * 2000}),
    (405, "UnsupportedHttpVerb", "DELETE", "/pools", None),
    (405, "UnsupportedHttpVerb", "PUT", "/supportedimages", {}),
    (409, "InvalidApplicationPackageReferences", "POST", "/pools", {
        "id": "x", **POOL, "applicationPackageReferences": [{"applicationId": "none"}]}),
]  # fmt: skip


@pytest.mark.parametrize(("status", "code", "method", "path", "body"), ALONE)
def test_a_request_that_cannot_be_is_refused(
    raw: Raw, status: int, code: str, method: str, path: str, body: Any
) -> None:
    path, _, query = path.partition("?")

    answer = raw.send(method, path, body, query=query)

    assert (answer.status, answer.body["code"]) == (status, code), answer.body


# With a pool without nodes, an active job of it, and a task there.
SOMEWHERE: Final[list[Case]] = [
    (409, "PoolExists", "POST", "/pools", {"id": "{POOL}", **POOL}),
    (409, "JobExists", "POST", "/jobs", {"id": "{JOB}", "poolInfo": {"poolId": "x"}}),
    (409, "TaskExists", "POST", "/jobs/{job}/tasks", {"id": "{TASK}", "commandLine": "true"}),
    (409, "JobScheduleExists", "POST", "/jobschedules", {
        "id": "{SCHEDULE}", "schedule": {}, "jobSpecification": {"poolInfo": {"poolId": "x"}}}),
    (404, "TaskNotFound", "GET", "/jobs/{job}/tasks/none", None),
    (404, "TaskNotFound", "POST", "/jobs/{job}/tasks/none/terminate", None),
    (404, "NodeNotFound", "GET", "/pools/{pool}/nodes/none", None),
    (404, "NodeNotFound", "POST", "/pools/{pool}/removenodes", {"nodeList": ["none"]}),
    (400, "MissingRequiredProperty", "POST", "/pools/{pool}/resize", {}),
    (400, "MissingRequiredProperty", "POST", "/jobs/{job}/tasks", {"id": "x"}),
    (400, "InvalidPropertyValue", "POST", "/jobs/{job}/tasks", {"id": "x", "commandLine": ""}),
    (400, "InvalidPropertyValue", "POST", "/jobs/{job}/tasks", {
        "id": "x", "commandLine": "true", "exitConditions": {"default": {"jobAction": "terminate"}}}),
    (400, "TaskDependenciesNotSpecifiedOnJob", "POST", "/jobs/{job}/tasks", {
        "id": "x", "commandLine": "true", "dependsOn": {"taskIds": ["y"]}}),
    (400, "TaskDependencyListTooLong", "POST", "/jobs/{needy_job}/tasks", {
        "id": "x", "commandLine": "true", "dependsOn": {"taskIds": [f"{number:064}" for number in range(1001)]}}),
    (409, "TaskIdSameAsJobPreparationTask", "POST", "/jobs/{prepared_job}/tasks", {
        "id": "jobpreparation", "commandLine": "true"}),
    (409, "TaskIdSameAsJobReleaseTask", "POST", "/jobs/{prepared_job}/tasks", {
        "id": "jobrelease", "commandLine": "true"}),
    (409, "TaskFilesUnavailable", "GET", "/jobs/{job}/tasks/{task}/files", None),
    (409, "TaskNotCompleted", "POST", "/jobs/{job}/tasks/{task}/reactivate", None),
    (409, "JobPreparationTaskNotSpecified", "GET", "/jobs/{job}/jobpreparationandreleasetaskstatus", None),
    (409, "JobCompleted", "POST", "/jobs/{completed_job}/tasks", {"id": "x", "commandLine": "true"}),
    (409, "JobCompleted", "PATCH", "/jobs/{completed_job}", {"priority": 1}),
    (409, "JobScheduleCompleted", "POST", "/jobschedules/{completed_schedule}/enable", None),
    (412, "ConditionNotMet", "DELETE", "/pools/{pool}", {"If-Match": "0x1"}),
    (400, "InvalidHeaderValue", "GET", "/pools/{pool}", {"If-Modified-Since": "yesterday"}),
    (400, "MultipleConditionHeadersNotSupported", "GET", "/pools/{pool}", {"If-Match": "*", "If-None-Match": "0x1"}),
]  # fmt: skip


@pytest.mark.parametrize(("status", "code", "method", "path", "body"), SOMEWHERE)
def test_a_request_that_does_not_fit_what_is_there_is_refused(
    raw: Raw, things: Things, status: int, code: str, method: str, path: str, body: Any
) -> None:
    place = _Place(raw, things)
    path = place.filled(path)
    is_header = isinstance(body, dict) and any(name.startswith("If-") for name in body)
    if isinstance(body, dict) and str(body.get("id", "")).startswith("{"):
        # Ids differ by more than their case.
        body = {**body, "id": place.filled(body["id"].lower()).upper()}

    answer = raw.send(method, path, None if is_header else body, headers=body if is_header else None)

    assert (answer.status, answer.body["code"]) == (status, code), answer.body


class _Place:
    """Fills a path with what it names, made when it is named."""

    def __init__(self, raw: Raw, things: Things) -> None:
        self._raw = raw
        self._things = things
        self._made: dict[str, str] = {}

    def filled(self, path: str) -> str:
        made = self._made
        for name in re.findall(r"\{(\w+)\}", path):
            maker: Callable[[dict[str, str]], str] = getattr(self, f"_{name}")
            if name not in made:
                made[name] = maker(made)
        return path.format(**made)

    def _pool(self, made: dict[str, str]) -> str:
        return self._things.pool()

    def _job(self, made: dict[str, str]) -> str:
        return self._things.job(self._things.pool())

    def _needy_job(self, made: dict[str, str]) -> str:
        return self._things.job(self._things.pool(), usesTaskDependencies=True)

    def _prepared_job(self, made: dict[str, str]) -> str:
        special = {"commandLine": "true"}
        return self._things.job(self._things.pool(), jobPreparationTask=special, jobReleaseTask=special)

    def _completed_job(self, made: dict[str, str]) -> str:
        job = self._job(made)
        self._raw.send("POST", f"/jobs/{job}/terminate", {})
        return job

    def _task(self, made: dict[str, str]) -> str:
        return self._things.task(made.get("job") or self._job(made))

    def _schedule(self, made: dict[str, str]) -> str:
        return self._things.schedule(self._things.pool())

    def _completed_schedule(self, made: dict[str, str]) -> str:
        schedule = self._schedule(made)
        self._raw.send("POST", f"/jobschedules/{schedule}/terminate")
        return schedule


# -- what takes more than one request, or another signature


def test_a_wrong_signature_is_refused(raw: Raw) -> None:
    answer = raw.send("GET", "/pools", key=base64.b64encode(b"another key").decode())

    assert (answer.status, answer.body["code"]) == (403, "AuthenticationFailed")
    assert [item["key"] for item in answer.body["values"]] == ["AuthenticationErrorDetail"]


def test_what_is_no_signature_is_refused(raw: Raw) -> None:
    answer = raw.send("GET", "/pools", headers={"Authorization": "SharedKey"})

    assert (answer.status, answer.body["code"]) in ((403, "AuthenticationFailed"), (400, "InvalidAuthenticationInfo"))


@pytest.mark.parametrize(
    ("version", "code"), [("", "MissingRequiredQueryParameter"), ("2012-01-01", "UnsupportedRequestVersion")]
)
def test_the_version_must_be_known(raw: Raw, version: str, code: str) -> None:
    answer = raw.send("GET", "/pools", version=version)

    assert (answer.status, answer.body["code"]) == (400, code)


def test_a_body_may_have_a_mebibyte(raw: Raw) -> None:
    answer = raw.send("POST", "/pools", b" " * (1_048_576 + 1))

    assert (answer.status, answer.body["code"]) == (413, "RequestBodyTooLarge")
    assert answer.body["values"] == [{"key": "MaxLimit", "value": "1048576"}]


def test_files_have_an_end_and_are_there(raw: Raw, things: Things, pool_with_nodes: str) -> None:
    job = things.job(pool_with_nodes)
    task = things.task(job, "/bin/echo hello")
    things.completed(job, task)
    path = f"/jobs/{job}/tasks/{task}/files"

    beyond = raw.send("GET", f"{path}/stdout.txt", headers={"ocp-range": "bytes=100-200"})
    missing = raw.send("GET", f"{path}/none.txt")
    outside = raw.send("GET", f"{path}/..%2F..%2Fx")

    assert (beyond.status, beyond.body["code"]) == (416, "InvalidRange")
    assert (missing.status, missing.body["code"]) == (404, "FileNotFound")
    assert (outside.status, outside.body["code"]) == (404, "FileNotFound")


def test_states_refuse(raw: Raw, things: Things, pool_with_nodes: str) -> None:
    job = things.job(pool_with_nodes)
    task = things.task(job)
    things.completed(job, task)
    node = things.nodes_in("idle", "running", pool=pool_with_nodes)[0]["id"]
    at = f"/pools/{pool_with_nodes}/nodes/{node}"
    user = {"name": new_id("u")[:12], "password": "aB3$efgh12"}
    raw.send("POST", f"{at}/users", user)

    found = [
        raw.send("POST", f"/jobs/{job}/tasks/{task}/terminate"),
        raw.send("POST", f"/jobs/{job}/tasks/{task}/reactivate"),
        raw.send("POST", f"{at}/enablescheduling"),
        raw.send("POST", f"{at}/start"),
        raw.send("POST", f"{at}/users", user),
        raw.send("DELETE", f"{at}/users/nobody"),
    ]
    raw.send("DELETE", f"{at}/users/{user['name']}")

    assert [(answer.status, answer.body["code"]) for answer in found] == [
        (409, "TaskCompleted"),
        (409, "TaskSucceeded"),
        (409, "NodeAlreadyInTargetSchedulingState"),
        (409, "OperationInvalidForCurrentState"),
        (409, "NodeUserExists"),
        (404, "NodeUserNotFound"),
    ]


def test_a_pool_that_is_resized_is_not_resized_again(raw: Raw, things: Things) -> None:
    pool = things.pool(nodes=1)
    job = things.job(pool)
    things.task_in("running", job, things.task(job, "/bin/sleep 600"))
    patient = {"targetDedicatedNodes": 0, "nodeDeallocationOption": "taskcompletion"}

    first = raw.send("POST", f"/pools/{pool}/resize", patient)
    second = raw.send("POST", f"/pools/{pool}/resize", patient)
    stopped = raw.send("POST", f"/pools/{pool}/stopresize")

    assert (first.status, stopped.status) == (202, 202)
    assert (second.status, second.body["code"]) == (409, "PoolBeingResized")


# -- the suite as a whole


def test_every_code_is_provoked_or_has_a_reason_not_to_be() -> None:
    folder = Path(__file__).parent
    tested = {
        word for path in folder.glob("test_*.py") for word in re.findall(r'"([A-Z][A-Za-z]+)"(?!:)', path.read_text())
    }

    assert {code for code in DOCUMENTED if code not in tested} == set(NOT_PROVOKED)
    assert set(NOT_PROVOKED) <= DOCUMENTED
