"""Containers, uploads and downloads of a spec, rendered.

Place in the pipeline: `desired` calls these in their order. In: parts of the spec, a scope. Out: their desired form;
what is wrong is noted in the scope, and a part that cannot be made is left out. Lists files, reads none.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from batchspec.render import scope as making
from batchspec.render.files import Folder, list_files, same_file, shown
from batchspec.render.ids import blob_fault, container_fault
from batchspec.render.metering import RUN
from batchspec.render.model import DesiredContainer, DesiredDownload, DesiredUpload, LocalFile
from batchspec.render.names import Container as ContainerNames
from batchspec.render.names import File
from batchspec.render.others import name_of, url_fault
from batchspec.render.scope import Omit, Scope
from batchspec.render.suggest import suggestion
from batchspec.spec.document import shown as shown_value
from batchspec.spec.load import At
from batchspec.spec.model import Container, Download, Spec, Upload


def text(value: str, at: At, scope: Scope) -> str | None:
    """A rendered text, None when it cannot be rendered."""
    made = making.text(value, at, scope)(scope)
    return made if isinstance(made, str) else None


def truth(value: object, at: At, scope: Scope) -> bool:
    """A boolean, or what one whole `{{ }}` says."""
    if isinstance(value, bool):
        return value
    made = making.native(value, at, scope, lambda given, _: given)(scope) if isinstance(value, str) else value
    if not isinstance(made, (bool, Omit)):
        scope.fault(at, f"expected true or false, got {shown_value(made)}")
    return made is True


def containers(spec: Spec, scope: Scope) -> dict[str, DesiredContainer]:
    """Every container by key, with a legal name of its own."""
    found: dict[str, DesiredContainer] = {}
    keys: dict[str, str] = {}
    for key, container in spec.containers.items():
        made = _container(container, scope)
        if made is None:
            continue
        other = keys.setdefault(made.name, key)
        if other != key:
            word = "name" if container.url is None else "url"
            scope.fault((*container.at, word), f"'{made.name}' is the name of the container '{other}' already")
        found[key] = made
    return found


def _container(container: Container, scope: Scope) -> DesiredContainer | None:
    at = (*container.at, "name")
    if container.url is not None:
        return _of_another_account(container, container.url, scope)
    existing = truth(container.existing, (*container.at, "existing"), scope)
    keep = truth(container.keep, (*container.at, "keep"), scope)
    name = text(container.name, at, scope)
    if name is None:
        return None
    fault = container_fault(name, existing=existing)
    if fault:
        scope.fault(at, f"{shown_value(name)}: {fault}")
    return DesiredContainer(container.key, name, existing, keep, container.at)


def _of_another_account(container: Container, source: str, scope: Scope) -> DesiredContainer | None:
    at = (*container.at, "url")
    url = text(source, at, scope)
    sas_from = text(container.sas_from or "", (*container.at, "sas", "from_env"), scope)
    if not truth(container.existing, (*container.at, "existing"), scope):
        scope.fault((*container.at, "existing"), "must be true: a container of another account is not this spec's")
    if url is None or sas_from is None:
        return None
    if fault := url_fault(url):
        scope.fault(at, fault)
        return None
    url = url.rstrip("/")
    return DesiredContainer(container.key, name_of(url), True, False, container.at, url, sas_from)


def container_names(found: Mapping[str, DesiredContainer], spec: Spec) -> dict[str, ContainerNames]:
    """What templates see; a container whose name is broken has its key there, so that nothing else seems wrong."""
    return {
        key: ContainerNames(key, found[key].name.partition("@")[0] if key in found else key, signed=_is_signed(given))
        for key, given in spec.containers.items()
    }


def unsigned(spec: Spec) -> frozenset[str]:
    """The keys of containers of other accounts that come without a SAS."""
    return frozenset(key for key, container in spec.containers.items() if not _is_signed(container))


def _is_signed(container: Container) -> bool:
    """Whether there is a SAS for it: batchspec makes those of the target's account, others must be given."""
    return container.url is None or container.sas_from is not None


def uploads(spec: Spec, folder: Folder, scope: Scope) -> dict[str, DesiredUpload]:
    """Every upload by key with its files; one whose files cannot be told is left out."""
    found: dict[str, DesiredUpload] = {}
    taken: dict[tuple[str, str], tuple[str, LocalFile]] = {}
    for key, upload in spec.uploads.items():
        before = len(scope.faults)
        made = _upload(upload, spec, folder, scope)
        if made is None or len(scope.faults) > before:
            continue
        for file in made.files:
            other, first = taken.setdefault((made.container, file.name), (key, file))
            if other != key and not same_file(first.path, file.path):
                message = f"{shown(folder, file.path)} and {shown(folder, first.path)} of the upload '{other}'"
                scope.fault(upload.at, f"{message} would both be the blob '{file.name}' of '{made.container}'")
        found[key] = made
    return found


def _upload(upload: Upload, spec: Spec, folder: Folder, scope: Scope) -> DesiredUpload | None:
    at = upload.at
    prune = truth(upload.prune, (*at, "prune"), scope)
    prefix = text(upload.prefix, (*at, "prefix"), scope)
    container = None if upload.container is None else text(upload.container, (*at, "container"), scope)
    if container is not None and container not in spec.containers:
        wrong = f"there is no container '{container}'{suggestion(container, spec.containers)}"
        scope.fault((*at, "container"), wrong)
    if prefix and (fault := blob_fault(f"{prefix}x")):
        scope.fault((*at, "prefix"), f"{shown_value(prefix)} {fault.removesuffix('; rename the file')}; change it")
        prefix = None
    several = spec.document.written((*at, "files")) is None
    listed = _listed(upload, several, folder, prefix or "", scope)
    if prefix is None or container is None or not upload.files:
        return None
    return DesiredUpload(upload.key, container, listed, prefix, prune, at)


def _listed(upload: Upload, several: bool, folder: Folder, prefix: str, scope: Scope) -> tuple[LocalFile, ...]:
    at = (*upload.at, "files")
    found: dict[str, LocalFile] = {}
    for position, pattern in enumerate(upload.files):
        if RUN.is_spent:
            break
        place = (*at, position) if several else at
        rendered = text(pattern, place, scope)
        if rendered is None:
            continue
        listing = list_files(folder, rendered, prefix)
        for fault in listing.faults:
            scope.fault(place, f"{shown_value(rendered)}: {fault}")
        for file in listing.files:
            first = found.setdefault(file.name, file)
            if not same_file(first.path, file.path):
                both = f"{shown(folder, first.path)} and {shown(folder, file.path)}"
                scope.fault(place, f"{both} would both be the blob '{file.name}'")
    return tuple(found[name] for name in sorted(found))


def file_names(spec: Spec, found: Mapping[str, DesiredUpload], folder: Folder) -> dict[str, list[File]]:
    """What templates see of the uploads; an upload that is broken has no files."""
    return {
        key: [File(file, found[key].container, shown(folder, file.path)) for file in found[key].files]
        if key in found
        else []
        for key in spec.uploads
    }


def downloads(spec: Spec, folder: Folder, scope: Scope) -> tuple[DesiredDownload, ...]:
    """Every download, with its folder on this machine."""
    made = [_download(download, spec, folder, scope) for download in spec.downloads]
    return tuple(one for one in made if one is not None)


def _download(download: Download, spec: Spec, folder: Folder, scope: Scope) -> DesiredDownload | None:
    at = download.at
    container = None if download.container is None else text(download.container, (*at, "container"), scope)
    to = text(download.to, (*at, "to"), scope)
    prefix = text(download.prefix, (*at, "prefix"), scope)
    pattern = text(download.pattern, (*at, "pattern"), scope)
    if container is None or to is None or prefix is None or pattern is None:
        return None
    if container not in spec.containers:
        wrong = f"there is no container '{container}'{suggestion(container, spec.containers)}"
        scope.fault((*at, "container"), wrong)
        return None
    if not to.strip() or "\0" in to:
        scope.fault((*at, "to"), "expected the path of a folder, relative to the spec")
        return None
    path = Path(os.path.normpath(folder.path / to))
    return DesiredDownload(container, path, seen_from_here(path), prefix, pattern, at)


def seen_from_here(path: Path) -> str:
    """The path as a person would write it in the current directory."""
    try:
        relative = os.path.relpath(path)
    except (ValueError, OSError):  # another drive, or the current directory is gone
        return str(path)
    return relative if not relative.startswith(os.path.join("..", "..", "..")) else str(path)  # noqa: PTH118
