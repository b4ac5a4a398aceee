"""Path -> Spec and every problem that can be known without rendering.

Place in the pipeline: the whole room in one call: `load`, `schema`, `rules`, `build`. In: a path. Out: a Spec, as whole
as can be, and all problems at once.
"""

from dataclasses import replace
from itertools import accumulate
from pathlib import Path

from batchspec.errors import Problem, in_order
from batchspec.spec import rules, schema
from batchspec.spec.build import build
from batchspec.spec.checks.secrets import secrets
from batchspec.spec.checks.tree import root
from batchspec.spec.document import Finding
from batchspec.spec.load import load
from batchspec.spec.meant import as_meant
from batchspec.spec.model import Spec


def read(path: Path, shown_as: str | None = None, *, allow_outside: bool = False) -> tuple[Spec | None, list[Problem]]:
    """The spec, None when there is nothing to build, and its problems sorted by place.

    Raises SpecInvalid only when the file cannot be read as YAML at all.
    """
    document = load(path, shown_as, allow_outside=allow_outside)
    told = {problem.path for problem in document.problems}
    by_schema = schema.findings(document)
    meant, renamed = as_meant(document.data, by_schema)
    enough = len(by_schema) >= schema.MAX_FINDINGS
    by_rules = [] if enough else rules.findings(replace(document, data=meant))
    every = [*secrets(root(document.data)), *by_schema, *by_rules]
    findings = [one for one in _first_per_node(every) if renamed.isdisjoint(accumulate((step,) for step in one.at))]
    findings = [one for one in findings if document.spoilt.isdisjoint(accumulate((step,) for step in one.at))]
    found = [finding.problem(document) for finding in findings]
    problems = in_order([*document.problems, *(problem for problem in found if problem.path not in told)])
    if len(every) >= schema.MAX_FINDINGS:
        return None, [*problems[: schema.MAX_FINDINGS], document.problem((), schema.MANY)]
    return build(document, document.spoilt | {finding.at for finding in findings}), problems


def _first_per_node(findings: list[Finding]) -> list[Finding]:
    """One finding per node: a secret is told first, then what the schema says, then what the rules add."""
    first: dict[object, Finding] = {}
    for finding in findings:
        first.setdefault(finding.at, finding)
    return list(first.values())
