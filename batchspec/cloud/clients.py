"""The SDK clients of a target, opened and closed: accounts -> `Services`.

Place in the pipeline: `connect` imports this module only when it needs it, since importing the SDKs costs 0.2 to 0.5 s
each. The SDKs' own retries are off (see `retry`), and so is their logging: it would write to stderr past the boundary.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from azure.batch.aio import BatchClient
from azure.core import MatchConditions
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.pipeline.policies import AsyncRetryPolicy
from azure.storage.blob.aio import BlobClient, BlobServiceClient, ContainerClient, ExponentialRetry

from batchspec.cloud.arm import ResourceManager
from batchspec.cloud.batch import AzureBatch
from batchspec.cloud.batch_http import BatchHttp
from batchspec.cloud.blobs import AzureBlobs
from batchspec.cloud.engine_account import EngineAccount
from batchspec.cloud.others import OtherContainer
from batchspec.cloud.retry import Sleep
from batchspec.cloud.sas import Sas, probed_by
from batchspec.cloud.target import BatchAccount, StorageAccount, is_loopback
from batchspec.cloud.transport import Verbose, transport
from batchspec.cloud.upload import PIECE_BYTES
from batchspec.reconcile.account import AccountReader
from batchspec.reconcile.ports import Services

# The service itself gives up on a Batch request after 30 s.
_BATCH_ANSWERS_WITHIN_S = 40.0
_STORAGE_ANSWERS_WITHIN_S = 60.0
_PROBE_BLOB = "batchspec-probe"
_NO_SUCH_ETAG = '"0x0"'

logging.getLogger("azure").addHandler(logging.NullHandler())


@asynccontextmanager
async def opened(
    batch: BatchAccount,
    storage: StorageAccount,
    *,
    shown_as: str,
    verbose: Verbose | None,
    others: Mapping[str, OtherContainer] | None = None,
    sleep: Sleep = asyncio.sleep,
) -> AsyncIterator[Services]:
    """Both services while the context is open; `others` are containers of other accounts by the names they go by."""
    async with AsyncExitStack() as stack:
        token = await _token(stack) if batch.key is None or storage.key is None else None
        batch_client = await stack.enter_async_context(_batch_client(batch, token, verbose))
        blob_client, blob_transport = _blob_client(storage, token, verbose)
        await stack.enter_async_context(blob_client)
        sas = Sas(blob_client, storage, _Probe(storage, blob_transport), sleep=sleep)
        opened_others = {
            name: (one, await stack.enter_async_context(_other_client(one, verbose)))
            for name, one in (others or {}).items()
        }
        blobs = AzureBlobs(blob_client, storage, sas, others=opened_others, sleep=sleep)
        stack.push_async_callback(blobs.close)
        http = BatchHttp(batch_client, batch.endpoint, sleep=sleep)
        yield Services(AzureBatch(http), blobs, shown_as, _account_reader(batch, http, verbose))


async def _token(stack: AsyncExitStack) -> Any:
    return await stack.enter_async_context(_credential())


def _credential() -> Any:
    from azure.identity.aio import DefaultAzureCredential

    return DefaultAzureCredential()


def _account_reader(account: BatchAccount, http: BatchHttp, verbose: Verbose | None) -> AccountReader:
    """No Azure Resource Manager knows an account on this machine."""
    if is_loopback(account.endpoint):
        return EngineAccount(http)
    subscription = os.environ.get("AZURE_SUBSCRIPTION_ID", "").strip()
    return ResourceManager(account.endpoint, _credential, subscription=subscription, verbose=verbose)


def _batch_client(account: BatchAccount, token: Any, verbose: Verbose | None) -> BatchClient:
    named = AzureNamedKeyCredential(account.name, account.key) if account.key else token
    return BatchClient(
        account.endpoint,
        named,
        credential_scopes=[account.scope],
        retry_policy=AsyncRetryPolicy.no_retries(),
        transport=transport(account.endpoint, verbose, answer_within_s=_BATCH_ANSWERS_WITHIN_S),
    )


def _blob_client(account: StorageAccount, token: Any, verbose: Verbose | None) -> tuple[BlobServiceClient, Any]:
    wire = transport(account.endpoint, verbose, answer_within_s=_STORAGE_ANSWERS_WITHIN_S)
    named = AzureNamedKeyCredential(account.name, account.key) if account.key else token
    client = BlobServiceClient(account.endpoint, named, **_blob_settings(wire))
    return client, wire


def _other_client(container: OtherContainer, verbose: Verbose | None) -> ContainerClient:
    wire = transport(container.url, verbose, answer_within_s=_STORAGE_ANSWERS_WITHIN_S)
    settings = _blob_settings(wire)
    return ContainerClient.from_container_url(container.url, credential=container.sas or None, **settings)


def _blob_settings(wire: Any) -> dict[str, Any]:
    return {
        "transport": wire,
        "retry_policy": ExponentialRetry(retry_total=0),
        "max_single_get_size": PIECE_BYTES,
        "max_chunk_get_size": PIECE_BYTES,
        # What is sent whole must be one request: only then is one refusal one refusal.
        "max_single_put_size": 2 * PIECE_BYTES,
    }


class _Probe:
    """Tries a SAS with a request that changes nothing: a blob that is not there, a condition that cannot hold."""

    def __init__(self, account: StorageAccount, wire: Any) -> None:
        self._account = account
        self._wire = wire

    async def __call__(self, container: str, permissions: str, sas: str) -> None:
        # Not closed: the transport belongs to the service client.
        blob = BlobClient(self._account.endpoint, container, _PROBE_BLOB, credential=sas, **_blob_settings(self._wire))
        if probed_by(permissions) == "read":
            await blob.get_blob_properties()
        else:
            await blob.upload_blob(
                b"", length=0, overwrite=True, etag=_NO_SUCH_ETAG, match_condition=MatchConditions.IfNotModified
            )
