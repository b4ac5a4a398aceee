"""Each fault has the code that the service gives it."""

import errno
import os

import pytest

from batchspec.engine.storage import HttpFailed
from batchspec.engine.transfer_failure import download_code, listing_code, local_failure, upload_code


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (HttpFailed("", status=404), ("BlobNotFound", "ResourceContainerNotFound", "FileUploadContainerNotFound")),
        (HttpFailed("", status=403), ("BlobAccessDenied", "ResourceContainerAccessDenied", "FileUploadAccessDenied")),
        (
            HttpFailed("", status=409, code="ContainerBeingDeleted"),
            ("BlobAccessDenied", "ResourceContainerAccessDenied", "FileUploadContainerNotFound"),
        ),
        (
            HttpFailed("", status=409, code="LeaseIdMissing"),
            ("BlobAccessDenied", "ResourceContainerAccessDenied", "FileUploadConflict"),
        ),
        (
            HttpFailed("", timed_out=True),
            ("BlobDownloadTimedOut", "ResourceContainerListTimedOut", "FileUploadTimedOut"),
        ),
        (
            HttpFailed("", status=500),
            ("BlobDownloadMiscError", "ResourceContainerListMiscError", "FileUploadMiscError"),
        ),
    ],
)
def test_an_answer_of_storage_has_a_code_for_each_use(failure: HttpFailed, expected: tuple[str, str, str]) -> None:
    assert (download_code(failure), listing_code(failure), upload_code(failure)) == expected


@pytest.mark.parametrize(("number", "code"), [(errno.ENOSPC, "DiskFull"), (errno.EACCES, "ResourceFileWriteFailed")])
def test_a_full_disk_is_told_from_other_faults_of_the_node(number: int, code: str) -> None:
    made = local_failure("ResourceFileWriteFailed", OSError(number, os.strerror(number)), (("FilePath", "x"),))
    assert (made.code, made.category, made.details) == (
        code,
        "servererror",
        (("FilePath", "x"), ("Message", os.strerror(number))),
    )
