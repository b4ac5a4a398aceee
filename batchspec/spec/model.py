"""What a person wrote, as data: the `Spec` and its parts.

Place in the pipeline: `build` makes these from a `Document` that has passed `schema` and `rules`; `render` reads them.
Strings are as written, Jinja unrendered; where a type says `object`, a literal or one whole `{{ }}` may stand there.
Every part carries `at`, its path in the document, so that later rooms can say where a fault was written. Defaults
that need no rendering are filled in; nothing here does I/O.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from batchspec.spec.load import At, Document

VarType = Literal["string", "integer", "number", "boolean", "list", "object"]


@dataclass(frozen=True, slots=True)
class Variable:
    """One entry of `vars`.

    `default` is None when there is none (`required`); a secret has no default but `from_env`. `allowed` are the only
    values it may have; empty when any will do.
    """

    name: str
    type: VarType | None
    default: object
    required: bool
    description: str
    secret: bool
    from_env: str | None
    at: At
    allowed: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class Container:
    """One entry of `containers`; `name` is a template, by default `{{ name }}-<key with _ as ->`.

    `url` is the address of a container in another account, None for one of the target's; `sas_from` the environment
    variable that holds its SAS, None when it has none.
    """

    key: str
    name: str
    existing: object
    keep: object
    at: At
    url: str | None = None
    sas_from: str | None = None


@dataclass(frozen=True, slots=True)
class Upload:
    """One entry of `uploads`: local `files` (globs, templates) into the container with the key `container`.

    A broken one has no container, or no files.
    """

    key: str
    container: str | None
    files: tuple[str, ...]
    prefix: str
    prune: object
    at: At


@dataclass(frozen=True, slots=True)
class Pool:
    """`pool`: what is ours (`id`, `existing`, `os`, `identity`, `imported`) and all else as written, in `properties`.

    One with a `lifetime` comes and goes with the job or the schedule; its `id` is a prefix, "" when none is written.
    `properties` still holds our shorthands `image`, and inside `start_task` `command`/`commands` and
    `resource_files` with `upload`/`container`.
    """

    id: str
    existing: object
    os: str
    properties: Mapping[str, object]
    at: At
    identity: str | None = None
    imported: str = ""
    lifetime: str = ""
    keep_alive: object = None


@dataclass(frozen=True, slots=True)
class Job:
    """`job`: `id`, `existing`, `imported`, and all else as written in `properties`; its `at` is `()` when left out."""

    id: str
    existing: object
    properties: Mapping[str, object]
    at: At
    imported: str = ""


@dataclass(frozen=True, slots=True)
class Schedule:
    """`schedule`: `id`, `existing`, `imported`, and all else as written in `properties`."""

    id: str
    existing: object
    properties: Mapping[str, object]
    at: At
    imported: str = ""


@dataclass(frozen=True, slots=True)
class TaskTemplate:
    """One entry of `tasks`: one task, or with `for_each` one per binding of the generator."""

    name: str | None
    id: str
    for_each: Mapping[str, object] | None
    needs: tuple[str, ...]
    properties: Mapping[str, object]
    at: At
    imported: str = ""


@dataclass(frozen=True, slots=True)
class Download:
    """One entry of `downloads`: blobs of `container` (key), those below `prefix` that match `pattern`, to a folder.

    A broken one has no container.
    """

    container: str | None
    to: str
    prefix: str
    pattern: str
    at: At


@dataclass(frozen=True, slots=True)
class Spec:
    """A whole spec. Mappings keep the order of the file; `job` is present whenever `tasks` are.

    One with a `schedule` has neither, since the schedule makes the jobs, and these start empty. One that is not `sound`
    lacks what is broken in the document.
    """

    document: Document
    name: str
    vars: Mapping[str, Variable]
    containers: Mapping[str, Container]
    uploads: Mapping[str, Upload]
    pool: Pool | None
    job: Job | None
    tasks: tuple[TaskTemplate, ...]
    wait_timeout: str
    downloads: tuple[Download, ...]
    cleanup_after_success: tuple[str, ...]
    schedule: Schedule | None = None
    sound: bool = True
