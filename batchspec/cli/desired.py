"""A spec's path to what it asks for: the way through `spec` and `render` that all commands share.

Place in the pipeline: first in every command. In: a path as typed, and what was given. Out: `Desired`, or every problem
found, of the YAML, the schema, the rules, the variables, the rendering and each task. Offline; touches no service.
"""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Literal

from batchspec.cli import phrases
from batchspec.cli.console import Console
from batchspec.cli.given import Given
from batchspec.errors import Problem, SpecInvalid, in_order
from batchspec.render.desired import check_tasks, render
from batchspec.render.metering import MAX_RUN, RUN, SPENT
from batchspec.render.model import BlobQuery, Desired, Listing, Secret
from batchspec.render.warnings import warnings
from batchspec.spec.model import Spec
from batchspec.spec.read import read
from batchspec.spec.variables import values

TargetKind = Literal["local", "azure"]
Need = Literal["names", "bodies", "plan", "all"]
Listings = Mapping[BlobQuery, Listing | None]


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

    `all` is for sending: secrets must be there. `plan` and `bodies` do without them, since a secret is a symbol in all
    that is compared and shown; `plan` masks those that are set, which the service may hold in what it answers. For
    `names` no content is read, and problems with the files to upload are only told: what was made of files must be
    deletable when they are gone. `listings` are the blobs that generators want, None for what cannot be listed; when
    some are missing there (and it is not None), this is asked again with them, so what is only a warning is told then.
    """
    reading = reading_of(console, spec, given, target, need=need, listings=listings)
    grave = [one for one in reading.problems if not (need == "names" and one.path.startswith("uploads."))]
    if reading.desired is None or grave:
        raise SpecInvalid(reading.problems)
    for problem in reading.problems:
        console.message(f"{console.mark('warning', 'warning:', stream=console.err)} {phrases.harmless(str(problem))}")
    if need != "names" and (listings is None or listings.keys() >= set(reading.desired.unlisted)):
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
    need: Need | None = None,
    listings: Listings | None = None,
) -> Reading:
    """Read and render as far as it goes, without content (and so without fingerprints) where nobody says what needs it.

    Where services are asked, what is printed after this shows no secret of the spec. Raises SpecInvalid where there is
    no reading the file at all, UsageError.
    """
    parsed, found = read(Path(spec), spec, allow_outside=given.allow_outside)
    if parsed is None:
        return Reading(None, tuple(found))
    files = [Path(name) for name in given.files]
    environ = console.environ if need == "all" else None
    variables, unusable = values(
        parsed, given.values(), files, environ, allow_outside=given.allow_outside, frozen=given.frozen
    )
    held = _secrets(parsed, console.environ)
    if need not in (None, "bodies"):
        console.secrets += [secret.value for secret in held.values()]
    with nullcontext() if given.allow_large else RUN.limited(MAX_RUN):
        desired, faults = render(
            parsed,
            variables=variables,
            secrets=held if need in ("plan", "all") else {},
            target=target,
            allow_outside=given.allow_outside,
            fingerprints=need not in (None, "names"),
            listings={query: listing for query, listing in (listings or {}).items() if listing is not None},
        )
        broken = check_tasks(desired) if need != "names" and desired is not None else []
        if RUN.is_spent:
            broken = [*broken, parsed.document.problem((), SPENT)]
    return Reading(desired, _together(found, unusable, faults, broken), tuple(warnings(parsed, desired)))


def _secrets(spec: Spec, environ: Mapping[str, str]) -> dict[str, Secret]:
    """The values of the secret variables that are set."""
    held = {name: environ.get(one.from_env or "", "") for name, one in spec.vars.items() if one.secret}
    return {name: Secret(value) for name, value in held.items() if value}


def _together(*found: Sequence[Problem]) -> tuple[Problem, ...]:
    """All problems in order; that the spec takes too long, which is then true of all that follows, only once."""
    every = in_order(chain(*found))
    spent = next((problem for problem in every if SPENT in problem.message and problem.path), None)
    spent = spent or next((problem for problem in every if SPENT in problem.message), None)
    return tuple(problem for problem in every if problem is spent or SPENT not in problem.message)
