"""What holds a secret, and is sent again when a person says that secrets have new values: `--refresh-secrets`.

Place in the pipeline: `plan_pool`, `plan_job` and `plan_tasks` ask here. Pure. Fingerprints know no secret's value, and
the service never returns one, so that a new value is no change by itself. What is sent again is decided as for any
other change of the same property: in place where the service allows it, else by replacement, after a question.
"""

from collections.abc import Iterator

from batchspec.reconcile.change import Reason
from batchspec.render.model import JsonObject
from batchspec.render.symbolic import holds_secret

NOT_SHOWN = "(not shown)"
SENT_AGAIN = "its secret is sent again"


def secret_reasons(body: JsonObject) -> Iterator[Reason]:
    """One Reason for each top-level property that holds a secret, in the body's order."""
    for name, value in body.items():
        if holds_secret(value):
            yield Reason(SENT_AGAIN, name, NOT_SHOWN, NOT_SHOWN)
