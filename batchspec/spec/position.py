"""A place in a file.

Place in the pipeline: `load` makes positions, every message has one. Pure data.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a file; line and column count from 1, columns in characters."""

    line: int
    column: int
