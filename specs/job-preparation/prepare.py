"""Make a database of a catalogue of stars: `prepare.py CATALOGUE FOLDER`.

This runs once on every node of the pool, before the job's first task there, with nothing but Python's standard library.
It may run again when the node has booted anew, and an earlier run may have been ended anywhere: so the database is made
under another name first, and whoever finds `stars.db` finds it whole.
"""

import csv
import pathlib
import sqlite3
import sys


def main() -> None:
    catalogue, folder = map(pathlib.Path, sys.argv[1:])
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / "stars.db.new"
    unfinished.unlink(missing_ok=True)
    with catalogue.open(encoding="utf-8", newline="") as file:
        stars = [
            (row["star"], float(row["right ascension"]), float(row["declination"])) for row in csv.DictReader(file)
        ]
    database = sqlite3.connect(unfinished)
    with database:
        database.execute("CREATE TABLE stars(name TEXT, right_ascension REAL, declination REAL)")
        database.execute("CREATE INDEX by_declination ON stars(declination)")
        database.executemany("INSERT INTO stars VALUES(?, ?, ?)", stars)
    database.close()
    unfinished.replace(folder / "stars.db")
    print(f"{len(stars)} stars in {folder / 'stars.db'}")


if __name__ == "__main__":
    main()
