"""`batchspec plan`: what apply would do and why; changes nothing.

In: a spec. Out: the plan on stdout, and with `--out` in a file that `apply --plan` takes. Exit code 0, or 5 with
`--detailed-exitcode` when something would be changed, downloaded or cleaned up, or may be, since it could not be looked
at; 6 when preflight found what cannot end well. As Markdown, what ends a run before there is a plan is on stdout, too:
a pull request shall show it.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from batchspec.cli import as_json
from batchspec.cli.boundary import error_lines
from batchspec.cli.console import Console
from batchspec.cli.given import Given, asked_words
from batchspec.cli.phrases import harmless
from batchspec.cli.plan_entries import apply_options
from batchspec.cli.plan_file import applying, check_place, write_plan
from batchspec.cli.session import online
from batchspec.cli.text_plan import print_plan
from batchspec.errors import BatchspecError
from batchspec.reconcile.asked import NOTHING, Asked
from batchspec.reconcile.change import Plan
from batchspec.reconcile.observe import Observed
from batchspec.reconcile.ports import Services
from batchspec.render.model import Desired

if TYPE_CHECKING:
    from batchspec.reconcile.freeze import Freezing

EXIT_CHANGES = 5
Format = Literal["text", "json", "markdown"]


@dataclass(frozen=True, slots=True)
class Options:
    """What was said; `out` is the file that the plan goes to, too."""

    format: Format = "text"
    all_tasks: bool = False
    detailed_exitcode: bool = False
    asked: Asked = NOTHING
    out: str | None = None


def plan(console: Console, spec: str, given: Given, options: Options) -> int:
    """Plan the spec against the live state."""
    shown = False

    async def work(desired: Desired, services: Services) -> int:
        from batchspec.reconcile.preflight import refuse_failed
        from batchspec.reconcile.task_reasons import with_task_reasons

        nonlocal shown
        found, observed, freezing = await _planned(desired, services, options)
        explained = await with_task_reasons(found, desired, observed, services.batch)
        _show(console, explained, desired, options, (spec, services.shown_as, _next(spec, given, options, found)))
        shown = True
        console.flush()
        refuse_failed(found)
        if options.out is not None:
            write_plan(options.out, spec, freezing, found, observed)
            again = applying(options.out, given, found)
            console.message(f"{harmless(options.out)}: written; do exactly that with: {again}")
        changes = bool(found.totals or found.downloads or found.cleanup_due or found.unseen)
        return EXIT_CHANGES if options.detailed_exitcode and changes else 0

    try:
        if options.out is not None:
            check_place(options.out)
        return online(console, spec, given, work, need="plan")
    except BatchspecError as error:
        if options.format == "markdown" and not shown:
            from batchspec.cli.markdown_plan import refusal

            console.raw(refusal(spec, error_lines(error), mask=console.masked))
        raise


async def _planned(desired: Desired, services: Services, options: Options) -> "tuple[Plan, Observed, Freezing]":
    """The plan with its checks and digest, and what both were made of."""
    from batchspec.reconcile.freeze import Freezing
    from batchspec.reconcile.plan import plan as planned
    from batchspec.reconcile.preflight import Preflight

    asked = options.asked
    ahead = Preflight(desired, services, refresh_secrets=asked.refresh_secrets)
    observed = await ahead.observe()
    freezing = Freezing(desired, services.place, asked, keep=options.out is not None)
    found = planned(freezing.watching(ahead.desired), observed, asked)
    return replace(ahead.checked(found, observed), digest=freezing.digest(found, observed)), observed, freezing


def _next(spec: str, given: Given, options: Options, found: Plan) -> str:
    """The command that does what was planned, and nothing else."""
    if options.out is not None:
        return applying(options.out, given, found)
    return given.suggest("apply", spec, *apply_options(found), *asked_words(options.asked))


def _show(console: Console, found: Plan, desired: Desired, options: Options, where: tuple[str, str, str]) -> None:
    """`where` is what Markdown tells beside the plan: the spec, the account, the command that does it."""
    if options.format == "json":
        console.answer |= as_json.plan_object(found)
    elif options.format == "markdown":
        from batchspec.cli.markdown_plan import Where, document

        console.raw(document(found, desired, Where(*where), mask=console.masked, all_tasks=options.all_tasks))
    else:
        print_plan(console, found, desired, all_tasks=options.all_tasks)
