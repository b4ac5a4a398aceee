"""What somebody has reviewed, and what `apply` is held to: a digest, or a plan in a file.

Place in the pipeline: `apply` makes one from its options; its dialogue asks it before the first write, and again under
the lock. In: the plan that would be carried out. Out: nothing, or PlanStale with what has changed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, cast

from batchspec.cli import phrases
from batchspec.cli.given import Given
from batchspec.cli.text_reasons import around_the_difference
from batchspec.errors import Difference, PlanStale
from batchspec.reconcile.asked import Asked
from batchspec.reconcile.change import SHORT_DIGITS, Plan
from batchspec.reconcile.observe import Observed
from batchspec.render.model import Desired
from batchspec.render.symbolic import Json

if TYPE_CHECKING:
    from batchspec.reconcile.freeze import Freezing
    from batchspec.reconcile.frozen import Frozen

_COLUMNS = 118
_SHOWN = 20
_KEPT = 1000
_LONGEST_NAME = 1000


@dataclass(frozen=True, slots=True)
class Reviewed:
    """`digest` is that of the plan, whole or its first digits; `frozen` is the plan itself, from `file`."""

    digest: str | None = None
    file: str = ""
    frozen: "Frozen | None" = None

    def __bool__(self) -> bool:
        return self.digest is not None or self.frozen is not None

    def asked(self, typed: Asked) -> Asked:
        """What is asked for in all, on the command line and by the plan."""
        if self.frozen is None:
            return typed
        planned = self.frozen.asked
        return Asked(
            typed.retry_failed or planned.retry_failed,
            typed.refresh_secrets or planned.refresh_secrets,
            planned.retried,
        )

    def refuse_other(self, desired: Desired) -> None:
        """Raise PlanStale when the spec is another one, or the file holds another plan than the digest's."""
        if self.frozen is None:
            return
        if self.digest is not None and not self.frozen.digest.startswith(self.digest):
            found = self.frozen.digest[:SHORT_DIGITS]
            raise PlanStale(f"the plan in {self.file} has the digest {found}, not {self.digest[:SHORT_DIGITS]}")
        if self.frozen.name != desired.name:
            different = Difference("the spec's name", self.frozen.name, desired.name)
            raise PlanStale(f"the plan in {self.file} is of another spec\n{_line(different)}", differences=[different])

    def refuse_stale(self, plan: Plan, observed: Observed, freezing: "Freezing", *, see: str) -> None:
        """Raise PlanStale when it is not what would be done now; `see` is the command that shows that."""
        fix = f"see what it would do now: {see}"
        if self.frozen is not None:
            from batchspec.reconcile.staleness import differences

            error = stale(self.file, differences(self.frozen, freezing, plan, observed), fix=fix)
            if error is not None:
                raise error
        elif self.digest is not None:
            now = freezing.digest(plan, observed)
            if not now.startswith(self.digest):
                raise PlanStale(
                    f"the plan made now has the digest {now[:SHORT_DIGITS]}, not {self.digest[:SHORT_DIGITS]}: the "
                    "spec, its inputs or what is there has changed since it was reviewed; nothing was changed",
                    fix=fix,
                )


def stale(file: str, every: Iterator[Difference], *, fix: str) -> PlanStale | None:
    """The error that tells the first differences and how many more there are; None when there is none."""
    found = list(islice(every, _KEPT))
    if not found:
        return None
    more = len(found) - _SHOWN + sum(1 for _ in every)
    lines = [line for one in found[:_SHOWN] for line in _lines(one)] + [f"and {more:,} more"] * (more > 0)
    told = f"the plan in {file} is stale, and nothing was changed; since it was made, this has:"
    return PlanStale("\n".join([told, *lines]), fix=fix, differences=found)


def reviewed(
    spec: str | None, given: Given, *, digest: str | None, plan_file: str | None
) -> tuple[Reviewed, str, Given]:
    """What was reviewed, the path of its spec, and what is given with the plan's own variables. Raises UsageError."""
    if plan_file is None:
        assert spec is not None  # the parser asks for one of both
        return Reviewed(digest), spec, given
    from batchspec.cli.plan_file import find_spec, read_plan

    frozen = read_plan(plan_file)
    path = spec if spec is not None else find_spec(frozen, plan_file)
    return Reviewed(digest, plan_file, frozen), path, replace(given, frozen=frozen.variables)


def _line(one: Difference) -> str:
    return "\n".join(_lines(one))


def _lines(one: Difference) -> Iterator[str]:
    """The difference on one line, or on three when the values are long."""
    path = phrases.snake(one.path)
    named = one.what + ("" if path.startswith("[") else ", ") + path if path else one.what
    what = phrases.cut(phrases.harmless(named), _LONGEST_NAME)
    was, now = (phrases.whole_value(cast("Json", value)) for value in (one.was, one.now))
    line = f"{what}: was {was}, is {now}"
    if len(line) <= _COLUMNS:
        yield line
        return
    was, now = around_the_difference(was, now, _COLUMNS - 6)
    yield from (f"{what}:", f"  was {was}", f"  is  {now}")
