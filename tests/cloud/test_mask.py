"""Secrets do not get through `masked`."""

import pytest

from batchspec.cloud.mask import masked


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GET http://h/c/b?sv=1&sig=ab%2Bc%3D&se=2 200", "GET http://h/c/b?sv=1&sig=***&se=2 200"),
        ("sig=abc", "sig=***"),
        ("AccountName=a;AccountKey=abc+/==;EndpointSuffix=x", "AccountName=a;AccountKey=***;EndpointSuffix=x"),
        ("Authorization: SharedKey name:c2ln", "Authorization: ***"),
        ("'Authorization': 'Bearer eyJ0'", "'Authorization': '***'"),
        ("SharedKey name:c2lnbmF0dXJl", "SharedKey name:***"),
        ("Bearer eyJ0eXAi.x.y", "Bearer ***"),
        ("nothing to hide, design=good", "nothing to hide, design=good"),
    ],
)
def test_signatures_keys_and_tokens_become_stars(text: str, expected: str) -> None:
    assert masked(text) == expected
