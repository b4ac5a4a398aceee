"""Our shorthands inside Azure's models -> makers of what Batch wants there.

Place in the pipeline: `wire` calls these for the few properties in which we offer more than Azure: commands, images,
resource files, output files, environment settings and metadata. In: a value as written, or data that a template gave.
Out: makers. What is not a shorthand goes back to `wire` unchanged.
"""

import json
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from batchspec.render import scope as making
from batchspec.render import shell
from batchspec.render.ids import path_fault
from batchspec.render.model import DesiredUpload, JsonObject
from batchspec.render.scope import Made, Maker, Omit, Scope, fixed
from batchspec.render.shape import Shape, shape_of
from batchspec.render.suggest import suggestion
from batchspec.render.symbolic import OPEN, Json, symbol
from batchspec.spec.checks.reserved import named
from batchspec.spec.checks.tree import Part
from batchspec.spec.document import shown
from batchspec.spec.load import At

if TYPE_CHECKING:
    from batchspec.render.wire import Wire

# What Batch takes of a list of resource files (BatchExplorer#30), and what an address with its SAS has of it.
MAX_CHARACTERS = 32_768
_SYMBOL_CHARACTERS = 450
IDENTITY = "identity_reference"


def command_line(wire: "Wire", value: object, at: At) -> Maker:
    """`command` or `commands`: shell text, wrapped once for the pool's OS."""
    system = wire.resources.os
    if isinstance(value, str) and at[-1] == "commands" and not wire.raw:
        return wire.whole(value, at, lambda inner, given: command_line(inner, given, at))
    if not isinstance(value, (list, tuple)) and at[-1] == "commands":
        return fixed(wire.scope.fault(at, f"expected a list, got {shown(value)}"))
    if not isinstance(value, (list, tuple)):
        return making.then(wire.text(value, at), lambda made, scope: _wrapped(wire, made, at, scope), wire.scope)
    parts = making.list_of([wire.text(item, (*at, i)) for i, item in enumerate(value)])

    def finish(made: Made, scope: Scope) -> Made:
        texts = [one for one in made if isinstance(one, str)] if isinstance(made, list) else []
        if len(texts) != len(value):
            return making.OMIT  # the fault of the missing one is noted already
        empty = next((i for i, one in enumerate(texts) if not one.strip()), None)
        if empty is not None:
            return scope.fault((*at, empty), "is an empty command")
        return _wrapped(wire, shell.joined(texts, system) if texts else "", at, scope)

    return making.then(parts, finish, wire.scope)


def _wrapped(wire: "Wire", made: Made, at: At, scope: Scope) -> Made:
    text = made if isinstance(made, str) else ""
    fault = shell.text_fault(text, wire.resources.os, wire.resources.secrets)
    return scope.fault(at, fault) if fault else shell.wrapped(text, wire.resources.os)


_MARKETPLACE = {"publisher", "offer", "sku"}
_IMAGE_WORDS = "expected a mapping with publisher, offer and sku, or with id"


def image(wire: "Wire", properties: Mapping[str, object], made: dict[str, Maker], at: At) -> None:
    """`image` of a pool becomes its `virtualMachineConfiguration`, the node agent that fits to be looked up."""
    given = properties.get("image")
    written = properties.get("virtual_machine_configuration")
    if given is not None:
        inner = (*at, "virtual_machine_configuration")
        machine = wire.value(written, shape_of("VirtualMachineConfiguration"), inner)
        both = making.object_of({"machine": machine, "image": _image_reference(wire, given, (*at, "image"))})
        made["virtualMachineConfiguration"] = making.then(
            both, lambda parts, scope: _with_image(parts, inner, scope), wire.scope
        )
    if "virtualMachineConfiguration" in made:
        made["virtualMachineConfiguration"] = making.then(made["virtualMachineConfiguration"], _with_agent, wire.scope)


def _with_image(parts: Made, at: At, scope: Scope) -> Made:
    assert isinstance(parts, dict)
    machine = parts.get("machine", {})
    if not isinstance(machine, dict) or "image" not in parts:
        return making.OMIT
    if "imageReference" in machine:
        return scope.fault((*at, "image_reference"), "`image` says this already; remove one of the two")
    return {**machine, "imageReference": parts["image"]}


def _image_reference(wire: "Wire", given: object, at: At) -> Maker:
    shape = shape_of("BatchVmImageReference")
    if isinstance(given, str) and not wire.raw:
        return wire.whole(given, at, lambda inner, value: _image_reference(inner, value, at))
    if not isinstance(given, Mapping):
        return fixed(wire.scope.fault(at, f"{_IMAGE_WORDS}, got {shown(given)}"))
    words = shape_of("image")
    if wire.raw:
        wire.check_given(given, words, at)
    if wire.raw and given.keys() <= words.properties.keys() and not ("id" in given or given.keys() >= _MARKETPLACE):
        return fixed(wire.scope.fault(at, f"{_IMAGE_WORDS}, got {', '.join(map(str, given)) or 'nothing'}"))
    named = {"virtual_machine_image_id" if key == "id" else str(key): value for key, value in given.items()}
    fields = wire.fields(named, shape, at)
    if "publisher" in fields and "version" not in fields:
        fields["version"] = fixed("latest")
    return making.object_of(fields)


def _with_agent(made: Made, scope: Scope) -> Made:
    if isinstance(made, dict) and "imageReference" in made and "nodeAgentSKUId" not in made:
        return {**made, "nodeAgentSKUId": symbol("node_agent_sku")}
    return made


def named_values(wire: "Wire", value: object, shape: Shape, at: At) -> Maker:
    """Environment settings and metadata: our mapping NAME: value, or Azure's list; the order is kept."""
    if wire.raw:
        for finding in named(Part(at[:-1], {str(at[-1]): value}), str(at[-1])):
            wire.scope.fault(finding.at, finding.message)
    if not isinstance(value, Mapping):
        return wire.value(value, shape, at)
    return making.list_of([_named(wire, str(name), inner, (*at, str(name))) for name, inner in value.items()])


def _named(wire: "Wire", name: str, value: object, at: At) -> Maker:
    return making.then(wire.text(value, at), lambda made, scope: _name_value(name, made), wire.scope)


def _name_value(name: str, made: Made) -> Made:
    return made if isinstance(made, Omit) else {"name": name, "value": made}


def resource_files(wire: "Wire", value: object, shape: Shape, at: At) -> Maker:
    """Resource files: whole uploads, single files of one, containers, or Azure's own.

    Where the list would be longer than Batch takes, whole uploads are named by container and prefix instead.
    """
    if not isinstance(value, (list, tuple)):
        return wire.value(value, shape, at)
    single, whole = (
        making.list_of(
            [_resource_file(wire, item, shape.items, (*at, i), single=single) for i, item in enumerate(value)]
        )
        for single in (True, False)
    )

    def fitting(made: Made, scope: Scope) -> Made:
        listed = _flat(made)
        if _characters(listed) <= MAX_CHARACTERS:
            return listed
        listed = _flat(whole(scope))
        if (size := _characters(listed)) > MAX_CHARACTERS:
            message = f"the list has about {size:,} characters, Azure Batch takes {MAX_CHARACTERS:,}"
            return scope.fault(at, f"{message}; name a container and a `prefix` instead of single files")
        return listed

    return making.then(single, fitting, wire.scope)


def _flat(made: Made) -> list[Json]:
    assert isinstance(made, list)
    return [one for part in made for one in (part if isinstance(part, list) else [part])]


def _characters(entries: list[Json]) -> int:
    """How long the list will be once every symbol is an address."""
    text = json.dumps(entries, ensure_ascii=False)
    return len(text) + _SYMBOL_CHARACTERS * text.count(OPEN)


def _resource_file(wire: "Wire", value: object, shape: Shape, at: At, *, single: bool) -> Maker:
    if isinstance(value, str) and not wire.raw:
        return wire.whole(value, at, lambda inner, given: _resource_file(inner, given, shape, at, single=single))
    if not isinstance(value, Mapping) or not ("upload" in value or "container" in value):
        return wire.value(value, shape, at)
    texts = making.object_of(_parts(wire, value, shape, at))
    finish = _from_upload if "upload" in value else _from_container

    def entries(made: Made, scope: Scope) -> Made:
        given = dict(made) if isinstance(made, dict) else {}
        access = _Access(wire, given.pop(IDENTITY, None), single)
        texts = {key: str(one) for key, one in given.items()}
        whole = len(texts) + (IDENTITY in value) == len(value)
        return finish(access, texts, at, scope) if whole else making.OMIT

    return making.then(texts, entries, wire.scope)


def _parts(wire: "Wire", value: Mapping[str, object], shape: Shape, at: At) -> dict[str, Maker]:
    """Makers of the words of a shorthand, by their names in a spec."""
    if wire.raw:
        wire.check_given(value, shape, at)
    return {
        key: wire.value(inner, shape.property(key)[1], (*at, key))
        for key, inner in value.items()
        if isinstance(key, str)
    }


@dataclass(frozen=True, slots=True)
class _Access:
    """How a node gets at containers: with a SAS, with a managed identity, or (others' public ones) with neither.

    `single` says whether the files of a whole upload are named one by one.
    """

    wire: "Wire"
    identity: Json = None
    single: bool = True

    def of_container(self, key: str, permissions: str) -> tuple[str, JsonObject]:
        """The address to send, and the reference to an identity that goes beside it."""
        if reference := self._reference():
            return symbol("container_url", key), reference
        if key in self.wire.resources.unsigned:
            return symbol("container_url", key), {}
        return symbol("sas_url", key, permissions), {}

    def of_blob(self, key: str, name: str) -> tuple[str, JsonObject]:
        """The same for one blob to read."""
        if reference := self._reference():
            return symbol("blob_url", key, name), reference
        return symbol("blob_url" if key in self.wire.resources.unsigned else "blob_sas_url", key, name), {}

    def may_write(self, key: str) -> bool:
        """Whether anything lets a node write to a container."""
        return bool(self._reference()) or key not in self.wire.resources.unsigned

    def _reference(self) -> JsonObject:
        if self.identity is not None:
            return {"identityReference": self.identity}
        pool = self.wire.resources.identity
        return {"identityReference": {"resourceId": pool}} if pool else {}


def _from_upload(access: _Access, given: Mapping[str, str], at: At, scope: Scope) -> Made:
    resources = access.wire.resources
    upload = resources.uploads.get(given["upload"])
    if upload is None:
        known = [*resources.uploads, *resources.broken]
        if given["upload"] in resources.broken:
            return making.OMIT
        wrong = f"there is no upload '{given['upload']}'{suggestion(given['upload'], known)}"
        return scope.fault((*at, "upload"), wrong)
    folder = given.get("file_path", "")
    if _leaves(folder):
        return scope.fault((*at, "file_path"), f"'{folder}' leaves the task's working directory")
    if "file" in given:
        return _single(access, upload, given, at, scope)
    if not access.single:
        return [_container_entry(access, upload.container, _shared_folder(upload), folder, given)]
    return [
        _entry(access, upload.container, file.name, posixpath.join(folder, file.name), given) for file in upload.files
    ]


def _shared_folder(upload: DesiredUpload) -> str:
    """The folder that all files are in, or the upload's own prefix where that says more."""
    first, last = upload.files[0].name, upload.files[-1].name  # in order, so what these share all do
    folder = posixpath.commonpath([posixpath.dirname(first), posixpath.dirname(last)])
    return max(f"{folder}/" if folder else "", upload.prefix, key=len)


def _single(access: _Access, upload: DesiredUpload, given: Mapping[str, str], at: At, scope: Scope) -> Made:
    name = given["file"]
    files = access.wire.resources.files[upload.key]
    if name not in files:
        wrong = f"the upload '{upload.key}' has no file '{name}'{suggestion(name, files)}"
        return scope.fault((*at, "file"), wrong)
    return [_entry(access, upload.container, name, given.get("file_path") or name, given)]


def _entry(access: _Access, container: str, name: str, path: str, given: Mapping[str, str]) -> JsonObject:
    address, identity = access.of_blob(container, name)
    return _with_mode({"httpUrl": address, "filePath": path, **identity}, given)


def _from_container(access: _Access, given: Mapping[str, str], at: At, scope: Scope) -> Made:
    key, known = given["container"], access.wire.resources.containers
    if key not in known:
        wrong = f"there is no container '{key}'{suggestion(key, known)}"
        return scope.fault((*at, "container"), wrong)
    folder = given.get("file_path", "")
    if _leaves(folder):
        return scope.fault((*at, "file_path"), f"'{folder}' leaves the task's working directory")
    if "file" in given:
        return _blob(access, key, given, at, scope)
    return [_container_entry(access, key, given.get("prefix", ""), folder, given)]


def _blob(access: _Access, key: str, given: Mapping[str, str], at: At, scope: Scope) -> Made:
    name, path = given["file"], given.get("file_path", "")
    fault = path_fault(name) if name and not path else None if name else "is empty; write the exact name of a blob"
    if fault:
        return scope.fault((*at, "file"), f"{shown(name)} {fault}" + "; say another with `file_path`" * bool(name))
    return [_entry(access, key, name, path or name, given)]


def _container_entry(access: _Access, key: str, prefix: str, folder: str, given: Mapping[str, str]) -> JsonObject:
    address, identity = access.of_container(key, "rl")
    entry: JsonObject = {"storageContainerUrl": address, **identity}
    if prefix:
        entry["blobPrefix"] = prefix
    if folder:
        entry["filePath"] = folder
    return _with_mode(entry, given)


def _with_mode(entry: JsonObject, given: Mapping[str, str]) -> JsonObject:
    return {**entry, "fileMode": given["file_mode"]} if "file_mode" in given else entry


def _leaves(folder: str) -> bool:
    return folder.startswith("/") or ".." in folder.split("/")


def output_files(wire: "Wire", value: object, shape: Shape, at: At) -> Maker:
    """Output files: to one of our containers with a SAS that creates and writes, or Azure's own."""
    if not isinstance(value, (list, tuple)):
        return wire.value(value, shape, at)
    return making.list_of([_output_file(wire, item, shape.items, (*at, i)) for i, item in enumerate(value)])


def _output_file(wire: "Wire", value: object, shape: Shape, at: At) -> Maker:
    if isinstance(value, str) and not wire.raw:
        return wire.whole(value, at, lambda inner, given: _output_file(inner, given, shape, at))
    if not isinstance(value, Mapping):
        return wire.value(value, shape, at)
    made = making.object_of(_parts(wire, value, shape, at))

    def entry(given: Made, scope: Scope) -> Made:
        assert isinstance(given, dict)
        target = _destination(wire, given, at, scope) if "container" in value else given.get("destination", making.OMIT)
        if isinstance(target, Omit):
            return target
        return {"filePattern": given.get("file_pattern", ""), "destination": target, "uploadOptions": _options(given)}

    return making.then(made, entry, wire.scope)


def _destination(wire: "Wire", given: Mapping[str, Json], at: At, scope: Scope) -> Made:
    """One of our containers."""
    key = str(given.get("container", ""))
    if key not in wire.resources.containers:
        wrong = f"there is no container '{key}'{suggestion(key, wire.resources.containers)}"
        return scope.fault((*at, "container"), wrong) if "container" in given else making.OMIT
    access = _Access(wire, given.get(IDENTITY))
    if not access.may_write(key):
        message = f"the container '{key}' of another account has no `sas`, so that nothing can be written to it"
        return scope.fault((*at, "container"), f"{message}; give it one, or an `identity_reference` here")
    address, identity = access.of_container(key, "cw")
    target: dict[str, Json] = {"containerUrl": address, **identity}
    if given.get("path"):
        target["path"] = given["path"]
    if "upload_headers" in given:
        target["uploadHeaders"] = given["upload_headers"]
    return {"container": target}


def _options(given: Mapping[str, Json]) -> JsonObject:
    written = given.get("upload_options")
    options: JsonObject = written if isinstance(written, dict) else {}
    return {"uploadCondition": given.get("upload_condition", "taskcompletion"), **options}
