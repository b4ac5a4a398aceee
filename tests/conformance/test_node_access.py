"""Users of nodes, log-in, extensions, service logs, power, through the official clients."""

from datetime import UTC, datetime, timedelta
from typing import Any

from azure.batch import BatchClient, models

from tests.conformance.refusals import refusal
from tests.conformance.things import Things


def test_a_node_has_users(client: BatchClient, things: Things) -> None:
    pool = things.pool(nodes=1)
    [node] = client.list_nodes(pool)
    user = models.BatchNodeUserCreateOptions(name="somebody", password="aB3$efgh12", is_admin=False)
    later = datetime.now(UTC) + timedelta(days=2)

    client.create_node_user(pool, node.id, user)
    again = refusal(client.create_node_user, pool, node.id, user)
    client.replace_node_user(pool, node.id, "somebody", models.BatchNodeUserReplaceOptions(expiry_time=later))
    client.delete_node_user(pool, node.id, "somebody")

    assert again == (409, "NodeUserExists")
    assert refusal(client.delete_node_user, pool, node.id, "somebody") == (404, "NodeUserNotFound")
    change = models.BatchNodeUserReplaceOptions(password="x")
    assert refusal(client.replace_node_user, pool, node.id, "somebody", change) == (404, "NodeUserNotFound")


def test_a_node_says_where_to_log_in(client: BatchClient, pool_with_nodes: str) -> None:
    node = next(iter(client.list_nodes(pool_with_nodes)))

    settings = client.get_node_remote_login_settings(pool_with_nodes, node.id)

    assert settings.remote_login_ip_address
    assert settings.remote_login_port


def test_a_node_without_extensions_has_none(client: BatchClient, pool_with_nodes: str) -> None:
    node = next(iter(client.list_nodes(pool_with_nodes)))

    assert list(client.list_node_extensions(pool_with_nodes, node.id, max_results=10)) == []
    assert refusal(client.get_node_extension, pool_with_nodes, node.id, "nope")[0] == 404


def test_logs_of_the_service_are_uploaded(client: BatchClient, pool_with_nodes: str) -> None:
    node = next(iter(client.list_nodes(pool_with_nodes)))
    options = models.UploadBatchServiceLogsOptions(
        container_url="https://account.blob.core.windows.net/container?sig=none",
        start_time=datetime.now(UTC) - timedelta(hours=1),
    )

    result = client.upload_node_logs(pool_with_nodes, node.id, options)

    assert result.virtual_directory_name
    assert result.number_of_files_uploaded >= 0


def test_a_node_is_switched_off_and_on(client: BatchClient, things: Things) -> None:
    pool = things.pool(nodes=1)
    [node] = client.list_nodes(pool)

    early = refusal(client.begin_start_node, pool, node.id)
    option: Any = {"nodeDeallocateOption": "requeue"}
    client.begin_deallocate_node(pool, node.id, option, polling_interval=1).result()
    [off] = things.nodes_in("deallocated", pool=pool)
    client.begin_start_node(pool, node.id, polling_interval=1).result()
    [on] = things.nodes_in("idle", pool=pool)

    assert early[0] == 409
    assert off["id"] == on["id"] == node.id
