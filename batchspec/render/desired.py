"""Spec -> Desired: what a person meant.

Place in the pipeline: the last step before `reconcile`. In: a Spec, the values of its variables. Out: `Desired`, all
problems at once. Lists files and reads the content of those whose fingerprints it needs; never the network, the
environment or a clock, and never the value of a secret beyond asking whether it can stand in a command.

Order matters, since a template can name only what comes before it: name, containers, pool id, job id, schedule id,
uploads, bodies, tasks.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from batchspec.errors import Problem
from batchspec.render import bodies, expand, imported, resources
from batchspec.render import scope as making
from batchspec.render.cycles import circles
from batchspec.render.elements import Sources
from batchspec.render.files import Folder, folder_of
from batchspec.render.ids import id_fault, spec_name_fault
from batchspec.render.inputs import Inputs
from batchspec.render.model import (
    BlobQuery,
    Desired,
    DesiredJob,
    DesiredPool,
    DesiredSchedule,
    DesiredUpload,
    Listing,
    Secret,
)
from batchspec.render.scope import Scope
from batchspec.render.shape import shape_of
from batchspec.render.shell import Os
from batchspec.render.suggest import suggestion
from batchspec.render.symbolic import Json, holds_marker, symbol
from batchspec.render.tasks import TaskStream
from batchspec.render.template import GLOBALS
from batchspec.render.unknown import ANY
from batchspec.render.walk import Template, Walk
from batchspec.render.wire import Resources, Wire
from batchspec.spec import durations
from batchspec.spec.document import shown as shown_value
from batchspec.spec.load import At
from batchspec.spec.model import Spec, TaskTemplate

Target = Literal["local", "azure"]


def render(
    spec: Spec,
    *,
    variables: Mapping[str, object],
    secrets: Mapping[str, Secret],
    target: Target,
    allow_outside: bool = False,
    fingerprints: bool = True,
    listings: Mapping[BlobQuery, Listing] | None = None,
) -> tuple[Desired | None, list[Problem]]:
    """Render everything but the tasks, which are compiled and rendered when their stream is walked.

    Gives all problems, sorted by position. When there are some, the Desired is good for `check_tasks` only (which finds
    the problems of tasks), and None when not even that makes sense. Without `fingerprints` (for `validate`) no content
    is read and the hashes are empty. `listings` are the blobs of what an earlier rendering called `unlisted`. Raises
    LocalIOFailed for a file that cannot be read while it is hashed.
    """
    folder = folder_of(spec.document.path, allow_outside=allow_outside)
    rendering = _Rendering(spec, variables, secrets, target, folder, listings or {})
    desired = rendering.desired(fingerprints)
    return desired, sorted({fault.problem(spec.document) for fault in rendering.scope.faults})


def check_tasks(desired: Desired) -> list[Problem]:
    """Walk all tasks once: each renders, ids are legal and differ in more than case, sizes fit; sorted by position."""
    return desired.tasks.check() if isinstance(desired.tasks, TaskStream) else []


@dataclass(slots=True)
class _Rendering:
    """One rendering at work; `scope` holds the names known so far and the faults."""

    spec: Spec
    variables: Mapping[str, object]
    secrets: Mapping[str, Secret]
    target: Target
    folder: Folder
    listings: Mapping[BlobQuery, Listing]
    scope: Scope = field(init=False)
    names: dict[str, object] = field(init=False)

    def __post_init__(self) -> None:
        self.names = {**GLOBALS, "target": self.target}
        self.scope = Scope(self.names)

    def desired(self, fingerprints: bool) -> Desired:
        spec, scope = self.spec, self.scope
        self.names["vars"] = self._vars()
        name = self.names["name"] = self._name()
        containers = resources.containers(spec, scope)
        self.names["containers"] = resources.container_names(containers, spec)
        pool_id = self._id("pool", spec.pool.id, spec.pool.at) if spec.pool and not spec.pool.lifetime else None
        job_id = self._id("job", spec.job.id, spec.job.at or ("job",)) if spec.job else None
        schedule_id = self._id("schedule", spec.schedule.id, spec.schedule.at) if spec.schedule else None
        uploads = resources.uploads(spec, self.folder, scope)
        files = resources.file_names(spec, uploads, self.folder)
        self.names["uploads"] = {key: files[key] if key in uploads else ANY for key in spec.uploads}
        wire = self._wire(uploads)
        inputs = Inputs(uploads, containers, self.listings)
        pool = self._pool(wire, pool_id, name, inputs if fingerprints else None)
        job = self._job(wire, job_id, name, pool_id, inputs if fingerprints else None)
        broken = frozenset(spec.uploads.keys() - uploads.keys())
        sources = Sources(self.folder, files, broken, containers, self.listings)
        tasks = self._tasks(wire, sources, inputs, pool, job)
        return Desired(
            name=name,
            shown_as=spec.document.shown_as,
            containers=containers,
            uploads=uploads,
            pool=pool,
            job=job,
            tasks=tasks,
            wait_timeout=self._timeout(),
            downloads=resources.downloads(spec, self.folder, scope),
            cleanup_after_success=self._cleanup(),
            secrets=self.secrets,
            os=wire.resources.os,
            notes=tasks.notes,
            listings={query: self.listings.get(query) for query in tasks.queries},
            source=spec.document.data,
            variables={name: one for name, one in self.variables.items() if not spec.vars[name].secret},
            rows=sources.rows,
            schedule=self._schedule(wire, schedule_id, name, pool_id, inputs if fingerprints else None),
        )

    def _vars(self) -> dict[str, object]:
        secret = {name for name, one in self.spec.vars.items() if one.secret}
        for name, value in self.variables.items():
            if name not in secret and holds_marker(json.dumps(value, ensure_ascii=False, default=str)):
                message = "holds one of the characters U+E000 to U+E002, which batchspec reserves"
                self.scope.fault(("vars", name), message)
        return {
            name: symbol("secret", name) if name in secret else self.variables[name]
            for name in (*self.variables, *secret)
        }

    def _name(self) -> str:
        name = resources.text(self.spec.name, ("name",), self.scope)
        fault = spec_name_fault(name) if name is not None else None
        if fault:
            self.scope.fault(("name",), f"{shown_value(name)}: {fault}")
        return name if name is not None and not fault else "name"

    def _id(self, part: str, source: str, at: At) -> str:
        id_ = resources.text(source, (*at, "id"), self.scope)
        fault = id_fault(id_) if id_ is not None else None
        if fault:
            self.scope.fault((*at, "id"), f"{shown_value(id_)} {fault}")
        self.names[part] = {"id": id_ or part}
        return id_ or part

    def _wire(self, uploads: Mapping[str, DesiredUpload]) -> Wire:
        os = self._os()
        values = {name: secret.value for name, secret in self.secrets.items()}
        broken = self.spec.uploads.keys() - uploads.keys()
        pool = self.spec.pool
        identity = resources.text(pool.identity or "", (*pool.at, "identity"), self.scope) if pool else ""
        known = Resources(
            os=os,
            containers=tuple(self.spec.containers),
            uploads=uploads,
            broken=broken,
            secrets=values,
            unsigned=resources.unsigned(self.spec),
            identity=identity or "",
        )
        return Wire(known, self.scope, sound=self.spec.sound)

    def _os(self) -> Os:
        pool = self.spec.pool
        found = resources.text(pool.os, (*pool.at, "os"), self.scope) if pool else None
        if pool and found not in (None, "linux", "windows"):
            self.scope.fault((*pool.at, "os"), f"expected linux or windows, got {shown_value(found)}")
        return "windows" if found == "windows" else "linux"

    def _pool(self, wire: Wire, id_: str | None, name: str, inputs: Inputs | None) -> DesiredPool | None:
        given = self.spec.pool
        if given is None or id_ is None:
            return None
        existing = resources.truth(given.existing, (*given.at, "existing"), self.scope)
        return bodies.pool(wire, given, id_=id_, existing=existing, owner=name, inputs=inputs)

    def _job(
        self, wire: Wire, id_: str | None, name: str, pool_id: str | None, inputs: Inputs | None
    ) -> DesiredJob | None:
        given = self.spec.job
        if given is None or id_ is None:
            return None
        existing = resources.truth(given.existing, (*given.at, "existing"), self.scope)
        depends = any(task.needs or "depends_on" in task.properties for task in self.spec.tasks)
        return bodies.job(
            wire,
            given,
            id_=id_,
            existing=existing,
            owner=name,
            pool_info=self._pool_info(wire, pool_id),
            depends=depends,
            inputs=inputs,
        )

    def _schedule(
        self, wire: Wire, id_: str | None, name: str, pool_id: str | None, inputs: Inputs | None
    ) -> DesiredSchedule | None:
        given = self.spec.schedule
        if given is None or id_ is None:
            return None
        existing = resources.truth(given.existing, (*given.at, "existing"), self.scope)
        pool_info = self._pool_info(wire, pool_id)
        return bodies.schedule(wire, given, id_=id_, existing=existing, owner=name, pool_info=pool_info, inputs=inputs)

    def _pool_info(self, wire: Wire, pool_id: str | None) -> making.Maker | None:
        given = self.spec.pool
        if given is not None and given.lifetime:
            return bodies.auto_pool(wire, given, scheduled=self.spec.schedule is not None)
        return making.fixed({"poolId": pool_id}) if pool_id is not None else None

    def _tasks(
        self,
        wire: Wire,
        sources: Sources,
        inputs: Inputs,
        pool: DesiredPool | None,
        job: DesiredJob | None,
    ) -> TaskStream:
        needs = self._needs()
        templates = [
            self._template(wire, sources, index, task, needs[index]) for index, task in enumerate(self.spec.tasks)
        ]
        prepared = bodies.preparations(pool, job)
        walk = Walk(self.spec.document, dict(self.names), templates, self.listings)
        given = self.spec.job
        alone = given is None or (given.existing is False and "job_manager_task" not in given.properties)
        secrets = any(one.secret for one in self.spec.vars.values())
        merge = "cmd /c exit 0" if wire.resources.os == "windows" else "/bin/sh -c true"
        return TaskStream(walk, inputs, lambda: list(inputs.of(prepared)), merge, alone, secrets)

    def _template(
        self, wire: Wire, sources: Sources, index: int, task: TaskTemplate, needs: tuple[int, ...]
    ) -> Template:
        generator = expand.ONCE
        assumed: Mapping[str, object] = {}
        if task.for_each is not None:
            generator = expand.generator(wire, sources, task.for_each, (*task.at, "for_each"))
            assumed = expand.assumed(task.for_each)
        made = wire.fields(task.properties, shape_of("BatchTaskCreateOptions"), task.at)
        id_ = making.text(task.id, (*task.at, "id"), self.scope)
        word = imported.maker(task.imported, (*task.at, "imported"), self.scope)
        written = None if generator.known else _as_written(task)
        name = resources.text(task.name or "", (*task.at, "name"), self.scope) or ""
        body = making.object_of(made)
        return Template(index, task.at, id_, body, generator, needs, assumed, word, written, name)

    def _needs(self) -> list[tuple[int, ...]]:
        """The templates that each needs, by index; that one would wait for itself is a fault and left out."""
        numbers = self._template_names()
        needed = [
            [
                resources.text(name, (*task.at, "needs", position), self.scope)
                for position, name in enumerate(task.needs)
            ]
            for task in self.spec.tasks
        ]
        graph = [[numbers[name] for name in names if name in numbers] for names in needed]
        for index, task in enumerate(self.spec.tasks):
            for position, name in enumerate(needed[index]):
                if name is not None and name not in numbers:
                    message = f"there is no task template named '{name}'{suggestion(name, filter(None, numbers))}"
                    self.scope.fault((*task.at, "needs", position), message)
        for one in list(circles(range(len(graph)), graph.__getitem__)):
            task = self.spec.tasks[one[0]]
            self.scope.fault((*task.at, "needs"), f"{shown_value(task.name)} would wait for itself")
            graph[one[-1]] = [other for other in graph[one[-1]] if other != one[0]]
        return [tuple(needs) for needs in graph]

    def _template_names(self) -> dict[str | None, int]:
        numbers: dict[str | None, int] = {}
        for index, task in enumerate(self.spec.tasks):
            at = (*task.at, "name")
            name = None if task.name is None else resources.text(task.name, at, self.scope)
            if name is not None and numbers.setdefault(name, index) != index:
                self.scope.fault(at, f"{shown_value(name)} is the name of tasks[{numbers[name]}] too")
        return numbers

    def _timeout(self) -> timedelta:
        at = ("wait", "timeout")
        source = resources.text(self.spec.wait_timeout, at, self.scope)
        try:
            return durations.duration(source) if source is not None else timedelta()
        except durations.NotADuration as error:
            self.scope.fault(at, str(error))
            return timedelta()

    def _cleanup(self) -> tuple[str, ...]:
        made = []
        work = "schedule" if self.spec.schedule else "job"
        known = ["pool", work, *(f"container.{key}" for key in self.spec.containers)]
        for position, source in enumerate(self.spec.cleanup_after_success):
            at = ("cleanup", "after_success", position)
            entry = resources.text(source, at, self.scope)
            if entry is not None and entry not in known:
                self.scope.fault(at, f"{shown_value(entry)} names nothing here{suggestion(entry, known)}")
            elif entry is not None and self._is_existing(entry):
                self.scope.fault(at, f"{shown_value(entry)} is `existing`: it is not this spec's to delete")
            elif entry is not None:
                made.append(entry)
        return tuple(made)

    def _is_existing(self, entry: str) -> bool:
        part, _, key = entry.partition(".")
        parts = {"pool": self.spec.pool, "job": self.spec.job, "schedule": self.spec.schedule}
        owner = self.spec.containers[key] if key else parts[part]
        return owner is not None and owner.existing is True


def _as_written(task: TaskTemplate) -> Json:
    """How a template is shown when nobody knows its tasks."""
    template: Json = {"id": task.id, **({"name": task.name} if task.name else {}), **_plain(task.properties)}
    return {"for_each": _plain(task.for_each or {}), "template": template}


def _plain(written: Mapping[str, object]) -> dict[str, Json]:
    """What is written in a spec, which came from YAML, as JSON."""
    made: dict[str, Json] = json.loads(json.dumps(written, ensure_ascii=False))
    return made
