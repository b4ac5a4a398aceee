"""What the end-to-end tests use: a folder with specs, the command line as a process, and the services seen raw.

The command line runs as a person would run it, in a process of its own, and is judged by its output, its exit code and
what Microsoft's own clients then find in the services; nothing of batchspec is imported here.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from azure.batch import BatchClient
from azure.core.credentials import AzureNamedKeyCredential
from azure.storage.blob import BlobServiceClient

from tests.output_schema import check_output

REPOSITORY = Path(__file__).resolve().parents[2]
DEADLINE_S = 150
POOL = """\
pool:
  id: "{{{{ name }}}}-pool"
  vm_size: standard_d2s_v3
  target_dedicated_nodes: {nodes}
  image: {{publisher: canonical, offer: ubuntu-24_04-lts, sku: server}}
"""
_OURS = ("AZURE_", "BATCHSPEC_", "AZ_BATCH_")


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended: its two streams and its exit code (negative when a signal ended it)."""

    stdout: str
    stderr: str
    code: int

    def __str__(self) -> str:
        return f"exit code {self.code}\n--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"


def environment(state: Path, **more: str) -> dict[str, str]:
    """This process's environment with a state folder of its own, the local target, and no Azure account."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return kept | {"XDG_STATE_HOME": str(state), "BATCHSPEC_TARGET": "local", "NO_COLOR": "1"} | more


def batchspec(*arguments: str, cwd: Path, env: Mapping[str, str]) -> Ran:
    """Run the command line with these arguments and without a terminal; raises TimeoutExpired after the deadline.

    What `--format json` prints must be as the schema of it says.
    """
    with begun(*arguments, cwd=cwd, env=env) as process:
        ran = end(process)
    check_output(arguments, ran.stdout)
    return ran


@contextmanager
def begun(*arguments: str, cwd: Path, env: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """`batchspec` while the block runs; the block waits for it with `end`, else it is killed afterwards."""
    with subprocess.Popen(
        [sys.executable, "-m", "batchspec", *arguments],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def end(process: subprocess.Popen[str]) -> Ran:
    """Wait for a command that was begun. Raises TimeoutExpired after the deadline."""
    stdout, stderr = process.communicate(timeout=DEADLINE_S)
    return Ran(stdout, stderr, process.returncode)


def until(true: Callable[[], bool], what: str, *, seconds: float = 50) -> None:
    """Wait until something is true; raises AssertionError, with `what` was waited for, at the deadline."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)


@dataclass(frozen=True, slots=True)
class Workspace:
    """A copy of `specs/` outside any git repository, and the engine of this test worker.

    `name` is what the specs here are named, so that tests that share an engine do not share anything on it.
    """

    folder: Path
    env: Mapping[str, str]
    name: str

    @property
    def spec(self) -> Path:
        """The spec that the tests of one workload apply."""
        return next(self.folder.glob("specs/*.yaml"))

    def run(self, command: str, *options: str) -> Ran:
        """Run `batchspec COMMAND specs/<the spec> OPTIONS`."""
        return batchspec(command, f"specs/{self.spec.name}", *options, cwd=self.folder, env=self.env)

    def begun(self, command: str, *options: str) -> AbstractContextManager[subprocess.Popen[str]]:
        """`run`, while a block runs."""
        return begun(command, f"specs/{self.spec.name}", *options, cwd=self.folder, env=self.env)

    def edit(self, old: str, new: str) -> None:
        """Replace `old`, which the spec holds once, by `new`."""
        text = self.spec.read_text()
        assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {self.spec.name}"
        self.spec.write_text(text.replace(old, new))


def workspace(folder: Path, workload: str, env: Mapping[str, str], name: str = "") -> Workspace:
    """Copy one workload of `specs/` to `folder`; with `name`, its pool, job and containers are named by it."""
    specs = folder / "specs"
    shutil.copytree(REPOSITORY / "specs" / workload, specs / workload, ignore=shutil.ignore_patterns("__pycache__"))
    text = (REPOSITORY / "specs" / f"{workload}.yaml").read_text()
    if name:
        text = re.sub(rf"^( *(?:id|name): ){workload}", rf"\g<1>{name}", text, flags=re.MULTILINE)
    (specs / f"{workload}.yaml").write_text(text)
    return Workspace(folder, env, name or workload)


def written(folder: Path, name: str, spec: str, env: Mapping[str, str]) -> Workspace:
    """A workspace with one spec, `spec` below `version`, `name` and a pool of one node unless it has its own."""
    (folder / "specs").mkdir(parents=True)
    pool = "" if "pool:" in spec else POOL.format(nodes=1)
    (folder / "specs" / "spec.yaml").write_text(f"version: 1\nname: {name}\n{pool}{dedent(spec)}")
    return Workspace(folder, env, name)


@dataclass(frozen=True, slots=True)
class Services:
    """The two services through Microsoft's own clients."""

    batch: BatchClient
    blobs: BlobServiceClient

    def pools(self) -> list[str]:
        """The ids of all pools, sorted."""
        return sorted(str(pool.id) for pool in self.batch.list_pools())

    def jobs(self) -> list[str]:
        """The ids of all jobs, sorted."""
        return sorted(str(job.id) for job in self.batch.list_jobs())

    def containers(self) -> list[str]:
        """The names of all containers, sorted."""
        return sorted(container.name for container in self.blobs.list_containers())

    def content(self, container: str) -> dict[str, bytes]:
        """Every blob of a container."""
        client = self.blobs.get_container_client(container)
        return {blob.name: client.download_blob(blob.name).readall() for blob in client.list_blobs()}

    def written(self, container: str) -> dict[str, str]:
        """When each blob of a container was last written."""
        client = self.blobs.get_container_client(container)
        return {blob.name: blob.etag for blob in client.list_blobs()}

    def tasks(self, job: str) -> dict[str, tuple[str, str, int | None]]:
        """Of each task: its state, its result and its exit code."""
        found = {}
        for task in self.batch.list_tasks(job):
            ran = task.execution_info
            result = str(getattr(ran.result, "value", ran.result)) if ran and ran.result else ""
            found[str(task.id)] = (
                str(getattr(task.state, "value", task.state)),
                result,
                ran.exit_code if ran else None,
            )
        return found

    def added(self, job: str) -> dict[str, str]:
        """When each task was added: another time means another task of the same id."""
        return {str(task.id): str(task.creation_time) for task in self.batch.list_tasks(job)}

    def boots(self, pool: str) -> dict[str, str]:
        """When each node of a pool last booted."""
        return {str(node.id): str(node.last_boot_time) for node in self.batch.list_nodes(pool)}

    def nodes(self, pool: str) -> dict[str, str]:
        """The state of each node of a pool."""
        return {str(node.id): str(getattr(node.state, "value", node.state)) for node in self.batch.list_nodes(pool)}

    def of(self, name: str) -> tuple[list[str], list[str], list[str]]:
        """The pools, jobs and containers of the spec of that name, those that are being deleted included."""
        listed = (self.pools(), self.jobs(), self.containers())
        pools, jobs, containers = ([one for one in some if one.startswith(f"{name}-")] for some in listed)
        return pools, jobs, containers


def exported(env: Mapping[str, str], cwd: Path) -> dict[str, str]:
    """The variables that `batchspec engine env` exports, by name."""
    ran = batchspec("engine", "env", cwd=cwd, env=env)
    assert ran.code == 0, ran
    return dict(word.split("=", 1) for line in ran.stdout.splitlines() for word in shlex.split(line)[1:])


def services(env: Mapping[str, str], cwd: Path) -> Services:
    """Clients made from what `batchspec engine env` prints, as any other program would make them."""
    account = exported(env, cwd)
    credential = AzureNamedKeyCredential(account["AZURE_BATCH_ACCOUNT"], account["AZURE_BATCH_ACCESS_KEY"])
    return Services(
        BatchClient(account["AZURE_BATCH_ENDPOINT"], credential),
        BlobServiceClient.from_connection_string(account["AZURE_STORAGE_CONNECTION_STRING"]),
    )
