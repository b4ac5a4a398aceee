"""`batchspec validate`: every problem of every spec, offline.

In: paths. Out: one line per problem on stdout, `file:line:col: path: message` (or JSON, or GitHub's annotations), and
one line per spec that is right. Exit code 2 when there is any problem.
"""

from collections.abc import Sequence

from batchspec.cli import phrases
from batchspec.cli.console import Console
from batchspec.cli.desired import reading_of
from batchspec.cli.given import Given
from batchspec.errors import Problem, SpecInvalid


def validate(console: Console, specs: Sequence[str], given: Given, *, format: str) -> int:
    """Check `specs`, in their order, each once."""
    found = {spec: _problems(console, spec, given) for spec in dict.fromkeys(specs)}
    if format == "json":
        from batchspec.cli.as_json import problem_object

        console.answer |= {
            "valid": not any(found.values()),
            "specs": [
                {"file": spec, "valid": not problems, "problems": [problem_object(one) for one in problems]}
                for spec, problems in found.items()
            ],
        }
    else:
        for spec, problems in found.items():
            _print(console, spec, problems, github=format == "github")
    _tell(console, found)
    return SpecInvalid.exit_code if any(found.values()) else 0


def _problems(console: Console, spec: str, given: Given) -> tuple[Problem, ...]:
    try:
        return reading_of(console, spec, given, given.offline_target).problems
    except SpecInvalid as error:
        return error.problems


def _print(console: Console, spec: str, problems: Sequence[Problem], *, github: bool) -> None:
    for problem in problems:
        console.result(_annotation(problem) if github else phrases.harmless(str(problem)))
    if not problems and not console.quiet and not github:
        console.result(f"{phrases.harmless(spec)}: valid")


def _tell(console: Console, found: dict[str, tuple[Problem, ...]]) -> None:
    total = sum(map(len, found.values()))
    wrong = sum(1 for problems in found.values() if problems)
    if total:
        console.message(f"{phrases.count(total, 'problem')} in {wrong} of {phrases.count(len(found), 'spec')}")
    elif len(found) > 1:
        console.message(f"{phrases.count(len(found), 'spec')} valid")


def _annotation(problem: Problem) -> str:
    """A workflow command of GitHub Actions (docs.github.com, "Workflow commands for GitHub Actions")."""
    text = f"{problem.path}: {problem.message}" if problem.path else problem.message
    place = f"file={_property(problem.file)},line={problem.line},col={problem.column}"
    return f"::error {place}::{_data(phrases.harmless(text))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(phrases.harmless(text)).replace(":", "%3A").replace(",", "%2C")
