"""The one place where an error becomes a message and an exit code.

Place in the pipeline: `main` runs every command inside `run_guarded`. In: a command. Out: its exit code, or that of the
error that ended it (see `errors`), or 70 for a bug, whose traceback goes to a log and never to the person. In JSON mode
the command's answer is completed with `exit_code` and `error` and printed here, once, whatever happened.
"""

from collections.abc import Callable

from batchspec.cli import phrases
from batchspec.cli.console import Console, OutputClosed, drop_output
from batchspec.errors import BatchspecError, Interrupted, SpecInvalid

EXIT_BUG = 70
EXIT_OUTPUT_CLOSED = 1


def run_guarded(console: Console, command: Callable[[], int]) -> int:
    """Run a command to its exit code; raises nothing."""
    try:
        try:
            code = _answered(console, command)
        except KeyboardInterrupt:
            code = _failed(console, Interrupted("interrupted"))
        console.flush()
    except OutputClosed:
        drop_output(console)
        return EXIT_OUTPUT_CLOSED
    except BatchspecError as error:  # stdout itself cannot be written
        drop_output(console)
        print_error(console, error)
        return error.exit_code
    return code


def _answered(console: Console, command: Callable[[], int]) -> int:
    try:
        code = command()
    except OutputClosed:
        raise
    except BatchspecError as error:
        return _failed(console, error)
    except Exception as error:  # noqa: BLE001 the boundary: what is not in the tree of errors is a bug
        cause = _told_by(error)
        if isinstance(cause, OutputClosed):
            raise cause from None
        return _failed(console, cause) if isinstance(cause, BatchspecError) else _bug(console, error)
    _answer(console, code, None)
    return code


def _told_by(error: Exception) -> Exception | None:
    """The first error of ours in a group of errors, which tasks running side by side may raise."""
    if isinstance(error, BatchspecError | OutputClosed):
        return error
    if isinstance(error, ExceptionGroup):
        causes = [_told_by(one) for one in error.exceptions]
        return None if None in causes else causes[0]
    return None


def _failed(console: Console, error: BatchspecError) -> int:
    from batchspec.cli.as_json import error_object

    print_error(console, error)
    _answer(console, error.exit_code, error_object(error) if console.as_json else None)
    return error.exit_code


def _bug(console: Console, error: Exception) -> int:
    from batchspec.cli import crash

    path = crash.write_log(error, console.environ, console.secrets)
    told = phrases.harmless(crash.masked(f"{type(error).__name__}: {error}", console.environ, console.secrets))
    where = str(path) if path is not None else "could not be written"
    console.error(f"{_word(console)} this is a bug in batchspec: {told[:300]}")
    console.error(f"  The log with the traceback: {phrases.harmless(where)}")
    _answer(console, EXIT_BUG, {"kind": "Bug", "message": told, "fix": "", "log": where})
    return EXIT_BUG


def _answer(console: Console, code: int, error: object) -> None:
    if not console.as_json:
        return
    import json

    text = json.dumps({**console.answer, "exit_code": code, "error": error}, ensure_ascii=False)
    console.result(phrases.shown_json(text))


def print_error(console: Console, error: BatchspecError) -> None:
    """The error on stderr: a spec's problems one per line; else the message, and the next step beneath."""
    word = "" if isinstance(error, SpecInvalid) else f"{_word(console)} "
    for at, line in enumerate(error_lines(error)):
        console.error(line if at else word + line)


def error_lines(error: BatchspecError) -> list[str]:
    """The lines that tell of an error, harmless and without signatures."""
    if isinstance(error, SpecInvalid):
        return [phrases.harmless(str(problem)) for problem in error.problems]
    first, *rest = phrases.without_signatures(str(error)).rstrip().split("\n")
    more = (f"  {phrases.harmless_line(line)}" for line in (*rest, *error.fix.splitlines()))
    return [phrases.harmless(first), *more]


def _word(console: Console) -> str:
    return console.mark("error", "error:", stream=console.err)
