"""What the simulations found, as one table on stdout, the worst epidemic first.

This runs on a node of the pool, in a folder with the files of all simulations; it reads those of the given parameters.
"""

import argparse
import csv
import itertools
import json
import pathlib
import sys


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", required=True, nargs="+")
    parser.add_argument("--days", required=True, nargs="+")
    given = parser.parse_args()
    rows = []
    for contacts, days in itertools.product(given.contacts, given.days):
        found = json.loads(pathlib.Path(f"contacts-{contacts}-days-{days}.json").read_text(encoding="utf-8"))
        rows.append((contacts, days, found["peak"], found["day"], found["all"]))
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(("contacts", "days", "ill at the peak", "day of the peak", "ill altogether"))
    out.writerows(sorted(rows, key=lambda row: -row[2]))


if __name__ == "__main__":
    main()
