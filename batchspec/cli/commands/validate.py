"""`batchspec validate`: every problem of every spec, offline.

In: paths. Out: one line per problem on stdout, `file:line:col: path: message` (or JSON, or GitHub's annotations), and
one line per spec that is right; warnings on stderr. Exit code 2 when there is any problem.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from batchspec.cli import phrases
from batchspec.cli.console import Console
from batchspec.cli.desired import Reading, reading_of, warn
from batchspec.cli.given import Given
from batchspec.errors import Problem, SpecInvalid


def validate(console: Console, specs: Sequence[str], given: Given, *, format: str) -> int:
    """Check `specs`, in their order, each once."""
    readings = {spec: _reading(console, spec, given) for spec in dict.fromkeys(specs)}
    found = {spec: reading.problems for spec, reading in readings.items()}
    if format == "json":
        from batchspec.cli.as_json import problem_object

        console.answer |= {
            "valid": not any(found.values()),
            "specs": [
                {
                    "file": spec,
                    "valid": not reading.problems,
                    "problems": [problem_object(one) for one in reading.problems],
                    "warnings": [problem_object(one) for one in reading.warnings],
                }
                for spec, reading in readings.items()
            ],
        }
    else:
        for spec, reading in readings.items():
            _print(console, spec, reading, github=format == "github")
    _tell(console, found)
    return SpecInvalid.exit_code if any(found.values()) else 0


def _reading(console: Console, spec: str, given: Given) -> Reading:
    try:
        return reading_of(console, spec, given, given.offline_target)
    except SpecInvalid as error:
        return Reading(None, error.problems)


def _print(console: Console, spec: str, reading: Reading, *, github: bool) -> None:
    for problem in reading.problems:
        console.result(_annotation("error", problem, console.environ) if github else phrases.harmless(str(problem)))
    if github:
        for warning in reading.warnings:
            console.result(_annotation("warning", warning, console.environ))
        return
    warn(console, reading.warnings)
    if not reading.problems and not console.quiet:
        console.result(f"{phrases.harmless(spec)}: valid")


def _tell(console: Console, found: dict[str, tuple[Problem, ...]]) -> None:
    total = sum(map(len, found.values()))
    wrong = sum(1 for problems in found.values() if problems)
    if total:
        console.message(f"{phrases.count(total, 'problem')} in {wrong} of {phrases.count(len(found), 'spec')}")
    elif len(found) > 1:
        console.message(f"{phrases.count(len(found), 'spec')} valid")


def _annotation(kind: str, problem: Problem, environ: Mapping[str, str]) -> str:
    """A workflow command of GitHub Actions (docs.github.com, "Workflow commands for GitHub Actions").

    GitHub shows it at a file of the pull request only by its path in the repository, wherever the step ran.
    """
    text = f"{problem.path}: {problem.message}" if problem.path else problem.message
    problem = replace(problem, file=_in_repository(problem.file, environ.get("GITHUB_WORKSPACE", "")))
    place = f"file={_property(problem.file)},line={problem.line},col={problem.column}"
    return f"::{kind} {place}::{_data(phrases.harmless(text))}"


def _in_repository(file: str, workspace: str) -> str:
    path = Path(file).absolute()
    if workspace and path.resolve().is_relative_to(Path(workspace).resolve()):
        return path.resolve().relative_to(Path(workspace).resolve()).as_posix()
    return file


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    lines = re.split(r"([\r\n])", text)  # a file's name may have line ends, and GitHub needs them to find the file
    harmless = "".join(one if one in ("\r", "\n") else phrases.visible(one) for one in lines)
    return _data(harmless).replace(":", "%3A").replace(",", "%2C")
