"""What `validate` costs for large specs: 10,000 inline items in seconds; what is five times as long, in times.

Processor time above that of a spec with one task, in one run, and the peak memory of each process. A million rows come
last. Run it alone. Prints a line each.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

POOL = "image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}"
HEAD = f"version: 1\nname: large\npool: {{vm_size: standard_d2s_v3, target_dedicated_nodes: 1, {POOL}}}\ntasks:\n"
FEW, MANY, MILLION = 2_000, 10_000, 1_000_000
RUNS = 3
ITEMS_LIMIT_S = 2.0
RATIO_LIMIT = 8.0
MEMORY_LIMIT_MB = 100


class Cost(NamedTuple):
    """Of one process: wall clock and processor time, and the most memory that it held."""

    wall_s: float
    processor_s: float
    memory_mb: int


def each(generator: str, named: str) -> str:
    """Tasks of a generator, named by this expression."""
    return (
        f'  - for_each: {generator}\n    id: "{{{{ {named} | task_id }}}}"\n    command: echo {{{{ {named} | sh }}}}\n'
    )


def listed(values: Iterator[str]) -> str:
    """A list in YAML."""
    return f"[{', '.join(values)}]"


def items(count: int, folder: Path) -> str:
    """Inline items."""
    return each(f"{{items: {listed(f'name {n}' for n in range(count))}}}", "item")


def zipped(count: int, folder: Path) -> str:
    """Two lists side by side."""
    lists = (listed(f"{key} {n}" for n in range(count)) for key in "ab")
    return each("{{zip: {{a: {}, b: {}}}}}".format(*lists), "item.a")


def templates(count: int, folder: Path) -> str:
    """Task templates, each of which needs the one before."""
    every = (f"  - {{name: t{n}, id: t{n}, needs: t{n - 1}, command: echo {n}}}\n" for n in range(1, count))
    return "  - {name: t0, id: t0, command: echo 0}\n" + "".join(every)


def rows(count: int, folder: Path) -> str:
    """Ten times as many rows of a CSV file."""
    with (folder / f"{count}.csv").open("w") as file:
        file.write("name,rate\n")
        file.writelines(f"name {n},{n}\n" for n in range(10 * count))
    return each(f"{{rows: {count}.csv}}", "row.name")


def cost(text: str, folder: Path, runs: int = RUNS) -> Cost:
    """The least that validating a spec with these tasks took; raises CalledProcessError when it is not valid."""
    path = folder / "spec.yaml"
    path.write_text(HEAD + text)
    found = [_cost((sys.executable, "-m", "batchspec", "validate", "--allow-large", str(path))) for _ in range(runs)]
    return Cost(*map(min, zip(*found, strict=True)))


def _cost(command: tuple[str, ...]) -> Cost:
    start = time.perf_counter()
    with subprocess.Popen(command, cwd=Path(__file__).parents[1], stdout=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    unit = 1 if sys.platform == "darwin" else 1024  # getrusage(2): bytes there, kilobytes here
    memory_mb = used.ru_maxrss * unit // 1024**2
    return Cost(time.perf_counter() - start, used.ru_utime + used.ru_stime, memory_mb)


KINDS: Mapping[str, Callable[[int, Path], str]] = {
    "inline items": items,
    "zip": zipped,
    "templates": templates,
    "rows, ten times as many": rows,
}


def main() -> int:
    """Print them all; 1 when one is above its limit."""
    failed = False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        one = cost(templates(1, folder), folder)
        print(f"one task: {one.wall_s:.2f} s, {one.memory_mb} MB")
        for kind, make in KINDS.items():
            few, many = (cost(make(count, folder), folder) for count in (FEW, MANY))
            ratio = (many.processor_s - one.processor_s) / max(few.processor_s - one.processor_s, 0.01)
            limit_s = f" (at most {ITEMS_LIMIT_S:.1f})" if make is items else ""
            failed |= ratio > RATIO_LIMIT or (make is items and many.wall_s > ITEMS_LIMIT_S)
            print(
                f"{kind}: {MANY:,} take {many.wall_s:.2f} s{limit_s}, {many.memory_mb} MB; "
                f"ratio to {FEW:,} {ratio:.1f} (at most {RATIO_LIMIT:.1f})"
            )
        whole = cost(rows(MILLION // 10, folder), folder, runs=1)
    print(f"{MILLION:,} rows: {whole.wall_s:.1f} s, {whole.memory_mb} MB (at most {MEMORY_LIMIT_MB})")
    return int(failed or whole.memory_mb > MEMORY_LIMIT_MB)


if __name__ == "__main__":
    sys.exit(main())
