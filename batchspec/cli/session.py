"""A command's work with the services: the target, the spec rendered for it, the connections, the event loop.

Place in the pipeline: every online command goes through `online`. In: what was given, and the command's coroutine. Out:
its exit code. The spec is read before anything is started, so that a wrong one costs nothing; the first line on stderr
names the target. A spec whose generators want blobs listed is rendered a second time, with what the service said.
"""

from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING

from batchspec.cli.console import Console
from batchspec.cli.desired import Need, desired_from
from batchspec.cli.given import Given
from batchspec.cli.interrupt import run_to_end
from batchspec.cloud.target import target
from batchspec.reconcile.ports import Services
from batchspec.render.model import Desired

if TYPE_CHECKING:
    from batchspec.cloud.others import OtherContainer

Work = Callable[[Desired, Services], Coroutine[object, object, int]]


def online(
    console: Console,
    spec: str,
    given: Given,
    work: Work,
    *,
    need: Need = "names",
    check: Callable[[Desired], None] = lambda desired: None,
    told: Callable[[], str] = lambda: "",
) -> int:
    """Run `work` on as much of the spec as it needs and its services.

    `check` may refuse before anything is started; `told` gives the next step when a signal stops the work.
    """
    chosen = target(given.target, console.environ)
    desired = desired_from(console, spec, given, chosen.kind, need=need, listings={})
    check(desired)
    console.answer |= {"name": desired.name, "target": chosen.kind}

    others = others_of(desired, console, trusted=need != "plan")
    for other in others.values() if need == "all" else ():
        other.refuse_unreadable()
    verbose = console.request if console.verbose else None

    async def run() -> int:
        from batchspec.cloud.connect import connect

        async with connect(chosen, others=others, verbose=verbose, say=console.message) as services:
            console.message(f"{desired.name} on {services.shown_as}")
            if not desired.unlisted or need == "names":
                return await work(desired, services)
            from batchspec.reconcile.listing import list_blobs

            listings = await list_blobs(desired.unlisted, services.blobs)
            return await work(desired_from(console, spec, given, chosen.kind, need=need, listings=listings), services)

    return run_to_end(console, run, told=told)


def others_of(desired: Desired, console: Console, *, trusted: bool) -> "Mapping[str, OtherContainer]":
    """The spec's containers of other accounts with their SAS from the environment. Raises UsageError.

    A spec that is only planned may be anybody's, and is not `trusted` to say where a SAS goes.
    """
    given = [container for container in desired.containers.values() if container.url]
    if not given:
        return {}
    from datetime import UTC, datetime

    from batchspec.cloud.others import other_container

    values = {one.name: console.environ.get(one.sas_from, "") if one.sas_from else "" for one in given}
    console.secrets += filter(None, values.values())
    now = datetime.now(UTC)
    return {one.name: other_container(one.url, one.sas_from, values[one.name], now, trusted=trusted) for one in given}
