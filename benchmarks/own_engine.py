"""An engine of the benchmark's own: started in a temporary state folder, stopped at the end."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from azure.batch import BatchClient
from azure.core.credentials import AzureNamedKeyCredential


@contextmanager
def own_engine() -> Iterator[tuple[BatchClient, int]]:
    """A client of a fresh engine, and the engine's process id."""
    with tempfile.TemporaryDirectory() as state:
        env = {**os.environ, "XDG_STATE_HOME": state}
        try:
            with _client(_batchspec("env", env=env)) as client:
                process = json.loads(_batchspec("status", "--format", "json", env=env))["engine"]["pid"]
                yield client, process
        finally:
            _batchspec("stop", env=env)


def _batchspec(*words: str, env: dict[str, str]) -> str:
    command = (sys.executable, "-m", "batchspec", "engine", *words)
    return subprocess.run(command, env=env, text=True, stdout=subprocess.PIPE, check=True).stdout


def _client(exports: str) -> BatchClient:
    values = dict(line.removeprefix("export ").split("=", 1) for line in exports.splitlines())
    endpoint, account, key = (
        values[f"AZURE_BATCH_{name}"].strip("'") for name in ("ENDPOINT", "ACCOUNT", "ACCESS_KEY")
    )
    return BatchClient(endpoint, AzureNamedKeyCredential(account, key))
