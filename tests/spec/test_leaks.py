"""What looks like a secret, and what only nearly does."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchspec.spec.leaks import secret_in
from tests.spec.written import ACCOUNT_KEY, SAS


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (ACCOUNT_KEY, "an account key"),
        (f"--key={ACCOUNT_KEY} more", "an account key"),
        (SAS, "a SAS"),
        ("sig=Zm9vYmFyYmF6Zm9vYmFyYmF6Zm9vYmFyYmF6MTIzNA%3D%3D", "a SAS"),
        (f"AccountName=x;AccountKey={ACCOUNT_KEY}", "a connection string"),
        ("BlobEndpoint=https://x;SharedAccessSignature=sv=2024&sig=x", "a connection string"),
        ("accountkey = c2VjcmV0", "a connection string"),
        ("a\n-----BEGIN PRIVATE KEY-----\n", "a private key"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "a private key"),
    ],
)
def test_secrets_are_known_by_their_form(text: str, kind: str) -> None:
    assert secret_in(text) == kind


@pytest.mark.parametrize(
    "text",
    [
        "",
        "AccountKey={{ vars.key }}",
        "https://x.blob.core.windows.net/c?{{ vars.sas }}",
        "https://example.com/?sig={{ vars.signature }}",
        "design=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "sig=short",
        hashlib.sha512(b"x").hexdigest(),
        base64.b64encode(hashlib.sha256(b"x").digest()).decode(),
        "A" * 200 + "==",
        "-----BEGIN CERTIFICATE-----",
        "{{ containers.output.sas_url('cw') }}",
    ],
)
def test_what_is_no_secret_is_left_alone(text: str) -> None:
    assert secret_in(text) is None


@given(st.binary(min_size=64, max_size=64))
def test_every_key_of_64_bytes_is_found(key: bytes) -> None:
    assert secret_in(f"key: {base64.b64encode(key).decode()}\n") == "an account key"
