"""Which uploaded files a body depends on.

Place in the pipeline: `tasks` and `desired` put the MD5 of these into fingerprints. In: a symbolic body, the listed
uploads. Out: [container key, blob name, MD5 in hexadecimal] for each file, sorted; then [key, name] for each container
that is not the spec's own, since another one holds other data. Reads the files that it names, once.

A file counts when its address stands in the body; every file of a container below the prefix counts when the service
is to fetch them, and every file of a container when a SAS lets the task read it. A blob that a generator listed counts
only by its address: what else is in its container may be what tasks wrote, and they would run for ever.
"""

from collections.abc import Iterable, Iterator, Mapping

from batchspec.render.model import Blob, BlobQuery, DesiredContainer, DesiredUpload, Listing, LocalFile
from batchspec.render.symbolic import OPEN, Json, Symbol, symbols

# A file or blob, with the key of its container.
Input = tuple[str, LocalFile | Blob]

CONTAINER_KINDS = frozenset({"container_url", "sas_url", "blob_url", "blob_sas_url"})


class Inputs:
    """The files of all uploads, by container and name; `containers` by key, as far as they could be rendered."""

    def __init__(
        self,
        uploads: Mapping[str, DesiredUpload],
        containers: Mapping[str, DesiredContainer] | None = None,
        listings: Mapping[BlobQuery, Listing] | None = None,
    ) -> None:
        self._others = {key: one.name for key, one in (containers or {}).items() if one.existing}
        self._files: dict[str, dict[str, LocalFile]] = {}
        for upload in uploads.values():
            self._files.setdefault(upload.container, {}).update({file.name: file for file in upload.files})
        self._blobs: dict[str, dict[str, Blob]] = {}
        for query, listing in (listings or {}).items():
            self._blobs.setdefault(query.key, {}).update({blob.name: blob for blob in listing.blobs})

    def of(self, body: Json, more: Iterable[Input] = ()) -> list[Json]:
        """The files of `body`, and `more` given as container key and file. Raises LocalIOFailed."""
        found = {(key, file.name): file for key, file in self._named(body)}
        found.update({(key, file.name): file for key, file in more})
        files: list[Json] = [[*place, found[place].digest] for place in sorted(found)]
        others = sorted(containers_in(body) & self._others.keys()) if self._others else []
        names: list[Json] = [[key, self._others[key]] for key in others]
        return [*files, *names]

    def _named(self, body: Json) -> Iterator[Input]:
        if isinstance(body, list):
            for item in body:
                yield from self._named(item)
        elif isinstance(body, dict) and "storageContainerUrl" in body:
            yield from self._fetched(body)
        elif isinstance(body, dict):
            for value in body.values():
                yield from self._named(value)
        elif isinstance(body, str) and OPEN in body:
            for one in symbols(body):
                yield from self._addressed(one)

    def _fetched(self, entry: Mapping[str, Json]) -> Iterator[Input]:
        prefix = str(entry.get("blobPrefix", ""))
        for one in symbols(entry["storageContainerUrl"]):
            key = one.arguments[0] if one.kind in CONTAINER_KINDS else ""
            yield from ((key, file) for name, file in self._in(key).items() if name.startswith(prefix))

    def _addressed(self, one: Symbol) -> Iterator[Input]:
        if one.kind in ("blob_url", "blob_sas_url"):
            key, name = one.arguments
            found = self._in(key).get(name) or self._blobs.get(key, {}).get(name)
            if found is not None:
                yield key, found
        elif one.kind == "sas_url" and "r" in one.arguments[1]:
            yield from ((one.arguments[0], file) for file in self._in(one.arguments[0]).values())

    def _in(self, container: str) -> Mapping[str, LocalFile]:
        return self._files.get(container, {})


def containers_in(body: Json) -> frozenset[str]:
    """The keys of the containers that a body refers to."""
    return frozenset(one.arguments[0] for one in symbols(body) if one.kind in CONTAINER_KINDS)
