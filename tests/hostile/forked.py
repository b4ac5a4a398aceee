"""A process that has batchspec loaded and forks for every question: hundreds of hostile inputs in seconds.

A child may use 500 MB and a few seconds of processor time; what it did is looked at from outside, so that a hang, a
crash of the interpreter and a lack of memory are seen like any other end.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.hostile.ran import MEMORY_BYTES

# One template takes 2 s at most, a spec that spends all it may a little more. Processor time is counted, of which a
# busy machine needs several times as much for the same work.
CPU_S = 10


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended: exit code (negative for a signal), streams, processor time in seconds, memory in bytes."""

    code: int
    out: str
    err: str
    cpu_s: float
    memory_bytes: int


class Forked:
    """The process; `folder` is where the children work."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("AZURE_", "BATCHSPEC_", "CI"))
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.hostile.forking", str(folder), str(MEMORY_BYTES), str(CPU_S)],
            env={
                **kept,
                "XDG_STATE_HOME": str(folder / "state"),
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def command(self, *words: str, files: Mapping[str, str | bytes] | None = None) -> Ended:
        """Run one command line of batchspec beside these files."""
        for name, content in (files or {}).items():
            path = self._folder / name
            path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape"))
        return self._ask({"words": list(words)})

    def template(self, source: str) -> Ended:
        """Render one template, to a value where it is one whole `{{ }}`; the result, or the fault, is printed."""
        return self._ask({"template": source})

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def _ask(self, question: Mapping[str, Sequence[str] | str]) -> Ended:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return Ended(**answer)
