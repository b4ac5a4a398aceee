"""What a template can name, as objects: files and containers.

Place in the pipeline: `desired` and `expand` make these, templates read their parts. In: what was listed and rendered.
Out: texts, most of them symbols. Never an address, a key or a path of this machine: `path` is relative to the spec.
"""

from collections.abc import Callable
from typing import ClassVar, TypeVar

from batchspec.render.filters import Unusable, stem, suffix
from batchspec.render.model import Blob, LocalFile
from batchspec.render.symbolic import symbol

# The order in which Azure wants the letters of a SAS ("Create a service SAS", signedPermissions).
_PERMISSIONS = "racwdxltmeopi"

F = TypeVar("F", bound=Callable[..., object])


def callable_in_templates(function: F) -> F:
    """Marks a method that a template may call."""
    function.for_templates = True  # type: ignore[attr-defined]
    return function


class _Named:
    """What files and blobs have in common: a blob's name, in a container."""

    __slots__ = ("_container", "name")

    def __init__(self, name: str, container: str) -> None:
        self._container = container
        self.name = name

    @property
    def stem(self) -> str:
        """The last part of the name without its suffix."""
        return stem(self.name)

    @property
    def suffix(self) -> str:
        """The suffix of the name with its dot, or nothing."""
        return suffix(self.name)

    @property
    def url(self) -> str:
        """The blob's address without SAS, as a symbol."""
        return symbol("blob_url", self._container, self.name)


class File(_Named):
    """One file of an upload. `name` is its blob name; `md5` (hexadecimal) reads it; `url` has no SAS."""

    __slots__ = ("_local", "path")
    PARTS: ClassVar = ("name", "stem", "suffix", "path", "size", "md5", "url")

    def __init__(self, local: LocalFile, container: str, path: str) -> None:
        super().__init__(local.name, container)
        self._local = local
        self.path = path

    @property
    def size(self) -> int:
        """In bytes, when it was listed."""
        return self._local.size

    @property
    def md5(self) -> str:
        """Of the content, in hexadecimal. Raises LocalIOFailed."""
        return self._local.md5.hex()


class BlobFile(_Named):
    """One blob of a container: a file that lies in no folder of this machine, so without `path`."""

    __slots__ = ("_blob",)
    PARTS: ClassVar = ("name", "stem", "suffix", "size", "md5", "url")

    def __init__(self, blob: Blob, container: str) -> None:
        super().__init__(blob.name, container)
        self._blob = blob

    @property
    def size(self) -> int:
        """In bytes, when it was listed."""
        return self._blob.size

    @property
    def md5(self) -> str:
        """As the service has it, in hexadecimal."""
        if self._blob.md5 is None:
            raise Unusable(f"the service has no MD5 of the blob '{self.name}': whoever wrote it gave none")
        return self._blob.md5.hex()


def listed(file: File) -> tuple[str, LocalFile]:
    """The key of the container that a file goes to, and the file itself; not for templates."""
    return file._container, file._local


class Container:
    """One entry of `containers`."""

    __slots__ = ("_key", "_signed", "name")
    PARTS: ClassVar = ("name", "url", "sas_url('cw')")

    def __init__(self, key: str, name: str, *, signed: bool = True) -> None:
        self._key = key
        self._signed = signed
        self.name = name

    @property
    def url(self) -> str:
        """The container's address without SAS, as a symbol."""
        return symbol("container_url", self._key)

    @callable_in_templates
    def sas_url(self, permissions: str) -> str:
        """The container's address with a SAS for these permissions, as a symbol."""
        letters = set(permissions) if isinstance(permissions, str) else set()
        if not letters or not letters <= set(_PERMISSIONS):
            raise Unusable(f"sas_url takes letters such as 'r', 'rl' or 'cw', not {permissions!r}")
        if not self._signed:
            raise Unusable(f"the container '{self._key}' of another account has no `sas`")
        return symbol("sas_url", self._key, "".join(one for one in _PERMISSIONS if one in letters))
