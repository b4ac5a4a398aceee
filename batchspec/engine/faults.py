"""Faults on demand: what goes wrong because somebody asked for it.

Place: the server asks it before a request is answered, the carrier before files move, a node before it starts; the
admin routes fill it. In: fault descriptions. Out: which of them happen now. It does nothing itself.

Decisions: off by default; kept in memory, so that a restart is a reset; a fault happens at the next request it
matches unless told how many (`next`) or how often (`every`).
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from batchspec.engine.errors import BatchError, bad_value
from batchspec.engine.transfer_failure import CODES

_log = logging.getLogger("batchspec.engine")

ON_REQUESTS: Final = ("answer", "drop", "delay")
MAX_DELAY_S: Final = 3600


@dataclass(slots=True)
class Fault:
    """One fault, as it was asked for (an `EngineFault` of the admin routes), and how often it was met."""

    id: int
    body: Mapping[str, Any]
    seen: int = 0
    fired: int = 0

    @property
    def kind(self) -> str:
        """What it does: answer, drop, delay, upload, download or nodestart."""
        kind: str = self.body["kind"]
        return kind

    @property
    def is_after(self) -> bool:
        """Whether the request has its effect before it fails."""
        return bool(self.body.get("when") == "after")

    @property
    def is_spent(self) -> bool:
        """Whether it cannot happen any more."""
        return "next" in self.body and self.fired >= self.body["next"]

    def happens(self) -> bool:
        """Count one more match; whether the fault happens at this one."""
        self.seen += 1
        if self.is_spent or self.seen % self.body.get("every", 1):
            return False
        self.fired += 1
        _log.info("fault %d (%s) happens", self.id, self.kind)
        return True

    def view(self) -> dict[str, Any]:
        """As the admin routes show it."""
        return {"id": self.id, **self.body, "seen": self.seen, "fired": self.fired}


class Faults:
    """The faults that are asked for."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._last_id = 0

    def add(self, body: dict[str, Any]) -> Fault:
        """Ask for a fault. Raises BatchError (400)."""
        _check(body)
        if "next" not in body and "every" not in body:
            body = {**body, "next": 1}
        self._last_id += 1
        fault = Fault(self._last_id, body)
        self._faults.append(fault)
        return fault

    def reset(self, fault_id: int | None = None) -> int:
        """Forget one fault, or all; how many there were."""
        before = len(self._faults)
        self._faults = [fault for fault in self._faults if fault_id is not None and fault.id != fault_id]
        return before - len(self._faults)

    @property
    def all(self) -> Sequence[Fault]:
        """Every fault, spent ones too: how often it fired is worth knowing."""
        return list(self._faults)

    def on_request(self, operation: str, method: str, path: str) -> Sequence[Fault]:
        """What happens to this request, in the order in which it was asked for."""
        return [
            fault
            for fault in self._faults
            if fault.kind in ON_REQUESTS and _matches(fault.body, operation, method, path) and fault.happens()
        ]

    def on_transfer(self, kind: str) -> Fault | None:
        """What happens to this upload or download."""
        return next((fault for fault in self._faults if fault.kind == kind and fault.happens()), None)

    def on_node_start(self, pool_id: str) -> dict[str, Any] | None:
        """The error of a node that does not start now."""
        for fault in self._faults:
            is_meant = fault.kind == "nodestart" and fault.body.get("pool", pool_id).lower() == pool_id.lower()
            if is_meant and fault.happens():
                message = "The node could not be prepared; this fault was asked for."
                return {"code": fault.body.get("code", "NodePreparationError"), "message": message}
        return None


def _matches(body: Mapping[str, Any], operation: str, method: str, path: str) -> bool:
    return (
        body.get("operation", operation) == operation
        and body.get("method", method).upper() == method
        and fnmatchcase(path, body.get("path", "*"))
    )


def _check(body: Mapping[str, Any]) -> None:
    if body["kind"] == "answer":
        if "status" not in body:
            raise BatchError("MissingRequiredProperty", PropertyName="status")
        if not 400 <= body["status"] <= 599:
            raise bad_value("status", body["status"], "The value must be between 400 and 599.")
    if body["kind"] in ("upload", "download") and body.get("code", "DiskFull") not in CODES:
        raise bad_value("code", body["code"], f"The value must be one of {', '.join(sorted(CODES))}.")
    for name in ("next", "every"):
        if body.get(name, 1) < 1:
            raise bad_value(name, body[name], "The value must be greater than 0.")
    if body["kind"] == "delay" and "delay" not in body:
        raise BatchError("MissingRequiredProperty", PropertyName="delay")
    for name in ("delay", "retryAfter"):
        if not 0 <= body.get(name, 0) <= MAX_DELAY_S:
            raise bad_value(name, body[name], f"The value must be between 0 and {MAX_DELAY_S} seconds.")
