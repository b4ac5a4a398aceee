"""Fingerprints of bodies.

Place in the pipeline: `desired` and `tasks` mark what they make with these; `reconcile` compares them with what the
services hold. In: symbolic JSON. Out: 32 hexadecimal digits. Never sees a secret, an address or a SAS, since symbols
stand for them.
"""

import hashlib
import json
from collections.abc import Mapping

from batchspec.render.symbolic import Json

# What cannot change a task's result is not in its fingerprint (architecture, "Reconciliation").
_WITHOUT_EFFECT = frozenset({"constraints", "displayName", "requiredSlots", "exitConditions", "affinityInfo"})
_DIGITS = 32


# Ends the mark of what was sent with a secret, so that it is never shown as an old value, also when the spec that is
# compared with it holds the secret no more.
HELD_SECRET = "!"


# Lists of names and values, in which the order says nothing.
_UNORDERED = frozenset({"environmentSettings", "commonEnvironmentSettings", "metadata"})


def fingerprint(value: Json) -> str:
    """The same for equal JSON, whatever the order of keys, of environment settings and of metadata."""
    canonical = json.dumps(_in_order(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]


def task_fingerprint(body: Mapping[str, Json], inputs: Json) -> str:
    """Of a task's body, without what has no effect, and of what its result depends on besides (`inputs`)."""
    return fingerprint([{key: value for key, value in body.items() if key not in _WITHOUT_EFFECT}, inputs])


def _in_order(value: Json) -> Json:
    if isinstance(value, list):
        return [_in_order(item) if isinstance(item, (dict, list)) else item for item in value]
    if not isinstance(value, dict):
        return value
    return {key: _by_name(inner) if key in _UNORDERED else _in_order(inner) for key, inner in value.items()}


def _by_name(value: Json) -> Json:
    if not isinstance(value, list):
        return value
    return sorted(value, key=lambda one: str(one.get("name")) if isinstance(one, dict) else "")
