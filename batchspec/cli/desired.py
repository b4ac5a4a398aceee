"""A spec's path to what it asks for: the way through `spec` and `render` that all commands share.

Place in the pipeline: first in every command. In: a path as typed, and what was given. Out: `Desired`, or every problem
found, of the YAML, the schema, the rules, the variables, the rendering and each task. Offline; touches no service.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from batchspec.cli import phrases
from batchspec.cli.console import Console
from batchspec.cli.given import Given
from batchspec.errors import Problem, SpecInvalid
from batchspec.render.desired import check_tasks, render, warnings
from batchspec.render.model import BlobQuery, Desired, Listing, Secret
from batchspec.spec.model import Spec
from batchspec.spec.read import read
from batchspec.spec.variables import values

TargetKind = Literal["local", "azure"]
Need = Literal["names", "bodies", "all"]
Listings = Mapping[BlobQuery, Listing]


@dataclass(frozen=True, slots=True)
class Reading:
    """What could be read: `desired` is None when too much is wrong, and complete only when `problems` is empty."""

    desired: Desired | None
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...] = ()


def desired_from(
    console: Console, spec: str, given: Given, target: TargetKind, *, need: Need, listings: Listings | None = None
) -> Desired:
    """What a command needs of a spec. Raises SpecInvalid with all problems.

    `all` is for sending: every task is looked at, and secrets must be there; `bodies` does without secrets. For `names`
    no content is read, and problems with the files to upload are only told: what was made of files must be deletable
    when they are gone. `listings` are the blobs that generators want; when some are missing there (and it is not None),
    this is asked again with them, so what is only a warning is told then.
    """
    reading = reading_of(
        console,
        spec,
        given,
        target,
        fingerprints=need != "names",
        tasks=need != "names",
        secrets=need == "all",
        mask=need != "bodies",
        listings=listings,
    )
    grave = [one for one in reading.problems if not (need == "names" and one.path.startswith("uploads."))]
    if reading.desired is None or grave:
        raise SpecInvalid(reading.problems)
    for problem in reading.problems:
        console.message(f"{console.mark('warning', 'warning:', stream=console.err)} {phrases.harmless(str(problem))}")
    if need != "names" and (listings is None or not reading.desired.unlisted):
        warn(console, reading.warnings)
    return reading.desired


def warn(console: Console, warnings: Sequence[Problem]) -> None:
    """Print warnings, which change no exit code."""
    for one in warnings:
        console.message(phrases.harmless(str(replace(one, message=f"warning: {one.message}"))))


def reading_of(
    console: Console,
    spec: str,
    given: Given,
    target: TargetKind,
    *,
    fingerprints: bool = False,
    tasks: bool = True,
    secrets: bool = False,
    mask: bool = False,
    listings: Listings | None = None,
) -> Reading:
    """Read and render as far as it goes; with `mask` what is printed later has no secret of the spec.

    Raises SpecInvalid when there is no reading the file at all, UsageError.
    """
    parsed, found = read(Path(spec), spec, allow_outside=given.allow_outside)
    if parsed is None:
        return Reading(None, tuple(found))
    files = [Path(name) for name in given.files]
    environ = console.environ if secrets else None
    variables, unusable = values(parsed, given.values(), files, environ, allow_outside=given.allow_outside)
    known = _secrets(parsed, variables)
    if mask:
        console.secrets += [console.environ.get(one.from_env or "", "") for one in parsed.vars.values() if one.secret]
    desired, faults = render(
        parsed,
        variables=variables,
        secrets=known,
        target=target,
        allow_outside=given.allow_outside,
        fingerprints=fingerprints,
        listings=listings,
    )
    broken = check_tasks(desired) if tasks and desired is not None else []
    return Reading(desired, _together(found, unusable, faults, broken), tuple(warnings(parsed, desired)))


def _secrets(spec: Spec, variables: Mapping[str, object]) -> dict[str, Secret]:
    return {name: Secret(str(variables[name])) for name, one in spec.vars.items() if one.secret and name in variables}


def _together(*found: Sequence[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted({problem for some in found for problem in some}))
