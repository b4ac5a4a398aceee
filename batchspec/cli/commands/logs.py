"""`batchspec logs`: what a task wrote, or the start task, job preparation or job release task of a node.

In: a spec and the id of a task or node. Out: its stdout on stdout and its stderr on stderr, as they are. With
`--follow` both at the same time, until the task ends; else first stdout, then stderr.
"""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Literal

from batchspec.cli.console import Console
from batchspec.cli.given import Given
from batchspec.cli.session import online
from batchspec.errors import UsageError
from batchspec.reconcile.outcome import NodeTask
from batchspec.reconcile.ports import Services
from batchspec.render.model import Desired

Stream = Literal["stdout", "stderr"]
Kind = Literal["task", "start task"] | NodeTask


def logs(
    console: Console,
    spec: str,
    given: Given,
    *,
    of: Mapping[Kind, str | None],
    streams: Sequence[Stream],
    follow: bool,
) -> int:
    """Print the output of the one that `of` names: a task by its id, or what belongs to a node by the node's.

    With one stream asked for, it goes to stdout.
    """
    named = [(kind, name) for kind, name in of.items() if name is not None]
    if len(named) != 1:
        raise UsageError(
            "say which: the id of a task, --start-task NODE, --preparation NODE or --release NODE",
            fix=f"for example: {given.suggest('logs', spec, 'TASK')}",
        )
    ((kind, name),) = named

    async def work(desired: Desired, services: Services) -> int:
        from asyncio import TaskGroup

        from batchspec.reconcile.logs import Writer
        from batchspec.reconcile.logs import logs as written

        writer = Writer(name, kind)

        def read(stream: Stream) -> Coroutine[object, object, None]:
            write = _writer(console, "stdout" if len(streams) == 1 else stream)
            return written(desired, services, writer, stream=stream, follow=follow, write=write)

        if not follow:
            for stream in streams:
                await read(stream)
            return 0
        async with TaskGroup() as group:
            for stream in streams:
                group.create_task(read(stream))
        return 0

    return online(console, spec, given, work)


def _writer(console: Console, stream: Stream) -> Callable[[str], None]:
    def to_stdout(text: str) -> None:
        console.raw(text)
        console.flush()

    def to_stderr(text: str) -> None:
        try:
            console.err.write(console.masked(text))
            console.err.flush()
        except OSError:
            pass

    return to_stdout if stream == "stdout" else to_stderr
