"""How long `batchspec validate` takes, in times of importing what any YAML validator must import.

Prints the best of some runs of each, which is what the machine can do when nothing else wants it.
"""

import subprocess
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
RUNS = 10
LIMIT = 2.0
IMPORTS = (sys.executable, "-c", "import yaml, jsonschema, jinja2")
VALIDATE = (sys.executable, "-m", "batchspec", "validate", "specs/topwords.yaml")


def seconds(command: tuple[str, ...]) -> float:
    """The wall-clock time of one run; raises CalledProcessError when it fails."""
    start = time.perf_counter()
    subprocess.run(command, cwd=REPOSITORY, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    return time.perf_counter() - start


def main() -> int:
    """Print both times and their ratio; 1 when the ratio is above the limit."""
    pairs = [(seconds(IMPORTS), seconds(VALIDATE)) for _ in range(RUNS)]
    imports, validate = (min(times) for times in zip(*pairs, strict=True))
    ratio = validate / imports
    print(f"imports {imports:.3f} s, validate {validate:.3f} s, ratio {ratio:.2f} (at most {LIMIT:.1f})")
    return int(ratio > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
