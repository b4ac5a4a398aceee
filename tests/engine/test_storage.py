"""URLs keep their secrets, and names that need it are escaped."""

import pytest

from batchspec.engine.storage import StorageAccount, blob_url, masked


def test_a_masked_url_has_no_query() -> None:
    assert masked("https://a.example/c/b%20b?sv=1&sig=x#f") == "https://a.example/c/b%20b"


def test_what_is_no_url_is_not_shown() -> None:
    assert masked("http://[?sig=x") == "(not a URL)"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a/b.txt", "a/b.txt"), ("it's 100% #1?", "it%27s%20100%25%20%231%3F"), ("ü", "%C3%BC"), ("a~b", "a~b")],
)
def test_a_blob_is_addressed_with_its_containers_permission(name: str, expected: str) -> None:
    assert blob_url("http://h:1/acct/c/?sig=x%2By", name) == f"http://h:1/acct/c/{expected}?sig=x%2By"


def test_an_accounts_key_is_not_shown() -> None:
    account = StorageAccount("name", "c2VjcmV0", "http://h:1/name")
    assert repr(account) == "StorageAccount(name='name', endpoint='http://h:1/name')"
