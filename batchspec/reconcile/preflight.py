"""A look ahead: what would go wrong after `apply` began, told before it does.

Place in the pipeline: `plan` and `apply` go through a `Preflight`. It observes (and reads the account beside that where
it was told to), lets the tasks be counted while they are planned, and turns all of it into `Check`s, each with a fact
and a fix. Reads only, and a constant number of requests: those of `observe`, one for the images, one
for an autoscale formula, and those of the account (see `cloud.arm`).

`apply` asks nothing more than it needs anyway, and tells only what is not fine.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from batchspec.errors import PlanRefused
from batchspec.reconcile import (
    preflight_account,
    preflight_pool,
    preflight_scaling,
    preflight_tasks,
    preflight_tools,
)
from batchspec.reconcile.account import Account, Unknown
from batchspec.reconcile.change import Plan
from batchspec.reconcile.concurrency import task_group
from batchspec.reconcile.observe import Observed, observe
from batchspec.reconcile.ports import Services
from batchspec.reconcile.preflight_facts import Checks, Facts
from batchspec.reconcile.task_summary import TaskCount
from batchspec.render.model import Desired

_NO_MANAGER = Unknown("the local engine has no Azure Resource Manager")

# Each with the names of the checks that it makes, in the order in which they are told.
CHECKS: Mapping[Checks, tuple[str, ...]] = {
    preflight_tasks.blast_radius: ("blast radius",),
    preflight_account.credentials: ("credentials", "write permissions"),
    preflight_account.clock: ("clock",),
    preflight_account.pool_quota: ("pool quota",),
    preflight_account.job_quota: ("job quota",),
    preflight_account.core_quota: ("dedicated core quota", "low-priority core quota", "core quota"),
    preflight_pool.vm_size: ("vm size",),
    preflight_pool.image: ("image", "image verification", "node agent", "operating system"),
    preflight_pool.generation: ("image generation",),
    preflight_pool.slots: ("slots per node",),
    preflight_pool.nodes: ("nodes",),
    preflight_scaling.formula: ("autoscale formula",),
    preflight_tasks.slots: ("required slots",),
    preflight_tasks.multi_instance: ("multi-instance",),
    preflight_tasks.sas: ("SAS life",),
    preflight_tasks.schedule: ("schedule",),
    preflight_tasks.time_limits: ("time limits",),
    preflight_tasks.spot_nodes: ("low-priority nodes",),
    preflight_tasks.limits: ("limits", "dependencies"),
    preflight_tasks.containers: ("containers",),
    preflight_tools.tools: ("program NAME",),
}


@dataclass(slots=True)
class Preflight:
    """One look ahead. `thorough` also reads what only the checks need: see `observe`, and the account.

    With `refresh_secrets` a pool that is as the spec says may be replaced, so it is asked whether it runs tasks.
    """

    spec: Desired
    services: Services
    thorough: bool = True
    refresh_secrets: bool = False
    tasks: TaskCount = field(default_factory=TaskCount)
    account: Account | Unknown | None = None

    @property
    def desired(self) -> Desired:
        """The spec, whose tasks are counted when they are walked: what `plan` must be given."""
        return self.tasks.watching(self.spec)

    async def observe(self) -> Observed:
        """Everything that is read. Raises ServiceRefused and ServiceUnreachable, of the services only."""
        if not self.thorough:
            return await observe(self.spec, self.services, running=self.refresh_secrets)
        async with task_group() as group:
            seen = group.create_task(observe(self.spec, self.services, thorough=True, running=self.refresh_secrets))
            reading = self.services.account
            known = group.create_task(reading.read()) if reading is not None else None
        self.account = known.result() if known is not None else _NO_MANAGER
        return seen.result()

    def checked(self, plan: Plan, observed: Observed, *, now: datetime | None = None) -> Plan:
        """The plan with its checks; `now` (UTC) is the present unless said otherwise."""
        facts = Facts(
            desired=self.spec,
            observed=observed,
            plan=plan,
            tasks=self.tasks.summary,
            account=self.account,
            clock_ahead=self.services.batch.clock_ahead,
            longest_sas=self.services.blobs.longest_sas,
            now=now or datetime.now(UTC),
        )
        found = [check for checks in CHECKS for check in checks(facts)]
        if not self.thorough:
            found = [check for check in found if check.verdict in ("warning", "failed")]
        return replace(plan, checks=tuple(found))


def refuse_failed(plan: Plan) -> None:
    """Raise PlanRefused when a check has failed and there is something to do; the plan that is shown says what."""
    failed = [check.name for check in plan.checks if check.verdict == "failed"]
    if failed and not plan.nothing_to_do:
        raise PlanRefused(
            f"preflight found what cannot end well: {', '.join(failed)}", fix="correct it as the plan says; see above"
        )
