"""What `range` says -> numbers.

Place in the pipeline: `sources` asks. In: what was made of the value. Out: a Python range, which holds nothing; what is
wrong is noted in the scope. Pure.
"""

from collections.abc import Mapping

from batchspec.render.scope import Made, Omit, Scope
from batchspec.render.symbolic import Json
from batchspec.spec.document import At, shown

_LARGEST = 2**63 - 1


def range_of(made: Made, at: At, scope: Scope) -> range:
    """`5`, `[start, stop]`, `[start, stop, step]`, `{start, stop, step}` or `{start, end, step}`; `end` is in it."""
    if isinstance(made, Omit):
        return range(0)
    parts: list[Json] = made if isinstance(made, list) else [made]
    if isinstance(made, dict):
        parts = [made.get("start", 0), _stop(made), made.get("step", 1)]
    numbers = [one for one in map(_whole, parts) if one is not None]
    if len(numbers) != len(parts) or not 1 <= len(numbers) <= 3:
        wrong = next((one for one in parts if _whole(one) is None), made)
        scope.fault(at, f"expected a whole number, or start, stop and step as whole numbers, got {shown(wrong)}")
    elif len(numbers) == 3 and numbers[2] == 0:
        scope.fault(at, "a step of 0 never ends")
    elif any(abs(one) > _LARGEST for one in numbers):
        scope.fault(at, f"a number is larger than {_LARGEST:,}")
    else:
        return range(*numbers)
    return range(0)


def _whole(made: Json) -> int | None:
    """A whole number, also one like 5.0, which `{{ 10 / 2 }}` is; else None."""
    if isinstance(made, float) and made.is_integer():
        return int(made)
    return made if isinstance(made, int) and not isinstance(made, bool) else None


def _stop(made: Mapping[str, Json]) -> Json:
    """Where a range stops, which is one further than its `end`."""
    end, step = _whole(made.get("end")), _whole(made.get("step", 1))
    if end is not None:
        return end + (-1 if step is not None and step < 0 else 1)
    return made.get("stop")


def length_of(found: range) -> int:
    """How many numbers there are, also where `len` cannot say it."""
    span = found.stop - found.start
    return max(0, -(-span // found.step))
