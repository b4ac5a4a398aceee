"""Pools, through the official clients."""

from datetime import timedelta

import pytest
from azure.batch import BatchClient, models
from azure.core import MatchConditions
from azure.core.exceptions import ResourceNotFoundError

from tests.conformance.account import IMAGE, VM_SIZE, new_id
from tests.conformance.refusals import refusal
from tests.conformance.things import Things
from tests.conformance.wire import Wire


def new_pool(pool_id: str, **properties: object) -> models.BatchPoolCreateOptions:
    body = {"id": pool_id, "vmSize": VM_SIZE, "virtualMachineConfiguration": IMAGE, "targetDedicatedNodes": 0}
    return models.BatchPoolCreateOptions({**body, **properties})


def test_a_pool_is_created_read_and_deleted(client: BatchClient, things: Things, wire: Wire) -> None:
    pool_id = new_id("pool")
    things.also_delete(f"/pools/{pool_id}")

    client.create_pool(new_pool(pool_id, displayName="a name", metadata=[{"name": "a", "value": "b"}]))
    created = wire.last
    pool = client.get_pool(pool_id)

    assert created.headers["location"] == created.headers["dataserviceid"] == pool.url
    assert (pool.id, pool.display_name, pool.vm_size, pool.state) == (pool_id, "a name", VM_SIZE, "active")
    assert pool.metadata == [models.BatchMetadataItem(name="a", value="b")]
    assert (pool.task_slots_per_node, pool.resize_timeout) == (1, timedelta(minutes=15))
    assert (pool.enable_auto_scale, pool.enable_inter_node_communication) == (False, False)
    assert client.pool_exists(pool_id) is True

    client.begin_delete_pool(pool_id, polling_interval=1).result()
    assert refusal(client.get_pool, pool_id) == (404, "PoolNotFound")
    with pytest.raises(ResourceNotFoundError):
        client.pool_exists(pool_id)


def test_pools_are_listed_filtered_selected_and_paged(client: BatchClient, things: Things, wire: Wire) -> None:
    ids = sorted(things.pool() for _ in range(3))
    chosen = " or ".join(f"id eq '{item}'" for item in ids)

    whole = list(client.list_pools(filter=chosen))
    brief = list(client.list_pools(filter=f"({chosen}) and state eq 'active'", select=["id", "state"], max_results=2))

    assert [pool.id for pool in whole] == ids
    assert all(pool.allocation_state == "steady" for pool in whole)
    assert [dict(pool) for pool in brief] == [{"id": item, "state": "active"} for item in ids]
    assert [len(exchange.body["value"]) for exchange in wire.exchanges[-2:]] == [2, 1]
    assert list(client.list_pools(filter=f"startswith(id, '{ids[0]}') and creationTime gt DateTime'2099-01-01'")) == []
    assert [pool.id for pool in client.list_pools(filter=f"id eq '{ids[0].upper()}'", expand=["stats"])] == ids[:1]


def test_a_pool_is_changed_in_place(client: BatchClient, things: Things) -> None:
    pool_id = things.pool(metadata=[{"name": "a", "value": "b"}], startTask={"commandLine": "true"})

    client.update_pool(pool_id, models.BatchPoolUpdateOptions(display_name="changed"))
    updated = client.get_pool(pool_id)
    client.replace_pool_properties(
        pool_id, models.BatchPoolReplaceOptions(application_package_references=[], metadata=[])
    )
    replaced = client.get_pool(pool_id)

    assert (updated.display_name, updated.metadata) == ("changed", [models.BatchMetadataItem(name="a", value="b")])
    assert updated.start_task is not None
    assert updated.start_task.wait_for_success is True
    assert (replaced.display_name, replaced.metadata or [], replaced.start_task) == ("changed", [], None)


def test_conditions_are_obeyed(client: BatchClient, things: Things) -> None:
    pool_id = things.pool()
    before = client.get_pool(pool_id)
    assert before.etag is not None
    change = models.BatchPoolUpdateOptions(display_name="x")

    client.update_pool(pool_id, change, etag=before.etag, match_condition=MatchConditions.IfNotModified)
    same = {"etag": before.etag, "match_condition": MatchConditions.IfNotModified}
    assert refusal(client.update_pool, pool_id, change, **same) == (412, "ConditionNotMet")
    now = client.get_pool(pool_id, etag=before.etag, match_condition=MatchConditions.IfModified)

    assert now.etag != before.etag
    other = {"etag": now.etag, "match_condition": MatchConditions.IfModified}
    assert refusal(client.get_pool, pool_id, **other) == (304, "")


def test_a_pool_is_resized(client: BatchClient, things: Things) -> None:
    pool_id = things.pool()

    client.begin_resize_pool(
        pool_id, models.BatchPoolResizeOptions(target_dedicated_nodes=2), polling_interval=1
    ).result()
    grown = client.get_pool(pool_id)
    nodes = [node.id for node in client.list_nodes(pool_id)]
    things.nodes_in("idle", pool=pool_id)
    client.begin_remove_nodes(pool_id, models.BatchNodeRemoveOptions(node_ids=nodes[:1]), polling_interval=1).result()
    shrunk = client.get_pool(pool_id)

    assert (grown.target_dedicated_nodes, grown.current_dedicated_nodes, len(nodes)) == (2, 2, 2)
    assert (shrunk.target_dedicated_nodes, shrunk.current_dedicated_nodes) == (1, 1)
    assert [node.id for node in client.list_nodes(pool_id)] == nodes[1:]


def test_a_resize_is_stopped(client: BatchClient, things: Things) -> None:
    pool_id = things.pool()

    client.begin_stop_pool_resize(pool_id, polling_interval=1).result()

    assert client.get_pool(pool_id).allocation_state == "steady"
