"""A document's data without what is broken.

Place in the pipeline: `build` asks. In: data and paths. Out: data. A list that has a broken item is left out whole, but
for the lists of the spec itself (`tasks`, `downloads`), where the item becomes None: the positions of its neighbours
must not shift. Never changes what it is given.
"""

from collections.abc import Mapping, Set
from typing import Any

from batchspec.spec.document import At

_GONE = object()


def pruned(data: Mapping[str, Any], broken: Set[At]) -> Mapping[str, Any]:
    """A copy without the values at `broken`; what holds nothing broken is shared, not copied."""
    above = {at[:length] for at in broken for length in range(len(at))}
    result = _without(data, (), broken, above)
    return result if isinstance(result, dict) else {}


def _without(value: object, at: At, broken: Set[At], above: Set[At]) -> object:
    if at in broken:
        return _GONE
    if at not in above:
        return value
    if isinstance(value, dict):
        fields = {key: _without(inner, (*at, key), broken, above) for key, inner in value.items()}
        return {key: inner for key, inner in fields.items() if inner is not _GONE}
    if isinstance(value, list):
        items = [_without(inner, (*at, index), broken, above) for index, inner in enumerate(value)]
        if len(at) == 1:
            return [None if inner is _GONE else inner for inner in items]
        return _GONE if _GONE in items else items
    return value
