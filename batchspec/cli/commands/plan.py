"""`batchspec plan`: what apply would do and why; changes nothing.

In: a spec. Out: the plan on stdout, and with `--out` in a file that `apply --plan` takes. Exit code 0, or 5 with
`--detailed-exitcode` when something would be changed or downloaded, or may be, since it could not be looked at; 6 when
preflight found what cannot end well.
"""

from dataclasses import replace

from batchspec.cli import as_json
from batchspec.cli.console import Console
from batchspec.cli.given import Given
from batchspec.cli.plan_file import check_place, write_plan
from batchspec.cli.session import online
from batchspec.cli.text_plan import print_plan
from batchspec.reconcile.ports import Services
from batchspec.render.model import Desired

EXIT_CHANGES = 5


def plan(
    console: Console,
    spec: str,
    given: Given,
    *,
    all_tasks: bool,
    detailed_exitcode: bool,
    retry_failed: bool,
    refresh_secrets: bool,
    out: str | None = None,
) -> int:
    """Plan the spec against the live state; `out` is the file that the plan goes to, too."""
    if out is not None:
        check_place(out)

    async def work(desired: Desired, services: Services) -> int:
        from batchspec.reconcile.freeze import Freezing
        from batchspec.reconcile.plan import plan as planned
        from batchspec.reconcile.preflight import Preflight, refuse_failed
        from batchspec.reconcile.task_reasons import with_task_reasons

        ahead = Preflight(desired, services, refresh_secrets=refresh_secrets)
        observed = await ahead.observe()
        found = planned(ahead.desired, observed, retry_failed=retry_failed, refresh_secrets=refresh_secrets)
        freezing = Freezing(desired, services.place, retry_failed=retry_failed, refresh_secrets=refresh_secrets)
        found = replace(ahead.checked(found, observed), digest=freezing.digest(found, observed))
        shown = await with_task_reasons(found, desired, observed, services.batch)
        if console.as_json:
            console.answer |= as_json.plan_object(shown)
        else:
            print_plan(console, shown, desired, all_tasks=all_tasks)
            console.flush()
        refuse_failed(found)
        if out is not None:
            write_plan(console, out, spec, freezing, found, observed)
        changes = bool(found.totals or found.downloads or found.unseen)
        return EXIT_CHANGES if detailed_exitcode and changes else 0

    return online(console, spec, given, work, need="plan")
