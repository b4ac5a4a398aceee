"""Everything that can be wrong with tasks, found by rendering each of them once.

Place in the pipeline: `tasks` asks before anything is sent. In: the walk, and how each template is depended on. Out:
problems and warnings. Holds some bytes for each task (and what it depends on by itself), never the tasks; what a
problem comes from is found in a second walk, which happens only when there is one.

Decisions: two tasks that write the same blob are a warning and no error: the later one may be meant to win, which only
its author knows. An id that `depends_on` names and no task has is an error only where all tasks of the job are known.
"""

import json
import re
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from batchspec.errors import Problem
from batchspec.render.cycles import circle
from batchspec.render.elements import MAX_TASKS
from batchspec.render.id_index import IdIndex
from batchspec.render.ids import id_fault
from batchspec.render.metering import RUN, SPENT
from batchspec.render.model import JsonObject
from batchspec.render.needs import MAX_CHARACTERS, Needed, is_number, own_ids, own_ranges
from batchspec.render.runs import Runs
from batchspec.render.scope import Fault, Findings, Scope
from batchspec.render.sources import none_of
from batchspec.render.suggest import suggestion
from batchspec.render.symbolic import OPEN, symbols
from batchspec.render.walk import Made, Template, Walk
from batchspec.spec.document import At, dotted, shown

# "Add Task Collection": a request has at most 1 MiB.
MAX_BODY_BYTES = 1_048_576
# What may come in the place of one symbol, such as a SAS.
MAX_SYMBOL_BYTES = 400
_SHOWN = 10
_SUGGESTED_FROM = 10_000
_JSON = json.JSONEncoder(ensure_ascii=False)
_WILDCARD = re.compile(r"[*?\[$%]")


@dataclass(slots=True)
class Checking:
    """One look at all tasks. Tasks are numbered in their order, merge tasks after those of their template."""

    walk: Walk
    needed: Callable[[int], Needed]
    merges: Callable[[int], tuple[str, ...]]
    complete: bool
    findings: Findings = field(default_factory=Findings)
    warnings: list[Problem] = field(default_factory=list)
    _by_number: bool = False
    _count: int = 0
    _begins: list[int] = field(default_factory=list)
    _ids: IdIndex = field(default_factory=IdIndex)
    _numbers: "array[int]" = field(default_factory=lambda: array("q"))
    _runs: Runs = field(default_factory=lambda: Runs(()))
    _blobs: IdIndex = field(default_factory=IdIndex)
    _waiting: dict[int, tuple[int, list[str], list[tuple[int, int]]]] = field(default_factory=dict)

    def problems(self) -> list[Problem]:
        """All of them, sorted by position."""
        all_known = self.complete
        needs = {index for template in self.walk.templates for index in template.needs}
        self._by_number = any(self.needed(index).ranges for index in needs)
        for template in self.walk.templates:
            if RUN.is_spent:
                break
            self._begins.append(self._count)
            all_known &= template.generator.known
            if not self._template(template):
                self._unbound(template)
                all_known = False
            for id_ in self.merges(template.index):
                self._note(id_)
        doubled = sorted(self._ids.doubled())
        if doubled and not RUN.is_spent:
            self._explain(set(doubled))
        if not self.findings.by_place:
            self._dependencies(all_known)
            self._collisions()
        return self.findings.problems(self.walk.document)

    def _template(self, template: Template) -> bool:
        """Look at the tasks of one template; whether there are any."""
        before = self._count
        needed = [self.needed(index) for index in template.needs]
        characters = sum(one.characters for one in needed)
        size = characters + 8 * sum(len(one.ids) for one in needed) + 40 * sum(len(one.ranges) for one in needed)
        for made in self.walk.made(template, self.findings):
            if self._count >= MAX_TASKS:
                self.findings.add(Fault(template.at, f"with this the spec makes more than {MAX_TASKS:,} tasks"))
                break
            self._task(template, made, characters, size)
            if RUN.is_spent:
                self.findings.add(Fault(template.at, SPENT))
                break
        return self._count > before

    def _task(self, template: Template, made: Made, characters: int, size: int) -> None:
        _check_task(template, made, self.findings, size)
        body = made.body
        if "dependsOn" in body:
            ids, ranges = list(own_ids(body["dependsOn"])), list(own_ranges(body["dependsOn"]))
            self._waiting[self._count] = template.index, ids, ranges
            own = sum(map(len, ids))
            characters = characters + own if own <= MAX_CHARACTERS else 0  # of too many alone the rules tell
        if characters > MAX_CHARACTERS:
            message = (
                f"the ids that a task depends on have {characters:,} characters, Azure Batch takes {MAX_CHARACTERS:,}; "
                "name the template under `needs`, or give its tasks numbers as ids"
            )
            word = "depends_on" if "dependsOn" in body else "needs"
            self.findings.add(Fault((*template.at, word), message), made.binding.label)
        if "outputFiles" in body:
            for blob in set(_blobs_of(body)):
                self._blobs.add(blob, self._count)
        self._note(made.id)

    def _key(self, id_: str) -> str:
        """What an id is to the service: case does not count, and to a range 4, 04 and 004 are one number."""
        return str(int(id_)) if self._by_number and is_number(id_) else id_.lower()

    def _note(self, id_: str) -> None:
        self._ids.add(self._key(id_), self._count)
        if is_number(id_):
            self._numbers.append(int(id_))
        self._count += 1

    def _unbound(self, template: Template) -> None:
        """Look for wrong names in a template that makes no task, which may be so because its upload is broken."""
        broken = Findings()
        if next(self.walk.scopes(template, broken), None) is not None:
            return
        scope = Scope({**self.walk.names, **template.assumed, "index": 0}, assumed=True)
        template.id(scope)
        template.body(scope)
        for fault in scope.faults:
            self.findings.add(fault)
        if template.generator.known and not broken.by_place:
            asked = [(query, self.walk.listings[query]) for query in template.generator.queries]
            for told in [none_of(*one) for one in asked if not one[1].blobs] or ["is empty, so it makes no task"]:
                self.warnings.append(self.walk.document.problem((*template.at, "for_each"), told))

    def _again(self) -> Iterator[tuple[int, Template, str, Made | None]]:
        """Every task once more, with its number; merge tasks have nothing but their id."""
        number = 0
        for template in self.walk.templates:
            for made in self.walk.made(template, Findings()):
                yield number, template, made.id, made
                number += 1
            for id_ in self.merges(template.index):
                yield number, template, id_, None
                number += 1

    def _explain(self, wanted: set[int]) -> None:
        """Say of each pair of tasks with one id what they come from."""
        first: dict[str, tuple[str, str]] = {}
        told = 0
        for number, template, id_, made in self._again():
            if number not in wanted:
                continue
            label = f" of {made.binding.label}" if made and made.binding.label else ""
            this = f"{dotted(template.at)} with id '{id_}'{label}" if made else f"a merge task of '{template.name}'"
            other, before = first.setdefault(self._key(id_), (id_, this))
            if before is this or told == _SHOWN:
                continue
            told += 1
            message = f"two tasks cannot both have the id '{id_}' (case does not count): {before}, and {this}"
            if other.lower() != id_.lower():
                message = (
                    f"'{other}' and '{id_}' are the same number to Azure Batch's ranges of ids: {before}, and {this}"
                )
            self.findings.add(Fault((*template.at, "id"), message))

    def _dependencies(self, all_known: bool) -> None:
        if not self._waiting:
            return
        self._runs = runs = Runs(self._numbers)
        lost: dict[int, list[tuple[At, str]]] = {}
        for number, (_, ids, ranges) in self._waiting.items():
            missing: list[tuple[At, str]] = [
                (("task_ids", index), f"task has the id {shown(id_)}")
                for index, id_ in enumerate(ids)
                if self._ids.find(self._key(id_)) is None
            ]
            gaps = [_gap(runs, *one) for one in ranges]
            missing += [(("task_id_ranges", index), text) for index, text in enumerate(gaps) if text]
            if missing:
                lost[number] = missing
        if lost and all_known:
            self._tell_lost(lost)
        elif not lost:
            self._tell_circle()

    def _tell_lost(self, lost: dict[int, list[tuple[At, str]]]) -> None:
        some: list[str] = []
        labels: dict[int, tuple[Template, str]] = {}
        for number, template, id_, made in self._again():
            if len(some) < _SUGGESTED_FROM:
                some.append(id_)
            if number in lost and made is not None:
                labels[number] = template, made.binding.label
        asked = before = 0
        for number, missing in lost.items():
            if self.findings.is_enough(before):
                break
            template, label = labels[number]
            for place, text in missing[:_SHOWN]:
                _, quote, rest = text.partition("'")
                asked += bool(quote)
                near = suggestion(rest.rstrip("'"), some) if quote and asked <= _SHOWN else ""
                self.findings.add(Fault((*template.at, "depends_on", *place), f"no {text}{near}"), label)

    def _tell_circle(self) -> None:
        """Say of one circle of tasks which wait for each other, through `depends_on` and `needs` together."""
        found = circle(list(self._waiting), self._follows)
        if not found:
            return
        wanted = set(found)
        ids = {number: (template, id_) for number, template, id_, _ in self._again() if number in wanted}
        real = [ids[number] for number in found if number in ids]
        names, template = [id_ for _, id_ in real], real[0][0]
        way = " -> ".join([*names[:_SHOWN], *["..."] * (len(names) > _SHOWN), names[0]])
        message = f"waits for itself: {way}; no task of these could ever start"
        self.findings.add(Fault((*template.at, "depends_on"), message))

    def _follows(self, number: int) -> Iterator[int]:
        """What a task waits for, by number; -1 - N stands for all tasks of the template N, those behind for ranges."""
        ranges_at = -1 - len(self._begins)
        if number < ranges_at:
            yield from self._below(ranges_at, ranges_at - number)
            return
        if number < 0:
            index = -1 - number
            last = index + 1 == len(self._begins)
            yield from range(self._begins[index], self._count if last else self._begins[index + 1])
            return
        index, ids, ranges = self._waiting.get(number, (-1, [], []))
        found = [self._ids.find(self._key(id_)) for id_ in ids]
        yield from (one for one in found if one is not None)
        yield from (ranges_at - place for one in ranges for place in self._runs.covering(*one))
        if index < 0:
            index = bisect_right(self._begins, number) - 1
        yield from (-1 - other for other in self.walk.templates[index].needs)

    def _below(self, ranges_at: int, place: int) -> Iterator[int]:
        """What a place in the tree of ranges stands for: a task, or two other places."""
        id_ = self._runs.number(place)
        if id_ is None:
            yield from (ranges_at - 2 * place, ranges_at - 2 * place - 1)
        elif (task := self._ids.find(str(id_))) is not None:
            yield task

    def _collisions(self) -> None:
        """Warn of blobs that several tasks write."""
        wanted = set(self._blobs.doubled())
        if not wanted:
            return
        first: dict[str, str] = {}
        told: dict[str, tuple[Template, str, int]] = {}
        for number, template, id_, made in self._again():
            for blob in set(_blobs_of(made.body)) if made is not None and number in wanted else ():
                if first.setdefault(blob, id_) != id_:
                    told[blob] = (
                        template,
                        told.get(blob, (template, id_, 0))[1],
                        told.get(blob, (template, id_, 0))[2] + 1,
                    )
        for blob, (template, id_, count) in list(told.items())[:_SHOWN]:
            key, _, path = blob.partition("\n")
            others = f" and {count - 1:,} more" if count > 1 else ""
            message = (
                f"the tasks '{first[blob]}' and '{id_}'{others} write the same blob {shown(path)} of the container "
                f"'{key}', and the last one wins; put what tells the tasks apart into `path`"
            )
            self.warnings.append(self.walk.document.problem((*template.at, "output_files"), message))


def _gap(runs: Runs, start: int, end: int) -> str:
    """What is missing in a range of ids; nothing when all are there."""
    if start > end:
        return f"task is in the range from {start} to {end}, which ends before it begins"
    missing = runs.missing(start, end)
    return "" if missing is None else f"task has the id {missing}, of the range from {start} to {end}"


def _blobs_of(body: JsonObject) -> Iterator[str]:
    """The blobs that a task writes for certain: key of the container and name, with a line break between them."""
    given = body.get("outputFiles")
    for one in given if isinstance(given, list) else ():
        destination = one.get("destination") if isinstance(one, dict) else None
        target = destination.get("container") if isinstance(destination, dict) else None
        if not isinstance(one, dict) or not isinstance(target, dict):
            continue
        pattern, path = str(one.get("filePattern", "")), str(target.get("path") or "")
        keys = [found.arguments[0] for found in symbols(target.get("containerUrl")) if found.arguments]
        if keys and not _WILDCARD.search(pattern):
            yield f"{keys[0]}\n{path or pattern.rpartition('/')[2]}"


def _check_task(template: Template, made: Made, findings: Findings, more: int) -> None:
    fault = id_fault(made.id)
    if fault:
        told = f"{shown(made.id)} {fault}; the filter task_id makes one"
        findings.add(Fault((*template.at, "id"), told), made.binding.label)
    text = _JSON.encode(made.body)
    RUN.task(len(text))
    size = len(text.encode("utf-8", "surrogatepass")) + MAX_SYMBOL_BYTES * text.count(OPEN) + more
    if size > MAX_BODY_BYTES:
        message = f"the task has about {size:,} bytes, a request to Azure Batch at most {MAX_BODY_BYTES:,}"
        findings.add(Fault(template.at, message), made.binding.label)
