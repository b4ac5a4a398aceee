"""The pool, the job and the schedule of a spec, rendered, fingerprinted and marked.

Place in the pipeline: `desired` calls these after uploads are listed. In: the spec's parts, a compiler. Out:
DesiredPool, DesiredJob and DesiredSchedule. Reads the files that nodes are prepared with, for their fingerprint;
nothing else.

A pool with a `lifetime` is no resource of its own: it stands in the job (or in what a schedule's jobs are like), as its
auto pool, and its metadata says whose it is, so that `delete` finds one that the service leaves. The jobs of a schedule
carry no mark: they go with the schedule, which has one.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from batchspec.render import hashes, imported
from batchspec.render import scope as making
from batchspec.render.ids import id_fault
from batchspec.render.inputs import Inputs, containers_in
from batchspec.render.model import (
    HASH_KEY,
    OWNER_KEY,
    DesiredJob,
    DesiredPool,
    DesiredSchedule,
    JsonObject,
    auto_pool_of,
)
from batchspec.render.scope import Made, Maker, Omit, Scope
from batchspec.render.shape import shape_of
from batchspec.render.symbolic import Json
from batchspec.render.wire import Wire
from batchspec.spec.document import shown
from batchspec.spec.load import At
from batchspec.spec.model import Job, Pool, Schedule
from batchspec.spec.reserved import METADATA_PREFIX
from batchspec.spec.words import LONGEST_PREFIX

START_KEY = f"{METADATA_PREFIX}start"
AUTO_KEY = f"{METADATA_PREFIX}auto"
_LIFETIMES = {"job": "job", "job_schedule": "jobschedule"}


def pool(wire: Wire, given: Pool, *, id_: str, existing: bool, owner: str, inputs: Inputs | None) -> DesiredPool:
    """The pool; without `inputs` nothing is fingerprinted and no file is read."""
    if existing:
        return DesiredPool(id_, True, None, "", "", frozenset(), given.at)
    body = {"id": id_, **_made(wire, wire.body("BatchPoolCreateOptions", given.properties, given.at))}
    start = ""
    if inputs is not None and "startTask" in body:
        start = hashes.fingerprint([body["startTask"], inputs.of(body["startTask"])])
    mark = hashes.fingerprint(body) if inputs is not None else ""
    word = _imported(wire, given)
    start, mark = imported.mark(word, start), imported.mark(word, mark)
    marks = {OWNER_KEY: owner, HASH_KEY: mark} | ({START_KEY: start} if start else {})
    marked = _marked(body, marks)
    return DesiredPool(id_, False, marked, mark, start, containers_in(body), given.at)


def auto_pool(wire: Wire, given: Pool, *, scheduled: bool = False) -> Maker:
    """A maker of the `poolInfo` of the job that a pool with a `lifetime` comes and goes with, or of a schedule's."""
    at = given.at
    check = _lifetime(at, scheduled=scheduled)
    lifetime = making.then(making.text(given.lifetime, (*at, "lifetime"), wire.scope), check, wire.scope)
    words = {
        "poolLifetimeOption": lifetime,
        "keepAlive": wire.value(given.keep_alive, _KEEP_ALIVE, (*at, "keep_alive")),
        "pool": wire.body("BatchPoolCreateOptions", given.properties, at),
    }
    if given.id:
        source = making.text(given.id, (*at, "id"), wire.scope)
        words = {"autoPoolIdPrefix": making.then(source, _prefix(at), wire.scope), **words}
    return making.object_of({"autoPoolSpecification": making.object_of(words)})


_KEEP_ALIVE = shape_of("BatchPoolCreateOptions").property("keep_alive")[1]


def _lifetime(at: At, *, scheduled: bool) -> Callable[[Made, Scope], Made]:
    def check(made: Made, scope: Scope) -> Made:
        known = _LIFETIMES.get(str(made))
        if known == "jobschedule" and not scheduled:
            return scope.fault((*at, "lifetime"), f"{shown(made)} goes only with a `schedule`; write 'job'")
        return known or scope.fault((*at, "lifetime"), f"expected job or job_schedule, got {shown(made)}")

    return check


def _prefix(at: At) -> Callable[[Made, Scope], Made]:
    def check(made: Made, scope: Scope) -> Made:
        fault = id_fault(str(made)) or (
            len(str(made)) > LONGEST_PREFIX and f"has more than {LONGEST_PREFIX} characters"
        )
        return scope.fault((*at, "id"), f"{shown(made)} {fault}") if fault else made

    return check


def job(
    wire: Wire,
    given: Job,
    *,
    id_: str,
    existing: bool,
    owner: str,
    pool_info: Maker | None,
    depends: bool,
    inputs: Inputs | None,
) -> DesiredJob:
    """The job, with `pool_info` unless it has its own; `depends` says that tasks wait for others.

    Without `inputs` nothing is fingerprinted and no file is read.
    """
    if existing:
        return DesiredJob(id_, True, None, "", frozenset(), given.at)
    body = {"id": id_, **_made(wire, wire.body("BatchJobCreateOptions", given.properties, given.at))}
    if "poolInfo" not in body and pool_info is not None:
        body |= _made(wire, making.object_of({"poolInfo": pool_info}))
    if depends and body.get("usesTaskDependencies") is False:
        wire.scope.fault((*given.at, "uses_task_dependencies"), "is false, but tasks wait for others; leave it out")
    if depends:
        body["usesTaskDependencies"] = True
    mark = imported.mark(_imported(wire, given), hashes.fingerprint(body) if inputs is not None else "")
    prepared = inputs.of([*_preparations(body)]) if inputs is not None else []
    prepared_hash = hashes.fingerprint(prepared) if prepared else ""
    marks = {OWNER_KEY: owner, HASH_KEY: mark} | ({START_KEY: prepared_hash} if prepared_hash else {})
    _mark_auto_pool(body, owner)
    return DesiredJob(id_, False, _marked(body, marks), mark, containers_in(body), given.at, prepared_hash)


def schedule(
    wire: Wire,
    given: Schedule,
    *,
    id_: str,
    existing: bool,
    owner: str,
    pool_info: Maker | None,
    inputs: Inputs | None,
) -> DesiredSchedule:
    """The schedule, whose jobs have `pool_info` unless they have their own.

    Without `inputs` nothing is fingerprinted and no file is read.
    """
    if existing:
        return DesiredSchedule(id_, True, None, "", frozenset(), given.at)
    body = {"id": id_, **_made(wire, wire.body("BatchJobScheduleCreateOptions", given.properties, given.at))}
    jobs = body.get("jobSpecification")
    jobs = body["jobSpecification"] = dict(jobs) if isinstance(jobs, dict) else {}
    made = pool_info(wire.scope) if pool_info is not None and "poolInfo" not in jobs else making.OMIT
    if not isinstance(made, Omit):
        jobs["poolInfo"] = made
    mark = imported.mark(_imported(wire, given), hashes.fingerprint(body) if inputs is not None else "")
    found = DesiredSchedule(id_, False, body, mark, containers_in(body), given.at)
    prepared = inputs.of(auto_pool_of(jobs) if found.keeps_pool else None) if inputs is not None else []
    prepared_hash = hashes.fingerprint(prepared) if prepared else ""
    marks = {OWNER_KEY: owner, HASH_KEY: mark} | ({START_KEY: prepared_hash} if prepared_hash else {})
    _mark_auto_pool(jobs, owner)
    return replace(found, body=_marked(body, marks), prepared_hash=prepared_hash)


def preparations(pool: DesiredPool | None, job: DesiredJob | None) -> list[Json]:
    """The tasks that prepare the nodes: start task and job preparation task."""
    body = pool.body if pool is not None else None
    start = [body["startTask"]] if body is not None and "startTask" in body else []
    return [*start, *_preparations(job.body if job is not None and job.body is not None else {})]


def _preparations(body: JsonObject) -> Iterator[Json]:
    pool = auto_pool_of(body)
    if pool is not None and "startTask" in pool:
        yield pool["startTask"]
    if "jobPreparationTask" in body:
        yield body["jobPreparationTask"]


def _mark_auto_pool(body: JsonObject, owner: str) -> None:
    pool = auto_pool_of(body)
    if pool is not None:
        pool |= _marked(pool, {OWNER_KEY: owner, AUTO_KEY: "true"})


def _imported(wire: Wire, given: Pool | Job | Schedule) -> str:
    word = imported.maker(given.imported, (*given.at, "imported"), wire.scope)(wire.scope)
    return word if isinstance(word, str) else ""


def _made(wire: Wire, maker: Maker) -> JsonObject:
    made = maker(wire.scope)
    return dict(made) if isinstance(made, dict) and not isinstance(made, Omit) else {}


def _marked(body: JsonObject, marks: Mapping[str, str]) -> JsonObject:
    given = body.get("metadata")
    metadata: list[Json] = list(given) if isinstance(given, list) else []
    metadata += [{"name": name, "value": value} for name, value in marks.items()]
    return {**body, "metadata": metadata}
