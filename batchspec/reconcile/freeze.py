"""A plan with all that it rests on, as one canonical text, and the digest of that text.

Place in the pipeline: `plan` prints the digest and writes the text to a file (see `frozen`); `apply` makes it anew and
goes on only when it is the same, or what is left of it. In: `Desired`, `Observed` and the `Plan` made of them. Out:
JSON in pieces. Pure, but for reading the files to upload and the files of rows, once, for their MD5.

The text is the same for everybody who plans the same thing on the same account: it holds no time, no path of a machine,
no download (what is missing here says nothing of there), no check, nothing of tasks that go on by themselves, and no
secret. Bodies are symbolic, and what the services held is there as fingerprints only. As everywhere in this program,
the content of a file is its MD5: a digest tells what has changed by mistake or meanwhile; it is no signature. `source`
and `variables` are what all the rest is made of; they are there so that a difference can be told in a person's own
words.

Canonical means: ASCII, members sorted by name, no spaces. Tasks and changes are streamed. All that a plan knows only at
its end (`would_change`) comes behind the tasks, so that whoever walks them makes the digest on the way (`watching`),
and a second plan of the same spec costs no second walk.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from batchspec.reconcile.asked import NOTHING, Asked
from batchspec.reconcile.change import Change, Plan, Reason
from batchspec.reconcile.marks import hash_of, without_task_mark
from batchspec.reconcile.observe import Observed, ObservedTask
from batchspec.render.hashes import fingerprint
from batchspec.render.model import Desired, DesiredJob, DesiredPool, DesiredSchedule, DesiredTask, JsonObject
from batchspec.render.symbolic import Json

if TYPE_CHECKING:
    from hashlib import _Hash

SEPARATOR = ","
CHANGES = "would_change"


@dataclass(slots=True)
class Freezing:
    """One spec on one account, and what was asked for beside it; `place` tells accounts apart.

    With `keep` the text is made once and kept, for whoever needs it and its digest: about 150 bytes a task.
    """

    desired: Desired
    place: str
    asked: Asked = NOTHING
    keep: bool = False
    _stem: "_Hash | None" = field(default=None, repr=False)
    _kept: list[str] | None = field(default=None, repr=False)

    def digest(self, plan: Plan, observed: Observed) -> str:
        """64 hexadecimal digits; "" for a plan that could not look at everything, since it may be another one."""
        if plan.unseen:
            return ""
        whole = self._sum_of_rest().copy()
        _feed(whole, _changes(plan, observed))
        return whole.hexdigest()

    def digest_of_rest(self) -> str:
        """That of all but the changes; does not depend on a plan."""
        return self._sum_of_rest().hexdigest()

    def text(self, plan: Plan, observed: Observed) -> Iterator[str]:
        """The text that the digest is of, in pieces; what separates members and items is a piece of its own."""
        yield from self.rest()
        yield from _changes(plan, observed)

    def watching(self, desired: Desired) -> Desired:
        """The same spec: who walks all of its tasks makes the digest of the rest, and what is kept, on the way."""

        def walk() -> Iterator[DesiredTask]:
            stem, kept = hashlib.sha256(), list[str]()

            def take(pieces: Iterable[str]) -> None:
                for piece in pieces:
                    stem.update(piece.encode("ascii"))
                    if self.keep:
                        kept.append(piece)

            take(self._before_tasks())
            for at, task in enumerate(desired.tasks()):
                take(_item(at, _task(task)))
                yield task
            take(self._after_tasks())
            self._stem, self._kept = stem, kept if self.keep else None

        return replace(desired, tasks=walk)

    def _sum_of_rest(self) -> "_Hash":
        if self._stem is None:
            self._stem = hashlib.sha256()
            _feed(self._stem, self.rest())
        return self._stem

    def rest(self) -> Iterator[str]:
        """All but the changes, in the order of names, without the end of the object."""
        if self.keep and self._kept is None:
            self._kept = list(self._made())
        return self._made() if self._kept is None else iter(self._kept)

    def _made(self) -> Iterator[str]:
        yield from self._before_tasks()
        for at, task in enumerate(self.desired.tasks()):
            yield from _item(at, _task(task))
        yield from self._after_tasks()

    def _before_tasks(self) -> Iterator[str]:
        desired = self.desired
        yield "{"
        asked = {"refresh_secrets": self.asked.refresh_secrets, "retry_failed": self.asked.retry_failed}
        yield f'"asked":{canonical(asked)}'
        yield from (SEPARATOR, '"blobs":', *_members(_blobs(desired)))
        yield from (SEPARATOR, '"files":', *_members(_files(desired)))
        yield from (SEPARATOR, f'"name":{canonical(desired.name)}')
        yield from (SEPARATOR, f'"place":{canonical(self.place)}')
        yield from (SEPARATOR, '"rows":', *_members(_rows(desired)))
        yield from (SEPARATOR, f'"source":{canonical(desired.source)}')
        yield from (SEPARATOR, '"spec":', *_members(_spec(desired).items()))
        yield from (SEPARATOR, '"tasks":', "[")

    def _after_tasks(self) -> Iterator[str]:
        yield "]"
        yield from (SEPARATOR, '"variables":', *_members(self.desired.variables.items()))


def canonical(value: object) -> str:
    """The one way to write a value of JSON."""
    return json.dumps(value, sort_keys=True, separators=(SEPARATOR, ":"))


def digest_of(value: Mapping[str, object]) -> str:
    """The digest of a text that was read back."""
    return hashlib.sha256(canonical(value).encode("ascii")).hexdigest()


def digest_of_rest(value: Mapping[str, object]) -> str:
    """`Freezing.digest_of_rest` of a text that was read back."""
    text = canonical({name: one for name, one in value.items() if name != CHANGES})
    return hashlib.sha256(text.removesuffix("}").encode("ascii")).hexdigest()


def _feed(sum_: "_Hash", pieces: Iterable[str]) -> None:
    for piece in pieces:
        sum_.update(piece.encode("ascii"))


def _members(pairs: Iterable[tuple[str, object]]) -> Iterator[str]:
    """An object."""
    yield "{"
    for at, (name, value) in enumerate(sorted(pairs, key=lambda pair: pair[0])):
        yield from (SEPARATOR,) if at else ()
        yield f"{canonical(name)}:{canonical(value)}"
    yield "}"


def _item(at: int, value: Json) -> tuple[str, ...]:
    """A value at this position in a list."""
    return (SEPARATOR, canonical(value)) if at else (canonical(value),)


def _files(desired: Desired) -> Iterator[tuple[str, Json]]:
    for upload in desired.uploads.values():
        container = desired.containers[upload.container].name
        yield from ((f"{container}/{file.name}", f"{file.digest} {file.size}") for file in upload.files)


def _rows(desired: Desired) -> Iterator[tuple[str, Json]]:
    yield from ((name, f"{file.digest} {file.size}") for name, file in desired.rows.items())


def _blobs(desired: Desired) -> Iterator[tuple[str, Json]]:
    found: dict[str, Json] = {}
    for query, listing in desired.listings.items():
        if listing is not None:
            found |= {f"{query.name}/{blob.name}": f"{blob.digest} {blob.size}" for blob in listing.blobs}
    return iter(found.items())


def _spec(desired: Desired) -> dict[str, Json]:
    """What is asked for beside tasks and files, by the words of a spec."""
    return {
        "cleanup": list(desired.cleanup_after_success),
        "containers": {
            one.key: {
                "name": one.name,
                "existing": one.existing,
                "keep": one.keep,
                "url": one.url,
                "sas_from": one.sas_from,
            }
            for one in desired.containers.values()
        },
        "downloads": [
            {"container": one.container, "prefix": one.prefix, "pattern": one.pattern} for one in desired.downloads
        ],
        "job": _part(desired.job),
        "pool": _part(desired.pool),
        "schedule": _part(desired.schedule),
        "uploads": {
            one.key: {"container": one.container, "prefix": one.prefix, "prune": one.prune}
            for one in desired.uploads.values()
        },
        "wait": {"timeout": desired.wait_timeout.total_seconds()},
    }


def _part(part: DesiredPool | DesiredJob | DesiredSchedule | None) -> Json:
    if part is None:
        return None
    return part.body if part.body is not None else {"id": part.id, "existing": True}


def _task(task: DesiredTask) -> Json:
    """Its id, its body without our mark, and our mark, which knows the content of its inputs."""
    return [task.id, fingerprint(without_task_mark(task.body)), task.hash]


def _changes(plan: Plan, observed: Observed) -> Iterator[str]:
    every = sorted((*plan.changes, *plan.tasks), key=lambda change: (change.kind, change.id))
    yield from (SEPARATOR, f'"{CHANGES}":')
    yield "["
    for at, change in enumerate(every):
        yield from _item(at, entry(change, observed))
    yield "]}"


def entry(change: Change, observed: Observed) -> JsonObject:
    """A change as the text has it."""
    made: JsonObject = {"action": change.action, "kind": change.kind, "id": change.id}
    if change.steps:
        made["steps"] = list(change.steps)
    if change.reasons:
        made["why"] = [_reason(reason) for reason in change.reasons]
    found = "" if change.action == "create" else _there(change, observed)
    if found:
        made["there"] = found
    return made


def _reason(reason: Reason) -> Json:
    """The old value only as a fingerprint: nobody can say what a service holds."""
    made: JsonObject = {"text": reason.text, "cause": reason.cause}
    if reason.path:
        made |= {"path": reason.path, "old": fingerprint(reason.old)}
    return made


def there(task: ObservedTask) -> str:
    """A task that stays, as it was found; of one that failed, also which failure it is."""
    return f"{task.hash} {task.ended}" if task.failed else task.hash or ""


def _there(change: Change, observed: Observed) -> str:
    """What would be changed, replaced or deleted, as far as its own fingerprint tells."""
    if change.kind == "task":
        task = observed.tasks.get(change.id.casefold())
        return there(task) if task is not None and change.action == "update" else (task and task.hash) or ""
    if change.kind == "upload":
        container, _, name = change.id.partition("/")
        blob = observed.blobs.get(container, {}).get(name)
        return "" if blob is None else f"{blob.content_md5.hex() if blob.content_md5 else blob.etag} {blob.size}"
    live = {"pool": observed.pool, "job": observed.job, "schedule": observed.schedule}
    mark = hash_of(live.get(change.kind)) or ""
    if change.kind == "job" and change.action == "replace":
        return f"{mark} and {len(observed.tasks)} tasks"
    return mark
