"""Did you mean: the known name nearest to an unknown one.

Place in the pipeline: `complaints`, the checks and `variables` end their messages with it. Pure.
"""

import difflib
from collections.abc import Iterable
from itertools import islice

from batchspec.spec.leaks import secret_in

_LONGEST = 100
_MOST = 300


def did_you_mean(name: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """`; did you mean 'input'?`, or nothing when none of the first 300 known names is near; case does not count."""
    some = list(islice(known, _MOST)) if len(name) <= _LONGEST else []
    by_lower = {one.lower(): one for one in some if isinstance(one, str) and not secret_in(one)}
    close = difflib.get_close_matches(name.lower(), list(by_lower), 1, cutoff)
    return f"; did you mean '{by_lower[close[0]]}'?" if close else ""
