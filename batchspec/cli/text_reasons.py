"""Why something changes, as lines: `vm_size: standard_d2s_v3 -> standard_d4s_v3 (forces replacement)`.

Place in the pipeline: the printers of plans put these beneath what changes. In: a `Reason`. Out: harmless text without
signatures. Never prints.

Decision: of two long values only the part where they differ is shown, one beneath the other. A command line that was
changed at its end would else look the same twice.
"""

from itertools import takewhile

from batchspec.cli import phrases
from batchspec.reconcile.change import Reason

DRIFTED = "changed in the service, not in the spec"
_BEFORE_THE_DIFFERENCE = 20


def why(reason: Reason, columns: int) -> list[str]:
    """The reason on one line of at most so many columns, or on three: what, the old and the new value."""
    if not reason.path:
        beside = f"; {DRIFTED}" if reason.cause == "drift" else ""
        return [phrases.harmless(phrases.without_signatures(reason.text)) + beside]
    path, said = phrases.harmless(phrases.snake(reason.path)), aside(reason)
    if reason.old is None and reason.new is None:
        return [f"{path}: {said or reason.text}"]
    beside = f" ({said})" if said else ""
    old, new = phrases.whole_value(reason.old), phrases.whole_value(reason.new)
    line = f"{path}: {old} -> {new}{beside}"
    if len(line) <= columns:
        return [line]
    old, new = around_the_difference(old, new, columns - 4)
    return [f"{path}:{beside}", f"  - {old}", f"  + {new}"]


def aside(reason: Reason) -> str:
    """What is to be said beside the values; "" when they say all."""
    said = [phrases.harmless(reason.text)] if reason.text not in ("", "changed") else []
    said += [DRIFTED] if reason.cause == "drift" else []
    said += ["forces replacement"] if reason.replaces else []
    return "; ".join(said)


def around_the_difference(old: str, new: str, characters: int) -> tuple[str, str]:
    """Both texts, cut to so many characters; what they have in common before they differ is cut first."""
    too_long = max(len(old), len(new)) - (characters - len("..."))
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
    start = min(too_long, same - _BEFORE_THE_DIFFERENCE)
    if start > len("..."):
        old, new = (f"...{text[start:]}" for text in (old, new))
    return phrases.cut(old, characters), phrases.cut(new, characters)
