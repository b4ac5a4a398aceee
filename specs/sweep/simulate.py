"""An epidemic among a million people, day by day; one line of JSON on stdout.

This runs on a node of the pool, with nothing but Python's standard library. Of those that an ill person meets in a day,
one in ten is infected, unless that one has been ill before.
"""

import argparse
import json

PEOPLE, INFECTED_OF_MET, YEARS = 1_000_000, 0.1, 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", required=True, type=float, help="whom a person meets in a day")
    parser.add_argument("--days", required=True, type=float, help="how long a person infects others")
    given = parser.parse_args()
    healthy, ill = PEOPLE - 1.0, 1.0
    peak, peak_day = ill, 0
    for day in range(1, 365 * YEARS):
        infected = min(healthy, INFECTED_OF_MET * given.contacts * ill * healthy / PEOPLE)
        healthy, ill = healthy - infected, ill + infected - ill / given.days
        if ill > peak:
            peak, peak_day = ill, day
    print(json.dumps({"peak": round(peak), "day": peak_day, "all": round(PEOPLE - healthy)}))


if __name__ == "__main__":
    main()
