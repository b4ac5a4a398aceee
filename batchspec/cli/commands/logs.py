"""`batchspec logs`: what a task, or the start task of a node, wrote.

In: a spec and the id of a task or node. Out: its stdout on stdout and its stderr on stderr, as they are. With
`--follow` both at the same time, until the task ends; else first stdout, then stderr.
"""

from collections.abc import Callable, Coroutine, Sequence
from typing import Literal

from batchspec.cli.console import Console
from batchspec.cli.given import Given
from batchspec.cli.session import online
from batchspec.errors import UsageError
from batchspec.reconcile.ports import Services
from batchspec.render.model import Desired

Stream = Literal["stdout", "stderr"]


def logs(
    console: Console,
    spec: str,
    given: Given,
    *,
    task: str | None,
    node: str | None,
    streams: Sequence[Stream],
    follow: bool,
) -> int:
    """Print the output of `task`, or of the start task on `node`. With one stream asked for, it goes to stdout."""
    if (task is None) == (node is None):
        raise UsageError(
            "say which: the id of a task, or --start-task NODE",
            fix=f"for example: {given.suggest('logs', spec, 'TASK')}",
        )

    async def work(desired: Desired, services: Services) -> int:
        from asyncio import TaskGroup

        from batchspec.reconcile.logs import logs as written

        def read(stream: Stream) -> Coroutine[object, object, None]:
            write = _writer(console, "stdout" if len(streams) == 1 else stream)
            return written(desired, services, task=task, node=node, stream=stream, follow=follow, write=write)

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
