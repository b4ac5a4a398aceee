"""The published example requests of every operation, sent as they are: accepted or refused as the example says.

Only names change: an example speaks of a pool, a job or a node that is not there, so things are made for it first. What
this account cannot have (application packages of the account, a virtual network with a shared key) stands in a table.
"""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import pytest

from tests.conformance import openapi
from tests.conformance.account import new_id
from tests.conformance.openapi import Operation
from tests.conformance.things import Things
from tests.conformance.wire import VERSION, Raw

NOT_AS_SAID: Final[dict[str, tuple[int, str, str]]] = {
    "ApplicationGet": (404, "ApplicationNotFound", "Only Azure Resource Manager adds applications to an account."),
    "CertificateCancelDelete": (409, "CertificateStateActive", "Here no deletion fails, so none is left to cancel."),
    "NodeGetRemoteDesktop": (
        409,
        "OperationNotValidOnPool",
        "The documentation: only for pools of cloud services, which this api-version cannot make any more.",
    ),
}
"""Example -> status, code and reason of what is answered instead."""
_CERTIFICATES = "2024-02-01.19.0"

COLLECTIONS: Final = {"Pool_Add": "/pools", "Job_Add": "/jobs", "JobSchedule_Add": "/jobschedules"}


@dataclass(frozen=True, slots=True)
class Example:
    """One example: its file's name, the operation, the values it gives, the status it expects."""

    name: str
    version: str
    operation: Operation
    values: Mapping[str, Any]
    status: int


def examples() -> list[Any]:
    """Every example of every api-version; one skipped line where there are none."""
    found = []
    for version in openapi.VERSIONS:
        for operation in openapi.operations(version):
            for reference in operation.body.get("x-ms-examples", {}).values():
                path = openapi.FOLDER / version / reference["$ref"]
                try:
                    content = json.loads(path.read_text("utf-8-sig"))
                except ValueError:
                    continue  # a file that its publisher broke
                status = int(next(iter(content["responses"])))
                example = Example(path.stem, version, operation, content["parameters"], status)
                found.append(pytest.param(example, id=f"{version}-{path.stem}"))
    reason = f"Microsoft's OpenAPI is not in {openapi.FOLDER.name}"
    return found or [pytest.param(None, marks=pytest.mark.skip(reason=reason))]


@pytest.mark.parametrize("example", examples())
def test_an_example_is_answered_as_it_says(example: Example, raw: Raw, things: Things, pool_with_nodes: str) -> None:
    values = _Setting(things, raw, pool_with_nodes, example).values()
    path, query, headers, body = example.operation.path, [], {}, None
    for parameter in example.operation.parameters():
        value, name = values.get(parameter["name"]), parameter["name"]
        if value is None or name in ("ocp-date", "api-version"):
            continue
        if parameter["in"] == "path":
            path = path.replace(f"{{{name}}}", quote(value, safe=""))
        elif parameter["in"] == "query":
            query.append(f"{name}={quote(str(value).lower() if isinstance(value, bool) else str(value), safe='')}")
        elif parameter["in"] == "header":
            headers[name] = str(value)
        else:
            body = value
    collection = COLLECTIONS.get(example.operation.name)
    if collection:
        things.also_delete(f"{collection}/{body['id']}")  # type: ignore[index]

    answer = raw.send(
        example.operation.method, path, body, query="&".join(query), headers=headers, version=example.version
    )

    code = answer.body["code"] if answer.status >= 400 and answer.body else ""
    status, expected, _ = NOT_AS_SAID.get(example.name, (example.status, code, ""))
    assert (answer.status, code) == (status, expected), answer.body


class _Setting:
    """What an example needs to be there, made anew for it."""

    def __init__(self, things: Things, raw: Raw, pool_with_nodes: str, example: Example) -> None:
        self._things = things
        self._raw = raw
        self._pool_with_nodes = pool_with_nodes
        self._example = example

    def values(self) -> dict[str, Any]:
        """The example's values, with the names of what is there."""
        names = {parameter["name"] for parameter in self._example.operation.parameters() if parameter["in"] == "path"}
        name, _, verb = self._example.operation.name.partition("_")
        values: dict[str, Any] = {**self._example.values}
        makers: dict[str, Callable[[str, dict[str, Any]], None]] = {
            "Pool": self._pool,
            "ComputeNode": self._node,
            "ComputeNodeExtension": self._extension,
            "Job": self._job,
            "JobSchedule": self._schedule,
            "Task": self._task,
            "File": self._file,
            "Certificate": self._certificate,
        }
        if names and name in makers:
            makers[name](verb, values)
        if verb == "Add":
            for value in values.values():
                if isinstance(value, dict) and "id" in value:
                    value["id"] = new_id("example")
                if isinstance(value, dict) and "thumbprint" in value:
                    value["thumbprint"] = uuid.uuid4().hex + "01234567"
        return values

    def _send(self, method: str, path: str, body: Any = None, version: str = VERSION) -> None:
        answer = self._raw.send(method, path, body, version=version)
        assert answer.status < 300, answer.body

    def _pool(self, verb: str, values: dict[str, Any]) -> None:
        properties: dict[str, Any] = {}
        if verb in ("DisableAutoScale", "EvaluateAutoScale"):
            properties = {"enableAutoScale": True, "autoScaleFormula": "$TargetDedicatedNodes = 0;"}
        if verb == "RemoveNodes":
            values["poolId"] = self._things.pool(nodes=1)
            nodes = self._things.nodes_in("idle", pool=values["poolId"])
            values["nodeRemoveParameter"] = {
                **values["nodeRemoveParameter"],
                "nodeList": [node["id"] for node in nodes],
            }
        elif properties:
            values["poolId"] = self._autoscaled(properties)
        else:
            values["poolId"] = self._things.pool()

    def _autoscaled(self, properties: dict[str, Any]) -> str:
        pool = self._things.pool()
        formula = {"autoScaleFormula": properties["autoScaleFormula"]}
        self._send("POST", f"/pools/{pool}/enableautoscale", formula)
        return pool

    def _node(self, verb: str, values: dict[str, Any]) -> None:
        changes = verb in ("Reboot", "Reimage", "DisableScheduling", "EnableScheduling", "Deallocate", "Start")
        pool = self._things.pool(nodes=1) if changes else self._pool_with_nodes
        node = self._things.nodes_in("idle", "running", pool=pool)[0]["id"]
        values |= {"poolId": pool, "nodeId": node}
        path = f"/pools/{pool}/nodes/{node}"
        if verb == "EnableScheduling":
            self._send("POST", f"{path}/disablescheduling", {})
        if verb == "Start":
            self._send("POST", f"{path}/deallocate", {})
            self._things.nodes_in("deallocated", pool=pool)
        if verb in ("UpdateUser", "DeleteUser"):
            values["userName"] = new_id("u")[:12]
            self._send("POST", f"{path}/users", {"name": values["userName"], "password": "aB3$efgh12"})
        if verb == "AddUser":
            values["user"] = {**values["user"], "name": new_id("u")[:12]}

    def _extension(self, verb: str, values: dict[str, Any]) -> None:
        self._node(verb, values)
        if verb == "Get":
            machine = self._things.get(f"/pools/{self._pool_with_nodes}")["virtualMachineConfiguration"]
            extension = {"name": values["extensionName"], "publisher": "p", "type": "t", "typeHandlerVersion": "1.0"}
            pool = self._things.pool(nodes=1, virtualMachineConfiguration={**machine, "extensions": [extension]})
            values |= {"poolId": pool, "nodeId": self._things.nodes_in("idle", pool=pool)[0]["id"]}

    def _job(self, verb: str, values: dict[str, Any]) -> None:
        if verb == "ListFromJobSchedule":
            return self._schedule(verb, values)
        properties: dict[str, Any] = {}
        if verb == "ListPreparationAndReleaseTaskStatus":
            properties["jobPreparationTask"] = {"commandLine": "true"}
        values["jobId"] = self._things.job(self._things.pool(), **properties)
        # The pool of a job can be changed while the job is disabled only.
        if verb in ("Enable", "Patch", "Update"):
            self._send("POST", f"/jobs/{values['jobId']}/disable", {"disableTasks": "requeue"})
        return None

    def _schedule(self, verb: str, values: dict[str, Any]) -> None:
        values["jobScheduleId"] = self._things.schedule(self._things.pool())
        if verb == "Enable":
            self._send("POST", f"/jobschedules/{values['jobScheduleId']}/disable")

    def _task(self, verb: str, values: dict[str, Any]) -> None:
        reaction = "performexitoptionsjobaction" if verb == "Add" else "noaction"
        values["jobId"] = self._things.job(self._things.pool(), usesTaskDependencies=True, onTaskFailure=reaction)
        values["taskId"] = self._things.task(values["jobId"])
        if verb == "Reactivate":
            self._send("POST", f"/jobs/{values['jobId']}/tasks/{values['taskId']}/terminate")

    def _file(self, verb: str, values: dict[str, Any]) -> None:
        values["jobId"] = self._things.job(self._pool_with_nodes)
        values["taskId"] = self._things.task(values["jobId"], "/bin/touch testFile.txt")
        info = self._things.completed(values["jobId"], values["taskId"])["nodeInfo"]
        values |= {"poolId": info["poolId"], "nodeId": info["nodeId"]}
        # The examples are of Windows.
        is_of_task = verb.endswith("Task")
        values["filePath"] = "wd/testFile.txt" if is_of_task else f"{info['taskRootDirectory']}/wd/testFile.txt"

    def _certificate(self, verb: str, values: dict[str, Any]) -> None:
        thumbprint = uuid.uuid4().hex + "01234567"
        added = {"thumbprint": thumbprint, "thumbprintAlgorithm": "sha1", "data": "MA=="}
        values["thumbprint"] = thumbprint
        self._send("POST", "/certificates", added, version=_CERTIFICATES)
