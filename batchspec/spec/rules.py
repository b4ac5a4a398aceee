"""Document -> problems that a schema cannot express.

Place in the pipeline: beside `schema`. In: a document, whose data may be invalid in any way. Out: problems. The checks
are in `batchspec.spec.checks`. Secrets are left to `read`, which tells them before all else, and what depends on a
template's value to `render`.
"""

from collections.abc import Callable, Iterator
from itertools import islice

from batchspec.errors import Problem
from batchspec.spec.checks import (
    across,
    choices,
    declared,
    models,
    names,
    references,
    reserved,
    resources,
    schedules,
)
from batchspec.spec.checks.tree import Part, root
from batchspec.spec.document import Document, Finding
from batchspec.spec.schema import MAX_FINDINGS

CHECKS: tuple[Callable[[Part], Iterator[Finding]], ...] = (
    *(names.names, names.ids, names.container_names, declared.variables),
    *(choices.commands, choices.for_each, choices.other_accounts),
    *(
        choices.image,
        resources.existing,
        resources.pool,
        resources.identity,
        resources.lifetime,
        resources.sizes,
        resources.job,
        resources.dependencies,
        schedules.schedule,
        schedules.lifetime,
    ),
    *(references.references, references.needs, references.cleanup, reserved.environment, reserved.metadata),
    *(
        models.by_model,
        across.multi_instance,
        across.containers,
        across.users,
        across.job_actions,
        across.windows,
        across.special_ids,
    ),
)


def problems(document: Document) -> list[Problem]:
    """Everything that the checks find, in the order of the file."""
    return sorted({finding.problem(document) for finding in findings(document)})


def findings(document: Document) -> list[Finding]:
    """The same without places, each with its path."""
    spec = root(document.data)
    found = [finding for check in CHECKS for finding in islice(check(spec), MAX_FINDINGS)]
    return [*found, *reserved.rounded(spec, document)]
