"""Document -> Spec; the only place where defaults are filled in.

Place in the pipeline: after `schema` and `rules`. In: a document and the paths of what they found broken. Out: a Spec,
as whole as can be: what is broken is left out or stands at its default, so that `render` can find the problems of the
rest without tripping over those already told. Never reports, and never raises for bad data.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from batchspec.spec.document import At, Document
from batchspec.spec.model import (
    Container,
    Download,
    Job,
    Pool,
    Schedule,
    Spec,
    TaskTemplate,
    Upload,
    Variable,
    VarType,
)
from batchspec.spec.pruned import pruned
from batchspec.spec.types import stand_in
from batchspec.spec.words import COMMAND_WORDS, GENERATORS, VAR_TYPES, is_long_form

DEFAULT_ID = "{{ name }}"
DEFAULT_TIMEOUT = "PT30M"
EVERY_BLOB = "**"
_BROKEN = object()

_TASK_WORDS = ("name", "id", "for_each", "needs", "imported")
_POOL_WORDS = ("id", "existing", "os", "identity", "imported", "lifetime", "keep_alive")
_JOB_WORDS = ("id", "existing", "imported")
_SCHEDULE_WORDS = ("id", "existing", "imported")


def build(document: Document, broken: Collection[At] = ()) -> Spec | None:
    """The spec that a document describes, without its `broken` parts; None when nothing can be built."""
    whole = document.data
    if not isinstance(whole, dict) or () in broken:
        return None
    data = pruned(whole, frozenset(broken))
    sound = _mapping(data, "containers")
    variables = _mapping(data, "vars")
    return Spec(
        document=document,
        name=_text(data, "name", "unnamed"),
        vars={
            name: _sound_variable(name, value, variables.get(name, _BROKEN))
            for name, value in _mapping(whole, "vars").items()
        },
        containers={
            key: _container(key, sound[key]) if key in sound else _unnamed(key, index)
            for index, key in enumerate(_mapping(whole, "containers"))
        },
        uploads=dict(_uploads(_mapping(whole, "uploads"), _mapping(data, "uploads"))),
        pool=_pool(whole, data),
        job=_job(whole, data),
        tasks=tuple(_tasks(whole, data)),
        wait_timeout=_text(_mapping(data, "wait"), "timeout", DEFAULT_TIMEOUT),
        downloads=tuple(_downloads(data)),
        cleanup_after_success=_texts(_mapping(data, "cleanup").get("after_success")),
        schedule=_schedule(whole, data),
        sound=not broken,
    )


def _sound_variable(name: str, written: object, sound: object) -> Variable:
    """The variable; one that is broken has a default, so that it is not told to lack a value as well."""
    variable = _variable(name, None if sound is _BROKEN else sound)
    if written == sound or variable.secret:
        return variable
    default = stand_in(variable.type, name) if variable.default is None else variable.default
    return replace(variable, required=False, default=default, allowed=())


def _variable(name: str, value: object) -> Variable:
    at: At = ("vars", name)
    if not is_long_form(value):
        return Variable(name, type_of(value), value, value is None, "", False, None, at)
    kind: VarType | None = value.get("type") if value.get("type") in VAR_TYPES else None
    default = value.get("default")
    secret = value.get("secret") is True
    if kind is None and default is not None:
        kind = type_of(default)
    from_env = _text(value, "from_env", "") or None
    allowed = value.get("allowed")
    return Variable(
        name=name,
        type=kind,
        default=default,
        required="default" not in value,
        description=_text(value, "description", ""),
        secret=secret,
        from_env=from_env,
        at=at,
        allowed=tuple(allowed) if isinstance(allowed, list) else (),
    )


def type_of(value: object) -> VarType | None:
    """The type that a variable has by its default; None for null."""
    if isinstance(value, bool):
        return "boolean"
    names: tuple[tuple[type, VarType], ...] = (
        *((str, "string"), (int, "integer"), (float, "number")),
        *((list, "list"), (dict, "object")),
    )
    return next((name for kind, name in names if isinstance(value, kind)), None)


def _container(key: str, value: object) -> Container:
    given = value if isinstance(value, dict) else {}
    name = _text(given, "name", f"{{{{ name }}}}-{key.replace('_', '-')}")
    return Container(
        key=key,
        name=name,
        existing=_flag(given, "existing"),
        keep=_flag(given, "keep"),
        at=("containers", key),
        url=_text(given, "url", "") or None,
        sas_from=_text(_mapping(given, "sas"), "from_env", "") or None,
    )


def _unnamed(key: str, index: int) -> Container:
    """Stands for a container whose key or default name cannot be used."""
    return Container(key, f"unnamed-{index}", False, False, ("containers", key))


def _uploads(whole: Mapping[str, Any], sound: Mapping[str, Any]) -> Iterator[tuple[str, Upload]]:
    """Every upload; a broken one lacks its container or its files, and is still there to be referred to."""
    for key in whole:
        given = _mapping(sound, key)
        prefix, prune = _text(given, "prefix", ""), _flag(given, "prune")
        container = _text(given, "container", "") or None
        yield key, Upload(key, container, _texts(given.get("files")), prefix, prune, ("uploads", key))


def _pool(whole: Mapping[str, Any], data: Mapping[str, Any]) -> Pool | None:
    if not isinstance(whole.get("pool"), dict):
        return None
    given = _mapping(data, "pool")
    os, properties = _text(given, "os", "linux"), _properties(given, _POOL_WORDS)
    identity = _text(given, "identity", "") or None
    lifetime = _text(given, "lifetime", "job") if "lifetime" in whole["pool"] else ""
    return Pool(
        id=_text(given, "id", "" if lifetime else DEFAULT_ID),
        existing=_flag(given, "existing"),
        os=os,
        properties=properties,
        at=("pool",),
        identity=identity,
        imported=_text(given, "imported", ""),
        lifetime=lifetime,
        keep_alive=given.get("keep_alive"),
    )


def _job(whole: Mapping[str, Any], data: Mapping[str, Any]) -> Job | None:
    if not isinstance(whole.get("job"), dict):
        return Job(DEFAULT_ID, False, {}, ()) if whole.get("tasks") else None
    given = _mapping(data, "job")
    properties = _properties(given, _JOB_WORDS)
    imported = _text(given, "imported", "")
    return Job(_text(given, "id", DEFAULT_ID), _flag(given, "existing"), properties, ("job",), imported)


def _schedule(whole: Mapping[str, Any], data: Mapping[str, Any]) -> Schedule | None:
    if not isinstance(whole.get("schedule"), dict):
        return None
    given = _mapping(data, "schedule")
    properties = _properties(given, _SCHEDULE_WORDS)
    imported = _text(given, "imported", "")
    return Schedule(_text(given, "id", DEFAULT_ID), _flag(given, "existing"), properties, ("schedule",), imported)


def _tasks(whole: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[TaskTemplate]:
    """Templates in order; one without a usable id has another, so that the rest of it is looked at."""
    written = whole.get("tasks")
    sound = data.get("tasks")
    if not isinstance(written, list) or not isinstance(sound, list):
        return
    for index, (before, given) in enumerate(zip(written, sound, strict=True)):
        if not isinstance(given, dict):
            continue
        if not any(word in given for word in COMMAND_WORDS):
            given = {**given, "command": ":"}
        name = given.get("name")
        yield TaskTemplate(
            name=name if isinstance(name, str) else None,
            id=_text(given, "id", f"unnamed-{index}-{{{{ index }}}}"),
            for_each=_for_each(before.get("for_each"), given.get("for_each")),
            needs=_texts(given.get("needs")),
            properties={key: value for key, value in given.items() if key not in _TASK_WORDS},
            at=("tasks", index),
            imported=_text(given, "imported", ""),
        )


def _for_each(written: object, sound: object) -> Mapping[str, object] | None:
    """The generator; of a broken one only the word that says its kind, if that is known."""
    if written == sound:
        return sound if isinstance(sound, dict) else None
    words = written if isinstance(written, dict) else {}
    return {word: None for word in GENERATORS if word in words}


def _downloads(data: Mapping[str, Any]) -> Iterator[Download]:
    written = data.get("downloads")
    for index, given in enumerate(written if isinstance(written, list) else ()):
        if isinstance(given, dict) and isinstance(given.get("to"), str):
            prefix, pattern = _text(given, "prefix", ""), _text(given, "pattern", EVERY_BLOB)
            container = _text(given, "container", "") or None
            yield Download(container, given["to"], prefix, pattern, ("downloads", index))


def _properties(given: Mapping[str, Any], ours: Collection[str]) -> Mapping[str, object]:
    return {key: value for key, value in given.items() if key not in ours}


def _mapping(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _text(data: Mapping[str, Any], key: str, default: str) -> str:
    value = data.get(key)
    return value if isinstance(value, str) else default


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, Sequence) else ()


def _flag(data: Mapping[str, Any], key: str) -> object:
    """True, False or a whole template; False when left out."""
    value = data.get(key)
    return value if isinstance(value, bool | str) else False
