"""Whose a thing is: the marks that stand in for a state file.

Place in the pipeline: `observe`, the planners and `delete` ask here. In: resources as the services return them. Out:
owner, fingerprint, task hash. Pure.
"""

from collections.abc import Mapping

from batchspec.reconcile.ports import BlobState, ContainerState
from batchspec.render.hashes import HELD_SECRET, fingerprint
from batchspec.render.model import (
    CONTAINER_OWNER_KEY,
    HASH_KEY,
    OWNER_KEY,
    TASK_HASH_SETTING,
    JsonObject,
)
from batchspec.render.symbolic import Json, holds_secret
from batchspec.spec.reserved import METADATA_PREFIX

START_KEY = "batchspec:start"
AUTO_KEY = "batchspec:auto"
REBOOT_KEY = "batchspec:reboot"
RUN_KEY = "batchspec:run"
PARTS_KEY = "batchspec:parts"
# Metadata names of blobs are C# identifiers.
BLOB_MD5_KEY = "batchspec_md5"
_PART_DIGITS = 8


def metadata_of(resource: JsonObject | None) -> dict[str, str]:
    """The metadata of a pool or job as a mapping; empty when there is none."""
    items = (resource or {}).get("metadata")
    if not isinstance(items, list):
        return {}
    return {str(item.get("name")): str(item.get("value", "")) for item in items if isinstance(item, dict)}


def owner_of(resource: JsonObject | None) -> str | None:
    """The name of the spec that made a pool or job, None when it carries no mark."""
    return metadata_of(resource).get(OWNER_KEY)


def hash_of(resource: JsonObject | None) -> str | None:
    """The fingerprint a pool or job carries."""
    return metadata_of(resource).get(HASH_KEY)


def owner_in(metadata: Mapping[str, str]) -> str | None:
    """The name of the spec that made a container or blob. Metadata names ignore case."""
    return _in(metadata, CONTAINER_OWNER_KEY)


def _in(metadata: Mapping[str, str], name: str) -> str | None:
    return next((value for key, value in metadata.items() if key.lower() == name), None)


def blob_marks(owner: str, md5: bytes) -> dict[str, str]:
    """The metadata of a blob that the spec `owner` sends, with the MD5 of what it sends."""
    return {CONTAINER_OWNER_KEY: owner, BLOB_MD5_KEY: md5.hex()}


def sent_with(blob: BlobState, md5: bytes) -> bool:
    """Whether a blob was last sent with this content, whatever somebody has put into it since."""
    return _in(blob.metadata, BLOB_MD5_KEY) == md5.hex()


def owns(name: str, thing: ContainerState | BlobState) -> bool:
    """Whether the spec `name` made this container or blob."""
    return owner_in(thing.metadata) == name


def task_hash_of(task: JsonObject, owner: str) -> str | None:
    """The mark in a task's environment settings (`owner:fingerprint`), None when the task is not this owner's."""
    settings = task.get("environmentSettings")
    for setting in reversed(settings) if isinstance(settings, list) else ():
        if isinstance(setting, dict) and setting.get("name") == TASK_HASH_SETTING:
            mark = str(setting.get("value", ""))
            return mark if mark.startswith(f"{owner}:") else None
    return None


def without_task_mark(body: JsonObject) -> JsonObject:
    """A task's body without the mark of any spec."""
    settings = body.get("environmentSettings")
    kept: list[Json] = [
        one
        for one in (settings if isinstance(settings, list) else ())
        if not (isinstance(one, dict) and one.get("name") == TASK_HASH_SETTING)
    ]
    return {**body, "environmentSettings": kept}


def metadata_with(body: JsonObject, extra: Mapping[str, str]) -> list[JsonObject]:
    """The metadata list of `body`, all of it, with `extra` items set or, where the value is empty, removed."""
    items = body.get("metadata")
    kept = [one for one in (items if isinstance(items, list) else ()) if isinstance(one, dict)]
    marks: list[JsonObject] = [{"name": key, "value": value} for key, value in extra.items() if value]
    return [*(one for one in kept if one.get("name") not in extra), *marks]


def sent_metadata(body: JsonObject, extra: Mapping[str, str]) -> list[Json]:
    """`metadata_with`, and what each property of the symbolic `body` was, for `parts_of` to tell later."""
    said = {key: value for key, value in body.items() if key != "id"} | {"metadata": own_metadata(body)}
    parts = " ".join(f"{key}={part_of(value)}" for key, value in said.items())
    return [*metadata_with(body, {**extra, PARTS_KEY: parts})]


def own_metadata(body: JsonObject) -> Json:
    """The metadata of a body that a person wrote, by name."""
    return {name: value for name, value in metadata_of(body).items() if not name.startswith(METADATA_PREFIX)}


def parts_of(resource: JsonObject | None) -> dict[str, str]:
    """Fingerprints of the properties that a pool or job was last sent with; empty when it says nothing of them."""
    pairs = (part.partition("=") for part in metadata_of(resource).get(PARTS_KEY, "").split())
    return {key: value for key, _, value in pairs}


def part_of(value: Json) -> str:
    """The fingerprint of one property, as `parts_of` gives it."""
    return fingerprint(value)[:_PART_DIGITS] + (HELD_SECRET if holds_secret(value) else "")


def held_secret(mark: str | None) -> bool:
    """Whether what carries this mark was sent with a secret."""
    return mark is not None and mark.endswith(HELD_SECRET)
