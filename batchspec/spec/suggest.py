"""Did you mean: the known name nearest to an unknown one.

Place in the pipeline: `complaints`, the checks and `variables` end their messages with it. Pure.
"""

import difflib
from collections.abc import Iterable

from batchspec.spec.leaks import secret_in

_LONGEST = 100


def did_you_mean(name: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """`; did you mean 'input'?`, or nothing when no known name is near; case does not count."""
    by_lower = {one.lower(): one for one in known if isinstance(one, str) and not secret_in(one)}
    close = difflib.get_close_matches(name.lower(), list(by_lower), 1, cutoff) if len(name) <= _LONGEST else []
    return f"; did you mean '{by_lower[close[0]]}'?" if close else ""
