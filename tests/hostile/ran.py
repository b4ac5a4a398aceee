"""The real program as a process that may use 500 MB and little time, for specs that nobody trusts."""

import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MEMORY_BYTES = 500_000_000
# Processor time, which does not depend on what else the machine does; wall clock is bounded too, but loosely.
CPU_S = 2.0
DEADLINE_S = 60
HEAD = "version: 1\nname: demo\n"
POOL = "pool: {vm_size: standard_d2s_v3, image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}}\n"


@dataclass(frozen=True, slots=True)
class Ran:
    """How it ended: exit code, what it printed, and how much processor time it took, in seconds."""

    code: int
    out: str
    err: str
    cpu_s: float

    @property
    def told(self) -> list[str]:
        """The lines of both streams."""
        return [*self.out.splitlines(), *self.err.splitlines()]


def batchspec(*words: str, cwd: Path, environ: Sequence[tuple[str, str]] = ()) -> Ran:
    """Run one command; a signal, a traceback and exit code 70 are for the test to find in what is given back."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AZURE_", "BATCHSPEC_", "CI"))}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, *words],
        cwd=cwd,
        env={**kept, "XDG_STATE_HOME": str(cwd / "state"), **dict(environ)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=DEADLINE_S,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Ran(done.returncode, done.stdout, done.stderr, used)


# The limit is set by the child itself: preexec_fn is not safe where threads run.
_LIMITED = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({MEMORY_BYTES}, {MEMORY_BYTES}))
from batchspec.cli.main import main
sys.exit(main(sys.argv[1:]))
"""
