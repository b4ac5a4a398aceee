"""How far a ball flies; writes one line of CSV. Runs on a node of the pool, with Python's standard library alone."""

import argparse
import math

parser = argparse.ArgumentParser()
parser.add_argument("--angle", type=float, required=True, help="in degrees")
parser.add_argument("--speed", type=float, required=True, help="in metres per second")
parser.add_argument("--gravity", type=float, default=9.81, help="in metres per second squared")
given = parser.parse_args()

distance = given.speed**2 * math.sin(2 * math.radians(given.angle)) / given.gravity
print(f"{given.angle:g},{given.speed:g},{distance:.2f}")
