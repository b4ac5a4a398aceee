"""Fixtures of the conformance suite: an account, both official clients, requests by hand; every answer is judged."""

from collections.abc import Iterator

import pytest
from azure.batch import BatchClient

from tests.conformance.account import Account, batch_account
from tests.conformance.things import Things
from tests.conformance.wire import Raw, Wire, aio_client, sync_client

_CLIENTS = {"sync": sync_client, "aio": aio_client}


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """The account under test, one for each test worker."""
    with batch_account(tmp_path_factory.mktemp("state")) as found:
        yield found


@pytest.fixture
def wire() -> Iterator[Wire]:
    """All exchanges of this test; the test fails when an answer is not as the service's."""
    noted = Wire()
    yield noted
    assert noted.problems == []


@pytest.fixture(params=["sync", "aio"])
def client(request: pytest.FixtureRequest, account: Account, wire: Wire) -> Iterator[BatchClient]:
    """The official client: each test runs with both."""
    with _CLIENTS[request.param](account, wire) as opened:
        yield opened


@pytest.fixture
def raw(account: Account, wire: Wire) -> Raw:
    """Requests by hand."""
    return Raw(account, wire)


@pytest.fixture
def things(raw: Raw) -> Iterator[Things]:
    """Pools, jobs and tasks that are there for this test, and gone after it."""
    made = Things(raw)
    yield made
    made.delete_all()


@pytest.fixture(scope="session")
def pool_with_nodes(account: Account) -> Iterator[str]:
    """The id of a pool with two idle nodes, for all tests of a worker that do not change it."""
    made = Things(Raw(account, Wire()))
    yield made.pool(nodes=2)
    made.delete_all()
