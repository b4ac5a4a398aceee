"""Hand-made values that the printers' tests share: a console on strings, and a desired state."""

import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from batchspec.cli.console import Console
from batchspec.render.model import (
    Desired,
    DesiredContainer,
    DesiredPool,
    DesiredTask,
    DesiredUpload,
    JsonObject,
    LocalFile,
)

POOL_BODY: JsonObject = {
    "id": "topwords-pool",
    "vmSize": "standard_d2s_v3",
    "targetDedicatedNodes": 2,
    "virtualMachineConfiguration": {
        "imageReference": {"publisher": "canonical", "offer": "ubuntu-24_04-lts", "sku": "server"}
    },
}


def console(**environ: str) -> Console:
    """A console whose streams are strings."""
    return Console(io.StringIO(), io.StringIO(), environ=environ)


def shown(one: Console) -> tuple[str, str]:
    """What stands on stdout and stderr."""
    assert isinstance(one.out, io.StringIO)
    assert isinstance(one.err, io.StringIO)
    return one.out.getvalue(), one.err.getvalue()


def desired(pool: JsonObject | None = None) -> Desired:
    """The topwords workload, as far as printers look at it."""

    def tasks() -> Iterator[DesiredTask]:
        return iter(())

    containers = {
        key: DesiredContainer(key, f"topwords-{key}", existing=False, keep=False, at=("containers", key))
        for key in ("application", "input", "output")
    }
    uploads = {
        "script": _upload("script", "application", "task.py"),
        "texts": _upload("texts", "input", "a.txt", "b.txt", "c.txt"),
    }
    body = POOL_BODY if pool is None else pool
    return Desired(
        name="topwords",
        shown_as="specs/topwords.yaml",
        containers=containers,
        uploads=uploads,
        pool=DesiredPool("topwords-pool", False, body, "h", "", frozenset(), ("pool",)),
        job=None,
        tasks=tasks,
        wait_timeout=timedelta(minutes=30),
        downloads=(),
        cleanup_after_success=(),
        secrets={},
    )


def _upload(key: str, container: str, *names: str) -> DesiredUpload:
    files = tuple(LocalFile(name, Path(name), 100) for name in names)
    return DesiredUpload(key, container, files, "", False, ("uploads", key))
