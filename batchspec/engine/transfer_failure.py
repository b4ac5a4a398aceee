"""Why files could not come or go, in the words of the service.

Place: between `transfer.py`, which raises it, and `attempt.py`, which puts it in a `failureInfo`. In: an HTTP answer
or a local error. Out: `TransferFailed` with the service's code, category and text.
"""

import errno
from collections.abc import Sequence
from typing import Literal

from batchspec.engine.storage import HttpFailed

Category = Literal["usererror", "servererror"]

# Codes, categories and texts: Batch documentation, "Batch status and error codes", task scheduling errors.
_KINDS: dict[str, tuple[Category, str]] = {
    "BlobNotFound": ("usererror", "One of the specified Azure Blob(s) is not found"),
    "BlobAccessDenied": ("usererror", "Access for one of the specified Azure Blob(s) is denied"),
    "BlobDownloadTimedOut": (
        "servererror",
        "Timeout encountered while downloading one of the specified Azure Blob(s)",
    ),
    "BlobDownloadMiscError": (
        "servererror",
        "Miscellaneous error encountered while downloading one of the specified Azure Blob(s)",
    ),
    "ResourceContainerNotFound": ("usererror", "One of the specified Azure container(s) is not found"),
    "ResourceContainerAccessDenied": (
        "usererror",
        "Access for one of the specified Azure container(s) is denied",
    ),
    "ResourceContainerListTimedOut": (
        "servererror",
        "Timeout encountered while listing one of the specified Azure container(s)",
    ),
    "ResourceContainerListMiscError": (
        "servererror",
        "Miscellaneous error encountered while listing one of the specified Azure container(s)",
    ),
    "ResourceDirectoryCreateFailed": (
        "servererror",
        "Failure encountered creating resource directory for the task",
    ),
    "ResourceFileCreateFailed": ("servererror", "Failure encountered creating resource file"),
    "ResourceFileWriteFailed": ("servererror", "Failure encountered writing resource file"),
    "DiskFull": (
        "servererror",
        "There is not enough disk space on the node that was selected to run the task",
    ),
    "FileUploadAccessDenied": ("usererror", "Access was denied while uploading an output file"),
    "FileUploadContainerNotFound": (
        "usererror",
        "One of the specified Azure container(s) was not found while attempting to upload an output file",
    ),
    "FileUploadConflict": ("usererror", "A conflict was encountered while uploading an output file"),
    "FileUploadTimedOut": ("servererror", "Timeout encountered while uploading an output file"),
    "FileUploadMiscError": ("servererror", "Miscellaneous error encountered while uploading an output file"),
}


CODES = frozenset(_KINDS)
"""Every code a transfer can fail with."""


class TransferFailed(Exception):
    """Why a file could not come or go, in the service's words: what belongs in `failureInfo`."""

    def __init__(self, code: str, details: Sequence[tuple[str, str]] = (), *, category: Category | None = None) -> None:
        usual, message = _KINDS[code]
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.details = tuple(details)
        self.category: Category = category or usual


def local_failure(code: str, error: OSError, details: Sequence[tuple[str, str]]) -> TransferFailed:
    """What a fault of the node's own disk means, in place of `code` when the disk is full."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        code = "DiskFull"
    return TransferFailed(code, (*details, ("Message", error.strerror or str(error))))


def download_code(error: HttpFailed) -> str:
    """The code for a resource file that could not be read."""
    if error.timed_out:
        return "BlobDownloadTimedOut"
    known = {401: "BlobAccessDenied", 403: "BlobAccessDenied", 404: "BlobNotFound", 409: "BlobAccessDenied"}
    return known.get(error.status or 0, "BlobDownloadMiscError")


def listing_code(error: HttpFailed) -> str:
    """The code for a container that could not be listed."""
    if error.timed_out:
        return "ResourceContainerListTimedOut"
    denied = "ResourceContainerAccessDenied"
    known = {401: denied, 403: denied, 404: "ResourceContainerNotFound", 409: denied}
    return known.get(error.status or 0, "ResourceContainerListMiscError")


def upload_code(error: HttpFailed) -> str:
    """The code for an output file that could not be written."""
    if error.timed_out:
        return "FileUploadTimedOut"
    if error.code == "ContainerBeingDeleted":
        return "FileUploadContainerNotFound"
    known = {
        401: "FileUploadAccessDenied",
        403: "FileUploadAccessDenied",
        404: "FileUploadContainerNotFound",
        409: "FileUploadConflict",
        412: "FileUploadConflict",
    }
    return known.get(error.status or 0, "FileUploadMiscError")
