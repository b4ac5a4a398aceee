"""The pool comes to be as the plan says: create, replace, or update by its steps.

Place in the pipeline: called by `apply` after the uploads, since a start task may need them. It does not wait for
nodes; `watch` does, while tasks already queue.
"""

from batchspec.errors import ServiceRefused
from batchspec.reconcile.change import Change
from batchspec.reconcile.clock import polls
from batchspec.reconcile.concurrency import for_each
from batchspec.reconcile.making import carry_out
from batchspec.reconcile.marks import REBOOT_KEY, RUN_KEY, sent_metadata
from batchspec.reconcile.observe import HOPELESS
from batchspec.reconcile.plan_pool import patched_properties
from batchspec.reconcile.report import Noted
from batchspec.reconcile.run import Run
from batchspec.render.model import DesiredPool, JsonObject

_STEADY_DEADLINE_S = 1800.0
# Nodes that have not yet fetched a start task, or never will again; one that waits for its start task has the old one.
_TAKES_IT_ANYWAY = ("creating", "starting", "rebooting", "reimaging", "leavingpool", "preempted")
_NODES_A_REQUEST = 100


async def make_pool(run: Run) -> None:
    """Carry out the pool's change, if there is one."""
    pool = run.desired.pool
    if pool is not None:
        await carry_out(
            run, "pool", create=lambda: _create(run, pool), update=lambda change: _update(run, pool, change)
        )


async def _create(run: Run, pool: DesiredPool) -> None:
    assert pool.body is not None
    body = await run.sender.body(pool.body)
    body["metadata"] = sent_metadata(pool.body, {RUN_KEY: run.id})
    await run.services.batch.create_pool(body)


async def _update(run: Run, pool: DesiredPool, change: Change) -> None:
    assert pool.body is not None
    batch = run.services.batch
    reboot = "reboot" in change.steps
    if "patch" in change.steps:
        body = await run.sender.body({key: pool.body[key] for key in patched_properties(pool.body, change)})
        body.setdefault("applicationPackageReferences", [])
        body["metadata"] = sent_metadata(pool.body, {REBOOT_KEY: "pending" if reboot else ""})
        await batch.update_pool(pool.id, body, if_match=run.if_match(run.observed.pool))
    if "autoscale" in change.steps:
        await _steady(run, pool.id)
        await batch.set_autoscale(pool.id, _autoscale(pool.body))
    if "resize" in change.steps:
        await _resize(run, pool.id, pool.body)
    if "restart" in change.steps:
        await _restart(run, pool)
    if reboot:
        await _reboot(run, pool)
        await batch.update_pool(pool.id, {"metadata": sent_metadata(pool.body, {REBOOT_KEY: ""})})


def _autoscale(body: JsonObject) -> JsonObject | None:
    if not body.get("enableAutoScale"):
        return None
    return {key: body[key] for key in ("autoScaleFormula", "autoScaleEvaluationInterval") if key in body}


async def _resize(run: Run, pool_id: str, body: JsonObject) -> None:
    request: JsonObject = {
        "targetDedicatedNodes": body.get("targetDedicatedNodes", 0),
        "targetLowPriorityNodes": body.get("targetLowPriorityNodes", 0),
        # Nodes that leave finish what they run: a resize must not cost a task its work.
        "nodeDeallocationOption": "taskcompletion",
    }
    if "resizeTimeout" in body:
        request["resizeTimeout"] = body["resizeTimeout"]
    await _steady(run, pool_id)
    await run.services.batch.resize_pool(pool_id, request)


async def _steady(run: Run, pool_id: str) -> None:
    async for _ in polls(run.clock, deadline_s=_STEADY_DEADLINE_S, what=f"pool {pool_id} to end its resize"):
        pool = await run.services.batch.get_pool(pool_id)
        if pool is None or pool.get("allocationState") == "steady":
            return


async def _reboot(run: Run, pool: DesiredPool) -> None:
    """Reboot every node that may have booted with the old start task; replace those that cannot be rebooted."""
    nodes = [node async for node in run.services.batch.list_nodes(pool.id, select="id,state")]
    await _boot_again(run, pool, nodes)
    take = (
        "node of {} takes the new start task: it reboots once its"
        if len(nodes) == 1
        else ("nodes of {} take the new start task: each reboots once its")
    )
    run.report(Noted(f"{len(nodes)} {take.format(pool.id)} tasks are done"))


async def _restart(run: Run, pool: DesiredPool) -> None:
    """Start the nodes again that can run nothing."""
    nodes = run.services.batch.list_nodes(pool.id, filter=HOPELESS, select="id,state")
    await _boot_again(run, pool, [node async for node in nodes])


async def _boot_again(run: Run, pool: DesiredPool, nodes: list[JsonObject]) -> None:
    stuck: list[str] = []

    async def reboot(node: JsonObject) -> None:
        if not await _reboot_one(run, pool.id, str(node["id"]), str(node.get("state"))):
            stuck.append(str(node["id"]))

    await for_each(nodes, reboot, at_once=8)
    if stuck and pool.body is not None and not pool.body.get("enableAutoScale"):
        await _replace_nodes(run, pool, stuck)


async def _reboot_one(run: Run, pool_id: str, node_id: str, state: str) -> bool:
    """Whether the node will boot with the new start task, or is gone."""
    try:
        await run.services.batch.reboot_node(pool_id, node_id, "taskcompletion")
    except ServiceRefused as error:
        if error.status == 404:
            return True
        if error.status != 409:
            raise
        return state in _TAKES_IT_ANYWAY
    return True


async def _replace_nodes(run: Run, pool: DesiredPool, node_ids: list[str]) -> None:
    """A node whose start task failed may refuse a reboot: take it out and let a new one come."""
    assert pool.body is not None
    for start in range(0, len(node_ids), _NODES_A_REQUEST):
        await _steady(run, pool.id)
        await run.services.batch.remove_nodes(pool.id, node_ids[start : start + _NODES_A_REQUEST])
    await _resize(run, pool.id, pool.body)
