"""A target -> the services, open while they are needed.

Place in the pipeline: `cli` calls `target` (no SDK, no network), prints its line, then enters `connect` and hands the
`Services` to `reconcile`. The SDKs are imported only here, beside the start of the local engine.
"""

import asyncio
import importlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from batchspec.cloud.local import start_engine
from batchspec.cloud.others import OtherContainer
from batchspec.cloud.target import BatchAccount, StorageAccount, Target, target

if TYPE_CHECKING:
    from batchspec.reconcile.ports import Services

__all__ = ["Target", "connect", "target"]

Say = Callable[[str], None]


@asynccontextmanager
async def connect(
    target: Target,
    *,
    others: Mapping[str, OtherContainer] | None = None,
    verbose: Say | None = None,
    say: Say | None = None,
) -> AsyncIterator["Services"]:
    """The services of a target; closed, with every lease given back, when the context ends.

    `others` are containers of other accounts by the names they go by; `verbose` gets one masked line per request, `say`
    the local engine's progress ("installing Azurite ..."). Raises EngineFailed when the local engine cannot be started;
    of Azure nothing is asked yet.
    """
    imported = asyncio.create_task(asyncio.to_thread(importlib.import_module, "batchspec.cloud.clients"))
    try:
        batch, storage, shown_as = await _accounts(target, say)
    finally:
        clients = await imported
    async with clients.opened(batch, storage, shown_as=shown_as, verbose=verbose, others=others) as services:
        yield replace(services, place=target.place)


async def _accounts(target: Target, say: Say | None) -> tuple[BatchAccount, StorageAccount, str]:
    if target.batch is not None and target.storage is not None:
        return target.batch, target.storage, target.shown_as
    batch, storage = await start_engine(say=say)
    return batch, storage, f"{target.shown_as} ({batch.endpoint})"
