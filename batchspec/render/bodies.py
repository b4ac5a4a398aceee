"""The pool and the job of a spec, rendered, fingerprinted and marked.

Place in the pipeline: `desired` calls these after uploads are listed. In: the spec's pool and job, a compiler. Out:
DesiredPool and DesiredJob. Reads the files that the start task uses, for its fingerprint; nothing else.
"""

from collections.abc import Mapping, Sequence

from batchspec.render import hashes, imported
from batchspec.render import scope as making
from batchspec.render.inputs import Inputs, containers_in
from batchspec.render.model import HASH_KEY, OWNER_KEY, DesiredJob, DesiredPool, JsonObject
from batchspec.render.scope import Maker, Omit, fixed
from batchspec.render.symbolic import Json
from batchspec.render.wire import Wire
from batchspec.spec.model import Job, Pool
from batchspec.spec.reserved import METADATA_PREFIX

START_KEY = f"{METADATA_PREFIX}start"


def pool(wire: Wire, given: Pool, *, id_: str, existing: bool, owner: str, inputs: Inputs | None) -> DesiredPool:
    """The pool; without `inputs` nothing is fingerprinted and no file is read."""
    if existing:
        return DesiredPool(id_, True, wire.resources.os, None, "", "", frozenset(), given.at)
    made = {"id": fixed(id_), **wire.body("BatchPoolCreateOptions", given.properties, given.at)}
    body = _made(wire, made)
    start = ""
    if inputs is not None and "startTask" in body:
        start = hashes.fingerprint([body["startTask"], inputs.of(body["startTask"])])
    mark = hashes.fingerprint(body) if inputs is not None else ""
    word = _imported(wire, given)
    start, mark = imported.mark(word, start), imported.mark(word, mark)
    marks = {OWNER_KEY: owner, HASH_KEY: mark} | ({START_KEY: start} if start else {})
    marked = _marked(body, marks)
    return DesiredPool(id_, False, wire.resources.os, marked, mark, start, containers_in(body), given.at)


def job(
    wire: Wire,
    given: Job,
    *,
    id_: str,
    existing: bool,
    owner: str,
    pool_id: str | None,
    depends: bool,
    fingerprints: bool,
) -> DesiredJob:
    """The job, in the pool with `pool_id` unless it names another; `depends` says that tasks wait for others."""
    if existing:
        return DesiredJob(id_, True, None, "", frozenset(), given.at)
    made = {"id": fixed(id_), **wire.body("BatchJobCreateOptions", given.properties, given.at)}
    if "poolInfo" not in made and pool_id is not None:
        made["poolInfo"] = fixed({"poolId": pool_id})
    body = _made(wire, made)
    if depends and body.get("usesTaskDependencies") is False:
        wire.scope.fault((*given.at, "uses_task_dependencies"), "is false, but tasks wait for others; leave it out")
    if depends:
        body["usesTaskDependencies"] = True
    mark = imported.mark(_imported(wire, given), hashes.fingerprint(body) if fingerprints else "")
    return DesiredJob(
        id_, False, _marked(body, {OWNER_KEY: owner, HASH_KEY: mark}), mark, containers_in(body), given.at
    )


def preparation_of(body: JsonObject | None, name: str) -> Sequence[Json]:
    """The start task or the job preparation task of a body, as a list of one or none."""
    return [body[name]] if body is not None and name in body else []


def _imported(wire: Wire, given: Pool | Job) -> str:
    word = imported.maker(given.imported, (*given.at, "imported"), wire.scope)(wire.scope)
    return word if isinstance(word, str) else ""


def _made(wire: Wire, makers: Mapping[str, Maker]) -> JsonObject:
    made = making.object_of(makers)(wire.scope)
    return dict(made) if isinstance(made, dict) and not isinstance(made, Omit) else {}


def _marked(body: JsonObject, marks: Mapping[str, str]) -> JsonObject:
    given = body.get("metadata")
    metadata: list[Json] = list(given) if isinstance(given, list) else []
    metadata += [{"name": name, "value": value} for name, value in marks.items()]
    return {**body, "metadata": metadata}
