"""Name the stars that were seen in one night, as CSV on stdout: `identify.py NIGHT FOLDER`.

This runs on a node of the pool, once per night, and finds in FOLDER the database that `prepare.py` made there. What it
has looked up is noted in FOLDER/looked-up, one file per task, for the job release task.
"""

import csv
import math
import os
import pathlib
import sqlite3
import sys

NEAR = 0.5  # degrees


def main() -> None:
    night, folder = map(pathlib.Path, sys.argv[1:])
    database = sqlite3.connect(f"file:{folder / 'stars.db'}?mode=ro", uri=True)
    with night.open(encoding="utf-8-sig", newline="") as file:
        seen = list(csv.DictReader(file))
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(("seen at", "star"))
    for row in seen:
        out.writerow((row["seen at"], nearest(database, float(row["right ascension"]), float(row["declination"]))))
    notes = folder / "looked-up"
    notes.mkdir(exist_ok=True)
    (notes / os.environ["AZ_BATCH_TASK_ID"]).write_text(f"{len(seen)}\n")


def nearest(database: sqlite3.Connection, right_ascension: float, declination: float) -> str:
    """The name of the nearest star within half a degree, empty when there is none."""
    span = (declination - NEAR, declination + NEAR)
    stars = database.execute("SELECT * FROM stars WHERE declination BETWEEN ? AND ?", span).fetchall()
    found = [(distance(right_ascension, declination, star[1], star[2]), star[0]) for star in stars]
    return min((one for one in found if one[0] <= NEAR), default=(0.0, ""))[1]


def distance(
    right_ascension: float, declination: float, other_right_ascension: float, other_declination: float
) -> float:
    """The angle between two directions, in degrees."""
    a, d, b, e = map(math.radians, (right_ascension, declination, other_right_ascension, other_declination))
    half = math.sin((d - e) / 2) ** 2 + math.cos(d) * math.cos(e) * math.sin((a - b) / 2) ** 2
    return math.degrees(2 * math.asin(min(1, math.sqrt(half))))


if __name__ == "__main__":
    main()
