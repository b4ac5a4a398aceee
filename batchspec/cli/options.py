"""What each command takes, and its examples: one function per command adds its options to a parser.

Place in the pipeline: `parser` makes the command line of the table `COMMANDS`. In: an empty parser. Out: the same with
options, whose values `main` hands to the commands.
"""

import argparse
import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """A command's name, what it does in a few words, what adds its options, and command lines to copy."""

    name: str
    summary: str
    build: Callable[[argparse.ArgumentParser], None]
    examples: tuple[str, ...]


_FAULTS = """\
  fault                        list faults and lowered quotas
  fault 503                    answer with a status (400 to 599); --retry-after S, --code CODE, --after
  fault drop                   drop the connection; --after the request had its effect
  fault delay SECONDS          answer later
  fault upload [CODE]          output files cannot be uploaded (FileUploadMiscError)
  fault download [CODE]        resource files cannot be fetched (BlobDownloadMiscError)
  fault node-start [POOL]      a node does not start
  fault preempt POOL [NODE]    take Spot nodes away, all or --next N; they return after --absent S (1)
  fault quota NAME=N ...       lower a quota: pools, active_jobs, dedicated_cores, low_priority_cores
  fault reset [NUMBER]         forget one fault, or all and restore the quotas
which requests: --on OPERATION (create_task ...), --method POST, --path '/jobs/*' (* is anything);
how often: --next N (the next N, 1 unless said otherwise) or --every N (every Nth until a reset)"""


def _spec(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("spec", metavar="SPEC", help="the spec file")


def _spec_or_plan(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("spec", metavar="SPEC", nargs="?", help="the spec file; a plan knows it")


def _format(parser: argparse.ArgumentParser, *formats: str) -> None:
    parser.add_argument("--format", choices=formats, default=formats[0], help=f"{formats[0]} unless said otherwise")


def _yes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="do not ask")


def _validate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("specs", metavar="SPEC", nargs="+", help="spec files")
    _format(parser, "text", "json", "github")


def _render(parser: argparse.ArgumentParser) -> None:
    _spec(parser)
    formats = "yaml unless said otherwise, or unless FILE ends in .json"
    parser.add_argument("--format", choices=("yaml", "json"), help=formats)
    parser.add_argument("--task", metavar="ID", help="only the task with this id")
    parser.add_argument("--limit", metavar="N", type=_number, help="at most N tasks")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--out", metavar="FILE", help="write it to FILE")
    where.add_argument(
        "--check", metavar="FILE", help="compare it with FILE; when it differs, show how and exit with 5"
    )


def _plan(parser: argparse.ArgumentParser) -> None:
    _spec(parser)
    _format(parser, "text", "json", "markdown")
    parser.add_argument("--all-tasks", action="store_true", help="name every task, not only the first ones")
    parser.add_argument("--detailed-exitcode", action="store_true", help="exit with 5 when there are changes")
    parser.add_argument("--retry-failed", action="store_true", help="plan it with failed tasks and nodes started again")
    parser.add_argument("--refresh-secrets", action="store_true", help="plan it with secrets sent again")
    parser.add_argument("--out", metavar="FILE", help="write the plan to FILE, for apply to do exactly that")


def _apply(parser: argparse.ArgumentParser) -> None:
    _spec_or_plan(parser)
    _format(parser, "text", "json")
    _yes(parser)
    parser.add_argument(
        "--force", action="store_true", help="even when most of the tasks, or a pool at work, are deleted or replaced"
    )
    parser.add_argument("--no-wait", action="store_true", help="submit, and do not wait for the tasks")
    parser.add_argument("--retry-failed", action="store_true", help="run failed tasks again, and start failed nodes")
    parser.add_argument("--refresh-secrets", action="store_true", help="send again what holds a secret variable")
    parser.add_argument("--plan", metavar="FILE", help="do exactly what the plan in FILE says, or nothing")
    parser.add_argument("--digest", metavar="D", type=_digest, help="only if it is the digest of the plan made now")


def _status(parser: argparse.ArgumentParser) -> None:
    _spec(parser)
    _format(parser, "text", "json")
    parser.add_argument("--watch", action="store_true", help="show it again until all tasks have ended")


def _logs(parser: argparse.ArgumentParser) -> None:
    _spec(parser)
    parser.add_argument("task", metavar="TASK", nargs="?", help="the task's id")
    parser.add_argument("--start-task", metavar="NODE", help="the start task of this node instead")
    parser.add_argument("--preparation", metavar="NODE", help="the job preparation task on this node")
    parser.add_argument("--release", metavar="NODE", help="the job release task on this node")
    parser.add_argument("--stderr", action="store_true", help="only stderr")
    parser.add_argument("--follow", action="store_true", help="go on until the task ends")


def _delete(parser: argparse.ArgumentParser) -> None:
    _spec(parser)
    _yes(parser)
    parser.add_argument(
        "--keep",
        action="append",
        metavar="WHAT",
        help="leave pool, job, schedule, container.KEY (comma separated)",
    )


def _init(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", nargs="?", default="batch.yaml", help="the spec to write (batch.yaml)")
    kinds = ("per-file", "sweep", "container")
    parser.add_argument("--kind", choices=kinds, default=kinds[0], help=f"{kinds[0]} unless said otherwise")
    parser.add_argument("--force", action="store_true", help="overwrite files that are there")


def _doctor(parser: argparse.ArgumentParser) -> None:
    _format(parser, "text", "json")


def _import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pool", metavar="ID", help="the pool with this id")
    parser.add_argument("--job", metavar="ID", help="the job with this id, and its tasks")
    parser.add_argument("--schedule", metavar="ID", help="the job schedule with this id, without the jobs that it made")
    parser.add_argument("--no-tasks", action="store_true", help="the job without its tasks")
    parser.add_argument("--out", metavar="FILE", help="write to a file instead of stdout; many tasks need one")
    parser.add_argument("--force", action="store_true", help="overwrite files that are there")


def _schema(parser: argparse.ArgumentParser) -> None:
    output = "of what plan, apply, status and doctor print as JSON"
    what = f"of a spec unless said otherwise, of a plan in a file, or {output}"
    parser.add_argument("--of", choices=("spec", "plan", "output"), default="spec", help=what)


def _engine(parser: argparse.ArgumentParser) -> None:
    actions = ("start", "stop", "status", "reset", "env", "fault")
    parser.add_argument("action", choices=actions, help="what to do")
    parser.add_argument("words", metavar="WORD", nargs="*", help="with fault: which one, see below")
    _fault(parser)
    parser.epilog = f"{parser.epilog}\n\nfaults on demand:\n{_FAULTS}"
    _format(parser, "text", "json")
    _yes(parser)


def _fault(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("options of engine fault")
    group.add_argument("--on", metavar="OPERATION", help="only requests of this operation, such as create_task")
    group.add_argument("--method", metavar="METHOD", help="only requests with this method")
    group.add_argument("--path", metavar="PATTERN", help="only requests to such a path; * is anything")
    often = group.add_mutually_exclusive_group()
    often.add_argument("--next", metavar="N", type=_number, help="the next N requests (1 unless said otherwise)")
    often.add_argument("--every", metavar="N", type=_number, help="every Nth request, until a reset")
    group.add_argument("--after", action="store_true", help="after the request had its effect")
    group.add_argument("--retry-after", metavar="S", type=_seconds, help="with a status: the Retry-After header")
    group.add_argument("--code", metavar="CODE", help="with a status: the error's code")
    group.add_argument("--absent", metavar="S", type=_seconds, help="with preempt: how long the nodes stay away")


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"expected a number of seconds, not {text!r}") from error
    if not 0 <= value <= 86_400:
        raise argparse.ArgumentTypeError(f"expected 0 to 86400 seconds, not {text!r}")
    return value


def _digest(text: str) -> str:
    """A digest as `plan` prints it, or the whole one that JSON has."""
    if not re.fullmatch("[0-9a-fA-F]{12,64}", text):
        raise argparse.ArgumentTypeError(f"expected 12 to 64 hexadecimal digits, not {text!r}")
    return text.lower()


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"expected a whole number, 0 or more, not {text!r}")
    return int(text[:18])


COMMANDS = (
    Command(
        "validate",
        "check specs offline and report every problem at once",
        _validate,
        ("batchspec validate specs/*.yaml", "batchspec validate specs/topwords.yaml --format github"),
    ),
    Command(
        "render",
        "print everything that would be sent, rendered, with secrets masked",
        _render,
        (
            "batchspec render specs/topwords.yaml --var numwords=5",
            "batchspec render specs/ffmpeg.yaml --task tone",
            "batchspec render specs/topwords.yaml --out specs/rendered/topwords.yaml",
            "batchspec render specs/topwords.yaml --check specs/rendered/topwords.yaml",
        ),
    ),
    Command(
        "plan",
        "show what apply would do, and why; changes nothing",
        _plan,
        (
            "batchspec plan specs/topwords.yaml",
            "batchspec plan specs/topwords.yaml --all-tasks",
            "batchspec plan specs/topwords.yaml --format json --detailed-exitcode",
            "batchspec plan specs/topwords.yaml --var numwords=5 --out topwords.plan.json",
            "batchspec plan specs/topwords.yaml --format markdown > comment.md",
        ),
    ),
    Command(
        "apply",
        "make it so: create, upload, run, wait, download; again, it does only what is missing",
        _apply,
        (
            "batchspec apply specs/topwords.yaml",
            "batchspec apply specs/topwords.yaml --yes --retry-failed",
            "batchspec apply specs/topwords.yaml --yes --force --var numwords=7",
            "batchspec apply specs/topwords.yaml --target azure --no-wait",
            "batchspec apply specs/topwords.yaml --digest 3f2a91c07b5e",
            "batchspec apply --plan topwords.plan.json",
        ),
    ),
    Command(
        "status",
        "show pool, nodes, job, tasks, and failures by cause",
        _status,
        ("batchspec status specs/topwords.yaml", "batchspec status specs/topwords.yaml --watch"),
    ),
    Command(
        "logs",
        "print what a task wrote, or the start, job preparation or job release task of a node",
        _logs,
        (
            "batchspec logs specs/topwords.yaml harbour",
            "batchspec logs specs/topwords.yaml harbour --stderr --follow",
            "batchspec logs specs/topwords.yaml --start-task NODE",
            "batchspec logs specs/job-preparation.yaml --preparation NODE",
        ),
    ),
    Command(
        "download",
        "bring the results here; only what is missing or differs",
        _spec,
        ("batchspec download specs/topwords.yaml",),
    ),
    Command(
        "delete",
        "list what this spec owns, ask, and delete it",
        _delete,
        (
            "batchspec delete specs/topwords.yaml",
            "batchspec delete specs/topwords.yaml --yes --keep pool,container.output",
        ),
    ),
    Command(
        "init",
        "write a spec to begin with, and what it needs to run as it is",
        _init,
        ("batchspec init", "batchspec init study.yaml --kind sweep"),
    ),
    Command(
        "doctor",
        "check the target before there is a spec: the engine or the credentials, the clock, the quotas",
        _doctor,
        ("batchspec doctor", "batchspec doctor --target azure -v"),
    ),
    Command(
        "import",
        "write a spec of a pool and a job that are there; a plan of it has nothing to do",
        _import,
        ("batchspec import --pool my-pool", "batchspec import --pool my-pool --job my-job --out my-job.yaml"),
    ),
    Command(
        "schema",
        "print the JSON Schema of a spec, or of what batchspec writes",
        _schema,
        ("batchspec schema > batchspec-v1.schema.json", "batchspec schema --of output"),
    ),
    Command(
        "engine",
        "the local engine: start, stop, status, reset (its state), env (variables for any client), faults on demand",
        _engine,
        (
            "batchspec engine start",
            'eval "$(batchspec engine env)"',
            "batchspec engine reset --yes",
            "batchspec engine fault 503 --retry-after 2 --on create_task_collection --next 3",
            "batchspec engine fault drop --after --method POST --path '/jobs/*'",
            "batchspec engine fault preempt my-pool",
            "batchspec engine fault reset",
        ),
    ),
)
