"""Certificates of an account, which api-versions until 2024-07-01.20.0 have.

Place: named by the route table. In: a `Call`. Out: a `Reply`. They are kept and listed; no node of this machine
installs one. Source: the published OpenAPI of 2024-02-01.19.0 and 2024-07-01.20.0.
"""

import json
from sqlite3 import Row
from typing import Any

from batchspec.engine.call import Call, Reply, changed
from batchspec.engine.core import Core
from batchspec.engine.errors import BatchError, bad_value
from batchspec.engine.lists import CERTIFICATE_FIELDS, page_of_rows
from batchspec.engine.store import json_text
from batchspec.engine.times import text_from_ticks
from batchspec.engine.views import selected

_LAST_VERSION = "2024-07-01.20.0"


class CertificateApi:
    """Certificate operations."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def create(self, call: Call) -> Reply:
        _check_version(call)
        algorithm, thumbprint = call.body["thumbprintAlgorithm"].lower(), call.body["thumbprint"].lower()
        if algorithm != "sha1":
            raise bad_value("thumbprintAlgorithm", algorithm, "The only algorithm is sha1.")
        if not thumbprint.isalnum():
            raise bad_value("thumbprint", thumbprint[:100])
        key = f"{algorithm},{thumbprint}"
        store = self._core.store
        if store.find("SELECT 1 FROM certificates WHERE id = ?", key):
            raise BatchError("CertificateExists")
        body = json_text({"publicData": call.body["data"] if call.body.get("certificateFormat") == "cer" else ""})
        now = store.stamp()
        store.insert("certificates", id=key, state="active", state_time=now, body=body)
        return changed(now, location=self._url(key))

    async def list(self, call: Call) -> Reply:
        _check_version(call)
        store = self._core.store
        return page_of_rows(call, store, "certificates", CERTIFICATE_FIELDS, self._view, fragment="certificates")

    async def get(self, call: Call) -> Reply:
        row = self._found(call)
        return Reply(selected(self._view(row), call.select), fragment="certificates/@Element", stamp=row["state_time"])

    async def delete(self, call: Call) -> Reply:
        row = self._found(call)
        users = [pool["id"] for pool in self._core.store.all("SELECT id, body FROM pools") if _uses(pool, row["id"])]
        if not users:
            self._core.store.run("DELETE FROM certificates WHERE pk = ?", row["pk"])
            return Reply()
        error = {
            "code": "PoolsReferencingCertificate",
            "message": "The specified certificate is being used by the below mentioned pool(s)",
            "values": [{"name": "Pools", "value": ",".join(users)}],
        }
        body = {**json.loads(row["body"]), "deleteCertificateError": error}
        self._enter(row, "deletefailed", body)
        return Reply()

    async def cancel_delete(self, call: Call) -> Reply:
        row = self._found(call)
        if row["state"] != "deletefailed":
            raise BatchError("CertificateStateActive")
        body = json.loads(row["body"])
        body.pop("deleteCertificateError", None)
        self._enter(row, "active", body)
        return changed(self._core.store.stamp())

    def _enter(self, row: Row, state: str, body: dict[str, Any]) -> None:
        store = self._core.store
        previous = {"previous": row["state"], "previous_time": row["state_time"]}
        store.update("certificates", row["pk"], state=state, state_time=store.stamp(), body=json_text(body), **previous)

    def _found(self, call: Call) -> Row:
        _check_version(call)
        key = f"{call.path['algorithm']},{call.path['thumbprint']}"
        row = self._core.store.find("SELECT * FROM certificates WHERE id = ?", key)
        if row is None:
            raise BatchError("CertificateNotFound")
        return row

    def _view(self, row: Row) -> dict[str, Any]:
        algorithm, _, thumbprint = row["id"].partition(",")
        view = {
            "thumbprint": thumbprint,
            "thumbprintAlgorithm": algorithm,
            "url": self._url(row["id"]),
            "state": row["state"],
            "stateTransitionTime": text_from_ticks(row["state_time"]),
            **json.loads(row["body"]),
        }
        if row["previous"] is not None:
            view["previousState"] = row["previous"]
            view["previousStateTransitionTime"] = text_from_ticks(row["previous_time"])
        return view

    def _url(self, key: str) -> str:
        algorithm, _, thumbprint = key.partition(",")
        return f"{self._core.base_url}/certificates(thumbprintAlgorithm={algorithm},thumbprint={thumbprint})"


def _check_version(call: Call) -> None:
    if call.version > _LAST_VERSION:
        raise BatchError("ResourceNotFound")


def _uses(pool: Row, key: str) -> bool:
    references = json.loads(pool["body"]).get("certificateReferences", ())
    return any(f"{item['thumbprintAlgorithm']},{item['thumbprint']}".lower() == key for item in references)
