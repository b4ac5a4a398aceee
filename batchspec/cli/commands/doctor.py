"""`batchspec doctor`: is everything here that a spec needs, before there is one?

In: the target. Out: on stdout one line for each check, with the next step beneath one that is not fine. The local
engine is started, if need be. Exit code 1 when a check failed.
"""

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from batchspec import __version__
from batchspec.cli import as_json
from batchspec.cli.console import Console
from batchspec.cli.given import Given
from batchspec.cli.interrupt import run_to_end
from batchspec.cli.plan_entries import check_counts
from batchspec.cli.text_plan import one_check
from batchspec.cloud.target import target
from batchspec.errors import BatchspecError
from batchspec.reconcile.change import Check

_LIBRARIES = ("azure-batch", "azure-storage-blob", "azure-identity")


def doctor(console: Console, given: Given) -> int:
    """Look at the target."""
    chosen = target(given.target, console.environ)
    console.answer["target"] = chosen.kind
    checks = [Check("batchspec", "ok", ", ".join(_versions()))]

    async def run() -> int:
        from batchspec.cloud.connect import connect
        from batchspec.reconcile.doctor import examine

        try:
            verbose = console.request if console.verbose else None
            async with connect(chosen, verbose=verbose, say=console.message) as services:
                console.message(f"doctor on {services.shown_as}")
                checks.extend(await examine(services))
        except BatchspecError as error:
            checks.append(Check(chosen.shown_as.removeprefix("the "), "failed", str(error), error.fix))
        return _told(console, checks)

    return run_to_end(console, run)


def _versions() -> Iterator[str]:
    yield f"{__version__} on Python {platform.python_version()}"
    for name in _LIBRARIES:
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            yield f"{name} is not installed"


def _told(console: Console, checks: list[Check]) -> int:
    console.answer["checks"] = [as_json.check_object(check) for check in checks]
    if not console.as_json:
        for check in checks:
            for line in one_check(check):
                console.result(line.removeprefix("  "))
        console.result(f"Checks: {check_counts(checks)}")
    return int(any(check.verdict == "failed" for check in checks))
