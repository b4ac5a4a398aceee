"""Addresses of containers of other accounts."""

import pytest

from batchspec.render.others import name_of, url_fault


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://theirs.blob.core.windows.net/data", "data@theirs.blob.core.windows.net"),
        ("https://theirs.blob.core.windows.net/$web", "$web@theirs.blob.core.windows.net"),
        ("http://127.0.0.1:10000/devstoreaccount1/data", "data@devstoreaccount1@127.0.0.1:10000"),
    ],
)
def test_a_container_goes_by_a_name_that_none_of_the_own_account_can_have(url: str, name: str) -> None:
    assert url_fault(url) is None
    assert name_of(url) == name


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("data", "expected the address of a container, such as https://ACCOUNT.blob.core.windows.net/CONTAINER"),
        (
            "ftp://x/data",
            "expected the address of a container, such as https://ACCOUNT.blob.core.windows.net/CONTAINER",
        ),
        (
            "https://[x/data",
            "expected the address of a container, such as https://ACCOUNT.blob.core.windows.net/CONTAINER",
        ),
        (
            "https://theirs.blob.core.windows.net/data?sv=1",
            (
                "expected an address without a query or a user, such as "
                "https://ACCOUNT.blob.core.windows.net/CONTAINER; a SAS comes from the environment: "
                "`sas: {from_env: NAME}`"
            ),
        ),
        (
            "http://theirs.blob.core.windows.net/data",
            "must be https: a SAS and the blobs would cross the network in the clear",
        ),
        (
            "https://theirs.blob.core.windows.net/data/folder",
            (
                "expected the address of one container and nothing below it, such as "
                "https://ACCOUNT.blob.core.windows.net/CONTAINER"
            ),
        ),
        ("https://theirs.blob.core.windows.net/a", "has 1 characters, a container's name 3 to 63"),
    ],
)
def test_what_is_no_address_of_a_container_is_told(url: str, fault: str) -> None:
    assert url_fault(url) == fault
