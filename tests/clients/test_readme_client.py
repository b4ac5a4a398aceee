"""The Python program of the readme runs, and prints what its task printed."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.local_engine import Accounts

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_program_of_the_readme_runs(local_engine: Accounts) -> None:
    part = README.read_text().split("\n## Use the engine with your own client\n")[1].split("\n## ")[0]
    (program,) = re.findall(r"(?ms)^```python\n(.*?)^```$", part)
    batch, _ = local_engine
    environment = {
        **os.environ,
        "AZURE_BATCH_ENDPOINT": batch.endpoint,
        "AZURE_BATCH_ACCOUNT": batch.name,
        "AZURE_BATCH_ACCESS_KEY": str(batch.key),
    }

    ran = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "hello\n", "")
