"""`batchspec download`: only the download step; what is here already is not fetched again.

In: a spec. Out: files where the spec says, and a line on stdout.
"""

from batchspec.cli import phrases
from batchspec.cli.console import Console
from batchspec.cli.given import Given
from batchspec.cli.progress import reporting
from batchspec.cli.session import online
from batchspec.reconcile.ports import Services
from batchspec.render.model import Desired


def download(console: Console, spec: str, given: Given) -> int:
    """Bring the outputs here."""

    async def work(desired: Desired, services: Services) -> int:
        from batchspec.reconcile.fetch import download as fetched

        with reporting(console) as report:
            number = await fetched(desired, services, report=report)
        if not desired.downloads:
            console.result("Nothing to do: the spec has no downloads")
        elif number == 0:
            console.result("Nothing to do")
        else:
            places = dict.fromkeys(phrases.harmless(one.shown_as) for one in desired.downloads)
            console.result(f"Downloaded {phrases.count(number, 'file')} to {', '.join(places)}")
        return 0

    return online(console, spec, given, work)
