"""The file of a frozen plan: where it is written, and how it is read and its spec is found.

Place in the pipeline: `plan --out` and `apply --plan`. In: paths as typed. Out: the file, or `Frozen` and the path of
its spec. Its spec is looked for in the repository, or below the folder, that the command runs in, so that a plan made
in one checkout can be applied in another.
"""

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from batchspec.cli.given import Given
from batchspec.cli.output_file import write_file
from batchspec.cli.phrases import command_line
from batchspec.errors import LocalIOFailed, PlanRefused, UsageError
from batchspec.reconcile.change import Plan
from batchspec.reconcile.freeze import Freezing
from batchspec.reconcile.frozen import HEAD, MAX_BYTES, Frozen, NotFrozen, file_text, frozen_from
from batchspec.reconcile.observe import Observed
from batchspec.spec.opening import git_root, opened


def check_place(name: str) -> None:
    """Raise UsageError when writing a plan there would cost something that is no plan."""
    path = Path(name)
    try:
        if not path.is_file() or not path.stat().st_size:
            return
        with path.open("rb") as file:
            is_plan = file.read(len(HEAD)) == HEAD.encode()
    except OSError as error:
        raise LocalIOFailed("read", path, error) from error
    if not is_plan:
        raise UsageError(f"--out {name} is there and is no plan, so it is not overwritten", fix="give another name")


def write_plan(name: str, spec: str, freezing: Freezing, plan: Plan, observed: Observed) -> None:
    """Write a plan that has its digest, whole or not at all. Raises LocalIOFailed and PlanRefused."""
    if not plan.digest:
        lacking = "; ".join(plan.unseen)
        raise PlanRefused(f"--out {name} was not written: the plan could not look at everything: {lacking}")
    write_file(Path(name), _counted(file_text(freezing, plan, observed, place_of_spec(spec))))


def applying(name: str, given: Given, plan: Plan) -> str:
    """The command that does what a plan in a file says, for the same target; the file knows the variables."""
    again = replace(given, variables=(), files=())
    return again.suggest("apply --plan", name, *["--force"] * bool(plan.too_much))


def _counted(pieces: Iterable[str]) -> Iterable[str]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > MAX_BYTES:
            raise PlanRefused(f"the plan has more than {MAX_BYTES:,} bytes; no file was written", fix="split the spec")
        yield piece


def read_plan(name: str) -> Frozen:
    """Read a plan back. Raises UsageError."""
    again = "make one with: batchspec plan SPEC --out FILE"
    try:
        with opened(Path(name)) as file:
            return frozen_from(file.read(MAX_BYTES + 1))
    except NotFrozen as error:
        raise UsageError(f"--plan {name}: {error}", fix=again) from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(f"--plan {name}: cannot be read: {reason}", fix=again) from error


def place_of_spec(spec: str) -> str:
    """The spec's path from the root of its repository, else from the current folder, else its name; with `/`."""
    folder = Path(os.path.abspath(spec)).parent.resolve()  # noqa: PTH100 - the folder of a link, not where it leads
    path = folder / Path(spec).name
    root = git_root(folder) or Path.cwd()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def find_spec(frozen: Frozen, name: str) -> str:
    """The path of a plan's spec from here. Raises UsageError when it is not here."""
    here = Path.cwd()
    for root in (git_root(here), here):
        path = root / frozen.spec_file if root is not None else None
        if path is not None and path.is_file():
            return os.path.relpath(path)
    said = command_line(["batchspec", "apply", "SPEC", "--plan", name])
    raise UsageError(
        f"--plan {name} is of the spec {frozen.spec_file}, which is not here",
        fix=f"run it in a checkout of the spec, or say where it is: {said}",
    )
