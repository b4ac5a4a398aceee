"""The Batch account the conformance suite is run against: Azure's when the environment names one, else a local engine.

The engine is a process of its own, started and stopped by its command line and known by the lines that
`batchspec engine env` prints, as any other client would use it.
"""

import os
import shlex
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ON_AZURE = "AZURE_BATCH_ENDPOINT" in os.environ
PATIENCE_S = 1200.0 if ON_AZURE else 60.0
"""How long a wait may take, in seconds: nodes of Azure need minutes."""

IMAGE = {
    "imageReference": {"publisher": "canonical", "offer": "ubuntu-24_04-lts", "sku": "server"},
    "nodeAgentSKUId": "batch.node.ubuntu 24.04",
}
VM_SIZE = "standard_d2s_v3"


@dataclass(frozen=True, slots=True)
class Account:
    """Where the service is, and the key of the account."""

    endpoint: str
    name: str
    key: str = field(repr=False)


@contextmanager
def batch_account(state_home: Path) -> Iterator[Account]:
    """The account of the environment, or that of an engine that runs as long as the context."""
    if ON_AZURE:
        yield _account(os.environ)
        return
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AZURE_")}
    environment["XDG_STATE_HOME"] = str(state_home)
    try:
        yield _account(_exports(_engine("env", environment)))
    finally:
        _engine("stop", environment)


def new_id(word: str) -> str:
    """An id that no other test, worker or run has."""
    return f"{word}-{uuid.uuid4().hex[:12]}"


def _account(environment: Mapping[str, str]) -> Account:
    names = ("AZURE_BATCH_ENDPOINT", "AZURE_BATCH_ACCOUNT", "AZURE_BATCH_ACCESS_KEY")
    return Account(*(environment[name] for name in names))


def _engine(action: str, environment: Mapping[str, str]) -> str:
    command = [sys.executable, "-m", "batchspec", "engine", action]
    ran = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def _exports(lines: str) -> dict[str, str]:
    words = (shlex.split(line) for line in lines.splitlines())
    assignments = (word[1].partition("=") for word in words if word[:1] == ["export"])
    return {name: value for name, _, value in assignments}
