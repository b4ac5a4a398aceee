"""How much the account may have.

Place: part of the settings; changed while the engine runs by an admin route. In: numbers. Out: refusals, in the
service's codes. A limit of cores is no refusal: it shows as a resize error of the pool (`fleet.py`).

Decisions: the defaults let anything through that this machine can hold, since a quota is a matter of one's account. A
smaller one is chosen by `BATCHSPEC_ENGINE_QUOTA_POOLS` and its kin when the engine starts, or at any time by
`batchspec engine fault quota`. Source of codes and kinds: "Batch service quotas and limits".
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

from batchspec.engine.errors import BatchError
from batchspec.engine.store import Store

PREFIX: Final = "BATCHSPEC_ENGINE_QUOTA_"
UNLIMITED: Final = 1_000_000
_NAMES: Final = {
    "pools": "pools",
    "activeJobs": "active_jobs",
    "dedicatedCores": "dedicated_cores",
    "lowPriorityCores": "low_priority_cores",
}


@dataclass(frozen=True, slots=True)
class Quotas:
    """The most pools, active jobs and job schedules, and cores by kind of node."""

    pools: int = 500
    active_jobs: int = 5_000
    dedicated_cores: int = UNLIMITED
    low_priority_cores: int = UNLIMITED

    def body(self) -> dict[str, int]:
        """As the admin route shows them."""
        return {shown: getattr(self, name) for shown, name in _NAMES.items()}

    def changed(self, body: Mapping[str, int]) -> "Quotas":
        """With some of them changed; `body` as the admin route takes it."""
        return Quotas(**{name: body.get(shown, getattr(self, name)) for shown, name in _NAMES.items()})

    def check_pools(self, store: Store) -> None:
        """There is room for one more pool. Raises BatchError (409)."""
        if store.one("SELECT COUNT(*) FROM pools")[0] >= self.pools:
            raise BatchError("PoolQuotaReached")

    def check_jobs(self, store: Store) -> None:
        """There is room for one more active job or job schedule. Raises BatchError (409)."""
        sql = (
            "SELECT (SELECT COUNT(*) FROM jobs WHERE state NOT IN ('completed', 'deleting'))"
            " + (SELECT COUNT(*) FROM schedules WHERE state NOT IN ('completed', 'deleting'))"
        )
        if store.one(sql)[0] >= self.active_jobs:
            raise BatchError("ActiveJobAndScheduleQuotaReached")

    def cores(self, *, dedicated: bool) -> int:
        """The most cores of one kind."""
        return self.dedicated_cores if dedicated else self.low_priority_cores


def quotas_from_environment() -> Quotas:
    """The quotas that the environment asks for. Raises ValueError with the variable's name."""
    given = {}
    for each in fields(Quotas):
        variable = PREFIX + each.name.upper()
        text = os.environ.get(variable, "")
        if text:
            if not (text.isascii() and text.isdigit()):
                raise ValueError(variable)
            given[each.name] = int(text)
    return Quotas(**given)
