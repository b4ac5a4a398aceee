"""Every error batchspec raises, and the exit code each means.

    BatchspecError                1   the root; never raised itself
    ├── UsageError                2   the command line is wrong
    ├── SpecInvalid               2   the spec is wrong; carries every Problem found
    ├── ServiceRefused            1   Azure Batch or Blob Storage said no
    ├── NotThere                  1   what was named does not exist in the service
    ├── ServiceUnreachable        1   nobody answered, or not in time
    ├── EngineFailed              1   the local engine could not be started or installed
    ├── LocalIOFailed             1   a local file could not be read or written
    ├── TransferFailed            1   a download or upload was not completed
    ├── TasksFailed               3   tasks ended in failure
    ├── StartTaskFailed           3   the start task failed on every node
    ├── PreparationFailed         3   the job preparation task failed on every node
    ├── TimedOut                  4   waiting took longer than the spec allows
    ├── PlanRefused               6   nothing was changed
    │   ├── ForeignOwner              something of that name is not this spec's
    │   ├── Locked                    another client is applying this spec
    │   ├── PlanStale                 what would be done now is not what was reviewed
    │   ├── TooMuchAtOnce             most of what is there would go, and nobody said --force
    │   └── Declined                  a question was answered no, or could not be asked
    └── Interrupted             130   the person pressed Ctrl-C

Place in the pipeline: below every room. An error carries its message, the next step (`fix`) and, for a spec, the
positions; it never carries a secret, and it never prints. `cli` alone turns it into text and an exit code. What is
not in this tree is a bug: exit code 70.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong in a spec.

    `file` is the spec file (or the variables file) as the person named it; `line` and `column` count from 1, columns in
    characters; `path` is dotted (`pool.vm_size`, `tasks[0].id`), empty for the whole document; `message` says the
    value seen, what was expected and, where there is one, the suggestion.
    """

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}"
        return f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not as it was when a plan was made.

    `what` names it; `path` is the dotted REST path of a property of it, or empty. `was` and `now` are JSON values.
    """

    what: str
    was: object
    now: object
    path: str = ""


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """The problems by place, none twice: what stands at one place of the file and is used by several paths (by aliases
    and merge keys) is told at the first of them."""
    first: dict[object, Problem] = {}
    for one in sorted(problems):
        word = one.path.rsplit(".", 1)[-1].split("[", 1)[0]
        first.setdefault((one.file, one.line, one.column, word, one.message), one)
    return list(first.values())


class BatchspecError(Exception):
    """The root of the tree. `str(error)` is the message; `fix` is the next step in one line, or empty."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(message)
        self.fix = fix


class UsageError(BatchspecError):
    """The command line, a variable or the environment is not usable."""

    exit_code = 2


class SpecInvalid(BatchspecError):
    """The spec has problems; `problems` is sorted by position and never empty."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(in_order(problems))
        super().__init__("\n".join(map(str, self.problems)))


class ServiceRefused(BatchspecError):
    """The service answered with an error.

    `operation` is what was tried ("create pool"), `resource` its id, `status` the HTTP status, `code` the service's
    own code ("PoolExists"; empty when it gave none), `request_id` the service's id of the request.
    """

    def __init__(
        self,
        message: str,
        *,
        operation: str,
        resource: str,
        status: int,
        code: str = "",
        request_id: str = "",
        fix: str = "",
    ) -> None:
        where = f" (request {request_id})" if request_id else ""
        super().__init__(f"{operation} {resource}: {code or status}: {message}{where}", fix=fix)
        self.operation = operation
        self.resource = resource
        self.status = status
        self.code = code
        self.request_id = request_id


class NotThere(BatchspecError):
    """Something that was named, by its id, is not there; nothing was done."""


class ServiceUnreachable(BatchspecError):
    """No answer from the service: refused connection, no such host, or no answer in time."""


class EngineFailed(BatchspecError):
    """The local engine could not be installed, started or stopped."""


class LocalIOFailed(BatchspecError):
    """A local file or folder could not be read or written."""

    def __init__(self, action: str, path: Path, error: OSError, *, fix: str = "") -> None:
        super().__init__(f"cannot {action} {path}: {error.strerror or error}", fix=fix)
        self.path = path


class TransferFailed(BatchspecError):
    """Files were not transferred, or a blob's name cannot be a file here; the message names each."""


class TasksFailed(BatchspecError):
    """Tasks failed. The message already tells which, why, and the last lines of their stderr."""

    exit_code = 3


class StartTaskFailed(BatchspecError):
    """The start task failed on every node, so no task can run."""

    exit_code = 3


class PreparationFailed(BatchspecError):
    """The job preparation task failed on every node, so no task of the job can run."""

    exit_code = 3


class TimedOut(BatchspecError):
    """The wait's timeout passed; the run goes on in the service."""

    exit_code = 4


class PlanRefused(BatchspecError):
    """What was asked would not be safe; nothing was changed."""

    exit_code = 6


class ForeignOwner(PlanRefused):
    """A resource with our id exists and does not carry this spec's mark."""


class Locked(PlanRefused):
    """Another client holds the lease on this spec."""


class PlanStale(PlanRefused):
    """The plan that was reviewed is not the one that would be carried out; `differences` are the first of them."""

    def __init__(self, message: str, *, fix: str = "", differences: Sequence[Difference] = ()) -> None:
        super().__init__(message, fix=fix)
        self.differences = tuple(differences)


class TooMuchAtOnce(PlanRefused):
    """Too many existing tasks, or a pool at work, would be deleted or replaced; the message has the arithmetic."""


class Declined(PlanRefused):
    """The person said no, or nobody could be asked."""


class Interrupted(BatchspecError):
    """The person stopped the client; what runs in the service goes on."""

    exit_code = 130
