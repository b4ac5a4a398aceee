"""A place in a file.

Place in the pipeline: `load` makes positions, every message has one. Pure data.
"""

from typing import NamedTuple


class Position(NamedTuple):
    """A place in a file; line and column count from 1, columns in characters. (A file has many: a tuple is cheap.)"""

    line: int
    column: int
