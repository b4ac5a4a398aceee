"""What a person asks for beside the spec: that something is done again though nothing of it has changed.

Place in the pipeline: the commands `plan` and `apply` make it of their options, or of a plan in a file; `plan` heeds
it, and `freeze` writes down what was asked.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from batchspec.reconcile.observe import ObservedTask

# Whether the failure of a task is one of those that are to be retried.
Retried = Callable[[ObservedTask], bool]


def retry_all(failed: ObservedTask) -> bool:
    """Every failure."""
    return True


@dataclass(frozen=True, slots=True)
class Asked:
    """With `retry_failed` the failures that are `retried` run again, and nodes whose start failed are started.

    With `refresh_secrets` what holds a secret is sent again (see `secrets`).
    """

    retry_failed: bool = False
    refresh_secrets: bool = False
    retried: Retried = field(default=retry_all, repr=False, compare=False)


NOTHING = Asked()
