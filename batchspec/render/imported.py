"""The word `imported`: what stands in for the fingerprint of something that an imported spec describes.

Place in the pipeline: `bodies` and `tasks` ask for the mark of everything they fingerprint. In: the rendered word and
the fingerprint of what the spec says. Out: the mark to carry.

`batchspec import` describes what is there in other words than those it was once made from, so that the fingerprint of
the description differs from the one that the service holds. The word says of each fingerprint which one that is:
`OURS=THEIRS`, several with a space between them (a pool has one for itself and one for its start task). While the
description is as it was written, the mark is the service's, and a plan sees nothing to do; after an edit it is the
description's own, and the ordinary rules apply.
"""

import re

from batchspec.render import scope as making
from batchspec.render.scope import Made, Maker, Scope
from batchspec.spec.load import At

_FORM = re.compile(r"[^\s=]+=[^\s=]+( [^\s=]+=[^\s=]+)*\Z")
_EXPECTED = "is not what `batchspec import` writes here; delete the word to have it fingerprinted anew"


def maker(source: str, at: At, scope: Scope) -> Maker:
    """A maker of the word, which notes what is wrong with it; an empty one stands for nothing."""
    return making.then(making.text(source, at, scope), lambda made, inner: _checked(made, at, inner), scope)


def _checked(made: Made, at: At, scope: Scope) -> Made:
    return scope.fault(at, _EXPECTED) if made and not _FORM.match(str(made)) else made


def mark(word: str, fingerprint: str) -> str:
    """The mark of what has this fingerprint: the one that `word` has for it, else the fingerprint itself."""
    for pair in word.split() if fingerprint else ():
        ours, _, theirs = pair.partition("=")
        if ours == fingerprint:
            return theirs
    return fingerprint


def word_of(pairs: dict[str, str]) -> str:
    """The word that has these marks by fingerprint."""
    return " ".join(f"{ours}={theirs}" for ours, theirs in pairs.items())
