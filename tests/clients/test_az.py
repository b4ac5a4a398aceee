"""The Azure CLI works against the engine: the commands of the readme and more.

Too heavy for every run: `make test-az` installs it and sets `BATCHSPEC_TEST_AZ`.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.local_engine import Accounts

REPOSITORY = Path(__file__).resolve().parents[2]
AZ = os.environ.get("BATCHSPEC_TEST_AZ")
DEADLINE_S = 60

pytestmark = [
    pytest.mark.skipif(AZ is None, reason="the Azure CLI is too heavy for every run: make test-az"),
    pytest.mark.timeout(600),
]


class Cli:
    """`az` with the account in its environment, and nothing of the person's own configuration."""

    def __init__(self, accounts: Accounts, folder: Path) -> None:
        assert AZ is not None
        batch, _ = accounts
        self.folder = folder
        path = os.pathsep.join([str((REPOSITORY / AZ).parent), str(Path(sys.executable).parent), os.environ["PATH"]])
        self.environment = {
            **os.environ,
            "PATH": path,
            "AZURE_CONFIG_DIR": str(folder / "azure"),
            "AZURE_CORE_COLLECT_TELEMETRY": "false",
            "AZURE_BATCH_ENDPOINT": batch.endpoint,
            "AZURE_BATCH_ACCOUNT": batch.name,
            "AZURE_BATCH_ACCESS_KEY": str(batch.key),
        }

    def run(self, *arguments: str) -> Any:
        """The answer of `az batch ...`, as JSON; None when it says nothing."""
        ran = self._ran(["az", "batch", *arguments])
        assert ran.returncode == 0, f"az batch {' '.join(arguments)}: {ran.stderr}"
        return json.loads(ran.stdout) if ran.stdout.strip() else None

    def refused(self, *arguments: str) -> str:
        """What `az batch ...` says on its way out."""
        ran = self._ran(["az", "batch", *arguments])
        assert ran.returncode != 0
        return ran.stderr

    def shell(self, script: str) -> str:
        """What a script prints."""
        ran = self._ran(["bash", "-euo", "pipefail", "-c", script])
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def wait_for(self, wanted: Any, *arguments: str) -> None:
        """Ask until the answer is as wanted."""
        end = time.monotonic() + DEADLINE_S
        while (found := self.run(*arguments)) != wanted:
            assert time.monotonic() < end, f"still {found!r}"
            time.sleep(0.2)

    def _ran(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        program = shutil.which(command[0], path=self.environment["PATH"])
        assert program is not None
        return subprocess.run(
            [program, *command[1:]],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=300,
            check=False,
        )


@pytest.fixture
def az(local_engine: Accounts, tmp_path: Path) -> Cli:
    return Cli(local_engine, tmp_path)


@pytest.fixture
def pool(az: Cli) -> str:
    pool_id = f"pool-{uuid.uuid4().hex[:12]}"
    image = ("--image", "canonical:ubuntu-24_04-lts:server", "--node-agent-sku-id", "batch.node.ubuntu 24.04")
    size = ("--vm-size", "standard_d2s_v3", "--target-dedicated-nodes", "1")
    az.run("pool", "create", "--id", pool_id, *size, *image, "--task-slots-per-node", "2")
    az.wait_for(["idle"], "node", "list", "--pool-id", pool_id, "--query", "[].state")
    return pool_id


def test_the_commands_of_the_readme_do_what_it_says(az: Cli) -> None:
    part = (REPOSITORY / "README.md").read_text().split("\n## Use the engine with your own client\n")[1]
    (console,) = re.findall(r"(?ms)^```console\n(.*?)^```$", part.split("\n## ")[0])
    commands = [line[2:] for line in console.splitlines() if line.startswith("$ ")]
    assert "batchspec engine env" in commands[0]
    commands[0] = commands[0].replace("batchspec", f"{shlex.quote(sys.executable)} -m batchspec")

    printed = az.shell("\n".join(commands))

    assert "hello from mypool" in printed.splitlines()


def test_pools(az: Cli, pool: str) -> None:
    az.run("pool", "resize", "--pool-id", pool, "--target-dedicated-nodes", "2")
    az.wait_for(2, "pool", "show", "--pool-id", pool, "--query", "currentDedicatedNodes")
    az.run("pool", "set", "--pool-id", pool, "--metadata", "a=b")
    assert az.run("pool", "show", "--pool-id", pool, "--query", "metadata") == [{"name": "a", "value": "b"}]
    az.run("pool", "reset", "--pool-id", pool, "--metadata", "c=d")
    assert az.run("pool", "list", "--filter", f"id eq '{pool}'", "--query", "[].metadata[].name") == ["c"]
    assert "PoolNotFound" in az.refused("pool", "show", "--pool-id", "no-such-pool")
    az.run("pool", "delete", "--pool-id", pool, "--yes")


def test_nodes(az: Cli, pool: str) -> None:
    [node] = az.run("node", "list", "--pool-id", pool, "--query", "[].id")
    at = ("--pool-id", pool, "--node-id", node)
    assert az.run("node", "show", *at, "--query", "schedulingState") == "enabled"
    az.run("node", "user", "create", *at, "--name", "somebody", "--password", "aB3$efgh12", "--is-admin")
    az.run("node", "user", "delete", *at, "--user-name", "somebody", "--yes")
    az.run("node", "scheduling", "disable", *at)
    az.run("node", "scheduling", "enable", *at)
    assert "startup" in az.run("node", "file", "list", *at, "--query", "[].name")
    assert az.run("node", "remote-login-settings", "show", *at)
    az.run("node", "reboot", *at)
    az.run("pool", "delete", "--pool-id", pool, "--yes")


def test_jobs_and_tasks(az: Cli, pool: str, tmp_path: Path) -> None:
    job = f"job-{uuid.uuid4().hex[:12]}"
    az.run("job", "create", "--id", job, "--pool-id", pool, "--priority", "3")
    az.run("job", "set", "--job-id", job, "--priority", "7")
    assert az.run("job", "show", "--job-id", job, "--query", "priority") == 7
    tasks = tmp_path / "tasks.json"
    tasks.write_text(json.dumps([{"id": f"t{number}", "commandLine": "/bin/true"} for number in range(5)]))
    az.run("task", "create", "--job-id", job, "--json-file", str(tasks))
    az.wait_for(5, "job", "task-counts", "show", "--job-id", job, "--query", "taskCounts.succeeded")
    assert len(az.run("task", "list", "--job-id", job, "--filter", "state eq 'completed'")) == 5
    assert az.run("task", "file", "list", "--job-id", job, "--task-id", "t1", "--query", "[].name") == [
        "stderr.txt",
        "stdout.txt",
        "wd",
    ]
    assert "TaskCompleted" in az.refused("task", "stop", "--job-id", job, "--task-id", "t1")
    az.run("task", "delete", "--job-id", job, "--task-id", "t1", "--yes")
    az.run("job", "disable", "--job-id", job, "--disable-tasks", "requeue")
    az.run("job", "enable", "--job-id", job)
    az.run("job", "stop", "--job-id", job)
    az.run("job", "delete", "--job-id", job, "--yes")
    az.run("pool", "delete", "--pool-id", pool, "--yes")


def test_schedules_autoscale_and_statistics(az: Cli, pool: str) -> None:
    schedule = f"schedule-{uuid.uuid4().hex[:12]}"
    az.run("pool", "autoscale", "enable", "--pool-id", pool, "--auto-scale-formula", "$TargetDedicatedNodes = 1;")
    formula = ("--auto-scale-formula", "$TargetDedicatedNodes = 1 + 2;")
    results = az.run("pool", "autoscale", "evaluate", "--pool-id", pool, *formula, "--query", "results")
    assert "$TargetDedicatedNodes=3" in results
    az.run("pool", "autoscale", "disable", "--pool-id", pool)
    az.run("job-schedule", "create", "--id", schedule, "--pool-id", pool, "--recurrence-interval", "PT1H")
    az.wait_for([f"{schedule}:job-1"], "job", "list", "--job-schedule-id", schedule, "--query", "[].id")
    az.run("job-schedule", "disable", "--job-schedule-id", schedule)
    az.run("job-schedule", "enable", "--job-schedule-id", schedule)
    az.run("job-schedule", "stop", "--job-schedule-id", schedule)
    az.run("job-schedule", "delete", "--job-schedule-id", schedule, "--yes")
    used = ("--expand", "stats", "--query", "stats.usageStats.dedicatedCoreTime")
    assert az.run("pool", "show", "--pool-id", pool, *used).startswith("PT")
    az.run("pool", "delete", "--pool-id", pool, "--yes")
