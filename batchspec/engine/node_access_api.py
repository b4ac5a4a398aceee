"""Operations that reach into a node: users, remote login, extensions, the agent's logs.

Place: named by the route table. In: a `Call`. Out: a `Reply`.

Decisions:
- Nodes are folders of this machine, so nobody can log in to them: users are kept and checked as the service does, the
  remote login settings name a loopback port at which nobody listens.
- `/rdp` exists until 2024-02-01.19.0, and then only for pools of cloud services. Source: Compute Node - Get Remote
  Desktop: for other pools "see the GetRemoteLoginSettings API".
- Extensions are not run on this machine; they are listed as provisioned, so that clients that wait for them go on.
- A user whose expiry time is past is taken: Microsoft's published examples of 2024 ask for 2017.
- An extension that is not there is a ResourceNotFound: the list of codes has no code of its own for it.
"""

import logging
import uuid
from pathlib import Path
from sqlite3 import Row
from typing import Any

from starlette.responses import Response

from batchspec.engine.call import Call, Reply, changed
from batchspec.engine.core import Core
from batchspec.engine.errors import BatchError, bad_value
from batchspec.engine.fleet import Fleet
from batchspec.engine.lifecycle import NODE
from batchspec.engine.lists import page_of_items
from batchspec.engine.node import Node
from batchspec.engine.node_api import find_node
from batchspec.engine.store import json_text
from batchspec.engine.times import text_from_ticks, ticks_from_text
from batchspec.engine.transfer_failure import TransferFailed
from batchspec.engine.views import pool_body_of, selected

_log = logging.getLogger("batchspec.engine")

_FIRST_PORT = 50_000
_LAST_VERSION_WITH_RDP = "2024-02-01.19.0"
_MAX_USER_NAME = 20
_LOG_NAME = "agent-debug.log"


class NodeAccessApi:
    """Operations on what is inside a node."""

    def __init__(self, core: Core, fleet: Fleet) -> None:
        self._core = core
        self._fleet = fleet

    # -- users

    async def add_user(self, call: Call) -> Reply:
        pool, node = self._usable(call)
        name = call.body["name"]
        if not name.strip() or len(name) > _MAX_USER_NAME:
            raise bad_value("name", name[:100], f"A user name has 1 to {_MAX_USER_NAME} characters.")
        if self._user(node, name):
            raise BatchError("NodeUserExists")
        self._core.store.run("INSERT INTO node_users VALUES(?, ?, ?)", node.id, name, _kept(call.body))
        url = f"{self._core.base_url}/pools/{pool['id']}/nodes/{node.id}/users/{name}"
        return changed(self._core.store.stamp(), location=url)

    async def replace_user(self, call: Call) -> Reply:
        _, node = self._usable(call)
        user = self._found_user(call, node)
        sql = "UPDATE node_users SET body = ? WHERE node = ? AND name = ?"
        self._core.store.run(sql, _kept(call.body), node.id, user["name"])
        return changed(self._core.store.stamp())

    async def delete_user(self, call: Call) -> Reply:
        _, node = self._usable(call)
        user = self._found_user(call, node)
        self._core.store.run("DELETE FROM node_users WHERE node = ? AND name = ?", node.id, user["name"])
        return Reply()

    def _found_user(self, call: Call, node: Node) -> Row:
        user = self._user(node, call.path["user"])
        if user is None:
            raise BatchError("NodeUserNotFound")
        return user

    def _user(self, node: Node, name: str) -> Row | None:
        return self._core.store.find("SELECT * FROM node_users WHERE node = ? AND name = ?", node.id, name)

    # -- remote login

    async def remote_login(self, call: Call) -> Reply:
        pool, node = self._usable(call)
        port = _FIRST_PORT + list(self._fleet.nodes(pool["pk"])).index(node.id)
        body = {"remoteLoginIPAddress": "127.0.0.1", "remoteLoginPort": port}
        return Reply(body, fragment="remoteloginsettings/@Element", stamp=self._core.store.stamp())

    async def remote_desktop(self, call: Call) -> Response:
        if call.version > _LAST_VERSION_WITH_RDP:
            raise BatchError("ResourceNotFound")
        pool, _ = find_node(self._core, self._fleet, call)
        if "cloudServiceConfiguration" not in pool_body_of(pool):
            raise BatchError("OperationNotValidOnPool")
        text = "full address:s:127.0.0.1:3389\r\nprompt for credentials:i:1\r\n"
        return Response(text, media_type="application/octet-stream")

    # -- extensions

    async def extensions(self, call: Call) -> Reply:
        pool, _ = find_node(self._core, self._fleet, call)
        items = sorted(self._extensions(pool), key=_extension_name)
        keyed = ({**item, "@key": _extension_name(item)} for item in items)
        reply = page_of_items(call, keyed, {}, key="@key", fragment="extensions")
        for item in (reply.body or {})["value"]:
            item.pop("@key", None)
        return reply

    async def extension(self, call: Call) -> Reply:
        pool, _ = find_node(self._core, self._fleet, call)
        wanted = call.path["extension"].lower()
        for item in self._extensions(pool):
            if _extension_name(item).lower() == wanted:
                stamp = self._core.store.stamp()
                return Reply(selected(item, call.select), fragment="extensions/@Element", stamp=stamp)
        raise BatchError("ResourceNotFound")

    def _extensions(self, pool: Row) -> list[dict[str, Any]]:
        machine = pool_body_of(pool).get("virtualMachineConfiguration", {})
        return [_extension(item, text_from_ticks(pool["created"])) for item in machine.get("extensions", ())]

    # -- logs

    async def upload_logs(self, call: Call) -> Reply:
        pool, node = find_node(self._core, self._fleet, call)
        first, last = call.body["startTime"], call.body.get("endTime")
        if last is not None and ticks_from_text(last) < ticks_from_text(first):
            raise bad_value("endTime", last, "The end must not be before startTime.")
        folder = f"{pool['id']}/{node.id}/{uuid.uuid4()}"
        container = {"containerUrl": call.body["containerUrl"], "path": f"{folder}/{_LOG_NAME}"}
        if "identityReference" in call.body:
            container["identityReference"] = call.body["identityReference"]
        self._core.spawn(self._send_log(node, container))
        body = {"virtualDirectoryName": folder, "numberOfFilesUploaded": 1}
        return Reply(body, fragment="uploadbatchservicelogsresult/@Element", stamp=self._core.store.stamp())

    async def _send_log(self, node: Node, container: dict[str, Any]) -> None:
        logs = node.root / "volatile" / "logs"
        file = {
            "filePattern": _LOG_NAME,
            "destination": {"container": container},
            "uploadOptions": {"uploadCondition": "TaskCompletion"},
        }
        try:
            _write_log(logs, node)
            await self._core.carrier.send([file], wd=logs, env={}, succeeded=True, log_dir=logs)
        except (TransferFailed, OSError) as error:
            # As at the service, which answers before it uploads: the client sees that no file appears.
            _log.warning("the logs of node %s could not be uploaded: %s", node.id, error)

    def _usable(self, call: Call) -> tuple[Row, Node]:
        pool, node = find_node(self._core, self._fleet, call)
        NODE.after(node.state, "use")
        return pool, node


def _write_log(folder: Path, node: Node) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = (f"node {node.id}", f"state {node.state}", f"slots in use {node.used_slots} of {node.slots}", "")
    (folder / _LOG_NAME).write_text("\n".join(lines))


def _kept(body: dict[str, Any]) -> str:
    # Nobody logs in, so nothing secret need be kept.
    return json_text({name: value for name, value in body.items() if name in ("isAdmin", "expiryTime")})


def _extension(item: dict[str, Any], time: str) -> dict[str, Any]:
    status = {
        "code": "ProvisioningState/succeeded",
        "level": "Info",
        "displayStatus": "Provisioning succeeded",
        "message": "The local engine does not run extensions.",
        "time": time,
    }
    return {
        "provisioningState": "Succeeded",
        "vmExtension": {name: value for name, value in item.items() if name != "protectedSettings"},
        "instanceView": {"name": item["name"], "statuses": [status], "subStatuses": []},
    }


def _extension_name(item: dict[str, Any]) -> str:
    name: str = item["vmExtension"]["name"]
    return name
