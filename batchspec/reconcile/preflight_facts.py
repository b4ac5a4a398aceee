"""What the checks of preflight look at: everything that was read, in one place, and what follows from it at once.

Place in the pipeline: `preflight` makes a `Facts`; the `preflight_*` modules turn it into `Check`s. Pure.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from batchspec.reconcile.account import Account, Quotas, Unknown, VmSize
from batchspec.reconcile.change import Change, Check, Kind, Plan
from batchspec.reconcile.observe import Observed
from batchspec.reconcile.task_summary import TaskSummary
from batchspec.reconcile.vm_sizes import cores_by_name
from batchspec.render.model import Desired, JsonObject
from batchspec.render.symbolic import Json


@dataclass(frozen=True)
class Facts:
    """In: the spec, the services' state, the plan and its tasks, the account (None where that was not asked for), how
    far this clock is ahead of the service's, the longest life of a SAS (None without limit), and the time (UTC)."""

    desired: Desired
    observed: Observed
    plan: Plan
    tasks: TaskSummary
    account: Account | Unknown | None
    clock_ahead: timedelta | None
    longest_sas: timedelta | None
    now: datetime

    @cached_property
    def pool(self) -> JsonObject | None:
        """The pool's body: as the spec says, or for an existing one as it is; None without pool."""
        pool = self.desired.pool
        return self.observed.pool if pool is not None and pool.body is None else self.desired.described_pool

    @cached_property
    def pool_name(self) -> str:
        """What to call the pool."""
        return f"pool {self.desired.pool.id}" if self.desired.pool else "the job's pool"

    @cached_property
    def pool_is_made(self) -> bool:
        """Whether this plan makes the pool."""
        if self.desired.pool is None:
            return self.desired.auto_pool is not None and self.makes(self.work)
        return self.makes("pool")

    @property
    def work(self) -> Kind:
        """What the tasks belong to: the job, or the schedule that makes jobs."""
        return "schedule" if self.desired.schedule is not None else "job"

    def makes(self, kind: Kind) -> bool:
        """Whether the plan creates or replaces one."""
        return any(one.kind == kind and one.action in ("create", "replace") for one in self.plan.changes)

    def change(self, kind: Kind) -> Change | None:
        """The plan's change of the pool, the job or the schedule."""
        return next((one for one in self.plan.changes if one.kind == kind), None)

    @cached_property
    def runs_tasks(self) -> bool:
        """Whether tasks are to run or still run."""
        return bool(self.plan.pending_tasks) or any(one.action != "delete" for one in self.plan.tasks)

    @cached_property
    def vm_size(self) -> str:
        """The VM size, "" without pool."""
        size = (self.pool or {}).get("vmSize")
        return size if isinstance(size, str) else ""

    @cached_property
    def known_size(self) -> VmSize | None:
        """The VM size as the account's region offers it."""
        return self.size(self.vm_size)

    def size(self, name: str) -> VmSize | None:
        """A VM size of the region, None when it is not known."""
        sizes = self.account.sizes if isinstance(self.account, Account) else None
        return sizes.get(name.lower()) if sizes is not None and not isinstance(sizes, Unknown) else None

    def cores(self, name: str) -> int | None:
        """The cores of a VM size, by what the region tells or else by its name."""
        size = self.size(name)
        return size.cores if size is not None and size.cores is not None else cores_by_name(name)

    @cached_property
    def slots_per_node(self) -> int:
        """`taskSlotsPerNode`."""
        return number((self.pool or {}).get("taskSlotsPerNode"), 1)

    @cached_property
    def autoscales(self) -> bool:
        """Whether a formula says how many nodes there are."""
        return bool((self.pool or {}).get("enableAutoScale"))

    @cached_property
    def nodes(self) -> tuple[int, int]:
        """Dedicated and low-priority nodes of a pool of fixed size."""
        pool = self.pool or {}
        return number(pool.get("targetDedicatedNodes"), 0), number(pool.get("targetLowPriorityNodes"), 0)

    @cached_property
    def quotas(self) -> Quotas | Unknown | None:
        """The account's quotas."""
        return self.account.quotas if isinstance(self.account, Account) else self.account


Checks = Callable[[Facts], Iterator[Check]]


def member(value: Json, name: str) -> JsonObject:
    """A property that is an object, {} when it is not there."""
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def number(value: Json, default: int) -> int:
    """A whole number, or the default when nothing stands there."""
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def spoken(length: timedelta) -> str:
    """A length of time in words: 45 s, 20 min, 1 h 30 min, 7 days."""
    seconds = round(length.total_seconds())
    days, hours, minutes = seconds // 86400, seconds % 86400 // 3600, seconds % 3600 // 60
    if days:
        return f"{days} day{'' if days == 1 else 's'}" + (f" {hours} h" if hours else "")
    if hours:
        return f"{hours} h" + (f" {minutes} min" if minutes else "")
    return f"{minutes} min" if minutes else f"{seconds} s"


def some(count: int, thing: str) -> str:
    """`1 pool`, `1,200 tasks`."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
