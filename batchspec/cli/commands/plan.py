"""`batchspec plan`: what apply would do and why; changes nothing.

In: a spec. Out: the plan on stdout, and with `--out` in a file that `apply --plan` takes. Exit code 0, or 5 with
`--detailed-exitcode` when something would be changed, downloaded or cleaned up, or may be, since it could not be looked
at; 6 when preflight found what cannot end well. As Markdown, what ends a run before there is a plan is on stdout, too:
a pull request shall show it.
"""

from dataclasses import replace

from batchspec.cli import as_json
from batchspec.cli.boundary import error_lines
from batchspec.cli.console import Console
from batchspec.cli.given import Given
from batchspec.cli.phrases import harmless
from batchspec.cli.plan_entries import apply_options
from batchspec.cli.plan_file import applying, check_place, write_plan
from batchspec.cli.session import online
from batchspec.cli.text_plan import print_plan
from batchspec.errors import BatchspecError
from batchspec.reconcile.change import Plan
from batchspec.reconcile.ports import Services
from batchspec.render.model import Desired

EXIT_CHANGES = 5


def plan(
    console: Console,
    spec: str,
    given: Given,
    *,
    format: str,
    all_tasks: bool,
    detailed_exitcode: bool,
    retry_failed: bool,
    refresh_secrets: bool,
    out: str | None = None,
) -> int:
    """Plan the spec against the live state; `out` is the file that the plan goes to, too."""
    again = ["--retry-failed"] * retry_failed + ["--refresh-secrets"] * refresh_secrets
    told: list[Plan] = []

    async def work(desired: Desired, services: Services) -> int:
        from batchspec.reconcile.freeze import Freezing
        from batchspec.reconcile.plan import plan as planned
        from batchspec.reconcile.preflight import Preflight, refuse_failed
        from batchspec.reconcile.task_reasons import with_task_reasons

        ahead = Preflight(desired, services, refresh_secrets=refresh_secrets)
        observed = await ahead.observe()
        found = planned(ahead.desired, observed, retry_failed=retry_failed, refresh_secrets=refresh_secrets)
        freezing = Freezing(
            desired,
            services.place,
            retry_failed=retry_failed,
            refresh_secrets=refresh_secrets,
            keep=out is not None,
        )
        found = replace(ahead.checked(found, observed), digest=freezing.digest(found, observed))
        shown = await with_task_reasons(found, desired, observed, services.batch)
        if console.as_json:
            console.answer |= as_json.plan_object(shown)
        elif format == "markdown":
            from batchspec.cli.markdown_plan import Where, document

            do = (
                given.suggest("apply", spec, *apply_options(found), *again)
                if out is None
                else applying(out, given, found)
            )
            where = Where(spec, services.shown_as, do)
            console.raw(document(shown, desired, where, mask=console.masked, all_tasks=all_tasks))
        else:
            print_plan(console, shown, desired, all_tasks=all_tasks)
        told.append(shown)
        console.flush()
        refuse_failed(found)
        if out is not None:
            write_plan(out, spec, freezing, found, observed)
            console.message(f"{harmless(out)}: written; do exactly that with: {applying(out, given, found)}")
        changes = bool(found.totals or found.downloads or found.cleanup_due or found.unseen)
        return EXIT_CHANGES if detailed_exitcode and changes else 0

    try:
        if out is not None:
            check_place(out)
        return online(console, spec, given, work, need="plan")
    except BatchspecError as error:
        if format == "markdown" and not told:
            from batchspec.cli.markdown_plan import refusal

            console.raw(refusal(spec, error_lines(error), mask=console.masked))
        raise
