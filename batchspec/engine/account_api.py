"""What the account offers: supported images, applications, usage of its pools.

Place: named by the route table. In: a `Call`. Out: a `Reply`.

Decisions:
- Application packages are put into an account by Azure Resource Manager, which the engine is not: there are none.
- Usage is what the nodes that are there now have used, an entry a pool, up to two hours before now: the service has
  no newer metrics. Source: Pool - List Usage Metrics ("endTime must be at least two hours before the current time").
"""

import json
from datetime import timedelta
from sqlite3 import Row
from typing import Any

from batchspec.engine.call import Call, Reply
from batchspec.engine.core import Core
from batchspec.engine.errors import BatchError, bad_query
from batchspec.engine.images import SUPPORTED
from batchspec.engine.lists import COUNT_FIELDS, IMAGE_FIELDS, page_of_items
from batchspec.engine.machine import cores
from batchspec.engine.times import text_from_ticks, ticks_from_datetime, ticks_from_text

_KEY = "@key"
_TICKS_AN_HOUR = 36_000_000_000
_DELAY = timedelta(hours=2)


class AccountApi:
    """Account operations."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def supported_images(self, call: Call) -> Reply:
        # The list has no ids: the position is the key of a page.
        items = ({**image, _KEY: f"{index:04d}"} for index, image in enumerate(SUPPORTED))
        reply = page_of_items(call, items, IMAGE_FIELDS, key=_KEY, fragment="supportedimages")
        for item in (reply.body or {})["value"]:
            item.pop(_KEY, None)
        return reply

    async def applications(self, call: Call) -> Reply:
        return page_of_items(call, (), {}, key="id", fragment="applications")

    async def application(self, call: Call) -> Reply:
        raise BatchError("ApplicationNotFound")

    async def lifetime_statistics(self, call: Call) -> Reply:
        """Statistics of all time, which api-versions before 2022-10-01.16.0 have; here nothing is counted for them."""
        if call.version >= "2022-10":
            raise BatchError("ResourceNotFound")
        now = text_from_ticks(self._core.store.stamp())
        return Reply({"url": call.url, "startTime": now, "lastUpdateTime": now}, fragment="stats/@Element")

    async def usage(self, call: Call) -> Reply:
        newest = ticks_from_datetime(self._core.clock.now() - _DELAY)
        last = _time(call, "endtime", newest)
        first = _time(call, "starttime", last - _TICKS_AN_HOUR // 2)
        if last > newest:
            reason = "The time must be at least two hours before the current time."
            raise bad_query("endtime", text_from_ticks(last), reason)
        if first >= last:
            raise bad_query("starttime", text_from_ticks(first), "The time must be before endtime.")
        pools = self._core.store.all("SELECT * FROM pools ORDER BY id")
        items = (item for pool in pools if (item := self._usage(pool, first, last)))
        return page_of_items(call, items, COUNT_FIELDS, key="poolId", fragment="poolusagemetrics")

    def _usage(self, pool: Row, first: int, last: int) -> dict[str, Any] | None:
        sql = "SELECT SUM(? - MAX(created, ?)) FROM nodes WHERE pool = ? AND created < ?"
        ticks = self._core.store.one(sql, last, first, pool["pk"], last)[0]
        if not ticks:
            return None
        vm_size = json.loads(pool["body"])["vmSize"]
        return {
            "poolId": pool["id"],
            "startTime": text_from_ticks(first),
            "endTime": text_from_ticks(last),
            "vmSize": vm_size,
            "totalCoreHours": ticks / _TICKS_AN_HOUR * cores(vm_size),
        }


def _time(call: Call, name: str, default: int) -> int:
    text = call.query.get(name)
    if text is None:
        return default
    try:
        return ticks_from_text(text)
    except ValueError as error:
        raise bad_query(name, text, "The value is not an ISO 8601 time.") from error
