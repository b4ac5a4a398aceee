"""A plan as Markdown for a comment on a pull request.

Place in the pipeline: `plan --format markdown` prints it. In: `Plan`, the `Desired` it is for, where it was made and
the command that applies it. Out: one text that GitHub takes: at most 65,536 characters, and room for a line before it.
What is told is decided in `plan_entries`, what is harmless in `markdown`.

Decisions: totals and digest always have room; then come the entries, remarks and bad checks; the folded lists share
what is left. `mask` is called before anything is escaped or cut, which would hide a secret from it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from batchspec.cli import phrases
from batchspec.cli.markdown import block, code, fitting, folded, prose, size
from batchspec.cli.plan_entries import BAD, NAMED_FILES, Entry, check_counts, entries, nothing_or_totals, remarks
from batchspec.cli.text_reasons import DRIFTED, around_the_difference, aside
from batchspec.reconcile.change import Action, Check, Plan, Reason
from batchspec.render.model import Desired

LIMIT_BYTES = 64_000  # GitHub: "body is too long (maximum is 65536 characters)"
_VERBS: dict[Action, str] = {"create": "Create", "update": "Change", "replace": "Replace", "delete": "Delete"}
_FILE_VERBS: dict[Action, str] = {"create": "Upload", "update": "Overwrite", "delete": "Delete"}
_FILES: dict[Action, str] = {"create": "to upload", "update": "to overwrite", "delete": "to delete"}
_ONE_LINE = 100
_VALUE_CHARACTERS = 300
_NAME_CHARACTERS = 200
_SENTENCE_CHARACTERS = 1000
_LEAST_LIST_BYTES = 300
_FEW = 5


@dataclass(frozen=True, slots=True)
class Where:
    """The spec as typed, the account, and the command line that applies this plan."""

    spec: str
    place: str
    apply: str


def document(
    plan: Plan, desired: Desired, where: Where, *, mask: Callable[[str], str] = str, all_tasks: bool = False
) -> str:
    """The whole comment, with a line end."""
    return _Writer(mask).document(plan, list(entries(plan, desired)), where, all_tasks=all_tasks)


def refusal(spec: str, message: Sequence[str], *, mask: Callable[[str], str] = str) -> str:
    """The comment where there is no plan: the lines that say why."""
    writer = _Writer(mask)
    head = [f"### batchspec plan of {writer.code(spec)}", "", "**There is no plan:**", ""]
    lines = [writer.plain(line, _SENTENCE_CHARACTERS) for line in message]
    return _joined([*head, *block(fitting(lines, LIMIT_BYTES - size(head) - 200, _more_lines))])


class _Writer:
    """Puts words from outside into Markdown, masked first."""

    def __init__(self, mask: Callable[[str], str]) -> None:
        self._mask = mask

    def plain(self, text: str, characters: int) -> str:
        """A text without secrets and of at most so many characters."""
        return phrases.cut(phrases.harmless(self._mask(phrases.without_signatures(text))), characters)

    def code(self, text: str, characters: int = _NAME_CHARACTERS) -> str:
        return code(self.plain(text, characters))

    def prose(self, text: str) -> str:
        return prose(self.plain(text, _SENTENCE_CHARACTERS))

    def document(self, plan: Plan, told: Sequence[Entry], where: Where, *, all_tasks: bool) -> str:
        head = [f"### batchspec plan of {self.code(where.spec)} on {self.code(where.place)}", ""]
        head.append(f"**{self.prose(nothing_or_totals(plan).removeprefix('Plan: '))}**")
        foot = list(self._foot(plan, where))
        room = LIMIT_BYTES - size(head) - size(foot)
        body: list[str] = []
        for part in (
            [line for entry in told for line in self._entry(entry)],
            [f"- {self.prose(remark)}" for remark in remarks(plan, all_tasks=all_tasks)],
            list(self._bad_checks(plan)),
        ):
            lines = ["", *fitting(part, room // 2, _more_lines)] if part else []
            room -= size(lines)
            body += lines
        return _joined([*head, *body, *self._lists(plan, told, room, all_tasks=all_tasks), *foot])

    def _foot(self, plan: Plan, where: Where) -> Iterator[str]:
        if plan.nothing_to_do or not plan.digest:
            return
        command = self.plain(where.apply, _SENTENCE_CHARACTERS + 1)
        run = f" Apply exactly this: {code(command)}" if len(command) <= _SENTENCE_CHARACTERS else ""
        yield from ("", f"Digest: {code(plan.short_digest)}.{run}")

    def _entry(self, entry: Entry) -> Iterator[str]:
        what = self.prose(entry.what) if entry.what else ""
        if entry.kind in ("upload", "download"):
            told = [what]
        else:
            told = [self._names(entry.names), *([what] if what and entry.kind != "task" else [])]
        yield f"- **{_title(entry)}** {': '.join(told)}"
        drifted = [reason for reason in entry.reasons if reason.cause == "drift"]
        for reason in entry.reasons[: len(entry.reasons) - len(drifted)]:
            yield from self._reason(reason)
        yield from (f"  - {DRIFTED}:",) if drifted else ()
        for reason in drifted:
            yield from (f"  {line}" for line in self._reason(replace(reason, cause="spec")))
        for ids, reasons in entry.differing:
            names = f"{self._names(ids)}:"
            if len(reasons) == 1:
                yield from self._reason(reasons[0], f"{names} ")
            else:
                yield f"  - {names}"
                yield from (f"  {line}" for reason in reasons for line in self._reason(reason))

    def _names(self, names: Sequence[str]) -> str:
        few = ", ".join(self.code(name) for name in names[:_FEW])
        return f"{few} and {len(names) - _FEW:,} more" if len(names) > _FEW else few

    def _reason(self, reason: Reason, of: str = "") -> Iterator[str]:
        if not reason.path:
            yield f"  - {of}{self.prose(reason.text)}"
            return
        path = f"{of}{self.code(phrases.snake(reason.path))}"
        said = aside(reason)
        if reason.old is None and reason.new is None:
            yield f"  - {path}: {self.prose(said or reason.text)}"
            return
        old, new = (self._mask(phrases.whole_value(value)) for value in (reason.old, reason.new))
        beside = f" ({self.prose(said)})" if said else ""
        if len(old) + len(new) <= _ONE_LINE:
            yield f"  - {path}: {code(old)} → {code(new)}{beside}"
            return
        old, new = around_the_difference(old, new, _VALUE_CHARACTERS)
        yield from (f"  - {path}{beside}", f"    - was {code(old)}", f"    - will be {code(new)}")

    def _bad_checks(self, plan: Plan) -> Iterator[str]:
        bad = [check for check in plan.checks if check.verdict in BAD]
        if bad or (plan.checks and not plan.nothing_to_do):
            yield f"**Preflight**: {check_counts(plan.checks)}"
            yield from ("",) if bad else ()
            for check in bad:
                yield from self._check(check)

    def _check(self, check: Check) -> Iterator[str]:
        yield f"- **{check.verdict}** {self.prose(f'{check.name}: {check.fact}')}"
        if check.fix and check.verdict != "ok":
            yield f"  - {self.prose(check.fix)}"

    def _lists(self, plan: Plan, told: Sequence[Entry], room: int, *, all_tasks: bool) -> Iterator[str]:
        """The folded lists; each may use its share of the room that those before it have left."""
        lists = list(_long_lists(plan, told, all_tasks=all_tasks))
        checks = [] if plan.nothing_to_do else [line for check in plan.checks for line in self._check(check)]
        for at, (title, names) in enumerate(lists):
            share = room // (len(lists) - at + bool(checks)) - size(folded(title, block([]))) - _LEAST_LIST_BYTES
            lines = folded(title, block(fitting([self.plain(one, _NAME_CHARACTERS) for one in names], share, _more)))
            if share > 0:
                room -= size(lines)
                yield from lines
        if checks and room > _LEAST_LIST_BYTES:
            title = f"All {phrases.count(len(plan.checks), 'check')}"
            yield from folded(title, fitting(checks, room - _LEAST_LIST_BYTES, _more_lines))


def _title(entry: Entry) -> str:
    """What is done, in words of ours: `Create pool`, `12 new tasks`, `3 tasks to run again`."""
    if entry.kind == "task":
        number, _, verb = entry.what.partition(" ")
        tasks = "task" if len(entry.names) == 1 else "tasks"
        return f"{number} new {tasks}" if verb == "new" else f"{number} {tasks} {verb}"
    if entry.kind == "download":
        return "Download"
    if entry.kind == "upload":
        return _FILE_VERBS[entry.action]
    return f"{_VERBS[entry.action]} {entry.kind}{'s' if len(entry.names) > 1 else ''}"


def _long_lists(plan: Plan, told: Sequence[Entry], *, all_tasks: bool) -> Iterator[tuple[str, Sequence[str]]]:
    """What has more names than an entry shows, with a title."""
    for entry in told:
        files = phrases.count(len(entry.names), "file")
        if entry.kind == "task" and all_tasks:
            yield _title(entry), entry.names
        elif entry.kind == "container" and len(entry.names) > _FEW:
            yield f"All {len(entry.names):,} containers", entry.names
        elif entry.kind == "upload" and (entry.action == "create" or len(entry.names) > NAMED_FILES):
            yield f"{files} {_FILES[entry.action]}", entry.names
        elif entry.kind == "download":
            yield f"{files} to download", entry.names
    if all_tasks and plan.failed_tasks:
        yield f"{phrases.count(len(plan.failed_tasks), 'task')} that failed before", plan.failed_tasks


def _more(number: int) -> str:
    return f"... and {number:,} more"


def _more_lines(number: int) -> str:
    return f"- ... and {phrases.count(number, 'more line')}"


def _joined(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"
