"""The mean of one weather station's measurements, and an exit code that says what went wrong.

This runs on a node of the pool, with nothing but Python's standard library: `python3 read_station.py STATION.csv`. It
writes the mean into `STATION.txt`. A file is lines `time,degrees`; its first line may be `# busy`, which stands for a
source that does not answer at the first attempt.

Exit code: 0 when the mean is written, 3 when nothing was measured, 4 when a line is damaged, 9 without a licence (the
environment setting LICENCE), 75 when the source is busy.
"""

from __future__ import annotations

import os
import pathlib
import statistics
import sys

NOTHING_MEASURED, DAMAGED, NO_LICENCE, BUSY = 3, 4, 9, 75


def main(path: pathlib.Path) -> int:
    if os.environ.get("LICENCE") != "valid":
        return told(NO_LICENCE, "there is no licence")
    first, *lines = path.read_text(encoding="utf-8").splitlines()
    if first == "# busy" and not asked_before(path):
        return told(BUSY, f"{path.stem} is busy")
    measured = []
    for number, line in enumerate(lines, 2):
        try:
            measured.append(float(line.split(",")[1]))
        except (IndexError, ValueError):
            return told(DAMAGED, f"{path}:{number}: expected time,degrees, got {line!r}")
    if not measured:
        return told(NOTHING_MEASURED, f"{path.stem} has measured nothing")
    path.with_suffix(".txt").write_text(f"{statistics.fmean(measured):.1f} degrees\n", encoding="utf-8")
    return 0


def asked_before(path: pathlib.Path) -> bool:
    """Whether an earlier attempt was made on this node; another attempt finds the same node's shared folder."""
    mark = pathlib.Path(os.environ["AZ_BATCH_NODE_SHARED_DIR"], f"asked-{path.stem}")
    asked = mark.exists()
    mark.touch()
    return asked


def told(code: int, reason: str) -> int:
    print(reason, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
