"""A spec's path to what it asks for: the way through `spec` and `render` that all commands share.

Place in the pipeline: first in every command. In: a path as typed, and what was given. Out: `Desired`, or every problem
found, of the YAML, the schema, the rules, the variables, the rendering and each task. Offline; touches no service.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from batchspec.cli.console import Console
from batchspec.cli.given import Given
from batchspec.errors import Problem, SpecInvalid
from batchspec.render.desired import check_tasks, render
from batchspec.render.model import Desired
from batchspec.spec.read import read
from batchspec.spec.variables import values

TargetKind = Literal["local", "azure"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What could be read: `desired` is None when too much is wrong; complete only when `problems` is empty."""

    desired: Desired | None
    problems: tuple[Problem, ...]


def desired_from(console: Console, spec: str, given: Given, target: TargetKind, *, tasks: bool = True) -> Desired:
    """The whole of a spec. Raises SpecInvalid with all problems; `tasks` says whether each task is looked at too."""
    reading = reading_of(console, spec, given, target, tasks=tasks)
    if reading.desired is None or reading.problems:
        raise SpecInvalid(reading.problems)
    return reading.desired
