"""Files reach the task and leave it, or the failure is one that the service has."""

import asyncio
import base64
import contextlib
import os
import secrets
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from azure.storage.blob import BlobServiceClient, ContainerClient, generate_container_sas

from batchspec.engine.azurite import Azurite
from batchspec.engine.azurite_install import installed
from batchspec.engine.storage import StorageAccount, blob_url
from batchspec.engine.transfer import Transfer, TransferFailed

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "batchspec"
ACCOUNT = "tests"
KEY = base64.b64encode(secrets.token_bytes(32)).decode()
ODD_NAMES = ("plain.txt", "it's 100% #1? & more.txt", "ünï/ço∂é.txt", "a/b/c.txt", "semi;colon+plus=[x].txt")


class Container:
    """A container of one's own in a real Azurite, with a SAS that may do all."""

    def __init__(self, port: int, name: str) -> None:
        self.endpoint = f"http://127.0.0.1:{port}/{ACCOUNT}"
        self.service = BlobServiceClient(self.endpoint, {"account_name": ACCOUNT, "account_key": KEY})
        self.name = name
        self.client: ContainerClient = self.service.create_container(name)

    def url(self, permission: str = "rwlc", *, hours: int = 1, container: str | None = None) -> str:
        name = container or self.name
        expiry = datetime.now(UTC) + timedelta(hours=hours)
        sas = generate_container_sas(ACCOUNT, name, account_key=KEY, permission=permission, expiry=expiry)
        return f"{self.endpoint}/{name}?{sas}"

    def held(self) -> dict[str, bytes]:
        names = [blob.name for blob in self.client.list_blobs()]
        return {name: self.client.download_blob(name).readall() for name in names}


class Task:
    """The folders of a task, and a Transfer for it."""

    def __init__(self, folder: Path, transfer: Transfer) -> None:
        self.folder = folder
        self.wd = folder / "wd"
        self.wd.mkdir(parents=True)
        self.transfer = transfer

    async def fetch(self, *resource_files: dict[str, Any]) -> None:
        await asyncio.wait_for(self.transfer.fetch(resource_files, into=self.wd), 60)

    async def send(self, *output_files: dict[str, Any], succeeded: bool = True, **env: str) -> None:
        sending = self.transfer.send(output_files, wd=self.wd, env=env, succeeded=succeeded, log_dir=self.folder)
        await asyncio.wait_for(sending, 60)

    async def refused(self, doing: Awaitable[None]) -> tuple[str, str, str]:
        with pytest.raises(TransferFailed) as caught:
            await doing
        said = dict(caught.value.details).get("Message", "")
        assert "sig=" not in f"{caught.value} {caught.value.details}"
        return caught.value.code, caught.value.category, said

    def held(self) -> dict[str, bytes]:
        return {str(path.relative_to(self.wd)): path.read_bytes() for path in self.wd.rglob("*") if path.is_file()}

    def log(self) -> tuple[str, str]:
        texts = [(self.folder / f"fileupload{kind}.txt").read_text() for kind in ("out", "err")]
        assert "sig=" not in "".join(texts)
        return texts[0], texts[1]


@pytest.fixture(scope="module")
def azurite_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("azurite")
    with asyncio.Runner() as runner:
        azurite = Azurite(installed(CACHE, lambda line: None), folder, account=ACCOUNT, key=KEY)
        yield runner.run(azurite.start(None))
        runner.run(azurite.stop())


@pytest.fixture
def container(azurite_port: int) -> Iterator[Container]:
    made = Container(azurite_port, f"c{secrets.token_hex(6)}")
    yield made
    made.service.close()


@pytest.fixture
async def task(tmp_path: Path) -> AsyncIterator[Task]:
    transfer = Transfer()
    yield Task(tmp_path / "task", transfer)
    await transfer.close()


def output(pattern: str, url: str, *, path: str | None = None, condition: str = "TaskCompletion") -> dict[str, Any]:
    destination: dict[str, Any] = {"containerUrl": url}
    if path is not None:
        destination["path"] = path
    return {
        "filePattern": pattern,
        "destination": {"container": destination},
        "uploadOptions": {"uploadCondition": condition},
    }


# -- resource files


async def test_files_of_any_name_arrive_with_their_mode(task: Task, container: Container) -> None:
    for name in ODD_NAMES:
        container.client.upload_blob(name, name.encode())
    await task.fetch(
        *({"httpUrl": blob_url(container.url("r"), name), "filePath": f"in/{name}"} for name in ODD_NAMES),
        {"httpUrl": blob_url(container.url("r"), "plain.txt"), "filePath": "x", "fileMode": "0640"},
    )
    assert task.held() == {**{f"in/{name}": name.encode() for name in ODD_NAMES}, "x": b"plain.txt"}
    modes = [stat.S_IMODE((task.wd / name).stat().st_mode) for name in ("in/plain.txt", "x")]
    assert modes == [0o770, 0o640]


async def test_a_container_arrives_below_its_path_as_far_as_its_prefix_says(task: Task, container: Container) -> None:
    for name in (*ODD_NAMES, "a/b/", "a/b/d.txt", "empty/"):
        container.client.upload_blob(name, b"" if name.endswith("/") else name.encode())
    await task.fetch(
        {"storageContainerUrl": container.url("rl"), "filePath": "all"},
        {"storageContainerUrl": container.url("rl"), "blobPrefix": "a/b"},
    )
    everything = {f"all/{name}": name.encode() for name in (*ODD_NAMES, "a/b/d.txt")}
    assert task.held() == {**everything, "a/b/c.txt": b"a/b/c.txt", "a/b/d.txt": b"a/b/d.txt"}
    assert (task.wd / "all" / "empty").is_dir()


async def test_auto_storage_and_identities_are_those_of_the_account(tmp_path: Path, container: Container) -> None:
    container.client.upload_blob("in.txt", b"1")
    transfer = Transfer(StorageAccount(ACCOUNT, KEY, container.endpoint))
    task = Task(tmp_path / "task", transfer)
    identity = {"identityReference": {"resourceId": "/subscriptions/x"}}
    bare = f"{container.endpoint}/{container.name}"
    try:
        await task.fetch(
            {"autoStorageContainerName": container.name, "filePath": "auto"},
            {"httpUrl": f"{bare}/in.txt", "filePath": "identity.txt", **identity},
        )
        sent = output("identity.txt", bare)
        sent["destination"]["container"] |= identity
        await task.send(sent)
    finally:
        await transfer.close()
    assert task.held() == {"auto/in.txt": b"1", "identity.txt": b"1"}
    assert container.held() == {"in.txt": b"1", "identity.txt": b"1"}


async def test_without_auto_storage_its_containers_are_denied(task: Task) -> None:
    refused = await task.refused(task.fetch({"autoStorageContainerName": "x"}))
    assert refused == ("ResourceContainerAccessDenied", "usererror", "the account has no auto-storage account")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("missing blob", ("BlobNotFound", "the server answered 404 The specified blob does not exist. (BlobNotFound)")),
        ("expired", ("BlobAccessDenied", "")),
        ("missing container", ("ResourceContainerNotFound", "")),
        ("no list permission", ("ResourceContainerAccessDenied", "")),
    ],
)
async def test_what_storage_refuses_is_a_failure_of_the_user(
    kind: str, expected: tuple[str, str], task: Task, container: Container
) -> None:
    container.client.upload_blob("x", b"x")
    resource = {
        "missing blob": {"httpUrl": blob_url(container.url("r"), "no"), "filePath": "x"},
        "expired": {"httpUrl": blob_url(container.url("r", hours=-1), "x"), "filePath": "x"},
        "missing container": {"storageContainerUrl": container.url(container="gone")},
        "no list permission": {"storageContainerUrl": container.url("r")},
    }[kind]
    code, category, said = await task.refused(task.fetch(resource))
    assert (code, category, expected[1] in said) == (expected[0], "usererror", True)
    assert task.held() == {}


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/x", "a\0b", "", "link/x", "."])
async def test_nothing_is_written_outside_the_working_directory(path: str, task: Task, container: Container) -> None:
    container.client.upload_blob("x", b"x")
    (task.wd / "link").symlink_to(task.folder)
    refused = await task.refused(task.fetch({"httpUrl": blob_url(container.url("r"), "x"), "filePath": path}))
    assert refused == ("ResourceFileCreateFailed", "usererror", "the path is not one inside the working directory")
    assert [path.name for path in task.folder.iterdir()] == ["wd"]


async def test_a_file_where_a_folder_is_needed_is_a_failure_of_the_node(task: Task, container: Container) -> None:
    container.client.upload_blob("x", b"x")
    url = blob_url(container.url("r"), "x")
    await task.fetch({"httpUrl": url, "filePath": "a"})
    refused = await task.refused(task.fetch({"httpUrl": url, "filePath": "a/b"}))
    assert refused == ("ResourceDirectoryCreateFailed", "servererror", "File exists")


async def test_a_listing_of_several_pages_is_read_to_its_end(task: Task) -> None:
    pages = {"": ("b1", "m&1"), "m&1": ("b 2", "")}

    async def answer(request: web.Request) -> web.Response:
        if request.query.get("comp") != "list":
            return web.Response(body=request.path.encode())
        assert (request.query["sig"], request.query["prefix"]) == ("a+b", "b")
        name, following = pages[request.query.get("marker", "")]
        blob = f"<Blob><Name>{name}</Name><Properties><Content-Length>3</Content-Length></Properties></Blob>"
        body = f"<EnumerationResults><Blobs>{blob}</Blobs><NextMarker>{following.replace('&', '&amp;')}</NextMarker>"
        return web.Response(text=body + "</EnumerationResults>")

    async with serving(answer) as url:
        await task.fetch({"storageContainerUrl": f"{url}/c?sig=a%2Bb", "blobPrefix": "b"})
    assert task.held() == {"b1": b"/c/b1", "b 2": b"/c/b 2"}


# -- faults on the way


@contextlib.asynccontextmanager
async def serving(answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    app = web.Application(client_max_size=1 << 30)
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_what_is_transient_is_tried_again(task: Task) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(request.method)
        if len(asked) == 1:
            return web.Response(status=503)
        response = web.StreamResponse(headers={"Content-Length": "6"})
        await response.prepare(request)
        await response.write(b"abc")
        if len(asked) == 2:
            assert request.transport is not None
            request.transport.abort()
            return response
        await response.write(b"def")
        return response

    async with serving(answer) as url:
        await task.fetch({"httpUrl": f"{url}/x", "filePath": "x"})
    assert (task.held(), asked) == ({"x": b"abcdef"}, ["GET"] * 3)


async def test_what_stays_wrong_is_given_up_without_showing_the_sas(task: Task) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=500, text=str(request.url))

    async with serving(answer) as url:
        refused = await task.refused(task.fetch({"httpUrl": f"{url}/x?sig=secret", "filePath": "x"}))
    said = "the server answered 500 Internal Server Error"
    assert refused == ("BlobDownloadMiscError", "servererror", said)


async def test_nobody_there_is_a_failure_that_names_the_address(task: Task) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response()

    async with serving(answer) as url:
        pass
    refused = await task.refused(task.fetch({"httpUrl": f"{url}/x?sig=secret", "filePath": "x"}))
    said = f"cannot connect to {url.removeprefix('http://')}: Connection refused"
    assert refused == ("BlobDownloadMiscError", "servererror", said)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if not sys.platform.startswith("linux") or subprocess.run(mounting, capture_output=True, check=False).returncode:
        pytest.skip("a disk of our own can only be made by root on Linux")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


async def test_a_full_disk_is_called_that(small_disk: Path) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=b"x" * 200_000)

    task = Task(small_disk / "task", Transfer())
    async with serving(answer) as url:
        refused = await task.refused(task.fetch({"httpUrl": f"{url}/x", "filePath": "x"}))
    await task.transfer.close()
    assert (refused, task.held()) == (("DiskFull", "servererror", "No space left on device"), {})


@pytest.mark.parametrize("url", ["http://[?sig=x", "ftp://h/x?sig=x", "x?sig=x", "http://h:99999/?sig=x"])
async def test_what_is_no_url_is_a_failure_without_the_sas(url: str, task: Task) -> None:
    (task.wd / "x").touch()
    fetched = await task.refused(task.fetch({"httpUrl": url, "filePath": "x"}))
    listed = await task.refused(task.fetch({"storageContainerUrl": url}))
    sent = await task.refused(task.send(output("x", url)))
    codes = [code for code, _, _ in (fetched, listed, sent)]
    assert codes == ["BlobDownloadMiscError", "ResourceContainerListMiscError", "FileUploadMiscError"]


# -- output files


async def test_files_of_any_name_leave_with_their_names(task: Task, container: Container) -> None:
    for name in ODD_NAMES:
        (task.wd / name).parent.mkdir(parents=True, exist_ok=True)
        (task.wd / name).write_text(name)
    await task.send(output("**/*", container.url("cw"), path="out"))
    assert container.held() == {f"out/{name}": name.encode() for name in ODD_NAMES}


async def test_a_pattern_decides_whether_the_path_is_a_name_or_a_folder(task: Task, container: Container) -> None:
    (task.wd / "r").mkdir()
    (task.wd / "r" / "x.txt").write_text("x")
    (task.folder / "stdout.txt").write_text("out")
    url = container.url("cw")
    await task.send(
        output("r/x.txt", url),
        output("r/x.txt", url, path="named"),
        output("r/*.txt", url, path="folder/"),
        output("**/*.txt", url, path="tree"),
        output("../std*.txt", url, path="logs"),
        output("$WHERE/x.txt", url, path="variable"),
        output("nothing/*", url, path="nothing"),
        WHERE="r",
    )
    x = b"x"
    assert container.held() == {
        "x.txt": x,
        "named": x,
        "folder/x.txt": x,
        "tree/r/x.txt": x,
        "variable": x,
        "logs/stdout.txt": b"out",
    }


@pytest.mark.parametrize(
    ("succeeded", "expected"), [(True, {"success", "completion"}), (False, {"failure", "completion"})]
)
async def test_conditions_decide_what_leaves(
    succeeded: bool, expected: set[str], task: Task, container: Container
) -> None:
    (task.wd / "x").write_text("x")
    conditions = {"success": "TaskSuccess", "failure": "taskfailure", "completion": "taskCompletion"}
    await task.send(
        *(output("x", container.url("cw"), path=path, condition=each) for path, each in conditions.items()),
        succeeded=succeeded,
    )
    assert set(container.held()) == expected


async def test_upload_headers_reach_the_blob(task: Task, container: Container) -> None:
    (task.wd / "x.json").write_text("{}")
    plain, special = (
        output("x.json", container.url("cw"), path="a.json"),
        output("x.json", container.url("cw"), path="b"),
    )
    special["destination"]["container"]["uploadHeaders"] = [
        {"name": "x-ms-blob-content-type", "value": "text/special"},
        {"name": "x-ms-meta-owner", "value": "me"},
    ]
    await task.send(plain, special)
    properties = [container.client.get_blob_client(name).get_blob_properties() for name in ("a.json", "b")]
    seen = [(each.content_settings.content_type, each.metadata) for each in properties]
    assert seen == [("application/json", {}), ("text/special", {"owner": "me"})]


async def test_a_large_file_leaves_in_blocks(task: Task, container: Container) -> None:
    content = secrets.token_bytes(1 << 20) * 70
    (task.wd / "large.bin").write_bytes(content)
    (task.wd / "medium.bin").write_bytes(content[: 5 << 20])
    await task.send(output("*.bin", container.url("cw")))
    assert {name: held == content[: len(held)] for name, held in container.held().items()} == {
        "large.bin": True,
        "medium.bin": True,
    }
    sizes = [container.client.get_blob_client(name).get_blob_properties().size for name in ("large.bin", "medium.bin")]
    assert sizes == [70 << 20, 5 << 20]


async def test_each_failed_upload_is_logged_and_the_others_are_done(task: Task, container: Container) -> None:
    (task.wd / "x").write_text("x")
    (task.wd / "folder").mkdir()
    url = container.url("cw")
    refused = await task.refused(
        task.send(
            output("missing", url),
            output("x", container.url("cw", hours=-1), path="denied"),
            output("x", container.url("cw", container="gone"), path="gone"),
            output("folder", url),
            output("x", url, path="good"),
        )
    )
    assert refused == ("FileUploadMiscError", "usererror", "the output file missing does not exist")
    assert container.held() == {"good": b"x"}
    out, errors = task.log()
    bare = f"{container.endpoint}/{container.name}"
    assert f"{task.wd}/x -> {bare}/good (1 bytes)\n" in out
    codes = [line.split(":")[0] for line in errors.splitlines() if not line.startswith(" ")]
    assert codes == [
        "FileUploadMiscError",
        "FileUploadAccessDenied",
        "FileUploadContainerNotFound",
        "FileUploadMiscError",
    ]


@pytest.mark.parametrize("pattern", ["/etc/host*", "../../../../../../../../../../etc/passwd", ""])
async def test_a_pattern_that_leaves_the_node_is_refused(pattern: str, task: Task, container: Container) -> None:
    code, category, _ = await task.refused(task.send(output(pattern, container.url("cw"))))
    assert (code, category, container.held()) == ("FileUploadMiscError", "usererror", {})


async def test_without_anything_to_send_nothing_is_logged(task: Task, container: Container) -> None:
    await task.send(output("x", container.url("cw"), condition="taskfailure"))
    assert [path.name for path in task.folder.iterdir()] == ["wd"]
