"""In what the pool that is there differs from the pool that the spec asks for: `DesiredPool` + the pool -> Reasons.

Place in the pipeline: `plan_pool` decides by these what to do; `observe` looks closer at a pool that has some. Pure.
"""

from batchspec.reconcile import filled_in
from batchspec.reconcile.addresses import Address, unknown
from batchspec.reconcile.change import Reason
from batchspec.reconcile.drift import Rules, reasons_for
from batchspec.reconcile.marks import hash_of
from batchspec.render.model import DesiredPool, JsonObject

_REMOVABLE = frozenset(
    {
        "displayName",
        "startTask",
        "applicationPackageReferences",
        "networkConfiguration",
        "userAccounts",
        "mountConfiguration",
        "upgradePolicy",
    }
)
_IGNORED = frozenset({"id", "metadata", "resizeTimeout"})
_FIXED = Rules(_REMOVABLE, _IGNORED, {**filled_in.POOL, "enableAutoScale": False})
# The numbers of nodes of a pool that scales itself are the service's.
_SCALED = Rules(_REMOVABLE, _IGNORED)


def pool_reasons(wanted: DesiredPool, there: JsonObject, address: Address = unknown) -> tuple[Reason, ...]:
    """One Reason for each property that differs, in the spec's order; empty for a pool that is as it should be."""
    assert wanted.body is not None
    rules = _SCALED if wanted.body.get("enableAutoScale") else _FIXED
    return reasons_for(wanted.body, there, rules, unchanged=hash_of(there) == wanted.hash, address=address)
