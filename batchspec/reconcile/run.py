"""One run's context: what every step of `apply` is given.

Place in the pipeline: made by `apply` once the plan is fixed and the lock is held; read by the `step_*` modules.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from batchspec.reconcile.change import Change, Kind, Plan
from batchspec.reconcile.clock import Clock
from batchspec.reconcile.observe import Observed
from batchspec.reconcile.ports import Services
from batchspec.reconcile.report import Reporter
from batchspec.reconcile.sending import Sender
from batchspec.render.model import CONTAINER_OWNER_KEY, Desired, JsonObject


@dataclass(frozen=True, slots=True)
class Run:
    """Everything a step needs.

    `id` is random, and marks what this run creates. `made` are changes of the plan that were carried out before the
    steps (the lock's container). `alone` is whether the lock is held; without it, what is updated must still be what
    the plan saw.
    """

    id: str
    desired: Desired
    observed: Observed
    plan: Plan
    services: Services
    sender: Sender
    report: Reporter
    clock: Clock
    made: tuple[Change, ...] = ()
    alone: bool = False

    def if_match(self, there: JsonObject | None) -> str | None:
        """The ETag that an update of an observed resource is bound to, None under the lock."""
        etag = None if self.alone or there is None else there.get("eTag")
        return etag if isinstance(etag, str) else None

    def changes(self, kind: Kind) -> list[Change]:
        """The plan's changes of one kind (not tasks), in its order."""
        return [change for change in self.plan.changes if change.kind == kind]

    @property
    def owner_metadata(self) -> Mapping[str, str]:
        """The mark on containers and blobs."""
        return {CONTAINER_OWNER_KEY: self.desired.name}
