"""The end of a message about an unknown name: what was meant, or what there is.

Place in the pipeline: used wherever a rendered text must name something. In: the text and the known names. Out: a few
words. Never lists more than a line of names. Of thousands of names the nearest is costly to find, which the spec pays
for (see `metering`); where it cannot, only what there is is told.
"""

import difflib
from collections.abc import Iterable

from batchspec.render.metering import RUN

_SHOWN = 10
_LONGEST = 200
_COMPARED = 10


def suggestion(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?`, else what there is, in order."""
    names = list(known)
    may = len(name) <= _LONGEST and RUN.affords(sum(map(len, names)) + _COMPARED * len(names))
    close = difflib.get_close_matches(name, names, 1) if may else []
    if close:
        return f"; did you mean '{close[0]}'?"
    shown = ", ".join(sorted(names)[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
    return f"; there are: {shown}" if names else "; there are none"
