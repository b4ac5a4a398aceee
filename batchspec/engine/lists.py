"""Lists: a filter, a page and the token of the next page, from the database or from objects.

Place: under the list handlers. In: a call and where the items are. Out: one page as a `Reply`. Pages continue after the
last id of the page before (keyset), so that a list that changes meanwhile neither repeats nor skips what stays.
"""

from collections.abc import Callable, Iterable, Mapping
from sqlite3 import Row
from typing import Any, Final

from batchspec.engine import odata
from batchspec.engine.call import Call, Reply
from batchspec.engine.odata import Field
from batchspec.engine.store import Store
from batchspec.engine.views import selected

_EQUAL: Final = False

POOL_FIELDS: Final[dict[str, Field]] = {
    "id": Field("text", "id"),
    "state": Field("text", "state", _EQUAL),
    "allocationState": Field("text", "allocation", _EQUAL),
    "stateTransitionTime": Field("time", "state_time"),
    "allocationStateTransitionTime": Field("time", "allocation_time"),
    "creationTime": Field("time", "created"),
    "lastModified": Field("time", "modified"),
    "enableAutoScale": Field("bool", "json_extract(body, '$.enableAutoScale')", _EQUAL),
    "enableInterNodeCommunication": Field("bool", "json_extract(body, '$.enableInterNodeCommunication')", _EQUAL),
    "vmSize": Field("text", "json_extract(body, '$.vmSize')", _EQUAL),
}
JOB_FIELDS: Final[dict[str, Field]] = {
    "id": Field("text", "id"),
    "state": Field("text", "state", _EQUAL),
    "stateTransitionTime": Field("time", "state_time"),
    "creationTime": Field("time", "created"),
    "lastModified": Field("time", "modified"),
    "executionInfo/startTime": Field("time", "created"),
    "executionInfo/endTime": Field("time", "ended"),
    "executionInfo/poolId": Field("text", "pool"),
}
SCHEDULE_FIELDS: Final[dict[str, Field]] = {
    "id": Field("text", "id"),
    "state": Field("text", "state", _EQUAL),
    "stateTransitionTime": Field("time", "state_time"),
    "creationTime": Field("time", "created"),
    "lastModified": Field("time", "modified"),
    "executionInfo/endTime": Field("time", "ended"),
    "schedule/doNotRunUntil": Field("time", "not_before"),
    "schedule/doNotRunAfter": Field("time", "not_after"),
}
PREPARATION_FIELDS: Final[dict[str, Field]] = {
    "poolId": Field("text", ordered=_EQUAL),
    "nodeId": Field("text", ordered=_EQUAL),
    **{
        f"job{kind}TaskExecutionInfo/{name}": field
        for kind in ("Preparation", "Release")
        for name, field in {
            "state": Field("text", ordered=_EQUAL),
            "startTime": Field("time"),
            "endTime": Field("time"),
            "exitCode": Field("number"),
            "result": Field("text", ordered=_EQUAL),
        }.items()
    },
}
TASK_FIELDS: Final[dict[str, Field]] = {
    "id": Field("text", "id"),
    "state": Field("text", "state", _EQUAL, word=True, optional=False),
    "stateTransitionTime": Field("time", "state_time"),
    "creationTime": Field("time", "created"),
    "lastModified": Field("time", "modified"),
    "lastModifiedTime": Field("time", "modified"),
    "executionInfo/startTime": Field("time", "started"),
    "executionInfo/endTime": Field("time", "ended"),
    "executionInfo/exitCode": Field("number", "exit_code"),
    "executionInfo/result": Field("text", "result", _EQUAL, word=True),
}
NODE_FIELDS: Final[dict[str, Field]] = {
    "id": Field("text"),
    "state": Field("text", ordered=_EQUAL),
    "stateTransitionTime": Field("time"),
    "lastBootTime": Field("time"),
    "allocationTime": Field("time"),
    "startTaskInfo/state": Field("text", ordered=_EQUAL),
    "startTaskInfo/result": Field("text", ordered=_EQUAL),
    "startTaskInfo/exitCode": Field("number"),
    "startTaskInfo/startTime": Field("time"),
    "startTaskInfo/endTime": Field("time"),
}
FILE_FIELDS: Final[dict[str, Field]] = {"name": Field("text")}
IMAGE_FIELDS: Final[dict[str, Field]] = {
    "osType": Field("text", ordered=_EQUAL),
    "verificationType": Field("text", ordered=_EQUAL),
    "nodeAgentSKUId": Field("text", ordered=_EQUAL),
}
CERTIFICATE_FIELDS: Final[dict[str, Field]] = {
    "state": Field("text", "state", _EQUAL),
    "stateTransitionTime": Field("time", "state_time"),
}
COUNT_FIELDS: Final[dict[str, Field]] = {"poolId": Field("text", ordered=_EQUAL)}


def page_of_rows(
    call: Call,
    store: Store,
    table: str,
    fields: Mapping[str, Field],
    view: Callable[[Row], dict[str, Any]],
    *,
    fragment: str,
    stats: Callable[[Row], dict[str, Any]] | None = None,
    where: str = "1",
    values: tuple[Any, ...] = (),
) -> Reply:
    """A page of a table, in the order of the ids; `stats` are those of one row, for who asks for them."""
    conditions, parameters = [where], list(values)
    if text := call.query.get("$filter"):
        sql, more = odata.sql_from_condition(odata.parse(text, fields))
        conditions.append(sql)
        parameters += more
    if token := call.query.get("$skiptoken"):
        conditions.append("id > ?")
        parameters.append(token)
    limit = call.limit()
    query = f"SELECT * FROM {table} WHERE {' AND '.join(conditions)} ORDER BY id LIMIT ?"
    rows = store.all(query, *parameters, limit + 1)
    page = rows[:limit]
    names, expands = call.select, call.expands_stats

    def shown(row: Row) -> dict[str, Any]:
        return {**view(row), "stats": stats(row)} if stats is not None and expands else view(row)

    return Reply(
        {"value": [selected(shown(row), names) for row in page]},
        fragment=fragment,
        skip_token=page[-1]["id"] if len(rows) > limit else None,
    )


def page_of_items(
    call: Call,
    items: Iterable[dict[str, Any]],
    fields: Mapping[str, Field],
    *,
    key: str,
    fragment: str,
    most: int = 1000,
) -> Reply:
    """A page of objects that are in the order of `key` already; the filter is asked of each."""
    text, token, limit, names = call.query.get("$filter"), call.query.get("$skiptoken"), call.limit(most), call.select
    condition = odata.parse(text, fields) if text else None
    page: list[dict[str, Any]] = []
    for item in items:
        if token is not None and item[key] <= token:
            continue
        if condition is not None and not odata.matches(condition, item):
            continue
        if len(page) == limit:
            return Reply(_value(page, names), fragment=fragment, skip_token=page[-1][key])
        page.append(item)
    return Reply(_value(page, names), fragment=fragment)


def _value(page: list[dict[str, Any]], names: list[str]) -> dict[str, Any]:
    return {"value": [selected(item, names) for item in page]}
