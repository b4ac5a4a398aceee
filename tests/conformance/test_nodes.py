"""Nodes, their state and their files, through the official clients."""

from typing import Any

import pytest
from azure.batch import BatchClient, models
from azure.core.exceptions import ResourceNotFoundError

from tests.conformance.refusals import refusal
from tests.conformance.things import Things


def options(name: str) -> Any:
    """A body whose model the SDK keeps to itself."""
    return {name: "requeue"}


def test_nodes_are_listed_and_read(client: BatchClient, pool_with_nodes: str) -> None:
    nodes = list(client.list_nodes(pool_with_nodes, filter="state eq 'idle' or state eq 'running'"))
    brief = list(client.list_nodes(pool_with_nodes, select=["id", "state"], max_results=1))
    one = client.get_node(pool_with_nodes, nodes[0].id)

    assert len(nodes) == len(brief) == 2
    assert [set(item) for item in brief] == [{"id", "state"}] * 2
    assert (one.id, one.is_dedicated, one.scheduling_state) == (nodes[0].id, True, "enabled")
    assert one.affinity_id == f"TVM:{one.id}"
    assert refusal(client.get_node, pool_with_nodes, "nope") == (404, "NodeNotFound")


def test_a_node_reboots_and_is_reimaged(client: BatchClient, things: Things) -> None:
    pool = things.pool(nodes=1)
    [before] = client.list_nodes(pool)

    client.begin_reboot_node(pool, before.id, options("nodeRebootOption"), polling_interval=1).result()
    [rebooted] = things.nodes_in("idle", pool=pool)
    client.begin_reimage_node(pool, before.id, options("nodeReimageOption"), polling_interval=1).result()
    [reimaged] = things.nodes_in("idle", pool=pool)

    assert before.id == rebooted["id"] == reimaged["id"]
    assert before.last_boot_time is not None
    assert before.last_boot_time.isoformat() < rebooted["lastBootTime"] < reimaged["lastBootTime"]


def test_a_node_takes_no_tasks_while_its_scheduling_is_disabled(client: BatchClient, things: Things) -> None:
    pool = things.pool(nodes=1)
    [node] = client.list_nodes(pool)
    option = models.BatchNodeDisableSchedulingOptions(node_disable_scheduling_option="taskcompletion")

    client.disable_node_scheduling(pool, node.id, option)
    [off] = things.nodes_in("offline", pool=pool)
    again = refusal(client.disable_node_scheduling, pool, node.id, option)
    client.enable_node_scheduling(pool, node.id)
    [on] = things.nodes_in("idle", pool=pool)

    assert (off["schedulingState"], on["schedulingState"]) == ("disabled", "enabled")
    assert again == (409, "NodeAlreadyInTargetSchedulingState")


def test_a_node_has_files(client: BatchClient, things: Things, pool_with_nodes: str) -> None:
    job = things.job(pool_with_nodes)
    task = things.task(job, "/bin/sh -c 'printf 0123456789 > result.txt'")
    info = things.completed(job, task)["nodeInfo"]
    node, root = info["nodeId"], info["taskRootDirectory"]
    path = f"{root}/wd/result.txt"

    names = [file.name for file in client.list_node_files(pool_with_nodes, node)]
    deep = [file.name for file in client.list_node_files(pool_with_nodes, node, recursive=True)]
    properties = client.get_node_file_properties(pool_with_nodes, node, path)
    part = b"".join(client.download_node_file(pool_with_nodes, node, path, ocp_range="bytes=2-4"))

    assert {"shared", "startup", "volatile", "workitems"} <= set(names)
    assert path in deep
    assert (properties.content_length, properties.is_directory) == (10, False)
    assert part == b"234"
    client.delete_node_file(pool_with_nodes, node, path)
    with pytest.raises(ResourceNotFoundError):
        client.get_node_file_properties(pool_with_nodes, node, path)
    assert refusal(client.delete_node_file, pool_with_nodes, node, path) == (404, "FileNotFound")


def test_counts_tell_the_states_of_nodes(client: BatchClient, pool_with_nodes: str) -> None:
    [counts] = client.list_pool_node_counts(filter=f"poolId eq '{pool_with_nodes}'", max_results=5)

    assert counts.dedicated is not None
    assert counts.low_priority is not None
    assert (counts.pool_id, counts.dedicated.total, counts.low_priority.total) == (pool_with_nodes, 2, 0)
