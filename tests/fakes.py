"""The services in memory, for pure tests of `reconcile`: `FakeBatch`, `FakeBlobs`, and both as `Services`."""

from batchspec.reconcile.ports import Services
from tests.fake_batch import FakeBatch
from tests.fake_blobs import FakeBlob, FakeBlobs, FakeContainer, FakeLease
from tests.fake_calls import Body, refused

__all__ = ["Body", "FakeBatch", "FakeBlob", "FakeBlobs", "FakeContainer", "FakeLease", "refused", "services"]


def services(batch: FakeBatch | None = None, blobs: FakeBlobs | None = None) -> Services:
    """Both fakes as one target."""
    return Services(batch or FakeBatch(), blobs or FakeBlobs(), "the fake services")
