"""Resource files and output files -> the spec's shorthands for them.

Place in the pipeline: `words` passes each entry through here first. In: an entry as the service holds it. Out: the
shorthand that is rendered to the same entry, or None when Azure's own words say it better. Addresses with a SAS become
keys of containers, since batchspec makes a SAS of its own with the least that works.
"""

from collections.abc import Mapping

from batchspec.importing.pieces import Value, text
from batchspec.importing.storage import Address, Storage
from batchspec.importing.texts import cannot_be_written
from batchspec.render.ids import path_fault
from batchspec.render.symbolic import Json

Entry = dict[str, Value]
_OPTIONS = {"filePath", "fileMode", "identityReference"}


def resource_file(entry: Mapping[str, Json], storage: Storage) -> Entry | None:
    """`{container, file}` for one blob, `{container, prefix}` for many; of a container that needs access."""
    for word, more in (("httpUrl", set[str]()), ("storageContainerUrl", {"blobPrefix"})):
        if word in entry and entry.keys() <= {word, *more, *_OPTIONS} and _are_texts(entry):
            found = _reached(entry[word], entry, storage)
            if found is None or bool(found.blob) != (word == "httpUrl"):
                return None
            return _single(found, entry) if found.blob else _prefixed(found, entry)
    return None


def output_file(entry: Mapping[str, Json], storage: Storage) -> Entry | None:
    """`{file_pattern, container, path, upload_condition}`."""
    destination, options = entry.get("destination"), entry.get("uploadOptions") or {}
    target = destination.get("container") if isinstance(destination, dict) else None
    if not isinstance(target, dict) or not isinstance(options, dict) or options.keys() - {"uploadCondition"}:
        return None
    if entry.keys() - {"filePattern", "destination", "uploadOptions"}:
        return None
    if not target.keys() <= {"containerUrl", "path", "identityReference"} or not _are_texts(target):
        return None
    found = _reached(target.get("containerUrl"), target, storage)
    pattern, condition = entry.get("filePattern"), str(options.get("uploadCondition", "taskcompletion")).lower()
    if found is None or found.blob or found.allows == "" or not isinstance(pattern, str):
        return None
    made: Entry = {"file_pattern": text(pattern), "container": text(found.key)}
    if target.get("path"):
        made["path"] = text(str(target["path"]))
    if condition != "taskcompletion":
        made["upload_condition"] = text(condition)
    return _with_identity(made, target)


def _are_texts(entry: Mapping[str, Json]) -> bool:
    plain = [value for name, value in entry.items() if name != "identityReference"]
    return all(isinstance(value, str) and not cannot_be_written(value) for value in plain)


def _reached(url: Json, entry: Mapping[str, Json], storage: Storage) -> Address | None:
    """What an address names, when a shorthand would give the task the same access."""
    found = storage.address(url) if isinstance(url, str) else None
    if found is None or (not found.blob and found.rest.strip("/")):
        return None
    return found if found.signed != ("identityReference" in entry) else None


def _single(found: Address, entry: Mapping[str, Json]) -> Entry | None:
    path = str(entry.get("filePath", ""))
    if not path or _leaves(path) or (path == found.blob and path_fault(path)):
        return None
    made: Entry = {"container": text(found.key), "file": text(found.blob)}
    if path != found.blob:
        made["file_path"] = text(path)
    return _with_mode(made, entry)


def _prefixed(found: Address, entry: Mapping[str, Json]) -> Entry | None:
    path = str(entry.get("filePath", ""))
    if _leaves(path):
        return None
    made: Entry = {"container": text(found.key)}
    if entry.get("blobPrefix"):
        made["prefix"] = text(str(entry["blobPrefix"]))
    if path:
        made["file_path"] = text(path)
    return _with_mode(made, entry)


def _leaves(path: str) -> bool:
    return path.startswith("/") or ".." in path.split("/")


def _with_mode(made: Entry, entry: Mapping[str, Json]) -> Entry:
    if "fileMode" in entry:
        made["file_mode"] = text(str(entry["fileMode"]))
    return _with_identity(made, entry)


def _with_identity(made: Entry, entry: Mapping[str, Json]) -> Entry:
    reference = entry.get("identityReference")
    if isinstance(reference, dict):
        made["identity_reference"] = {"resource_id": text(str(reference.get("resourceId", "")))}
    return made
