"""The program: words in, exit code out.

Place in the pipeline: the entry point. It parses, makes the console, and calls one function per command with plain
arguments inside the boundary. It imports a command's module only when that command is run: `validate`, `render`,
`schema` and `--help` must start fast, and the Azure SDKs, rich and asyncio cost more than they do in all.
"""

import gc
import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from batchspec.cli.boundary import run_guarded
from batchspec.cli.console import Console
from batchspec.cli.given import Given
from batchspec.cli.parser import parse
from batchspec.errors import UsageError

if TYPE_CHECKING:
    from batchspec.cli.commands.engine_fault import Options as Fault
    from batchspec.reconcile.asked import Asked


def main(words: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; raises nothing."""
    # Hundreds of classes and thousands of tasks are made and kept: looking for garbage every 700 objects finds none.
    gc.set_threshold(50_000, 10, 10)
    _open_closed_streams()
    console = Console(sys.stdout, sys.stderr, environ=os.environ)
    return run_guarded(console, lambda: _run(console, sys.argv[1:] if words is None else words))


def _open_closed_streams() -> None:
    """Python sets a stream to None that was closed before the start; its number would else go to the next socket."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))


def _run(console: Console, words: Sequence[str]) -> int:
    try:
        args = parse(words)
    except SystemExit:  # --help and --version have printed
        return 0
    except UsageError:
        command = next((word for word in words if word in _COMMANDS), "")
        asked = "--format=json" in words or ("--format", "json") in pairwise(words)
        _answer_as(console, command, "json" if asked and command else "")
        raise
    console.quiet, console.verbose = args.quiet, args.verbose
    _answer_as(console, args.command, getattr(args, "format", ""))
    given = Given(args.variables, args.files, args.target, args.allow_outside, args.allow_large)
    return _COMMANDS[args.command](console, given, args)


def _answer_as(console: Console, command: str, format: str) -> None:
    """As JSON the answer of a command is one object, however it ends; but a rendering is one of its own."""
    console.as_json = format == "json" and command != "render"
    console.answer = {"version": 1, "command": command}


def _validate(console: Console, given: Given, args: Namespace) -> int:
    from batchspec.cli.commands.validate import validate

    return validate(console, args.specs, given, format=args.format)


def _render(console: Console, given: Given, args: Namespace) -> int:
    from batchspec.cli.commands.render import Options, render

    options = Options(format=args.format, task=args.task, limit=args.limit, check=args.check, out=args.out)
    return render(console, args.spec, given, options)


def _plan(console: Console, given: Given, args: Namespace) -> int:
    from batchspec.cli.commands.plan import Options, plan

    options = Options(
        format=args.format,
        all_tasks=args.all_tasks,
        detailed_exitcode=args.detailed_exitcode,
        asked=_asked(args),
        out=args.out,
    )
    return plan(console, args.spec, given, options)


def _apply(console: Console, given: Given, args: Namespace) -> int:
    from batchspec.cli.commands.apply import Options, apply

    options = Options(
        yes=args.yes,
        force=args.force,
        wait=not args.no_wait,
        asked=_asked(args),
        digest=args.digest,
        plan_file=args.plan,
    )
    return apply(console, args.spec, given, options)


def _asked(args: Namespace) -> "Asked":
    from batchspec.reconcile.asked import Asked

    return Asked(args.retry_failed, args.refresh_secrets)


def _status(console: Console, given: Given, args: Namespace) -> int:
    from batchspec.cli.commands.status import status

    return status(console, args.spec, given, watch=args.watch)


def _logs(console: Console, given: Given, args: Namespace) -> int:
    from batchspec.cli.commands.logs import logs

    return logs(
        console,
        args.spec,
        given,
        of={
            "task": args.task,
            "start task": args.start_task,
            "job preparation task": args.preparation,
            "job release task": args.release,
        },
        streams=("stderr",) if args.stderr else ("stdout", "stderr"),
        follow=args.follow,
    )


def _download(console: Console, given: Given, args: Namespace) -> int:
    from batchspec.cli.commands.download import download

    return download(console, args.spec, given)


def _delete(console: Console, given: Given, args: Namespace) -> int:
    from batchspec.cli.commands.delete import delete

    return delete(console, args.spec, given, yes=args.yes, keep=args.keep or ())


def _init(console: Console, given: Given, args: Namespace) -> int:
    from batchspec.cli.commands.init import init

    del given
    return init(console, args.file, kind=args.kind, force=args.force)


def _doctor(console: Console, given: Given, args: Namespace) -> int:
    from batchspec.cli.commands.doctor import doctor

    del args
    return doctor(console, given)


def _import(console: Console, given: Given, args: Namespace) -> int:
    from batchspec.cli.commands.import_ import import_
    from batchspec.importing.live import Wanted

    wanted = Wanted(args.pool, args.job, tasks=not args.no_tasks, schedule=args.schedule)
    return import_(console, given, wanted, out=args.out, force=args.force)


def _schema(console: Console, given: Given, args: Namespace) -> int:
    from batchspec.cli.commands.schema import schema

    del given
    return schema(console, args.of)


def _engine(console: Console, given: Given, args: Namespace) -> int:
    from batchspec.cli.commands.engine import engine, engine_fault

    del given
    if args.action == "fault":
        return engine_fault(console, args.words, _fault_options(args))
    return engine(console, args.action, yes=args.yes)


def _fault_options(args: Namespace) -> "Fault":
    from batchspec.cli.commands.engine_fault import Options

    return Options(
        operation=args.on,
        method=args.method,
        path=args.path,
        next=args.next,
        every=args.every,
        after=args.after,
        retry_after_s=args.retry_after,
        code=args.code,
        absent_s=args.absent,
    )


_COMMANDS = {
    "validate": _validate,
    "render": _render,
    "plan": _plan,
    "apply": _apply,
    "status": _status,
    "logs": _logs,
    "download": _download,
    "delete": _delete,
    "init": _init,
    "doctor": _doctor,
    "import": _import,
    "schema": _schema,
    "engine": _engine,
}
