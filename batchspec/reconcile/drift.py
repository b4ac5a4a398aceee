"""Why a pool or job differs from what the service holds: the spec changed, or the service changed under us.

Place in the pipeline: `plan_pool` and `plan_job` ask here. In: a symbolic body and the resource. Out: Reasons with
their cause. Pure.

What was sent last is known by fingerprints, of the whole and of each property (`marks`). While the whole one is that of
the spec, every difference is the service's; else each property's tells. A default that the spec never said is compared
too, where `defaults` has it: somebody may have changed it by hand.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from batchspec.reconcile.addresses import Address, unknown
from batchspec.reconcile.change import Reason
from batchspec.reconcile.compare import differences, metadata_differences
from batchspec.reconcile.marks import own_metadata, part_of, parts_of
from batchspec.render.model import JsonObject


@dataclass(frozen=True, slots=True)
class Rules:
    """How a kind of resource is compared: `removable` and `ignore` as in `compare.differences`.

    `defaults` is what the service fills in at the top of a body.
    """

    removable: frozenset[str]
    ignore: frozenset[str]
    defaults: JsonObject = field(default_factory=dict)


def reasons_for(
    body: JsonObject, there: JsonObject, rules: Rules, *, unchanged: bool, address: Address = unknown
) -> tuple[Reason, ...]:
    """One Reason for each property that differs; `unchanged` is whether the spec is as it was sent last."""
    whole = _filled(rules.defaults, body)
    parts = _parts(body, whole, parts_of(there), unchanged=unchanged)
    found = differences(whole, there, removable=rules.removable, ignore=rules.ignore, parts=parts, address=address)
    return (*found, *metadata_differences(body, there, parts))


def _filled(defaults: JsonObject, body: JsonObject) -> JsonObject:
    """The body with defaults, one level into objects."""
    whole = {**defaults, **body}
    for key, value in defaults.items():
        given = body.get(key)
        if isinstance(value, dict) and isinstance(given, dict):
            whole[key] = {**value, **given}
    return whole


def _parts(body: JsonObject, whole: JsonObject, sent: Mapping[str, str], *, unchanged: bool) -> dict[str, str]:
    """The fingerprints of what was sent, as if defaults had been; those of `whole` where nothing has changed."""
    parts = dict(sent)
    if unchanged:
        parts = {key: part_of(value) for key, value in whole.items()}
        parts["metadata"] = part_of(own_metadata(body))
        return parts
    if sent:
        for key, value in whole.items():
            if sent.get(key) == (part_of(body[key]) if key in body else None):
                parts[key] = part_of(value)
    return parts
