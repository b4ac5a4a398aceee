"""What the account offers, through the official clients."""

from datetime import UTC, datetime, timedelta

from azure.batch import BatchClient

from tests.conformance.refusals import refusal


def test_images_are_listed(client: BatchClient) -> None:
    images = list(client.list_supported_images(filter="verificationType eq 'verified'", max_results=3))

    skus = {(image.node_agent_sku_id, image.image_reference.publisher, image.os_type) for image in images}
    assert ("batch.node.ubuntu 24.04", "canonical", "linux") in {
        (agent, (publisher or "").lower(), system) for agent, publisher, system in skus
    }
    assert {image.verification_type for image in images} == {"verified"}
    windows = list(client.list_supported_images(filter="osType eq 'windows'"))
    assert {image.node_agent_sku_id for image in windows} == {"batch.node.windows amd64"}


def test_applications_are_listed(client: BatchClient) -> None:
    assert list(client.list_applications(max_results=10)) == list(client.list_applications())
    assert refusal(client.get_application, "no-such-application") == (404, "ApplicationNotFound")


def test_usage_is_listed(client: BatchClient, pool_with_nodes: str) -> None:
    now, chosen = datetime.now(UTC), f"poolId eq '{pool_with_nodes}'"

    usage = list(
        client.list_pool_usage_metrics(
            start_time=now - timedelta(hours=5),
            end_time=now - timedelta(hours=3),
            filter=chosen,
        )
    )

    assert all(item.pool_id == pool_with_nodes for item in usage)
