"""What differs and why: one `Change` per resource.

Place in the pipeline: `plan` makes these from `Desired` and `Observed`; `apply` carries them out; `cli` prints them.
Changes are data: they say what, why (property, old, new) and how; they hold no secret and do nothing.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from batchspec.render.symbolic import Json

Action = Literal["create", "update", "replace", "delete", "keep"]
Kind = Literal["container", "upload", "pool", "job", "schedule", "task", "download"]
Cause = Literal["spec", "drift"]
SHORT_DIGITS = 12  # of a digest
Verdict = Literal["ok", "warning", "failed", "not checked"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: `text` in words; for a property also its dotted REST `path` with the `old` and `new` value.

    `cause` is "spec" when what the spec says (or an input) is new, and "drift" when the service changed under us.
    `replaces` is whether this cannot be done in place.
    """

    text: str
    path: str = ""
    old: Json = None
    new: Json = None
    cause: Cause = "spec"
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """What a look ahead found: `fact` is what was seen, `fix` the next step ("" where there is none to take).

    A `failed` one means that `apply` cannot end well, so it is refused; `not checked` says in `fact` why not.
    """

    name: str
    verdict: Verdict
    fact: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What shall happen to one resource.

    `kind` and `id` name it: a container by its name, an upload by `container/blob`, a download by `container/blob`.
    `id` of a task is its task id. `key` is the spec's key of a container (of an upload: the upload's key), else "".
    `size` is bytes of an upload or download.
    """

    action: Action
    kind: Kind
    id: str
    reasons: tuple[Reason, ...] = ()
    key: str = ""
    size: int = 0
    steps: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Totals:
    """How many changes of each sort a plan has; downloads and kept things are not counted."""

    create: int = 0
    change: int = 0
    replace: int = 0
    delete: int = 0

    def __bool__(self) -> bool:
        return bool(self.create or self.change or self.replace or self.delete)


@dataclass(frozen=True, slots=True)
class Plan:
    """What `apply` would do: pure data.

    `changes` are containers, uploads, pool, job, schedule in that order, sorted by id; `tasks` the task changes in the
    order of the spec (deletions last), without the kept ones, which `kept_tasks` counts; `downloads` what is missing
    here of what is there now. `failed_tasks` are the ids of unchanged tasks that have failed; `orphaned_tasks` those
    that are finished and no longer in the spec. `pending_tasks` counts unchanged unfinished tasks, which a run would
    wait for. `notes` are lines a person should read: marked things that the spec no longer names, a job that runs anew.
    `checks` are what a look ahead found, `unseen` what the plan lacks and why, since nobody here may look at it.
    `too_much` is what of it needs `--force` (see `blast_radius`), in sentences.
    `digest` stands for the plan and all that it rests on (see `freeze`), "" where nobody asked or it cannot be told.
    `cleaned_up` is true when every task has succeeded and what the spec's `cleanup` names is gone; `cleanup_due` are
    the names of what is still there then, and is removed without asking, since the spec lists it.
    """

    name: str
    changes: tuple[Change, ...]
    tasks: tuple[Change, ...]
    kept_tasks: int
    downloads: tuple[Change, ...]
    failed_tasks: tuple[str, ...]
    orphaned_tasks: tuple[str, ...]
    pending_tasks: int
    notes: tuple[str, ...]
    cleaned_up: bool
    cleanup_due: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    unseen: tuple[str, ...] = ()
    too_much: tuple[str, ...] = ()
    digest: str = ""

    @property
    def totals(self) -> Totals:
        """Counts over `changes` and `tasks`."""
        count = Counter(change.action for change in (*self.changes, *self.tasks))
        return Totals(count["create"], count["update"], count["replace"], count["delete"])

    @property
    def short_digest(self) -> str:
        """What people compare."""
        return self.digest[:SHORT_DIGITS]

    @property
    def questions(self) -> tuple[Change, ...]:
        """The changes a person must agree to: replacements and deletions."""
        return tuple(one for one in (*self.changes, *self.tasks) if one.action in ("replace", "delete"))

    @property
    def nothing_to_do(self) -> bool:
        """Whether apply would write nothing, wait for nothing, download and clean up nothing, and that is certain."""
        return not (self.totals or self.downloads or self.pending_tasks or self.cleanup_due or self.unseen)
