"""Adding tasks by collection: split what is too large, repeat what the service could not do, recognise our own.

Place in the pipeline: `batch.AzureBatch.add_tasks`. Limits are the service's: 100 tasks and 1 MiB a request
(api-version 2025-06-01); `addtaskcollection` answers 200 with a status per task.
"""

import json
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import quote

from batchspec.cloud.batch_http import Ask, BatchHttp, Body
from batchspec.cloud.faults import code_and_message
from batchspec.errors import ServiceRefused
from batchspec.reconcile.ports import Added

GetTask = Callable[[str, str], Awaitable[Body | None]]

_MOST_BYTES = 1_000_000
_AGAIN_S = (0.5, 1.0, 2.0, 4.0, 8.0)


async def add_tasks(http: BatchHttp, job_id: str, bodies: Sequence[Body], get_task: GetTask) -> list[Added]:
    """What became of each body, in their order. Raises ServiceRefused when the request as a whole is refused."""
    results: dict[str, Added] = {}
    left, maybe_added = list(bodies), False
    for delay in (*_AGAIN_S, None):
        answered, repeated = await _add(http, job_id, left)
        maybe_added = maybe_added or repeated
        results |= {added.task_id: await _own(job_id, added, left, get_task, maybe_added) for added, _ in answered}
        again = {added.task_id for added, status in answered if status == "servererror"}
        left = [body for body in left if body["id"] in again]
        if not left or delay is None:
            break
        maybe_added = True
        await http.sleep(delay)
    return [results[str(body["id"])] for body in bodies]


async def _add(http: BatchHttp, job_id: str, bodies: Sequence[Body]) -> tuple[list[tuple[Added, str]], bool]:
    """(Added, status) of each, and whether a request was repeated; halves what is too large."""
    if not bodies:
        return [], False
    tries = http.tries("add tasks to job", job_id)
    ask = Ask("POST", f"/jobs/{quote(job_id)}/addtaskcollection", body={"value": list(bodies)})
    if len(bodies) > 1 and len(json.dumps(bodies, ensure_ascii=False).encode()) > _MOST_BYTES:
        return await _halves(http, job_id, bodies)
    try:
        reply = await http.send(tries, ask)
    except ServiceRefused as refused:
        if refused.code != "RequestBodyTooLarge":
            raise
        if len(bodies) == 1:
            return [(Added(str(bodies[0]["id"]), refused.code, str(refused)), "clienterror")], tries.repeated
        return await _halves(http, job_id, bodies)
    return [(_added(one), str(one.get("status", "")).lower()) for one in reply.body["value"]], tries.repeated


async def _halves(http: BatchHttp, job_id: str, bodies: Sequence[Body]) -> tuple[list[tuple[Added, str]], bool]:
    middle = len(bodies) // 2
    first, first_repeated = await _add(http, job_id, bodies[:middle])
    second, second_repeated = await _add(http, job_id, bodies[middle:])
    return [*first, *second], first_repeated or second_repeated


def _added(one: Body) -> Added:
    if str(one.get("status", "")).lower() == "success":
        return Added(one["taskId"], "", "")
    code, message = code_and_message(one.get("error") or {})
    return Added(one["taskId"], code or "InternalError", message)


async def _own(job_id: str, added: Added, bodies: Sequence[Body], get_task: GetTask, maybe_added: bool) -> Added:
    """The same, but success when the task that "exists" is the very one that an earlier attempt of ours added."""
    if added.code != "TaskExists" or not maybe_added:
        return added
    there = await get_task(job_id, added.task_id) or {}
    sent = next(body for body in bodies if body["id"] == added.task_id)
    if all(there.get(key) == sent.get(key) for key in ("commandLine", "environmentSettings")):
        return Added(added.task_id, "", "")
    return added
