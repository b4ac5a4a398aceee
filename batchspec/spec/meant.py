"""A document as it is meant: misspelt properties under the names that they probably stand for.

Place in the pipeline: `read` gives it to the rules, so that one slip is told once: what stands beside `vmSize` is not
told to lack `vm_size`. In: data, and what the schema's findings say was meant. Out: data that shares everything else
with what was read, and the paths of the names put right, below which nothing is to be told. Changes no input.
"""

from collections.abc import Iterable
from typing import Any

from batchspec.spec.document import At, Finding


def as_meant(data: object, findings: Iterable[Finding]) -> tuple[object, frozenset[At]]:
    """The data with each misspelt property renamed, where that name is free; and where these now stand."""
    names = [(finding.at, finding.meant) for finding in findings if finding.meant]
    if not names or not isinstance(data, dict):
        return data, frozenset()
    copies = _Copies(dict(data))
    return copies.root, frozenset(path for at, meant in names for path in copies.rename(at, meant))


class _Copies:
    """The data, of which what changes is copied first, once."""

    def __init__(self, root: dict[str, Any]) -> None:
        self.root = root
        self._by_path: dict[At, Any] = {(): root}

    def rename(self, at: At, meant: str) -> Iterable[At]:
        """Move the value at a path to the property of the same mapping, or of one in it, that was meant."""
        holder, (*outer, word) = self._copy(at[:-1]), meant.split(".")
        value = holder.pop(at[-1])
        target = at[:-1]
        for step in outer:
            target = (*target, step)
            if step not in holder:
                holder[step] = {}
                yield target
            if not isinstance(holder[step], dict):
                return
            holder = self._copy(target)
        if word not in holder:
            holder[word] = value
            yield (*target, word)

    def _copy(self, at: At) -> Any:
        if at not in self._by_path:
            parent = self._copy(at[:-1])
            parent[at[-1]] = self._by_path[at] = parent[at[-1]].copy()
        return self._by_path[at]
