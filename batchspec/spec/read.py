"""Path -> Spec and every problem that can be known without rendering.

Place in the pipeline: the whole room in one call: `load`, `schema`, `rules`, `build`. In: a path. Out: a Spec, as whole
as can be, and all problems at once.
"""

from pathlib import Path

from batchspec.errors import Problem
from batchspec.spec import rules, schema
from batchspec.spec.build import build
from batchspec.spec.checks.secrets import secrets
from batchspec.spec.checks.tree import root
from batchspec.spec.document import Finding
from batchspec.spec.load import load
from batchspec.spec.model import Spec


def read(path: Path, shown_as: str | None = None, *, allow_outside: bool = False) -> tuple[Spec | None, list[Problem]]:
    """The spec, None when there is nothing to build, and its problems sorted by place.

    Raises SpecInvalid only when the file cannot be read as YAML at all.
    """
    document = load(path, shown_as, allow_outside=allow_outside)
    told = {problem.path for problem in document.problems}
    every = [*secrets(root(document.data)), *schema.findings(document), *rules.findings(document)]
    findings = _settled(_first_per_node(every))
    found = {finding.problem(document) for finding in findings}
    problems = {*document.problems, *(problem for problem in found if problem.path not in told)}
    return build(document, document.spoilt | {finding.at for finding in findings}), sorted(problems)


def _first_per_node(findings: list[Finding]) -> list[Finding]:
    """One finding per node: a secret is told first, then what the schema says, then what the rules add."""
    first: dict[object, Finding] = {}
    for finding in findings:
        first.setdefault(finding.at, finding)
    return list(first.values())


def _settled(findings: list[Finding]) -> list[Finding]:
    """Without what is missing only because its name is misspelt."""
    meant = {(finding.at[:-1], finding.meant) for finding in findings if finding.meant}
    return [one for one in findings if not meant & {(at, word) for at in (one.at, one.at[:-1]) for word in one.lacks}]
