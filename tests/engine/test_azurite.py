"""The Blob Storage emulator is installed once, survives what it must, and is never left behind."""

import asyncio
import base64
import os
import secrets
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient

from batchspec.engine.azurite import Azurite
from batchspec.engine.azurite_install import Installation, installed

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "batchspec"
ACCOUNT = "tests"
KEY = base64.b64encode(secrets.token_bytes(32)).decode()
DEADLINE_S = 60.0


@pytest.fixture(scope="module")
def installation() -> Installation:
    return installed(CACHE, lambda line: None)


@pytest.fixture
async def azurite(installation: Installation, tmp_path: Path) -> AsyncIterator[Azurite]:
    made = Azurite(installation, tmp_path, account=ACCOUNT, key=KEY)
    await made.start(None)
    yield made
    await made.stop()


def client(port: int) -> BlobServiceClient:
    return BlobServiceClient(f"http://127.0.0.1:{port}/{ACCOUNT}", {"account_name": ACCOUNT, "account_key": KEY})


def put(port: int, name: str) -> None:
    with client(port) as blobs:
        container = blobs.get_container_client("data")
        if not container.exists():
            container.create_container()
        container.upload_blob(name, name.encode())


def names(port: int) -> list[str]:
    with client(port) as blobs:
        return [blob.name for blob in blobs.get_container_client("data").list_blobs()]


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def holder(folder: Path) -> int:
    return int((folder / "azurite.pid").read_text())


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False


async def test_blobs_survive_a_stop_and_the_port_is_kept(installation: Installation, tmp_path: Path) -> None:
    first = Azurite(installation, tmp_path, account=ACCOUNT, key=KEY)
    port = await first.start(None)
    await asyncio.to_thread(put, port, "kept")
    await first.stop()
    second = Azurite(installation, tmp_path, account=ACCOUNT, key=KEY)
    again = await second.start(port)
    try:
        assert (again, await asyncio.to_thread(names, again)) == (port, ["kept"])
    finally:
        await second.stop()


async def test_an_azurite_that_dies_is_started_again_on_its_port(azurite: Azurite, tmp_path: Path) -> None:
    await asyncio.to_thread(put, azurite.port, "kept")
    dead = holder(tmp_path)
    os.kill(dead, signal.SIGTERM)
    await until(lambda: holder(tmp_path) != dead and answers(azurite.port))
    assert await asyncio.to_thread(names, azurite.port) == ["kept"]


async def test_a_taken_port_means_another(installation: Installation, tmp_path: Path) -> None:
    azurite = Azurite(installation, tmp_path, account=ACCOUNT, key=KEY)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = await azurite.start(taken.getsockname()[1])
        try:
            assert port != taken.getsockname()[1]
        finally:
            await azurite.stop()


OWNER = """
    import asyncio, sys
    from pathlib import Path
    from batchspec.engine.azurite import Azurite
    from batchspec.engine.azurite_install import installed

    async def main():
        azurite = Azurite(installed(Path(sys.argv[1]), print), Path(sys.argv[2]), account="tests", key=sys.argv[3])
        print(await azurite.start(None), flush=True)
        await asyncio.sleep(600)

    asyncio.run(main())
"""


@pytest.fixture
async def owner(installation: Installation, tmp_path: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", textwrap.dedent(OWNER), str(CACHE), str(tmp_path), KEY), stdout=subprocess.PIPE
    )
    yield process
    if process.returncode is None:
        process.kill()
        await process.wait()


async def port_of(owner: asyncio.subprocess.Process) -> int:
    assert owner.stdout is not None
    return int(await asyncio.wait_for(owner.stdout.readline(), DEADLINE_S))


async def test_azurite_saves_and_ends_when_its_owner_is_killed(
    installation: Installation, tmp_path: Path, owner: asyncio.subprocess.Process
) -> None:
    port = await port_of(owner)
    await asyncio.to_thread(put, port, "just written")
    orphan = holder(tmp_path)
    owner.kill()
    successor = Azurite(installation, tmp_path, account=ACCOUNT, key=KEY)
    again = await successor.start(port)
    try:
        assert (is_alive(orphan), await asyncio.to_thread(names, again)) == (False, ["just written"])
    finally:
        await successor.stop()


async def test_an_azurite_that_nobody_ends_is_ended_by_the_next(
    installation: Installation, tmp_path: Path, owner: asyncio.subprocess.Process
) -> None:
    # Its owner is frozen: neither does it end it, nor is it noticed to be gone.
    await asyncio.to_thread(put, await port_of(owner), "kept")
    orphan = holder(tmp_path)
    owner.send_signal(signal.SIGSTOP)
    successor = Azurite(installation, tmp_path, account=ACCOUNT, key=KEY)
    again = await successor.start(None)
    try:
        assert (is_alive(orphan), await asyncio.to_thread(names, again)) == (False, ["kept"])
    finally:
        await successor.stop()
