"""Pools that live as long as a job or a job schedule.

Place: under the jobs and the job schedules. In: an auto pool's specification. Out: a pool with the id the service would
give it, and its end. It never decides when: the jobs and schedules do.

The id is a bare upper-case GUID (recorded), behind the prefix and an underscore when there is a prefix. A pool that
cannot be made does not refuse the job: the job is completed with a `schedulingError`, as at the service.
"""

import uuid
from collections.abc import Mapping
from sqlite3 import Row
from typing import Any

from batchspec.engine import bodies
from batchspec.engine.core import Core
from batchspec.engine.errors import BatchError
from batchspec.engine.fleet import Fleet

_QUOTA_MESSAGE = "The pool for this job could not be created because a quota of the account has been reached"
_INVALID_MESSAGE = "The pool for this job could not be created because its settings are not valid"


class PoolNotMade(Exception):
    """An auto pool that could not be created; `error` is the job's `schedulingError`."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["code"])
        self.error = error


class AutoPools:
    """Makes and deletes the pools of jobs."""

    def __init__(self, core: Core, fleet: Fleet) -> None:
        self._core = core
        self._fleet = fleet

    def open(self, specification: Mapping[str, Any]) -> str:
        """Create the pool; return its id. Raises PoolNotMade."""
        guid = str(uuid.uuid4()).upper()
        prefix = specification.get("autoPoolIdPrefix")
        pool_id = f"{prefix}_{guid}" if prefix else guid
        try:
            self._fleet.create(bodies.pool_body({"id": pool_id, **specification["pool"]}))
        except BatchError as error:
            raise PoolNotMade(_scheduling_error(error)) from error
        return pool_id

    def close(self, pool_id: str | None) -> None:
        """Delete the pool in the background; harmless when somebody did already."""
        row = self._find(pool_id)
        if row is not None and row["state"] == "active":
            self._core.spawn(self._fleet.delete(row))

    def _find(self, pool_id: str | None) -> Row | None:
        return self._core.store.find("SELECT * FROM pools WHERE id = ?", pool_id)


def _scheduling_error(error: BatchError) -> dict[str, Any]:
    is_quota = error.code.endswith("QuotaReached")
    details = {"Code": error.code, "Message": error.message, **error.values}
    return {
        "category": "usererror",
        "code": "AutoPoolCreationFailedWithQuotaReached" if is_quota else "InvalidAutoPoolSettings",
        "message": _QUOTA_MESSAGE if is_quota else _INVALID_MESSAGE,
        "details": [{"name": name, "value": value} for name, value in details.items()],
    }


def ends_with(lifetime: str, body: Mapping[str, Any]) -> bool:
    """Whether the body's auto pool, if it has one, is deleted at the end of its `job` or `jobschedule`."""
    specification = body["poolInfo"].get("autoPoolSpecification", {})
    return specification.get("poolLifetimeOption") == lifetime and not specification.get("keepAlive", False)
